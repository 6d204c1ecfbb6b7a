"""A charger of 2.1 that shows tariffs is told that of each of its EVSEs (SetDefaultTariff), when it has another.

The default is what a driver pays whose token brings no tariff of its own: the tariff for ad hoc payment where the
connector has one, else its first. What cannot be said in 2.1 is not told, and why stands in the report `tariffs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final

from hub.core.errors import UnknownLocation
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Place
from hub.core.types import parse_datetime
from hub.core.units import Unit
from modules.locations import service as locations
from modules.tariffs import service as tariffs
from modules.tariffs.store import TARIFFS
from partners.ocpp import reported
from partners.ocpp.device_model import shows
from partners.ocpp.live import Link, Live
from partners.ocpp.numbering import socketed
from partners.ocpp.tariffs21 import expressed

SUBJECT: Final = "tariffs"
_AD_HOC: Final = "AD_HOC_PAYMENT"
_USUAL: Final = frozenset({None, "REGULAR"})

Ask = Callable[[str, Tree], Awaitable[Tree | None]]
"""Asks the station; None: it did not answer, or cannot."""


async def tell(hub: Hub, link: Link, ask: Ask) -> None:
    """Set the tariff of each EVSE, where that is news. Not while a tariff is beyond 2.1's words."""
    live = link.live
    if link.version != "2.1" or not shows(live, "Tariff"):
        return
    known: Tree = (await reported.read(hub.store, live.identity, SUBJECT)).get("rows", {})
    rows = dict(known)
    for evse, place in _evses(live).items():
        found = await _tariff_at(hub, place)
        row = known.get(str(evse), {})
        if found is not None:
            rows[str(evse)] = await _told(evse, found, row, ask)
    if rows != known:
        put = reported.put_of(live.identity, SUBJECT, {"rows": rows}, hub.clock.now())
        await hub.store.commit(Unit().put(put))


class TariffsTold:
    """Looks whether a tariff was changed, by whatever process, since it looked last."""

    def __init__(self, hub: Hub, stations: Iterable[Live], ask: Callable[[Link], Ask]) -> None:
        self._hub, self._stations, self._ask = hub, stations, ask
        self._seen = hub.store.revision(TARIFFS)

    def tick(self) -> None:
        """Tell the chargers whose tariff is another now."""
        revision = self._hub.store.revision(TARIFFS)
        if revision == self._seen:
            return
        self._seen = revision
        for live in self._stations:
            link = live.link
            if link is not None and not link.waits and link.settle_at is None and shows(live, "Tariff"):
                work = tell(self._hub, link, self._ask(link))
                self._hub.background.start(work, name=f"tariffs of {live.identity}")


async def _told(evse: int, tariff: Tree, row: Tree, ask: Ask) -> Tree:
    said = expressed(tariff)
    about = {"evse": evse, "tariff": tariff["id"]}
    if said.reasons:
        return {**about, "status": "NotExpressible", "reasons": list(said.reasons)}
    digest = hashlib.sha256(encode(said.tariff)).hexdigest()[:32]
    if row.get("digest") == digest:
        return row
    answer = await ask("SetDefaultTariff", {"evseId": evse, "tariff": said.tariff})
    if answer is None:
        return row
    status = str(answer.get("status"))
    return {**about, "status": status, **({"digest": digest} if status == "Accepted" else {})}


def _evses(live: Live) -> dict[int, Place]:
    """The first connector of each EVSE."""
    found: dict[int, Place] = {}
    for number, place in sorted(live.station.places().items()):
        found.setdefault(socketed(number).evse, place)
    return found


async def _tariff_at(hub: Hub, place: Place) -> Tree | None:
    try:
        location = await locations.get_whole(hub.store, place.location)
        connector = locations.connector_in(locations.evse_in(location, place.evse_uid), place.connector_id)
    except UnknownLocation:
        return None
    owner = place.location.split("/", 1)[0]
    all_of_it = await tariffs.snapshot(hub.store, owner, connector.get("tariff_ids") or [])
    valid = [tariff for tariff in all_of_it if _is_valid(tariff, hub.clock.now())]
    ad_hoc = [tariff for tariff in valid if tariff.get("type") == _AD_HOC]
    usual = [tariff for tariff in valid if tariff.get("type") in _USUAL]
    return next(iter([*ad_hoc, *usual]), None)


def _is_valid(tariff: Tree, now: datetime) -> bool:
    end = tariff.get("end_date_time")
    return end is None or parse_datetime(end) > now
