"""The device model of the charge point: which variable of 2.x is which key of its settings, and the report of all.

OCPP 2.0.1, part 2, appendices: referenced components and variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from partners.sandbox.point.settings import Settings

Name = tuple[str, str]
"""Component and variable; what has instances has it in the variable: `MessageAttempts/TransactionEvent`."""

_KEYS: Final[Mapping[Name, str]] = {
    ("AlignedDataCtrlr", "Interval"): "ClockAlignedDataInterval",
    ("AuthCtrlr", "AuthorizeRemoteStart"): "AuthorizeRemoteTxRequests",
    ("AuthCtrlr", "LocalPreAuthorize"): "LocalPreAuthorize",
    ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"): "AllowOfflineTxForUnknownId",
    ("LocalAuthListCtrlr", "Enabled"): "LocalAuthListEnabled",
    ("LocalAuthListCtrlr", "ItemsPerMessage"): "SendLocalListMaxLength",
    ("OCPPCommCtrlr", "HeartbeatInterval"): "HeartbeatInterval",
    ("OCPPCommCtrlr", "MessageAttemptInterval/TransactionEvent"): "TransactionMessageRetryInterval",
    ("OCPPCommCtrlr", "MessageAttempts/TransactionEvent"): "TransactionMessageAttempts",
    ("OCPPCommCtrlr", "WebSocketPingInterval"): "WebSocketPingInterval",
    ("SampledDataCtrlr", "TxUpdatedInterval"): "MeterValueSampleInterval",
    ("SecurityCtrlr", "BasicAuthPassword"): "AuthorizationKey",
    ("SecurityCtrlr", "OrganizationName"): "CpoName",
    ("SecurityCtrlr", "SecurityProfile"): "SecurityProfile",
    ("SmartChargingCtrlr", "PeriodsPerSchedule"): "ChargingScheduleMaxPeriods",
    ("SmartChargingCtrlr", "ProfileStackLevel"): "ChargeProfileMaxStackLevel",
    ("TxCtrlr", "EVConnectionTimeOut"): "ConnectionTimeOut",
    ("TxCtrlr", "StopTxOnInvalidId"): "StopTransactionOnInvalidId",
}
_FIXED: Final[Mapping[Name, str]] = {
    ("AuthCtrlr", "Enabled"): "true",
    ("ClockCtrlr", "TimeSource"): "Heartbeat",
    ("DeviceDataCtrlr", "ItemsPerMessage/GetReport"): "50",
    ("ReservationCtrlr", "Available"): "true",
    ("ReservationCtrlr", "Enabled"): "true",
    ("ReservationCtrlr", "NonEvseSpecific"): "true",
    ("SmartChargingCtrlr", "Available"): "true",
    ("SmartChargingCtrlr", "Enabled"): "true",
    ("SmartChargingCtrlr", "RateUnit"): "A,W",
    ("TxCtrlr", "TxStartPoint"): "EVConnected,Authorized",
    ("TxCtrlr", "TxStopPoint"): "EVConnected,Authorized",
}
_SECRET: Final = ("SecurityCtrlr", "BasicAuthPassword")
_PER_EVSE: Final[Mapping[Name, str]] = {
    ("EVSE", "AvailabilityState"): "Available",
    ("EVSE", "Power"): "22000",
    ("EVSE", "SupplyPhases"): "3",
}
_WORDS: Final = {"Accepted": "Accepted", "Rejected": "Rejected", "RebootRequired": "RebootRequired"}


@dataclass
class Variables:
    """Reads and writes them, for a station with so many EVSEs."""

    settings: Settings
    evses: int

    def read(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A GetVariableResult."""
        row = {"component": asked["component"], "variable": asked["variable"]}
        name = _name(asked)
        if name == _SECRET:
            return {**row, "attributeStatus": "Rejected"}
        value = self._value(name)
        if value is None:
            known = any(name[0] == component for component, _ in (*_KEYS, *_FIXED, *_PER_EVSE))
            return {**row, "attributeStatus": "UnknownVariable" if known else "UnknownComponent"}
        return {**row, "attributeStatus": "Accepted", "attributeValue": value}

    def write(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A SetVariableResult."""
        row = {"component": asked["component"], "variable": asked["variable"]}
        name = _name(asked)
        key = _KEYS.get(name)
        if key is None:
            known = name in _FIXED or name in _PER_EVSE
            return {**row, "attributeStatus": "Rejected" if known else "UnknownVariable"}
        word = self.settings.change(key, asked["attributeValue"])
        return {**row, "attributeStatus": _WORDS.get(word, "Rejected")}

    def report(self) -> Iterator[dict[str, Any]]:
        """A ReportDataType for each."""
        for name in sorted({*_KEYS, *_FIXED}):
            value = self._value(name)
            attribute = {"mutability": "ReadWrite" if name in _KEYS else "ReadOnly"}
            if name == _SECRET:
                attribute["mutability"] = "WriteOnly"
            elif value is not None:
                attribute["value"] = value
            yield _row(name, {}, attribute)
        for number in range(1, self.evses + 1):
            for name, value in _PER_EVSE.items():
                yield _row(name, {"evse": {"id": number}}, {"mutability": "ReadOnly", "value": value})
            connector = {"evse": {"id": number, "connectorId": 1}}
            yield _row(("Connector", "ConnectorType"), connector, {"mutability": "ReadOnly", "value": "cType2"})

    def _value(self, name: Name) -> str | None:
        key = _KEYS.get(name)
        if key is not None:
            return self.settings.text(key)
        return _FIXED.get(name) or _PER_EVSE.get(name)


def _name(asked: dict[str, Any]) -> Name:
    variable = asked["variable"]
    instance = f"/{variable['instance']}" if "instance" in variable else ""
    return asked["component"]["name"], f"{variable['name']}{instance}"


def _row(name: Name, place: dict[str, Any], attribute: dict[str, str]) -> dict[str, Any]:
    variable, _, instance = name[1].partition("/")
    return {
        "component": {"name": name[0], **place},
        "variable": {"name": variable, **({"instance": instance} if instance else {})},
        "variableAttribute": [attribute],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
    }
