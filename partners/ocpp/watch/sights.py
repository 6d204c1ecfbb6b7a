"""What is seen of a station at this moment, for the rules: from its socket, its connectors and its charges.

The meter of a charge is looked at from here on, so what is remembered of it is when it was first seen to stand where it
stands. A charge is as old as we have known of it: its charger's clock may be years behind. After a restart a charge
that was reported as still counts as still from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from hub.core.clock import Clock
from partners.ocpp import commissioning
from partners.ocpp.journal import Record
from partners.ocpp.live import FLAPS_WITHIN_S, REJECTED_WITHIN_S, Live
from partners.ocpp.watch.rules import Going, Sight

_STARTS_S: Final = 3600.0


class Sights:
    """`charges`: what goes on at a station, by connector."""

    def __init__(self, clock: Clock, charges: Callable[[str], Mapping[int, Record]]) -> None:
        self._clock, self._charges = clock, charges
        self._meters: dict[str, dict[str, tuple[Decimal | None, datetime]]] = {}

    def of(self, live: Live, now: datetime, *, is_still: Callable[[str], bool]) -> Sight:
        """The sight of `live`. `is_still`: was the charge at this EVSE reported as without progress?"""
        monotonic = self._clock.monotonic()
        places = {number: place.evse_uid for number, place in live.station.places().items()}
        heard: dict[str, set[str]] = {uid: set() for uid in places.values()}
        for number, evse_uid in places.items():
            if (told := live.connectors.get(number)) is not None:
                heard[evse_uid].add(told.status)
        starts = [refused for at, refused in live.starts if monotonic - at < _STARTS_S]
        return Sight(
            live.identity,
            online=live.link is not None,
            faulted=tuple(uid for uid, statuses in heard.items() if "Faulted" in statuses),
            unheard=tuple(uid for uid, statuses in heard.items() if not statuses),
            charges=self._going(live, places, now, is_still),
            clock_offset=live.drift,
            connections=sum(1 for at in live.connections if monotonic - at < FLAPS_WITHIN_S),
            rejected=sum(1 for at in live.rejected if monotonic - at < REJECTED_WITHIN_S),
            starts=len(starts),
            refused=sum(starts),
            commissioned_since=commissioning.since_when(live.station),
        )

    def _going(
        self, live: Live, places: Mapping[int, str], now: datetime, is_still: Callable[[str], bool]
    ) -> tuple[Going, ...]:
        records = self._charges(live.identity)
        if not records:
            self._meters.pop(live.identity, None)
            return ()
        before, meters = self._meters.get(live.identity, {}), dict[str, tuple[Decimal | None, datetime]]()
        found: list[Going] = []
        for number, record in records.items():
            began = record.heard_at or record.start
            if number not in places or began is None:
                continue
            since = began if is_still(places[number]) else now
            kwh, since = before.get(record.key, (record.energy_kwh, since))
            meters[record.key] = (record.energy_kwh, since if kwh == record.energy_kwh else now)
            told = live.connectors.get(number)
            wants = told is not None and told.status == "Charging"
            name = record.session or str(record.number)
            found.append(Going(name, places[number], began, meters[record.key][1], wants))
        self._meters[live.identity] = meters
        return tuple(found)
