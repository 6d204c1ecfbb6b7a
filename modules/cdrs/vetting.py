"""The check of each received CDR: when it is made, with what, and what follows from it.

A first look is part of taking the CDR, in the same unit. What needs longer, because the CDR is large or its amounts
need a diagnosis, is left for `vet_waiting`, which a clock calls: one CDR after the other, in a thread. A CDR without a
verdict is therefore one that still waits, also after a crash. Whatever goes wrong in a check, the CDR is kept, and its
verdict is that it cannot be checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import structlog

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, Conflict, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import Audit, Document, Put, Unit
from modules.cdrs import store as cdrs
from modules.cdrs.check import UNTOLD, Claim, Result, Verdict, check, glance, is_anothers
from modules.cdrs.connector_tariff import with_named_tariff
from modules.cdrs.doubles import (
    billed_before,
    credited_before,
    credits_beside,
    waiting_for,
    waits_for_a_credit,
)
from modules.cdrs.passing import PASSES, passed_on
from modules.cdrs.store import Passing, Standing
from modules.locations import service as locations
from modules.tariffs import former

log = structlog.get_logger()

POLICY: Final = "cdr_policy"
TOLERANCE: Final = "cdr_tolerance"
"""Switches of a partner: a `Policy`, and the tolerance for its CDRs instead of the setting."""

_LIMIT: Final = 8 * 1024 * 1024
_FLAT: Final = "2.1.1"
_A_PASS: Final = 50
_MOST_TARIFFS: Final = 50
_NO_ORIGINAL: Final = "it takes back a CDR that was not received"
_OF_HELD: Final = "it takes back a CDR that is held"
_OF_ANOTHER: Final = "it takes back a CDR that another party's driver was billed"
_BROKEN: Final = Result(Verdict.CANNOT_BE_CHECKED, "the check failed; the log says more")


class Policy(StrEnum):
    """What follows from a CDR that is wrong, or cannot be checked. The result is kept in any case."""

    ACCEPT = "accept"
    FLAG = "flag"
    """It is audited, and shown on the partner's page. Audited is also one that is right by prices never told."""
    HOLD = "hold"
    """It is also not passed on until an operator releases it."""


async def at_once(
    hub: Hub, tree: Tree, put: Put, *, original: Json, version: str, partner: str, unit: Unit
) -> Standing:
    """A first look at a CDR that is about to be kept, with what comes of it in `unit`. Returns: how it then stands."""
    come = Come(put.key, put.owner, version, partner, original)
    taken_back = await _taken_back(hub, tree)
    claim = await claim_of(hub, tree, come, taken_back)
    result = _guarded(glance, claim, put.key)
    if result is None or _is_unchecked(taken_back) or await waits_for_a_credit(hub.store, tree, put.key):
        return Standing()
    return _concluded(hub, come, claim, result, taken_back, unit)


async def vet_waiting(hub: Hub) -> None:
    """Check what waits, the oldest first. One that cannot even be looked at does not stop the others."""
    for document in await cdrs.waiting(hub.store, _A_PASS):
        try:
            await vet(hub, document)
        except BusbarError:
            raise
        except Exception as error:  # an odd CDR or partner must not keep those of others waiting
            log.exception("cdr could not be checked", cdr=document.key, error=type(error).__name__)


async def wake_credits(hub: Hub) -> None:
    """Check credit CDRs again that are held for want of what they take back, where that has come, or may be passed on.

    What happens to a CDR wakes those that wait for it; this is for a credit that arrived at the very same moment.
    """
    after = 0
    while held := await cdrs.in_state(hub.store, Passing.HELD, after_seq=after):
        after = held[-1].seq
        for document in held:
            credited = document.columns["credits"]
            original = await cdrs.find_received(hub.store, credited) if credited else None
            if original is not None and await _waited_for(hub, document, cdrs.standing_of(original)):
                await hub.store.commit(Unit().put(cdrs.standing_put(document, Standing())))


async def _waited_for(hub: Hub, credit: Document, original: Standing) -> bool:
    """Is a credit CDR held for want of what it takes back, which now is here, or may now be passed on?"""
    kept = await hub.store.get(cdrs.CHECKS, credit.key) if credit.columns["state"] == Passing.HELD else None
    because = parse(kept.body, limit=_LIMIT)["held_because"] if kept is not None else ""
    return because == _NO_ORIGINAL or (because == _OF_HELD and original.state in PASSES)


async def vet(hub: Hub, document: Document) -> None:
    """Check one received CDR, and keep the result. Somebody else may be faster; then it is done.

    What a credit CDR takes back is checked before it, also where it came after it.
    """
    kept = await hub.store.get(cdrs.ORIGINALS, document.key)
    original = parse(kept.body, limit=_LIMIT) if kept is not None else None
    tree: Tree = parse(document.body, limit=_LIMIT)
    taken_back = await _taken_back(hub, tree)
    if taken_back is not None and _is_unchecked(taken_back) and not taken_back.columns["credits"]:
        await vet(hub, taken_back)
        taken_back = await _taken_back(hub, tree)
    version, partner = document.columns["ocpi"], document.columns["partner"]
    come = Come(document.key, document.owner, version, partner, original, document.seq)
    claim = await claim_of(hub, tree, come, taken_back)
    result = await asyncio.to_thread(_guarded, check, claim, document.key)
    unit = Unit()
    standing = _concluded(hub, come, claim, result or _BROKEN, taken_back, unit)
    await passed_on(hub, tree, standing, unit, partner=partner)
    await wake(hub, document.key, tree, standing, unit)
    try:
        await hub.store.commit(unit.put(cdrs.standing_put(document, standing)))
    except Conflict:
        log.info("cdr was checked meanwhile", cdr=document.key)


async def wake(hub: Hub, key: str, tree: Tree, standing: Standing, unit: Unit) -> None:
    """Add to `unit` that what waited for the CDR `key` is checked again.

    That is what a credit CDR makes room for, other credits of the same, and the credit CDRs that are held for as long
    as what they take back.
    """
    beside = await credits_beside(hub.store, tree, standing, key)
    for document in [*await waiting_for(hub.store, tree, standing), *beside]:
        unit.put(cdrs.standing_put(document, Standing()))
    for document in await cdrs.credits_of(hub.store, key):
        if await _waited_for(hub, document, standing):
            unit.put(cdrs.standing_put(document, Standing()))


async def _taken_back(hub: Hub, tree: Tree) -> Document | None:
    """What a credit CDR takes back, if that was received."""
    credited = cdrs.credited_key(tree)
    return await cdrs.find_received(hub.store, credited) if credited else None


def _is_unchecked(document: Document | None) -> bool:
    return document is not None and not document.columns["verdict"]


def _guarded(way: Callable[[Claim], Result | None], claim: Claim, key: str) -> Result | None:
    """A check never keeps a CDR from being taken."""
    try:
        return way(claim)
    except Exception as error:  # whatever a partner may have written
        log.exception("cdr check failed", cdr=key, error=type(error).__name__)
        return _BROKEN


class Come(NamedTuple):
    """How a CDR came: its key and owner, and by whom, in which words. seq: None, if it is not kept yet."""

    key: str
    owner: str
    version: str
    partner: str
    original: Json
    seq: int | None = None


async def claim_of(hub: Hub, tree: Tree, come: Come, taken_back: Document | None) -> Claim:
    """A received CDR with all that is known beside it; `taken_back` is what a credit CDR takes back, if it is here."""
    owner = come.owner
    tree = with_named_tariff(tree, come.original) if come.version == _FLAT else tree
    credited = cdrs.credited_key(tree)
    named = [str(t["id"]) for t in tree.get("tariffs", ())]
    named += [str(p["tariff_id"]) for p in tree.get("charging_periods", ()) if p.get("tariff_id")]
    versions = await former.versions_at(
        hub.store,
        owner,
        list(dict.fromkeys(name.upper() for name in named))[:_MOST_TARIFFS],
        parse_datetime(tree["start_date_time"]),
        audience=_drivers_party(tree),
    )
    return Claim(
        cdr=tree,
        version=come.version,
        time_zone=await _zone(hub, tree, owner, come.original),
        tariffs=versions.then,
        late=versions.late,
        newer=versions.now,
        tolerance=tolerance_for(hub, come.partner),
        original=parse(taken_back.body, limit=_LIMIT) if taken_back is not None else None,
        credited_by=await credited_before(hub.store, credited, key=come.key, seq=come.seq) if credited else "",
        billed_by=await billed_before(hub.store, tree, key=come.key, seq=come.seq),
    )


def _drivers_party(tree: Tree) -> str:
    """For whom a tariff may have been addressed, as `NL*TNM`."""
    token = tree.get("cdr_token") or {"country_code": "", "party_id": ""}
    return f"{token['country_code']}*{token['party_id']}".upper()


async def _zone(hub: Hub, tree: Tree, owner: str, original: Json) -> str | None:
    """Of the location: 2.1.1 says it in the CDR, else we may know the place. It is never guessed from the country."""
    place = original.get("location") if isinstance(original, dict) else None
    stated = place.get("time_zone") if isinstance(place, dict) else None
    if isinstance(stated, str) and stated:
        return stated
    try:
        known = await locations.get_tree(hub.store, f"{owner}/{tree['cdr_location']['id'].upper()}")
    except UnknownLocation:
        return None
    zone = known.get("time_zone")
    return zone if isinstance(zone, str) else None


def tolerance_for(hub: Hub, partner: str) -> Decimal:
    found = hub.registry.find(partner)
    own = found.switches.get(TOLERANCE) if found is not None else None
    return Decimal(own) if own is not None else hub.settings.cdr_tolerance


def policy_for(hub: Hub, partner: str) -> Policy:
    found = hub.registry.find(partner)
    return Policy(found.switches.get(POLICY, Policy.ACCEPT)) if found is not None else Policy.ACCEPT


def _concluded(hub: Hub, come: Come, claim: Claim, result: Result, taken_back: Document | None, unit: Unit) -> Standing:
    """What follows from a result; it is kept, and where the policy says so told."""
    policy, key = policy_for(hub, come.partner), come.key
    is_untold = not UNTOLD.isdisjoint(result.warnings)
    causes = "" if is_untold and result.is_sound else ", ".join(result.causes)
    found = f"{result.verdict}: {causes or result.why}"[:200]
    because = _of_credit(claim, taken_back)
    if not because and policy is Policy.HOLD and not result.is_sound:
        because = found
    if because:
        unit.audited(Audit("busbar", "cdr.withheld", key, because))
    elif policy is not Policy.ACCEPT and (is_untold or not result.is_sound):
        unit.audited(Audit("busbar", "cdr.flagged", key, found))
    body = {
        **result.tree(),
        "held_because": because,
        "at": timestamp(hub.clock.now()),
        "tolerance": claim.tolerance,
        "time_zone": claim.time_zone,
    }
    unit.put(Put(cdrs.CHECKS, key, encode(body)))
    return Standing(state=Passing.HELD if because else Passing.FREE, verdict=result.verdict.value)


def _of_credit(claim: Claim, taken_back: Document | None) -> str:
    """Why a credit CDR is held whatever its check found; "" for no reason.

    Whose bill is held was billed nothing: what takes it back goes nowhere before it.
    """
    if not claim.cdr.get("credit"):
        return ""
    if claim.original is None:
        return _NO_ORIGINAL
    if is_anothers(claim):
        return _OF_ANOTHER
    return "" if taken_back is None or taken_back.columns["state"] in PASSES else _OF_HELD
