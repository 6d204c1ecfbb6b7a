"""What a charger says of a connector, in whatever version, as far as it moves what is live."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from modules.commands import reservations
from partners.ocpp.events import Event
from partners.ocpp.live import DELAYS_KEPT, Link
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.readings import parse_time
from partners.ocpp.status import Heard

_ENDS_RESERVATION: Final = frozenset({"Unavailable", "Faulted"})


async def take(stations: ChargerOrders, link: Link, connector: int, heard: Heard) -> None:
    """A connector's state, in a word of 1.6. What is older than the newest of this connection moves nothing (R9)."""
    live = link.live
    if not live.has_room_for(connector) or not heard.takes_over(link.newest.get(connector)):
        return
    known = live.connectors.get(connector)
    if known is not None and known.status == heard.status:
        heard = replace(heard, since=known.since)
    link.newest[connector] = live.connectors[connector] = heard
    if known is None or known.status != heard.status:
        await stations.display.changed(live, connector)
        if heard.status in _ENDS_RESERVATION:
            await reservations.ended(stations.hub, live.identity, connector)


def measure_clock(link: Link, event: Event) -> None:
    """The station's clock against ours: what is told of it (`Live.drift`), and what surely is no delay.

    The least delay that was ever below nothing is its offset: what is judged by that is never too early.
    """
    said = parse_time(event.timestamp)
    if said is None:
        return
    delay = event.arrival - said
    link.live.delays = (*link.live.delays[1 - DELAYS_KEPT :], delay)
    known = link.live.clock_offset
    if delay < timedelta(0) or (known is not None and delay < known):
        link.live.clock_offset = delay
