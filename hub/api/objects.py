"""/api/v1/locations, tariffs and tokens: our own objects, in our own form (OCPI 2.3.0)."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Limit, Offset, Segment, answer, asked, gives, object_body, takes
from hub.control import objects
from hub.control.lint import LintAsked, findings_on, report
from hub.control.listing import Filter, newest, parties_of
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import LARGE, MEDIUM, SMALL
from hub.core.parties import Party
from hub.core.units import Document, Kind
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tokens.store import TOKENS

router = APIRouter(prefix="/api/v1")


async def listed(request: Request, kind: Kind, limit: int, offset: int, partner: str | None = None) -> Response:
    """A list of what partners and we own, the newest first. Raises: NotFound (no such partner)."""
    program = program_of(request)
    owners = parties_of(program, partner)
    among = {} if owners is None else {"owner": owners}
    found = await newest(program.store, kind, Filter(limit=limit, offset=offset), among=among)
    return answer({"items": [msgspec.Raw(d.body) for d in found.documents], "total": found.total})


def _stored(document: Document) -> Response:
    return Response(document.body, media_type="application/json")


def _kept(document: Document, created: bool) -> Response:
    return Response(document.body, 201 if created else 200, media_type="application/json")


@router.get("/locations", tags=["locations"], responses=gives("Locations"))
async def list_locations(request: Request, bearer: Viewer, limit: Limit = 50, offset: Offset = 0) -> Response:
    """Our locations, the newest first."""
    return await listed(request, LOCATIONS, limit, offset)


@router.get("/locations/{country_code}/{party_id}/{location_id}", tags=["locations"], responses=gives("Location"))
async def get_location(
    request: Request, country_code: Segment, party_id: Segment, location_id: Segment, bearer: Viewer
) -> Response:
    """One location."""
    owner = Party.of(country_code, party_id)
    return _stored(await objects.get_location(program_of(request), owner, location_id))


@router.put(
    "/locations/{country_code}/{party_id}/{location_id}",
    tags=["locations"],
    openapi_extra=takes("Location"),
    responses=gives("KeptLocation") | gives("KeptLocation", status=201),
)
async def put_location(
    request: Request, country_code: Segment, party_id: Segment, location_id: Segment, bearer: Operator
) -> Response:
    """Keep a location; missing times are now, EVSEs left out are REMOVED until given again. Partners are told.

    `warnings` name tariffs of its connectors that are not here.
    """
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    tree = await object_body(request, limit=LARGE)
    created = await objects.put_location(program, owner, location_id, tree, actor=bearer.subject)
    kept = await objects.get_location(program, owner, location_id)
    warnings = await objects.location_warnings(program, kept)
    if not warnings:
        return _kept(kept, created)
    return answer({**parse(kept.body, limit=LARGE), "warnings": warnings}, 201 if created else 200)


@router.delete(
    "/locations/{country_code}/{party_id}/{location_id}/evses/{evse_uid}",
    tags=["locations"],
    responses=gives("Location"),
)
async def remove_evse(
    request: Request,
    country_code: Segment,
    party_id: Segment,
    location_id: Segment,
    evse_uid: Segment,
    bearer: Operator,
) -> Response:
    """Take an EVSE out of service for good: its status becomes REMOVED."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    await objects.remove_evse(program, owner, location_id, evse_uid, actor=bearer.subject)
    return _stored(await objects.get_location(program, owner, location_id))


@router.get("/tariffs", tags=["tariffs"], responses=gives("Tariffs"))
async def list_tariffs(request: Request, bearer: Viewer, limit: Limit = 50, offset: Offset = 0) -> Response:
    """Our tariffs, the newest first."""
    return await listed(request, TARIFFS, limit, offset)


@router.get("/tariffs/{country_code}/{party_id}/{tariff_id}", tags=["tariffs"], responses=gives("Tariff"))
async def get_tariff(
    request: Request, country_code: Segment, party_id: Segment, tariff_id: Segment, bearer: Viewer
) -> Response:
    """One tariff."""
    return _stored(await objects.get_tariff(program_of(request), Party.of(country_code, party_id), tariff_id))


@router.put(
    "/tariffs/{country_code}/{party_id}/{tariff_id}",
    tags=["tariffs"],
    openapi_extra=takes("Tariff"),
    responses=gives("Tariff") | gives("Tariff", status=201),
)
async def put_tariff(
    request: Request, country_code: Segment, party_id: Segment, tariff_id: Segment, bearer: Operator
) -> Response:
    """Keep a tariff. Sessions that run keep the one they began under."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    tree = await object_body(request, limit=MEDIUM)
    created = await objects.put_tariff(program, owner, tariff_id, tree, actor=bearer.subject)
    return _kept(await objects.get_tariff(program, owner, tariff_id), created)


@router.post("/tariffs/lint", tags=["tariffs"], openapi_extra=takes("LintAsked"), responses=gives("Findings"))
async def lint_tariff(request: Request, bearer: Viewer) -> Response:
    """What is odd in a tariff, and what of it older versions and OICP cannot say. Nothing is stored."""
    ask = await asked(request, LintAsked, limit=LARGE)
    return answer(report(await asyncio.to_thread(findings_on, ask)))


@router.delete("/tariffs/{country_code}/{party_id}/{tariff_id}", tags=["tariffs"], responses=gives("DeletedTariff"))
async def delete_tariff(
    request: Request, country_code: Segment, party_id: Segment, tariff_id: Segment, bearer: Operator
) -> Response:
    """Withdraw a tariff; partners get a DELETE. `warnings` name connectors that have it still."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    await objects.delete_tariff(program, owner, tariff_id, actor=bearer.subject)
    deleted: Tree = {"deleted": f"{owner}/{tariff_id}"}
    warnings = await objects.tariff_warnings(program, owner, tariff_id)
    return answer({**deleted, "warnings": warnings} if warnings else deleted)


@router.get("/tokens", tags=["tokens"], responses=gives("Tokens"))
async def list_tokens(
    request: Request,
    bearer: Viewer,
    partner: Annotated[str | None, Query(description="Only tokens of this partner's parties.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """The tokens that we know, our own and the partners', the newest first."""
    return await listed(request, TOKENS, limit, offset, partner)


@router.get("/tokens/{country_code}/{party_id}/{uid}", tags=["tokens"], responses=gives("Token"))
async def get_token(
    request: Request,
    country_code: Segment,
    party_id: Segment,
    uid: Segment,
    bearer: Viewer,
    kind: Annotated[str, Query(alias="type", max_length=36, description="TokenType.")] = "RFID",
) -> Response:
    """One token."""
    owner = Party.of(country_code, party_id)
    return _stored(await objects.get_token(program_of(request), owner, uid, kind))


@router.put(
    "/tokens/{country_code}/{party_id}/{uid}",
    tags=["tokens"],
    openapi_extra=takes("TokenAsked"),
    responses=gives("Token") | gives("Token", status=201),
)
async def put_token(
    request: Request, country_code: Segment, party_id: Segment, uid: Segment, bearer: Operator
) -> Response:
    """Keep a token of a driver of ours."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    tree = await object_body(request, limit=SMALL)
    created = await objects.put_token(program, owner, uid, tree, actor=bearer.subject)
    kept = await objects.get_token(program, owner, uid, str(tree.get("type", "RFID")))
    return _kept(kept, created)
