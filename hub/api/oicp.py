"""/api/v1/oicp: partners that speak OICP, and the certificates that we show them."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import oicp
from hub.control.asks import Name
from hub.control.oicp_asks import OicpCertificate, OicpCertificateAsked, OicpConnection
from hub.core.operations import MEDIUM

router = APIRouter(prefix="/api/v1/oicp", tags=["oicp"])

_NEW: Final = gives("OicpConnectionShown") | gives("OicpConnectionShown", status=201)


@router.get("/connections", responses=gives("OicpConnections"))
async def list_oicp_connections(request: Request, bearer: Viewer) -> Response:
    """All partners that speak OICP."""
    items = await oicp.connections(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.get("/connections/{name}", responses=gives("OicpConnectionShown"))
async def show_oicp_connection(request: Request, name: Segment, bearer: Viewer) -> Response:
    """A partner that speaks OICP: its ids, certificates and when they end, how it is called."""
    return answer(await oicp.connection(program_of(request), name))


@router.put("/connections/{name}", openapi_extra=takes("OicpConnection"), responses=_NEW)
async def connect_oicp(request: Request, name: Name, bearer: Admin) -> Response:
    """Connect a partner that speaks OICP, or change how it is connected; what is left out is as by default."""
    ask = await asked(request, OicpConnection, limit=MEDIUM)
    is_new, shown = await oicp.connect(program_of(request), name, ask, actor=bearer.subject)
    return answer(shown, 201 if is_new else 200)


@router.delete("/connections/{name}", responses=gives("Deleted"))
async def disconnect_oicp(request: Request, name: Segment, bearer: Admin) -> Response:
    """End a connection: the partner's calls are refused, and nothing is sent to it any more."""
    return answer(await oicp.disconnect(program_of(request), name, actor=bearer.subject))


@router.get("/certificates", responses=gives("OicpCertificates"))
async def list_oicp_certificates(request: Request, bearer: Viewer) -> Response:
    """The certificates that we show to OICP partners, and when they end."""
    items = await oicp.certificates(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.get("/certificates/{name}", responses=gives("OicpCertificateShown"))
async def show_oicp_certificate(request: Request, name: Segment, bearer: Viewer) -> Response:
    """One of them, with its signing request as long as that waits for its certificate."""
    return answer(await oicp.certificate(program_of(request), name))


@router.post(
    "/certificates",
    status_code=201,
    openapi_extra=takes("OicpCertificateAsked"),
    responses=gives("OicpCertificateShown", status=201),
)
async def ask_oicp_certificate(request: Request, bearer: Admin) -> Response:
    """Make a key, which never leaves, and a signing request; under a known name, to renew its certificate."""
    ask = await asked(request, OicpCertificateAsked)
    return answer(await oicp.ask_certificate(program_of(request), ask, actor=bearer.subject), 201)


@router.put("/certificates/{name}", openapi_extra=takes("OicpCertificate"), responses=gives("OicpCertificateShown"))
async def install_oicp_certificate(request: Request, name: Segment, bearer: Admin) -> Response:
    """Install the certificate that was issued for our signing request; it is shown from now on."""
    ask = await asked(request, OicpCertificate, limit=MEDIUM)
    return answer(await oicp.install_certificate(program_of(request), name, ask, actor=bearer.subject))


@router.delete("/certificates/{name}", responses=gives("Deleted"))
async def remove_oicp_certificate(request: Request, name: Segment, bearer: Admin) -> Response:
    """Forget a certificate and its key."""
    return answer(await oicp.remove_certificate(program_of(request), name, actor=bearer.subject))
