"""Charge detail records, and how an EMP asks for them."""

from __future__ import annotations

from typing import Annotated

from partners.oicp.wire.common import IdentificationType, Page
from partners.oicp.wire.enums import MeteringStatusType
from partners.oicp.wire.kinds import text
from partners.oicp.wire.message import Message, OneOrMany
from partners.oicp.wire.notifications import MeterValuesType
from partners.oicp.wire.values import (
    Energy,
    EvseIDText,
    Flag,
    Moment,
    OperatorIDText,
    PartnerSessionID,
    ProductIDType,
    ProviderIDText,
    SessionIDText,
)


class SignedMeteringValuesType(Message):
    """A signed value of a meter: not one character may change."""

    bare = "SignedMeteringValue"

    SignedMeteringValue: Annotated[str, text(3000)] | None = None
    MeteringStatus: MeteringStatusType | None = None


class CalibrationLawVerificationType(Message):
    """How signed values are checked."""

    CalibrationLawCertificateID: Annotated[str, text(100)] | None = None
    PublicKey: Annotated[str, text(1000)] | None = None
    MeteringSignatureUrl: Annotated[str, text(200)] | None = None
    MeteringSignatureEncodingFormat: Annotated[str, text(50)] | None = None
    SignedMeteringValuesVerificationInstruction: Annotated[str, text(400)] | None = None


class ChargeDetailRecord(Message):
    """What a session was: energy in kWh, no price."""

    SessionID: SessionIDText
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    PartnerProductID: ProductIDType | None = None
    EvseID: EvseIDText
    Identification: IdentificationType
    ChargingStart: Moment
    ChargingEnd: Moment
    SessionStart: Moment
    SessionEnd: Moment
    MeterValueStart: Energy | None = None
    MeterValueEnd: Energy | None = None
    MeterValueInBetween: MeterValuesType | None = None
    ConsumedEnergy: Energy
    SignedMeteringValues: list[SignedMeteringValuesType] | None = None
    CalibrationLawVerificationInfo: CalibrationLawVerificationType | None = None
    HubOperatorID: OperatorIDText | None = None
    HubProviderID: ProviderIDText | None = None


class GetChargeDetailRecords(Message):
    """Records of a time, says an EMP. `CDRForwarded` false: those that did not reach it."""

    ProviderID: ProviderIDText
    From: Moment
    To: Moment
    SessionID: list[SessionIDText] | None = None
    OperatorID: Annotated[list[OperatorIDText], OneOrMany()] | None = None
    CDRForwarded: Flag | None = None


class ChargeDetailRecords(Page):
    """A page of them."""

    content: list[ChargeDetailRecord]
