"""What a notification must be to be believed: what is wrong is refused while its CPO can still mend it (B6 of the hub's
rules), as it is of records. A hub has no other measure for those of its CPOs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from partners.oicp.answers import Code, Refused
from partners.oicp.mapping import times
from partners.oicp.record_checks import AHEAD, IN_ORDER, check_energy, check_order

Message = Mapping[str, Any]

_HAPPENED: Final = (*IN_ORDER, "EventOccurred")


def check_plausible(message: Message, *, now: datetime) -> None:
    """Raises: Refused."""
    told = {name: times.instant(message[name]) for name in _HAPPENED if message.get(name)}
    check_order(told)
    for name, moment in told.items():
        if moment > now + AHEAD:
            raise Refused(Code.DATA_ERROR, info=f"{name} lies in the future")
    check_energy(message)
    if message["Type"] == "Progress" and not message.keys() & {"ChargingDuration", "ConsumedEnergyProgress"}:
        raise Refused(Code.DATA_ERROR, info="a Progress tells ChargingDuration or ConsumedEnergyProgress")
