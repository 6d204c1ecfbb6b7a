"""One number for each connector of a station, in every version.

OCPP 1.6 knows connectors 1, 2, 3; 2.x knows EVSEs and the connectors of each. Inside, a connector has one number: with
2.x it is that of its EVSE for the first connector, and a thousand more for each further one. So a station with one
connector an EVSE has the same numbers whatever it speaks, and goes on with its charges when an update teaches it 2.x.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_STEP: Final = 1000


class Socketed(NamedTuple):
    """A connector as OCPP 2.x names it. EVSE 0 is the station itself."""

    evse: int
    connector: int


def number_of(evse: int, connector: int | None = None) -> int:
    """The number of a connector; of an EVSE's first, where none is named (rule R11).

    Numbers that no station has, negative or beyond 999 EVSEs, are the station's own 0: nothing is kept of them.
    """
    if not 0 < evse < _STEP:
        return 0
    return evse + _STEP * (max(connector or 1, 1) - 1)


def socketed(number: int) -> Socketed:
    """The connector of 2.x that has this number."""
    if number < 1:
        return Socketed(0, 0)
    return Socketed(number % _STEP, number // _STEP + 1)
