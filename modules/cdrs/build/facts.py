"""What our own chargers told of a session: the facts a CDR is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hub.core.parties import Party

PARKED: Final = {
    "CHARGING": False,
    "SUSPENDED_EVSE": False,
    "SUSPENDED_EV": True,
    "FINISHING": True,
    "FINISHED": True,
}
"""State of the connector -> is this PARKING_TIME? OCPI mod_tariffs_tariffdimensiontype_enum.

Parking is time in which the vehicle does not ask for power. A pause that our side makes is TIME: the driver
does not pay for our load management as parking.
"""


class Sample(NamedTuple):
    """A measured value: the energy register in kWh, power in kW, or current in A summed over the phases."""

    at: datetime
    value: Decimal


class State(NamedTuple):
    """The connector is in a state of `PARKED` from `at` on."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """A session of ours, as it was at its start, with all that was measured since.

    token: Token or CdrToken tree. location: Location tree. tariffs: Tariff trees. All in our form.
    start: when charging began; None for a reservation that never became a session. end: None while it lasts.
    register: readings of the import register in any order; the first and the last make the total, also if
        they were taken a little before the start or after the end.
    power, current: samples, each valid until the next.
    tariff_type: narrows the choice among the tariffs of the connector, by how the session was started.
    currency: used only if no tariff applies.
    """

    session_id: str
    party: Party
    token: Mapping[str, Any]
    location: Mapping[str, Any]
    evse_uid: str
    connector_id: str
    tariffs: Sequence[Mapping[str, Any]]
    currency: str
    auth_method: str
    start: datetime | None
    end: datetime | None = None
    register: Sequence[Sample] = ()
    states: Sequence[State] = ()
    power: Sequence[Sample] = ()
    current: Sequence[Sample] = ()
    reservation_start: datetime | None = None
    reservation_expired: bool = False
    authorization_reference: str | None = None
    booking_id: str | None = None
    tariff_type: str | None = None
    cdr_id: str | None = None
    meter_id: str | None = None
    remark: str | None = None
    signed_data: Mapping[str, Any] | None = None
