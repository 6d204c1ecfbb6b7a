"""/api/v1/sessions, cdrs, transactions, reservations and changes: what has happened."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Limit, Offset, Segment, answer, asked, gives, takes
from hub.control import held_bills, received, records
from hub.control.asks import BillHeld
from hub.control.listing import Filter, Found
from hub.core.parties import Party

router = APIRouter(prefix="/api/v1")
Verdict = Literal["right", "within_tolerance", "wrong", "cannot_be_checked", "unchecked"]
"""What a check may say, and `unchecked` where it is still to come; those of `hub.control.received`."""


def narrowed(
    partner: Annotated[str | None, Query(max_length=64, description="Only what concerns this partner.")] = None,
    station: Annotated[str | None, Query(max_length=255, description="Only at this charger.")] = None,
    open_: Annotated[bool | None, Query(alias="open", description="Only what goes on, or only what has ended.")] = None,
    date_from: Annotated[str | None, Query(max_length=40, description="Only from this time on.")] = None,
    held: Annotated[
        bool, Query(description="Only sessions and transactions whose bill is held, and CDRs not passed on.")
    ] = False,
    withheld: Annotated[bool, Query(description="Only sessions and CDRs that reach nobody yet.")] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Filter:
    """The filters that the lists share."""
    return Filter(
        partner=partner,
        station=station,
        open=open_,
        date_from=date_from,
        held=held,
        withheld=withheld,
        limit=limit,
        offset=offset,
    )


Narrowed = Annotated[Filter, Depends(narrowed)]


def stored(found: Found) -> Response:
    """Documents as they are kept."""
    return answer({"items": [msgspec.Raw(d.body) for d in found.documents], "total": found.total})


def _listed(items: list[Any], total: int) -> Response:
    return answer({"items": items, "total": total})


@router.get("/sessions", tags=["sessions"], responses=gives("Sessions"))
async def list_sessions(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Sessions, the newest first."""
    return _listed(*await records.sessions(program_of(request), narrowed_to))


@router.get("/sessions/{country_code}/{party_id}/{session_id}", tags=["sessions"], responses=gives("ListedSession"))
async def get_session(
    request: Request, country_code: Segment, party_id: Segment, session_id: Segment, bearer: Viewer
) -> Response:
    """One session."""
    return answer(await records.session(program_of(request), Party.of(country_code, party_id), session_id))


@router.post(
    "/sessions/{session_id}/bill",
    tags=["sessions"],
    openapi_extra=takes("BillHeld"),
    responses=gives("Transaction"),
)
async def bill_session(request: Request, session_id: Segment, bearer: Operator) -> Response:
    """Bill a session whose bill is held, or was credited.

    For `kwh`, or, with `as_metered`, for what the charger said.
    """
    ask = await asked(request, BillHeld)
    return answer(await held_bills.bill(program_of(request), session_id, ask, actor=bearer.subject))


@router.get("/cdrs", tags=["cdrs"], responses=gives("Cdrs"))
async def list_cdrs(
    request: Request,
    bearer: Viewer,
    narrowed_to: Narrowed,
    from_others: Annotated[bool, Query(alias="received", description="Those that other CPOs brought.")] = False,
    check: Annotated[Verdict | None, Query(description="Only received ones whose check says this.")] = None,
) -> Response:
    """CDRs, the newest first: ours with how far each has come, or received ones with what their check found."""
    if from_others or check is not None or narrowed_to.held:
        return _listed(*await received.listed(program_of(request), narrowed_to, verdict=check))
    return _listed(*await records.cdr_list(program_of(request), narrowed_to))


@router.get("/cdrs/{country_code}/{party_id}/{cdr_id}", tags=["cdrs"], responses=gives("AnyCdr"))
async def get_cdr(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Viewer
) -> Response:
    """One CDR: of ours with its deliveries, of another CPO with what its check found."""
    return answer(await records.cdr(program_of(request), Party.of(country_code, party_id), cdr_id))


@router.get("/cdrs/{country_code}/{party_id}/{cdr_id}/receipt", tags=["cdrs"], responses=gives("Receipt"))
async def get_cdr_receipt(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Viewer
) -> Response:
    """Why a CDR of ours costs what it does: every quantity, what priced it, steps, limits and taxes."""
    return answer(await records.receipt(program_of(request), Party.of(country_code, party_id), cdr_id))


@router.post(
    "/cdrs/{country_code}/{party_id}/{cdr_id}/credit",
    tags=["cdrs"],
    status_code=201,
    responses=gives("Cdr", status=201),
)
async def credit_cdr(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Operator
) -> Response:
    """Take a CDR back: issue its credit CDR, and send it. Its session can then be billed anew."""
    owner = Party.of(country_code, party_id)
    return answer(await records.credit(program_of(request), owner, cdr_id, actor=bearer.subject), 201)


@router.post("/cdrs/{country_code}/{party_id}/{cdr_id}/resend", tags=["cdrs"], responses=gives("IssuedCdr"))
async def resend_cdr(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Operator
) -> Response:
    """Send a CDR again that its eMSP has not taken; what it took is never sent twice."""
    owner = Party.of(country_code, party_id)
    return answer(await records.resend(program_of(request), owner, cdr_id, actor=bearer.subject))


@router.get("/cdrs/{country_code}/{party_id}/{cdr_id}/check", tags=["cdrs"], responses=gives("CdrCheck"))
async def check_cdr(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Viewer
) -> Response:
    """Is a CDR what its periods and tariffs come to? Each figure that deviates, with the cause."""
    return answer(await received.checked(program_of(request), Party.of(country_code, party_id), cdr_id))


@router.post("/cdrs/{country_code}/{party_id}/{cdr_id}/release", tags=["cdrs"], responses=gives("ReceivedCdr"))
async def release_cdr(
    request: Request, country_code: Segment, party_id: Segment, cdr_id: Segment, bearer: Operator
) -> Response:
    """Let a held CDR be passed on, whatever its check found."""
    owner = Party.of(country_code, party_id)
    return answer(await received.release(program_of(request), owner, cdr_id, actor=bearer.subject))


@router.get("/transactions", tags=["transactions"], responses=gives("Transactions"))
async def list_transactions(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Charges at our own chargers, the newest first."""
    return _listed(*await records.transactions(program_of(request), narrowed_to))


@router.get("/transactions/{session_id}", tags=["transactions"], responses=gives("Transaction"))
async def get_transaction(request: Request, session_id: Segment, bearer: Viewer) -> Response:
    """One charge, with the token, the location and the tariffs as they were at its start."""
    return answer(await records.transaction(program_of(request), session_id))


@router.get("/reservations", tags=["reservations"], responses=gives("Reservations"))
async def list_reservations(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Reservations, the newest first."""
    return _listed(*await records.reservations(program_of(request), narrowed_to))


@router.get("/changes", tags=["changes"], responses=gives("Changes"))
async def list_changes(
    request: Request,
    bearer: Viewer,
    narrowed_to: Narrowed,
    after: Annotated[int | None, Query(ge=0, le=2**62, description="Go on after this number.")] = None,
    module: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The change log in its order: its newest part, or what follows `after`."""
    items = await records.changes(program_of(request), narrowed_to, after=after, module=module)
    return answer({"items": items, "last": await program_of(request).store.last_change()})
