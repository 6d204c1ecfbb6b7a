"""/api/v1/partners"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import partner_view, partners
from hub.control.asks import Connect, Invite, PartnerSwitches, Pull, Rotate

router = APIRouter(prefix="/api/v1/partners", tags=["partners"])


@router.post("", status_code=201, openapi_extra=takes("Invite"), responses=gives("Invitation", status=201))
async def invite_partner(request: Request, bearer: Admin) -> Response:
    """Invite a partner: the answer holds token A, shown this once."""
    invited = await partners.invite(program_of(request), await asked(request, Invite), actor=bearer.subject)
    return answer(invited, 201)


@router.get("", responses=gives("Partners"))
async def list_partners(request: Request, bearer: Viewer) -> Response:
    """All partners, with what waits for them."""
    items = await partner_view.overview(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.get("/{name}", responses=gives("Partner"))
async def show_partner(request: Request, name: Segment, bearer: Viewer) -> Response:
    """State, version, endpoints, lane and losses of a partner."""
    return answer(await partner_view.show(program_of(request), name))


@router.delete("/{name}", responses=gives("Farewell"))
async def unregister_partner(request: Request, name: Segment, bearer: Admin) -> Response:
    """End a registration, and tell the partner if it can be reached."""
    return answer(await partners.unregister(program_of(request), name, actor=bearer.subject))


@router.post("/{name}/connect", openapi_extra=takes("Connect"), responses=gives("Partner"))
async def connect_partner(request: Request, name: Segment, bearer: Admin) -> Response:
    """Register with a partner that invited us."""
    program, ask = program_of(request), await asked(request, Connect)
    await partners.connect(program, name, ask, actor=bearer.subject)
    return answer(await partner_view.show(program, name))


@router.post("/{name}/block", responses=gives("Partner"))
async def block_partner(request: Request, name: Segment, bearer: Admin) -> Response:
    """Suspend a partner: its calls are refused, nothing is sent to it, others are told that it is SUSPENDED."""
    await partners.block(program_of(request), name, actor=bearer.subject)
    return answer(await partner_view.show(program_of(request), name))


@router.post("/{name}/unblock", responses=gives("Partner"))
async def unblock_partner(request: Request, name: Segment, bearer: Admin) -> Response:
    """Let a blocked partner go on."""
    await partners.unblock(program_of(request), name, actor=bearer.subject)
    return answer(await partner_view.show(program_of(request), name))


@router.put("/{name}/switches", openapi_extra=takes("PartnerSwitches"), responses=gives("Partner"))
async def switch_partner(request: Request, name: Segment, bearer: Admin) -> Response:
    """Set what holds for this partner alone, such as what follows from a wrong CDR."""
    program, ask = program_of(request), await asked(request, PartnerSwitches)
    await partners.switch(program, name, ask, actor=bearer.subject)
    return answer(await partner_view.show(program, name))


@router.post("/{name}/rotate", openapi_extra=takes("Rotate"), responses=gives("Partner"))
async def rotate_tokens(request: Request, name: Segment, bearer: Admin) -> Response:
    """New tokens on both sides, and perhaps another version."""
    program, ask = program_of(request), await asked(request, Rotate, optional=True)
    await partners.rotate(program, name, version=ask.version, actor=bearer.subject)
    return answer(await partner_view.show(program, name))


@router.post("/{name}/pull", openapi_extra=takes("Pull"), responses=gives("Pulled"))
async def pull_from_partner(request: Request, name: Segment, bearer: Operator) -> Response:
    """Pull the partner's lists now."""
    ask = await asked(request, Pull, optional=True)
    return answer(await partners.pull(program_of(request), name, full=ask.full))


@router.post("/{name}/push", responses=gives("Pushed"))
async def push_to_partner(request: Request, name: Segment, bearer: Operator) -> Response:
    """Send the partner all tariffs and locations again."""
    return answer(await partners.push(program_of(request), name, actor=bearer.subject))


@router.get("/{name}/losses", responses=gives("Losses"))
async def list_losses(request: Request, name: Segment, bearer: Viewer) -> Response:
    """Which fields were lost on the way to and from a partner, as its version has no place for them.

    The counts are written every 5 seconds: a hub that crashes, or is killed, forgets those since.
    """
    return answer(await partner_view.lost(program_of(request), name))


@router.get("/{name}/refused", responses=gives("RefusedObjects"))
async def list_refused(request: Request, name: Segment, bearer: Viewer) -> Response:
    """What the partner refused for its content, or cannot be told in its version."""
    items = await partners.refused(program_of(request), name)
    return answer({"items": items, "total": len(items)})


@router.post("/{name}/refused/{number}/resend", responses=gives("Resent"))
async def resend_refused(request: Request, name: Segment, number: int, bearer: Operator) -> Response:
    """Send a refused object again, as it is now."""
    return answer(await partners.resend(program_of(request), name, number, actor=bearer.subject))
