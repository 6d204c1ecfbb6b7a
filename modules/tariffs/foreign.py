"""Tariffs of other CPOs, as those write them. OCPI mod_tariffs_receiver_interface.

What is strictly older than what is here changes nothing and is success. A tariff that its owner deletes is gone here,
and with all that had it; sessions keep the tariffs that they began with. What it was before a change or its end is kept
for the CDRs that are still to come (`former.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.core.addressed import FOR_ALL
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.overtaken import Told, check_not_overtaken
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.recency import is_outdated
from hub.core.units import ABSENT, Change, Document, Unit
from modules.tariffs import former
from modules.tariffs import store as tariffs
from modules.tariffs.service import DELETED, LIMIT
from modules.tariffs.wire import TARIFF
from modules.tariffs.words import word_for

_ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """Whose tariff it is, and for whom: "" for all that are entitled, or one party."""

    owner: Party
    tariff_id: str
    audience: str = ""
    is_there: bool = False
    """That party took it already, from point to point: no lane brings it."""
    told: Told | None = None
    """It is from its owner's list: what was told since we asked for that."""

    @property
    def key(self) -> str:
        return tariffs.key_of(self.owner, self.tariff_id, self.audience)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Of what copies the newest counts with who is meant."""
        return ("", self.audience) if self.audience else FOR_ALL


async def put(hub: Hub, spot: Spot, tree: Tree) -> bool:
    """Keep a tariff. Returns: True if it is new.

    Raises: InvalidRequest, when the URL names another one; Overtaken, where it is from a list.
    """
    check(spot, tree)
    for _ in range(_ATTEMPTS):
        known = await tariffs.find(hub.store, spot.key)
        if known is not None and _is_no_news(hub, tree, known):
            return False
        if spot.told is not None:  # also of one that is not here: it may have been withdrawn
            await check_not_overtaken(spot.told, spot.key, tree["last_updated"], known)
        if await _write(hub, spot, tree, known):
            return known is None
    raise Conflict


async def patch(hub: Hub, spot: Spot, part: Tree, *, arrived: str = "") -> None:
    """Change a part; 2.1.1 alone has this. `arrived` stands in for a time that is not told.

    Raises: NotFound, InvalidRequest.
    """
    for _ in range(_ATTEMPTS):
        known = await tariffs.find(hub.store, spot.key)
        if known is None:
            raise NotFound("there is no such tariff")
        merged = {**parse(known.body, limit=LIMIT), **part}
        tree = TARIFF[VERSIONS[-1]].read({name: value for name, value in merged.items() if value is not None}).tree()
        check(spot, tree)
        if _is_no_news(hub, tree, known):
            return
        if await _write(hub, spot, tree, known, arrived):
            return
    raise Conflict


async def delete(hub: Hub, spot: Spot) -> None:
    """Its owner withdraws it. Who is left with the copy for everybody gets that. Raises: NotFound."""
    for _ in range(_ATTEMPTS):
        known = await tariffs.find(hub.store, spot.key)
        if known is None:
            raise NotFound("there is no such tariff")
        unit = tariffs.gone(known)
        now = timestamp(hub.clock.now())
        _keep_former(unit, known, until=now, now=now)
        if not (spot.is_there and (await hub.addressed.standing(tariffs.TARIFFS, spot.key, spot.audiences)).is_only):
            unit.tells(_change(spot, f"{DELETED}{known.columns['id']}"))
        try:
            await hub.store.commit(unit)
        except Conflict:
            continue
        return
    raise Conflict


async def get(hub: Hub, spot: Spot) -> Document:
    """As we keep it for that party, or for everybody. Raises: NotFound."""
    document = (await hub.addressed.standing(tariffs.TARIFFS, spot.key, spot.audiences)).document
    if document is None:
        raise NotFound("there is no such tariff")
    return document


async def _write(hub: Hub, spot: Spot, tree: Tree, known: Document | None, arrived: str = "") -> bool:
    """False, when somebody else was faster."""
    expect = known.version if known is not None else ABSENT
    now = hub.clock.now()
    put = tariffs.put_of(
        spot.owner,
        tree,
        now=now,
        audience=spot.audience,
        expect=expect,
        arrived=arrived,
        same=known if former.says_the_same(tree, known) else None,
    )
    unit = tariffs.unit_of(put, tree, known, now=now)
    if known is not None:
        _keep_former(unit, known, until=put.columns[tariffs.SINCE], now=timestamp(now))
    if not spot.is_there:
        unit.tells(_change(spot, word_for(known, put)))
    try:
        await hub.store.commit(hub.own_ids.kept(hub.addressed.noted(unit, "tariffs", spot.audience)))
    except Conflict:
        return False
    return True


def _keep_former(unit: Unit, known: Document, *, until: str, now: str) -> None:
    kept = former.former_of(known, until=until, now=now)
    if kept is not None:
        unit.put(kept)


def _change(spot: Spot, what: str) -> Change:
    return Change("tariffs", spot.key, owner=str(spot.owner), audience=spot.audience, what=what)


def _is_no_news(hub: Hub, tree: Tree, known: Document) -> bool:
    return is_outdated(tree["last_updated"], known, hub.clock.now()) or encode(tree) == known.body


def check(spot: Spot, tree: Tree) -> None:
    """Is it the tariff that its URL names, and can its amounts be? Raises: InvalidRequest."""
    same = tree["id"].upper() == spot.tariff_id.upper()
    if not same or Party.of(tree["country_code"], tree["party_id"]) != spot.owner:
        raise InvalidRequest("the URL and the object name different tariffs")
    _check_amounts(tree)


def _check_amounts(tree: Tree) -> None:
    """No sum of money is below zero. The price of a unit may be: then the driver is paid. Raises: InvalidRequest."""
    sums = [("/preauthorize_amount", tree.get("preauthorize_amount"))]
    for name in ("min_price", "max_price"):
        limit = tree.get(name) or {}
        sums += [(f"/{name}/{side}", limit.get(side)) for side in ("before_taxes", "after_taxes")]
    for pointer, amount in sums:
        if amount is not None and amount < 0:
            raise InvalidRequest(f"{pointer}: an amount below zero")
