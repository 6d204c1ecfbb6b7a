"""What EVSEs are doing: how operators push it and EMPs pull it."""

from __future__ import annotations

from partners.oicp.wire.common import SearchCenterType, StatusCodeType
from partners.oicp.wire.enums import Action, EvseStatusType
from partners.oicp.wire.message import Message
from partners.oicp.wire.values import EvseIDText, Name, OperatorIDText, ProviderIDText


class EvseStatusRecordType(Message):
    """What one EVSE is doing."""

    EvseID: EvseIDText
    EvseStatus: EvseStatusType


class OperatorEvseStatusType(Message):
    """The EVSEs of one operator."""

    lenient = frozenset({"EvseStatusRecord"})

    OperatorID: OperatorIDText
    OperatorName: Name | None = None
    EvseStatusRecord: list[EvseStatusRecordType]


class PushEvseStatus(Message):
    """They do this now, says an operator."""

    ActionType: Action
    OperatorEvseStatus: OperatorEvseStatusType


class PullEvseStatus(Message):
    """What do all do, or all that do this? An EMP asks."""

    ProviderID: ProviderIDText
    SearchCenter: SearchCenterType | None = None
    EvseStatus: EvseStatusType | None = None


class PullEvseStatusByID(Message):
    """What do these do? At most 100 of them."""

    ProviderID: ProviderIDText
    EvseID: list[EvseIDText]


class PullEvseStatusByOperatorID(Message):
    """What do those of these operators do?"""

    ProviderID: ProviderIDText
    OperatorID: list[OperatorIDText]


class EvseStatusesType(Message):
    """By operator."""

    bare = "OperatorEvseStatus"

    OperatorEvseStatus: list[OperatorEvseStatusType]


class EvseStatusAnswer(Message):
    """The answer about all, and about operators."""

    lenient = frozenset({"EvseStatuses"})

    EvseStatuses: EvseStatusesType
    StatusCode: StatusCodeType | None = None


class EVSEStatusRecordsType(Message):
    """One by one."""

    bare = "EvseStatusRecord"

    EvseStatusRecord: list[EvseStatusRecordType]


class EvseStatusByIDAnswer(Message):
    """The answer about some. Ids that the hub does not know are EvseNotFound."""

    lenient = frozenset({"EVSEStatusRecords"})

    EVSEStatusRecords: EVSEStatusRecordsType
    StatusCode: StatusCodeType | None = None
