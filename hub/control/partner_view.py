"""A partner as an operator sees it: who it is, how it is reached, how its lane stands, what it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from hub.control import received, undelivered
from hub.core.clock import timestamp
from hub.core.delivery import LANES, REFUSED, Lane, LaneState
from hub.core.jsontypes import Tree
from hub.core.lane_away import AWAY, Owed
from hub.core.registry import Claim, IssuedToken, Partner, State
from hub.core.renditions import Rendition
from modules.cdrs import routes as cdrs
from modules.cdrs import vetting
from modules.locations import routes as locations
from modules.sessions import routes as sessions
from modules.tariffs import routes as tariffs

if TYPE_CHECKING:
    from hub.app import Program

RENDITIONS: Final[dict[str, Rendition]] = {
    "locations": locations.rendition,
    "tariffs": tariffs.rendition,
    "sessions": sessions.rendition,
    "cdrs": cdrs.rendition,
}


SHARED: Final = ("locations", "tariffs")
"""Modules whose objects are for everybody that is entitled."""
_MOST_OWED: Final = 10_000
"""No more are counted."""


async def overview(program: Program) -> list[Tree]:
    """All partners by name, each in a few words."""
    return [await _short(program, partner) for partner in program.hub.registry.all()]


async def show(program: Program, name: str) -> Tree:
    """All that is known of a partner. Tokens are not among it. Raises: NotFound."""
    partner = program.hub.registry.get(name)
    checks = await received.in_short(program, name)
    lane = await lane_of(program, name)
    warnings = received.warnings(name, vetting.policy_for(program.hub, name), checks)
    return {
        **await _short(program, partner),
        "invited": [_role(claim) for claim in partner.invited],
        "represents": partner.represents,
        "sees": {module: list(program.hub.agreements.owners(partner, module)) for module in SHARED},
        "versions_url": partner.versions_url,
        "endpoints": [endpoint.model_dump() for endpoint in partner.endpoints],
        "token_form": partner.token_form,
        "tokens": [_token(token) for token in partner.our_tokens],
        "quirks": list(partner.quirks),
        "switches": dict(partner.switches),
        "cdr_checks": checks,
        "warnings": warnings
        + await undelivered.warnings(program, name)
        + _owed_in_words(lane["owed"])
        + _untold_in_words(partner)
        + _held_elsewhere_in_words(program, partner),
        "pulled": partner.pulled,
        "lane": lane,
        "losses": losses(partner.version or ""),
    }


async def _short(program: Program, partner: Partner) -> Tree:
    lane = await lane_of(program, partner.name)
    return {
        "name": partner.name,
        "state": partner.state.value,
        "version": partner.version,
        "roles": [_role(claim) for claim in partner.claims or partner.invited],
        "since": partner.since,
        "waiting": lane["waiting"] if partner.state is not State.UNREGISTERED else 0,
        "failures": lane["failures"],
        "refused": await refused_count(program, partner.name),
    }


async def lane_of(program: Program, name: str) -> Tree:
    """The lane of a partner, or of another receiver, as it runs in this process, or as it was last saved."""
    lane = program.lanes.find(name)
    state = lane.state if lane is not None else await _saved(program, name)
    last = await program.store.last_change()
    owed = await _owed(program, name)
    waiting = max(last - state.cursor, 0) + sum(each["objects"] for each in owed) if state.cursor else 0
    return {
        "running": lane is not None,
        "cursor": state.cursor,
        "last_change": last,
        "waiting": lane.waiting if lane is not None else waiting,
        "owed": owed,
        "failures": state.failures,
        "next_try": _next_try(program, lane),
        "last_error": state.last_error,
        "delivered": state.delivered,
        "last_delivery": state.delivered_at,
    }


async def _owed(program: Program, name: str) -> list[Tree]:
    """What parties behind a hub are owed that cannot be reached just now: by party, with the oldest of it."""
    found: dict[str, Tree] = {}
    for document in await program.store.select(AWAY, equal={"partner": name}, limit=_MOST_OWED):
        party = document.columns["party"]
        if party not in found:
            oldest = msgspec.json.decode(document.body, type=Owed)
            found[party] = {"party": party, "objects": 0, "since": oldest.since, "reason": oldest.reason}
        found[party]["objects"] += 1
    return [found[party] for party in sorted(found)]


def _owed_in_words(owed: Iterable[Tree]) -> list[str]:
    return [
        f"{each['party']} behind it is away since {each['since']} and is owed {each['objects']}: {each['reason']}"
        for each in owed
    ]


def _untold_in_words(partner: Partner) -> list[str]:
    again = "it is told again by itself, or at once by `busbar partner rotate`"
    why = f": {partner.untold}" if partner.untold else ""
    if partner.unsettled:
        return [f"nobody heard how our last exchange of credentials ended{why}; {again}"]
    if partner.untold:
        return [f"it was not told which parties came or went behind us{why}; {again}"]
    return []


def _held_elsewhere_in_words(program: Program, partner: Partner) -> list[str]:
    """Parties that were agreed for it, and that another platform speaks for."""
    if partner.state is not State.CONNECTED or partner.interpreter:
        return []
    found = ((claim, program.hub.registry.rivals(partner, claim)) for claim in partner.invited)
    return [
        f"{claim.role} {claim.party} is not taken as its party: {rivals[0].name} has it"
        for claim, rivals in found
        if rivals
    ]


async def _saved(program: Program, name: str) -> LaneState:
    document = await program.store.get(LANES, name)
    return msgspec.json.decode(document.body, type=LaneState) if document is not None else LaneState()


def _next_try(program: Program, lane: Lane | None) -> str | None:
    """When the lane stops waiting for the partner to recover; None while it does not wait."""
    clock = program.hub.clock
    wait_s = lane.retry_at - clock.monotonic() if lane is not None and lane.retry_at else 0.0
    return timestamp(clock.now() + timedelta(seconds=wait_s)) if wait_s > 0 else None


async def refused_count(program: Program, name: str) -> int:
    """How many objects the partner refused and were not sent again."""
    page = await program.store.page(
        REFUSED, date_from=None, date_to=None, offset=0, limit=0, among={"partner": (name,)}
    )
    return page.total


async def lost(program: Program, name: str) -> Tree:
    """What objects lost on their way to and from a partner, the most frequent first. Raises: NotFound."""
    partner = program.hub.registry.get(name)
    counted = await program.hub.losses.of(name)
    items = [{**lost._asdict(), "times": times} for lost, times in counted.items()]
    return {"version": partner.version, "items": items, "total": len(items)}


def losses(version: str) -> list[Tree]:
    """What objects lost on their way into `version` since the start: field, and how many renderings lost it."""
    return [
        {"module": module, "field": pointer, "times": times}
        for module, rendition in RENDITIONS.items()
        for (lost_in, pointer), times in sorted(rendition.losses.items())
        if lost_in == version
    ]


def _role(claim: Claim) -> Tree:
    return {
        "role": claim.role.value,
        "country_code": claim.party.country_code,
        "party_id": claim.party.party_id,
        "business_name": claim.business_name,
    }


def _token(token: IssuedToken) -> Tree:
    """That it exists, for what, and until when; never the token."""
    return {"use": token.use.value, "until": timestamp(token.until) if token.until is not None else None}
