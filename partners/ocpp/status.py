"""From the state of a connector to what the world sees of its EVSE, and to the states of charging periods.

All of it is tables (OCPI mod_locations_status_enum). `EVSE_STATUS` and `PERIOD_STATE` go from OCPP's words
(1.6 ChargePointStatus) to OCPI's; `SWITCHES` are the three places where CPOs rightly differ; `ORDER` says
which connector speaks for an EVSE that has several. Connector 0 stands for the whole station: when it is
Unavailable or Faulted, so is everything.

A status that was queued while the charger was offline is history: `Heard.takes_over` compares the charger's
times, so that old news never moves the live state backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.core.errors import InvalidRequest
from partners.ocpp.readings import is_credible, parse_time

OFFLINE_GRACE: Final = timedelta(minutes=5)
DEBOUNCE: Final = timedelta(seconds=2)
"""How long a new status must stand before partners hear of it."""

PeriodState = Literal["CHARGING", "SUSPENDED_EVSE", "SUSPENDED_EV", "FINISHING"]

EVSE_STATUS: Final[Mapping[str, str]] = {
    "Available": "AVAILABLE",
    "Preparing": "CHARGING",
    "Charging": "CHARGING",
    "SuspendedEV": "CHARGING",
    "SuspendedEVSE": "CHARGING",
    "Finishing": "CHARGING",
    "Reserved": "RESERVED",
    "Unavailable": "INOPERATIVE",
    "Faulted": "OUTOFORDER",
}
"""ChargePointStatus to OCPI Status (mod_locations_status_enum)."""

PERIOD_STATE: Final[Mapping[str, PeriodState | None]] = {
    "Available": None,
    "Preparing": None,
    "Charging": "CHARGING",
    "SuspendedEV": "SUSPENDED_EV",
    "SuspendedEVSE": "SUSPENDED_EVSE",
    "Finishing": "FINISHING",
    "Reserved": None,
    "Unavailable": None,
    "Faulted": None,
}
"""Which state of a period the connector's state begins; None begins none (a fault does not stop the clock).
"""

STATE_OF_PART: Final[Mapping[tuple[str, bool], PeriodState | None]] = {
    ("Charging", False): "CHARGING",
    ("Charging", True): "CHARGING",
    ("SuspendedEV", False): "SUSPENDED_EV",
    ("SuspendedEV", True): "SUSPENDED_EV",
    ("SuspendedEVSE", False): "SUSPENDED_EVSE",
    ("SuspendedEVSE", True): "SUSPENDED_EVSE",
    ("EVConnected", False): None,
    ("EVConnected", True): "FINISHING",
    ("Idle", False): None,
    ("Idle", True): "FINISHING",
}
"""The same for the chargingState of 2.x, and whether energy was given before."""

OCCUPIED: Final[Mapping[tuple[str, bool], str]] = {
    ("", False): "Preparing",
    ("", True): "Finishing",
    ("EVConnected", False): "Preparing",
    ("EVConnected", True): "Finishing",
    ("Idle", False): "Preparing",
    ("Idle", True): "Finishing",
    ("Charging", False): "Charging",
    ("Charging", True): "Charging",
    ("SuspendedEV", False): "SuspendedEV",
    ("SuspendedEV", True): "SuspendedEV",
    ("SuspendedEVSE", False): "SuspendedEVSE",
    ("SuspendedEVSE", True): "SuspendedEVSE",
}
"""The word of 1.6 for Occupied of 2.x: by the chargingState there, and whether the charge has given energy or ended."""

IN_USE: Final = frozenset(OCCUPIED.values())
STATES: Final = frozenset(state for state, _ in OCCUPIED)
NO_OFFSET: Final = timedelta(0)

CONNECTOR_STATUS: Final[Mapping[str, str]] = {
    "Available": "Available",
    "Reserved": "Reserved",
    "Unavailable": "Unavailable",
    "Faulted": "Faulted",
}
"""ConnectorStatus of 2.x, but for Occupied, as a word of 1.6."""

ORDER: Final = (
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Preparing",
    "Reserved",
    "Available",
    "Unavailable",
    "Faulted",
)
"""Of several connectors on one EVSE the first in this order speaks: any in use, any reserved, any free."""

OVERRULING: Final = frozenset({"Unavailable", "Faulted"})
"""States of connector 0 that hold for every connector."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What a CPO may see otherwise: whom a plugged-in car, a car that is done, and a closed station are shown
    to.
    """

    preparing_is_available: bool = False
    finishing_is_blocked: bool = False
    unavailable_is_outoforder: bool = False


SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "preparing_is_available": ("Preparing", "AVAILABLE"),
    "finishing_is_blocked": ("Finishing", "BLOCKED"),
    "unavailable_is_outoforder": ("Unavailable", "OUTOFORDER"),
}
"""Switch -> the state it is about, and the OCPI status it has then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that decides the status of one EVSE.

    `connectors`: OCPP status of each connector of the EVSE, those not yet reported left out. `whole`: of
    connector 0. `offline_for`: how long the socket is gone, None while it is up. `charging`: a session is
    open. `reserved`: we hold a reservation, whatever the charger says of it.
    """

    connectors: tuple[str, ...]
    whole: str | None = None
    offline_for: timedelta | None = None
    charging: bool = False
    reserved: bool = False


def evse_status(seen: Seen, switches: Switches = Switches()) -> str:
    """The OCPI status of an EVSE. Raises: InvalidRequest, for a state that OCPP does not have."""
    if seen.charging:
        return "CHARGING"
    if seen.offline_for is not None and seen.offline_for > OFFLINE_GRACE:
        return "UNKNOWN"
    state = _speaker(seen)
    if state is None:
        return "UNKNOWN"
    status = _with_switches(state, switches)
    return "RESERVED" if seen.reserved and status == "AVAILABLE" else status


def period_state(state: str) -> PeriodState | None:
    """The state of a charging period that begins now.

    Raises: InvalidRequest, for a state that OCPP does not have.
    """
    _known(state)
    return PERIOD_STATE[state]


def states_of(reported: Iterable[tuple[datetime, str]]) -> tuple[tuple[datetime, str], ...]:
    """The states of charging periods that the chargingStates of a charge begin, in order; each that is another one."""
    found: list[tuple[datetime, str]] = []
    was_charging = False
    for at, word in reported:
        state = STATE_OF_PART.get((word, was_charging))
        was_charging = was_charging or word == "Charging"
        if state is not None and (not found or found[-1][1] != state):
            found.append((at, state))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Heard:
    """A status as it was reported, with the time that counts for it (never later than its arrival).

    `since`: when we heard that it is so, by our clock; None: when that was is not known.
    """

    status: str
    at: datetime
    since: datetime | None = None

    @classmethod
    def of(cls, status: str, timestamp: str | None, arrival: datetime) -> Heard:
        """Raises: InvalidRequest, for a state that OCPP does not have."""
        _known(status)
        said = parse_time(timestamp)
        at = min(said, arrival) if said is not None and is_credible(said) else arrival
        return cls(status, at, arrival)

    def takes_over(self, known: Heard | None) -> bool:
        """Is this newer, by the charger's time, than what is known? Equal times: the later message counts."""
        return known is None or self.at >= known.at

    def is_replay(self, connected_at: datetime, clock_offset: timedelta = timedelta(0)) -> bool:
        """Did it happen before this connection? `clock_offset` is arrival minus charger's time, as measured."""
        return self.at + clock_offset < connected_at - DEBOUNCE


def _speaker(seen: Seen) -> str | None:
    if seen.whole is not None:
        _known(seen.whole)
        if seen.whole in OVERRULING:
            return seen.whole
    for state in seen.connectors:
        _known(state)
    return min(seen.connectors, key=ORDER.index, default=None)


def _with_switches(state: str, switches: Switches) -> str:
    for switch, (about, status) in SWITCHES.items():
        if about == state and getattr(switches, switch):
            return status
    return EVSE_STATUS[state]


def _known(state: str) -> None:
    if state not in EVSE_STATUS:
        raise InvalidRequest("not a status of OCPP 1.6")
