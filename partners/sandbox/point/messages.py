"""The payloads a charge point sends, with the faults it may have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from partners.sandbox.point.clock import Clock, timestamp
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import Payload
from partners.sandbox.point.state import Connector, Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Messages:
    """Builds them for one charge point."""

    def __init__(self, clock: Clock, faults: Faults, *, vendor: str, model: str, serial: str) -> None:
        self._clock = clock
        self._faults = faults
        self._born = clock.now()
        self._plate = {"chargePointVendor": vendor, "chargePointModel": model}
        self._serial = serial
        self.firmware = "1.0.0"

    def now(self) -> datetime:
        """What the charge point believes."""
        now = self._clock.now()
        return _EPOCH + (now - self._born) if self._faults.clock_1970 else now

    def boot(self) -> Payload:
        """BootNotification."""
        serial = self._serial.ljust(33, "0") if self._faults.invalid_fields else self._serial[:25]
        return {**self._plate, "chargePointSerialNumber": serial, "firmwareVersion": self.firmware}

    def status(self, connector: Connector | None, at: datetime) -> Payload:
        """StatusNotification; None is the charge point as a whole, connector 0."""
        code = "Error" if self._faults.invalid_fields else connector.error_code if connector else "NoError"
        return {
            "connectorId": connector.number if connector else 0,
            "errorCode": code,
            "status": connector.status if connector else "Available",
            "timestamp": timestamp(at),
        }

    def start(self, connector: Connector, transaction: Transaction, reservation: int | None) -> Payload:
        """StartTransaction."""
        return {
            "connectorId": connector.number,
            "idTag": transaction.id_tag,
            "meterStart": transaction.meter_start,
            "timestamp": timestamp(transaction.started),
            **({} if reservation is None else {"reservationId": reservation}),
        }

    def stop(self, connector: Connector, transaction: Transaction, reason: str) -> Payload:
        """StopTransaction, its transactionId still to be filled in."""
        by_card = {"idTag": transaction.id_tag} if reason == "Local" else {}
        return {
            "transactionId": 0,
            **by_card,
            "meterStop": connector.meter.reading_wh,
            "timestamp": timestamp(self.now()),
            "reason": reason,
        }

    def meter(self, connector: Connector, context: str = "Sample.Periodic") -> Payload:
        """MeterValues, without its transactionId."""
        samples: list[dict[str, Any]] = connector.meter.samples(
            context, in_kilo=self._faults.kwh_units, as_numbers=self._faults.invalid_fields
        )
        row = {"timestamp": timestamp(self.now()), "sampledValue": samples}
        return {"connectorId": connector.number, "meterValue": [row]}
