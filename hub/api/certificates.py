"""/api/v1/stations/{identity}/certificates: what a charger trusts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.api.stations import outcome
from hub.control import certificates
from hub.control.asks import CertificateAsked

router = APIRouter(prefix="/api/v1/stations", tags=["stations"])

_DONE = gives("CertificateDone") | gives("CallOutcome", status=202)


@router.get("/{identity}/certificates", responses=gives("Certificates") | gives("CallOutcome", status=202))
async def list_certificates(request: Request, identity: Segment, bearer: Operator) -> Response:
    """The certificates that a connected charger has; it is asked."""
    done = await certificates.installed(program_of(request), identity)
    return answer(done) if isinstance(done, dict) else outcome(done)


@router.post("/{identity}/certificates", openapi_extra=takes("CertificateAsked"), responses=_DONE)
async def install_certificate(request: Request, identity: Segment, bearer: Admin) -> Response:
    """Let a charger trust a root certificate."""
    ask = await asked(request, CertificateAsked)
    done = await certificates.install(program_of(request), identity, ask, actor=bearer.subject)
    return answer(done) if isinstance(done, dict) else outcome(done)


@router.delete("/{identity}/certificates/{serial}", responses=_DONE)
async def delete_certificate(request: Request, identity: Segment, serial: Segment, bearer: Admin) -> Response:
    """Take a certificate away from a charger, by its serial number."""
    done = await certificates.delete(program_of(request), identity, serial, actor=bearer.subject)
    return answer(done) if isinstance(done, dict) else outcome(done)
