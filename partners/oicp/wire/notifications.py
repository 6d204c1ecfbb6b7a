"""What an operator tells while a session lasts: energy flows, has flowed, flows no more; or something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from partners.oicp.wire.common import IdentificationType
from partners.oicp.wire.enums import NOTIFICATIONS, ChargingNotificationType, ErrorClassType
from partners.oicp.wire.faults import Finding, Unfit
from partners.oicp.wire.kinds import folded, text, whole
from partners.oicp.wire.message import Message
from partners.oicp.wire.reading import Read, read
from partners.oicp.wire.values import (
    Energy,
    EvseIDText,
    Moment,
    OperatorIDText,
    PartnerSessionID,
    ProductIDType,
    SessionIDText,
)

_LONGEST_MS: Final = 2**53


class MeterValuesType(Message):
    """Registers in kWh, without the time at which they were read."""

    bare = "meterValues"

    meterValues: list[Energy]


class ChargingNotification(Message):
    """What all of them carry. The specification of EMPs lets OperatorID be missing."""

    lenient = frozenset({"OperatorID"})

    Type: ChargingNotificationType
    SessionID: SessionIDText
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    Identification: IdentificationType | None = None
    EvseID: EvseIDText
    OperatorID: OperatorIDText


class StartNotification(ChargingNotification):
    """Energy flows since `ChargingStart`."""

    ChargingStart: Moment
    SessionStart: Moment | None = None
    MeterValueStart: Energy | None = None
    PartnerProductID: ProductIDType | None = None


class ProgressNotification(ChargingNotification):
    """How far it is at `EventOccurred`; `ChargingDuration` in ms. At least one of duration and energy is there."""

    ChargingStart: Moment
    EventOccurred: Moment
    ChargingDuration: Annotated[int, whole(0, _LONGEST_MS)] | None = None
    SessionStart: Moment | None = None
    ConsumedEnergyProgress: Energy | None = None
    MeterValueStart: Energy | None = None
    MeterValueInBetween: MeterValuesType | None = None
    PartnerProductID: ProductIDType | None = None


class EndNotification(ChargingNotification):
    """No energy flows any more since `ChargingEnd`. The session may go on."""

    ChargingStart: Moment | None = None
    ChargingEnd: Moment
    SessionStart: Moment | None = None
    SessionEnd: Moment | None = None
    ConsumedEnergy: Energy | None = None
    MeterValueStart: Energy | None = None
    MeterValueEnd: Energy | None = None
    MeterValueInBetween: MeterValuesType | None = None
    PartnerProductID: ProductIDType | None = None
    PenaltyTimeStart: Moment | None = None


class ErrorNotification(ChargingNotification):
    """Something keeps it from charging."""

    ErrorType: ErrorClassType
    ErrorAdditionalInfo: Annotated[str, text(250)] | None = None


BY_TYPE: Final[Mapping[str, type[ChargingNotification]]] = dict(
    zip(NOTIFICATIONS, (StartNotification, ProgressNotification, EndNotification, ErrorNotification), strict=True)
)


def read_notification(message: Any) -> Read:
    """Any of them, by its Type. Raises: Unfit."""
    names = {folded(name): name for name in BY_TYPE}
    told = message.get("Type") if isinstance(message, Mapping) else None
    name = names.get(folded(told)) if isinstance(told, str) else None
    if name is None:
        raise Unfit((Finding("/Type", "none of the words that OICP lists", is_dropped=True),))
    return read(BY_TYPE[name], message)
