"""What a notification must be to be believed: what is wrong is refused while its CPO can still mend it (B6 of the hub's
rules), as it is of records. A hub has no other measure for those of its CPOs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from partners.oicp.answers import Code, Refused
from partners.oicp.mapping import times
from partners.oicp.record_checks import AHEAD, IN_ORDER, MOST_KWH

Message = Mapping[str, Any]

_ENERGY: Final = ("ConsumedEnergy", "ConsumedEnergyProgress")
_HAPPENED: Final = (*IN_ORDER, "EventOccurred")


def check_plausible(message: Message, *, now: datetime) -> None:
    """Raises: Refused."""
    told = {name: times.instant(message[name]) for name in _HAPPENED if message.get(name)}
    for begin, end in pairwise(name for name in IN_ORDER if name in told):
        if told[end] < told[begin]:
            raise Refused(Code.DATA_ERROR, info=f"{end} lies before {begin}")
    for name, moment in told.items():
        if moment > now + AHEAD:
            raise Refused(Code.DATA_ERROR, info=f"{name} lies in the future")
    for name in _ENERGY:
        if not 0 <= message.get(name, 0) <= MOST_KWH:
            raise Refused(Code.DATA_ERROR, info=f"{name} is below 0 or above 1,000 kWh")
    first, last = message.get("MeterValueStart"), message.get("MeterValueEnd")
    if first is not None and last is not None and last < first:
        raise Refused(Code.DATA_ERROR, info="MeterValueEnd is below MeterValueStart")
    if message["Type"] == "Progress" and not message.keys() & {"ChargingDuration", "ConsumedEnergyProgress"}:
        raise Refused(Code.DATA_ERROR, info="a Progress tells ChargingDuration or ConsumedEnergyProgress")
