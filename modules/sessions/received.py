"""Sessions that other CPOs bring: kept as they are told, and passed on to whose driver it is. OCPI mod_sessions.

A PUT replaces the whole session; the charging periods of a PATCH are added to those that are known, and one that is
told again replaces the one that began at the same moment: a retry adds nothing. A session that is over stays over, and
one that an eMSP was told of does not become another's.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hub.core import trace
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.recency import is_outdated
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Audit, Document, Put, Standing, Unit, is_newer
from modules.commands.references import with_reference
from modules.locations.wire import NOT_AVAILABLE
from modules.sessions import store as sessions
from modules.sessions.wire import SESSION
from modules.tokens.whose import Addressee, addressed, check_met, check_named, met_over

LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 5
_AFTER: Final = {"COMPLETED": frozenset({"COMPLETED", "INVALID"}), "INVALID": frozenset({"INVALID"})}
"""What may follow a status that is final; all others may be followed by any (REQ-144)."""


class Bringer(msgspec.Struct, frozen=True, kw_only=True):
    """The CPO whose session it is, the partner that speaks for it, and what its version adds."""

    owner: Party
    partner: str
    to: str = ""
    """The party of OCPI-to; "": nobody is named."""
    location: Tree | None = None
    """The location in our form, where the version brings it along (2.1.1)."""
    gives_back: bool = True
    """Has its version a word for energy that a vehicle gave back (CdrDimensionType, ENERGY; since 2.2)?"""


async def get(hub: Hub, owner: Party, session_id: str) -> Document:
    """Raises: NotFound."""
    document = await sessions.find(hub.store, sessions.key_of(owner, session_id))
    if document is None:
        raise NotFound("there is no such session")
    return document


async def put(hub: Hub, bringer: Bringer, session_id: str, tree: Tree) -> bool:
    """Keep a session as its CPO tells it. An older copy changes nothing, and is no error.

    Returns: True if it is new. Raises: InvalidRequest, when the URL names another one, it was over already, or it is
    said to be another eMSP's, also by OCPI-to, or of a party that the connection does not stand for.
    """
    if tree["id"].upper() != session_id.upper() or _party(tree) != bringer.owner:
        raise InvalidRequest("the URL and the object name different sessions")
    check_named(hub, bringer.to, tree["cdr_token"])
    await check_met(hub, bringer.partner, str(bringer.owner), tree)
    _check_sense(bringer, tree)
    version = await _put_going_on(hub, bringer, tree)
    if version:
        return version == 1
    key = sessions.key_of(bringer.owner, session_id)
    for _ in range(_ATTEMPTS):
        known = await sessions.find(hub.store, key)
        if known is not None and not _is_news(hub, known, tree):
            return False
        if await _committed(hub, await _unit(hub, bringer, tree, known)):
            return known is None
    raise Conflict


async def _put_going_on(hub: Hub, bringer: Bringer, tree: Tree) -> int:
    """What plainly follows on what is on record is written without reading that first.

    Returns: its version, 1 for a new one; 0 where nothing was written, and what is on record has to be looked at.
    """
    tree, goes = await _addressed(hub, bringer, tree)
    if goes.waits is not None or goes.party in hub.settings.own_parties:
        return 0
    tree, takes = await with_reference(hub, str(bringer.owner), tree)
    if takes.writes:
        return 0
    try:
        versions = await hub.store.commit(_unit_of(hub, bringer, sessions.put_of(tree, goes.party, over=_goes_on)))
    except Conflict:
        return 0
    return versions[0]


async def _addressed(hub: Hub, bringer: Bringer, tree: Tree) -> tuple[Tree, Addressee]:
    return await addressed(hub, str(bringer.owner), "sessions", tree, over=met_over(hub, bringer.partner))


def _goes_on(put: Put, standing: Standing | None) -> bool:
    """Is it newer than what is on record, which is not over, and is for the same driver's party or for nobody yet?"""
    if standing is None:
        return True
    (status, *_), audience = standing.columns, standing.audience
    return is_newer(put, standing) and status not in _AFTER and audience in ("", put.audience)


async def patch(hub: Hub, bringer: Bringer, session_id: str, part: Tree, *, arrived: str = "") -> None:
    """Change a part of a session; `arrived` stands in for a time that is not told.

    Raises: NotFound (the CPO is then to PUT it), InvalidRequest.
    """
    if part.get("last_updated") is None and not arrived:
        raise InvalidRequest("a PATCH carries last_updated")
    _check_sense(bringer, part)
    for _ in range(_ATTEMPTS):
        known = await get(hub, bringer.owner, session_id)
        merged = SESSION[VERSIONS[-1]].read(_merged(parse(known.body, limit=LIMIT), part)).tree()
        if merged["id"].upper() != session_id.upper() or _party(merged) != bringer.owner:
            raise InvalidRequest("a session keeps its party and its id")
        check_named(hub, bringer.to, merged["cdr_token"])
        await check_met(hub, bringer.partner, str(bringer.owner), merged)
        if not _is_news(hub, known, merged):
            return
        if await _committed(hub, await _unit(hub, bringer, merged, known, arrived)):
            return
    raise Conflict


async def _committed(hub: Hub, unit: Unit | None) -> bool:
    """False, when somebody else was faster."""
    if unit is None:
        return True
    try:
        await hub.store.commit(unit)
    except Conflict:
        return False
    return True


def _check_sense(bringer: Bringer, told: Tree) -> None:
    """A session, or a part of one. Raises: InvalidRequest, for what no charge comes to."""
    if not bringer.gives_back and (told.get("kwh") or 0) < 0:
        raise InvalidRequest("/kwh: energy below zero, which this version of OCPI has no word for")
    if told.get("total_cost") is not None and told["total_cost"]["before_taxes"] < 0:
        raise InvalidRequest("/total_cost: a cost below zero; money is given back by a credit CDR")


def _party(tree: Tree) -> Party:
    return Party.of(tree["country_code"], tree["party_id"])


def _merged(tree: Tree, part: Tree) -> Tree:
    """Top-level replacement, null removes (REQ-023); but charging periods are added (REQ-143)."""
    merged = {**tree, **part}
    periods = {parse_datetime(p["start_date_time"]): p for p in tree.get("charging_periods") or ()}
    periods |= {parse_datetime(p["start_date_time"]): p for p in part.get("charging_periods") or ()}
    merged["charging_periods"] = [periods[start] for start in sorted(periods)] or None
    return {name: value for name, value in merged.items() if value is not None}


def _is_news(hub: Hub, known: Document, tree: Tree) -> bool:
    """Raises: InvalidRequest, where a session that is over would go on."""
    if is_outdated(tree["last_updated"], known, hub.clock.now()):
        return False
    before = known.columns["status"]
    if before in _AFTER and tree["status"] not in _AFTER[before]:
        raise InvalidRequest(f"this session is {before}, which is final")
    return True


def _check_driver(hub: Hub, known: Document | None, tree: Tree) -> None:
    """Who was told of a session keeps it. Raises: InvalidRequest, where it would become another eMSP's."""
    token = tree["cdr_token"]
    if known is None or not known.audience or token["uid"] == NOT_AVAILABLE:
        return
    if known.audience == str(_party(token)) and known.audience not in hub.settings.own_parties:
        return
    if _party(parse(known.body, limit=LIMIT)["cdr_token"]) != _party(token):
        raise InvalidRequest(
            "/cdr_token: a session keeps the party whose driver it is; another driver's has another id"
        )


async def _unit(hub: Hub, bringer: Bringer, tree: Tree, known: Document | None, arrived: str = "") -> Unit | None:
    """The session, where it was, and who hears of it; None where all of that is on record. Raises: InvalidRequest."""
    owner = str(bringer.owner)
    tree, goes = await _addressed(hub, bringer, tree)
    _check_driver(hub, known, tree)
    is_first_told = known is None or not known.audience
    tree, takes = await with_reference(hub, owner, tree, may_take=is_first_told)
    expect = known.version if known is not None else ABSENT
    put = sessions.put_of(tree, goes.party, expect=expect, arrived=arrived)
    if known is not None and (known.body, known.audience) == (put.body, goes.party):
        return None
    unit = _unit_of(hub, bringer, put).joins(takes)
    if goes.waits is not None and (known is None or known.audience):
        unit.audited(Audit(bringer.partner, f"session.{goes.waits}", put.key, goes.rule))
    return unit


def _unit_of(hub: Hub, bringer: Bringer, put: Put) -> Unit:
    unit = hub.own_ids.kept(Unit().put(put).tells(sessions.change_of(put, trace.correlation())))
    return unit if bringer.location is None else unit.put(sessions.place_put(put, bringer.location))
