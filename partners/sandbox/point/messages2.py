"""The payloads a charge point of OCPP 2.0.1 or 2.1 sends, with the faults it may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from partners.sandbox.point.clock import timestamp
from partners.sandbox.point.link import Payload
from partners.sandbox.point.messages import Messages
from partners.sandbox.point.state import Connector, Transaction

CONNECTOR_STATUS: Final[Mapping[str, str]] = {
    "Available": "Available",
    "Preparing": "Occupied",
    "Charging": "Occupied",
    "SuspendedEV": "Occupied",
    "SuspendedEVSE": "Occupied",
    "Finishing": "Occupied",
    "Reserved": "Reserved",
    "Unavailable": "Unavailable",
    "Faulted": "Faulted",
}
"""What the connector is called in 2.x."""

CHARGING_STATE: Final = {"Charging": "Charging", "SuspendedEV": "SuspendedEV", "SuspendedEVSE": "SuspendedEVSE"}

STOPPED: Final[Mapping[str, tuple[str, str]]] = {
    "Local": ("StopAuthorized", "Local"),
    "Remote": ("RemoteStop", "Remote"),
    "EVDisconnected": ("EVCommunicationLost", "EVDisconnected"),
    "DeAuthorized": ("Deauthorized", "DeAuthorized"),
    "UnlockCommand": ("UnlockCommand", "Remote"),
    "ImmediateReset": ("ResetCommand", "ImmediateReset"),
}
"""The triggerReason and stoppedReason of each reason to stop; others are `Other`."""


def id_token(uid: str) -> Payload:
    """An IdTokenType. What a reader can read is the number of a card; anything else came from a back end."""
    is_card = len(uid) in (8, 14, 20) and all(digit in "0123456789ABCDEFabcdef" for digit in uid)
    return {"idToken": uid, "type": "ISO14443" if is_card else "Central"}


class Messages2(Messages):
    """Builds them for one charge point."""

    def boot(self) -> Payload:
        """BootNotification."""
        serial = self._serial.ljust(33, "0") if self._faults.invalid_fields else self._serial[:25]
        plate = {"vendorName": self._plate["chargePointVendor"], "model": self._plate["chargePointModel"]}
        station = {**plate, "serialNumber": serial, "firmwareVersion": self.firmware}
        return {"chargingStation": station, "reason": "PowerUp"}

    def connector(self, connector: Connector) -> Payload:
        """StatusNotification."""
        status = CONNECTOR_STATUS[connector.status]
        if connector.status == "Preparing" and not connector.plugged:
            status = "Available"
        return {
            "timestamp": timestamp(self.now()),
            "connectorStatus": status,
            "evseId": connector.number,
            "connectorId": 1,
        }

    def event(
        self, kind: str, trigger: str, connector: Connector, transaction: Transaction, *, offline: bool
    ) -> Payload:
        """TransactionEvent, without a meter. Each event of a transaction has the next number, if it is not at fault."""
        number, transaction.said = transaction.said, transaction.said + 1
        info: Payload = {"transactionId": transaction.number, "chargingState": transaction.state}
        if transaction.remote_start is not None:
            info["remoteStartId"] = transaction.remote_start
        first = {"evse": {"id": connector.number, "connectorId": 1}} if kind == "Started" else {}
        return {
            "eventType": kind,
            "timestamp": timestamp(self.now()),
            "triggerReason": trigger,
            "seqNo": 0 if self._faults.useless_numbers else number,
            **({"offline": True} if offline else {}),
            "transactionInfo": info,
            **first,
        }

    def readings(self, connector: Connector, context: str) -> list[Payload]:
        """The meterValue of a TransactionEvent or of MeterValues."""
        rows = connector.meter.samples(
            context, in_kilo=self._faults.kwh_units, as_numbers=not self._faults.invalid_fields
        )
        return [{"timestamp": timestamp(self.now()), "sampledValue": [_sampled(row) for row in rows]}]


def _sampled(row: dict[str, Any]) -> Payload:
    """A SampledValueType: the unit is an object."""
    return {**{name: value for name, value in row.items() if name != "unit"}, "unitOfMeasure": {"unit": row["unit"]}}
