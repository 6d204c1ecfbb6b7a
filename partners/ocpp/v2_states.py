"""States of connectors in 2.x: StatusNotification, NotifyEvent of AvailabilityState, and what transactions say of them.

2.x calls a connector Occupied whatever goes on at it; what does, its transaction tells. Inside, the words are those of
1.6 (`status.py`), so the two are put together here: each transaction has a *course* at its connector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Json, Tree
from partners.ocpp import device_model, reports2, status
from partners.ocpp.connector_states import measure_clock, take
from partners.ocpp.events import Event
from partners.ocpp.live import Course, Link, Live
from partners.ocpp.numbering import number_of, socketed
from partners.ocpp.reports import integer, word
from partners.ocpp.rpc import Incoming
from partners.ocpp.status import Heard

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2

OCCUPIED: Final = "Occupied"
_MOVES: Final = frozenset({"Available", "Reserved", *status.IN_USE})
"""What a transaction changes of what is said of a connector; one that is out of order stays so."""
_MOST_EVENTS: Final = 1000


async def status_notification(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """The state of a connector (G01)."""
    payload = incoming.payload
    number = number_of(integer(payload.get("evseId")) or 0, integer(payload.get("connectorId")))
    told, at = word(payload.get("connectorStatus")) or "", word(payload.get("timestamp"))
    await _told(v2, link, [number], told, at, incoming.raw)
    return {}


async def notify_event(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Events of components (N07). 2.1 may tell the states of connectors so, and send no StatusNotification."""
    events = incoming.payload.get("eventData")
    await device_model.alerted(v2.hub, link.live, events)
    for event in events[:_MOST_EVENTS] if isinstance(events, list) else []:
        if not isinstance(event, dict) or _name(event.get("variable")) != "AvailabilityState":
            continue
        told = word(event.get("actualValue")) or ""
        numbers = _numbers(link.live, event.get("component"))
        if told in status.CONNECTOR_STATUS or told == OCCUPIED:
            await _told(v2, link, numbers, told, word(event.get("timestamp")), incoming.raw)
    return {}


async def follow(v2: Version2, link: Link, event: Event, connector: int) -> None:
    """What a part of a transaction that goes on, or ends now, says of its connector.

    A replay is history, and moves nothing live (rule R9); no more does a part of a transaction that was over before.
    """
    part, live = event.part, link.live
    if part is None or not live.may_have_course(connector):
        return
    heard, known = Heard.of("Charging", event.timestamp, event.arrival), live.courses.get(connector)
    if known is not None and heard.at < known.at:
        return
    is_same = known is not None and known.transaction == event.transaction and part.type != "Started"
    before = known if known is not None and is_same else Course(heard.at, str(event.transaction))
    is_ended = part.type == "Ended"
    is_late = before.is_late or is_ended or part.state == "Charging" or _is_stopped(event)
    state = part.state if part.state in status.STATES else before.state
    live.courses[connector] = Course(heard.at, before.transaction, "" if is_ended else state or "", is_late)
    if not heard.is_replay(link.opened, live.clock_offset or status.NO_OFFSET):
        await _show(v2, link, connector, replace(heard, status=_occupied(live, connector)), is_begun=not is_ended)


def at(event: Event, connector: int) -> Event:
    """`event` at that connector."""
    return replace(event, connector=connector)


async def _show(v2: Version2, link: Link, connector: int, heard: Heard, *, is_begun: bool) -> None:
    now = link.live.connectors.get(connector)
    is_free = now is None or now.status not in status.IN_USE
    if is_free and (not is_begun or heard.status in ("Preparing", "Finishing")):
        return  # whether a car is there, the connector itself says
    if now is None or now.status in _MOVES:
        await take(v2.stations, link, connector, heard)


async def _told(v2: Version2, link: Link, numbers: list[int], told: str, at: str | None, raw: str) -> None:
    """Raises: InvalidRequest, for a state that 2.x does not have."""
    live, now = link.live, v2.hub.clock.now()
    if told not in status.CONNECTOR_STATUS and told != OCCUPIED:
        raise InvalidRequest("not a ConnectorStatus of OCPP 2.x")
    for number in numbers:
        event = reports2.status(live.identity, number, told, at, now, raw)
        measure_clock(link, event)
        await v2.transactions.report(event)
        heard = Heard.of(_word(live, number, told), at, now)
        course = live.courses.get(number)
        if told == "Available" and course is not None and heard.at >= course.at:
            del live.courses[number]
        await take(v2.stations, link, number, heard)


def _word(live: Live, number: int, told: str) -> str:
    """What 1.6 calls it. Of the whole station only that it is out of order is of interest."""
    if told != OCCUPIED:
        return status.CONNECTOR_STATUS[told]
    return _occupied(live, number) if number else "Available"


def _occupied(live: Live, number: int) -> str:
    course, known = live.courses.get(number), live.connectors.get(number)
    if course is not None:
        return status.OCCUPIED[course.state, course.is_late]
    return known.status if known is not None and known.status in status.IN_USE else "Preparing"


def _is_stopped(event: Event) -> bool:
    return event.part is not None and not event.part.pays


def _numbers(live: Live, component: Json) -> list[int]:
    """The connectors that an AvailabilityState is about; none for a component that has none."""
    told: Tree = component if isinstance(component, dict) else {}
    evse: Json = told.get("evse")
    place: Tree = evse if isinstance(evse, dict) else {}
    number = integer(place.get("id")) or 0
    match _name(told):
        case "ChargingStation":
            return [0]
        case "Connector" if number:
            return [number_of(number, integer(place.get("connectorId")))]
        case "EVSE" if number:
            own = [each for each in live.station.places() if socketed(each).evse == number]
            return own or [number_of(number)]
    return []


def _name(value: Json) -> str:
    return (word(value.get("name")) or "") if isinstance(value, dict) else ""
