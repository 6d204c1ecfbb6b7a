"""How the charge point answers every CALL of the CSMS: OCPP 1.6 chapter 5 and the security white paper.

Each method answers at once; what the answer promises (a start, a reset, an upload) is returned beside it and happens
when the answer is on the wire.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from partners.sandbox.point import transfer
from partners.sandbox.point.clock import timestamp
from partners.sandbox.point.csr import signing_request
from partners.sandbox.point.link import Afterwards, Payload, UnknownActionError
from partners.sandbox.point.plan import composite
from partners.sandbox.point.state import Connector, Reservation

if TYPE_CHECKING:
    from partners.sandbox.charger import Charger

Answer = tuple[Payload, Afterwards | None]
_FIRMWARE = ("Downloading", "Downloaded", "Installing", "Installed")
_SIGNED_FIRMWARE = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed")
_LISTED_CARDS_VERSION_UNKNOWN = 0


def status(word: str, afterwards: Afterwards | None = None) -> Answer:
    return {"status": word}, afterwards


class Answers:
    """The table from action to method is `handle`."""

    def __init__(self, charger: Charger) -> None:
        self._charger = charger
        self._list_version = _LISTED_CARDS_VERSION_UNKNOWN
        self.cards: dict[str, dict[str, Any]] = {}
        """The local authorization list: idTagInfo by idTag."""
        self._certificates: dict[str, tuple[str, dict[str, str]]] = {}
        self._table: dict[str, Callable[[Payload], Answer]] = {
            "CancelReservation": self._cancel_reservation,
            "CertificateSigned": lambda _: status("Accepted"),
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": lambda _: status("Accepted"),
            "ClearChargingProfile": self._clear_profile,
            "DataTransfer": self._data_transfer,
            "DeleteCertificate": self._delete_certificate,
            "ExtendedTriggerMessage": self._trigger,
            "GetCompositeSchedule": self._composite_schedule,
            "GetConfiguration": self._get_configuration,
            "GetDiagnostics": self._diagnostics,
            "GetInstalledCertificateIds": self._certificate_ids,
            "GetLocalListVersion": lambda _: ({"listVersion": self._list_version}, None),
            "GetLog": self._log,
            "InstallCertificate": self._install_certificate,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "ReserveNow": self._reserve,
            "Reset": self._reset,
            "SendLocalList": self._send_list,
            "SetChargingProfile": self._set_profile,
            "SignedUpdateFirmware": self._signed_firmware,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
            "UpdateFirmware": self._firmware,
        }

    def handle(self, action: str, payload: Payload) -> Answer:
        """Answer a CALL. Raises UnknownActionError."""
        if action not in self._table:
            raise UnknownActionError(action)
        return self._table[action](payload)

    def _remote_start(self, payload: Payload) -> Answer:
        wanted = payload.get("connectorId")
        free = [c for c in self._charger.connectors.values() if c.operative and c.transaction is None]
        fitting = [c for c in free if wanted in (None, c.number) and c.error_code == "NoError"]
        fitting.sort(key=lambda connector: not connector.plugged)
        tag = payload["idTag"]
        if not fitting or not self._charger.may_use(fitting[0].number, tag):
            return status("Rejected")
        connector = fitting[0]
        if "chargingProfile" in payload:
            self._charger.plan.install(connector.number, payload["chargingProfile"], self._charger.clock.now())
        return status("Accepted", functools.partial(self._charger.remote_start, connector.number, tag))

    def _remote_stop(self, payload: Payload) -> Answer:
        connector = self._charging(payload["transactionId"])
        if connector is None:
            return status("Rejected")
        return status("Accepted", functools.partial(self._charger.stop, connector.number, "Remote"))

    def _charging(self, transaction_id: int | str) -> Connector | None:
        for connector in self._charger.connectors.values():
            if connector.transaction is not None and connector.transaction.number == transaction_id:
                return connector
        return None

    def _unlock(self, payload: Payload) -> Answer:
        connector = self._charger.connectors.get(payload["connectorId"])
        if connector is None:
            return status("NotSupported")
        return status("Unlocked", functools.partial(self._charger.stop, connector.number, "UnlockCommand"))

    def _reserve(self, payload: Payload) -> Answer:
        number = payload["connectorId"]
        states = [c.status for c in self._charger.connectors.values() if number in (0, c.number)]
        if not states:
            return status("Rejected")
        same = payload["reservationId"] in self._charger.reservations
        if not same and not {"Available"} & set(states):
            words = {"Faulted": "Faulted", "Unavailable": "Unavailable"}
            return status(words.get(states[0], "Occupied"))
        reservation = Reservation(
            payload["reservationId"], number, payload["idTag"], payload.get("parentIdTag"),
            datetime.fromisoformat(payload["expiryDate"]),
        )  # fmt: skip
        self._charger.reservations[reservation.number] = reservation
        return status("Accepted", self._charger.show_reservations)

    def _cancel_reservation(self, payload: Payload) -> Answer:
        if self._charger.reservations.pop(payload["reservationId"], None) is None:
            return status("Rejected")
        return status("Accepted", self._charger.show_reservations)

    def _reset(self, payload: Payload) -> Answer:
        return status("Accepted", functools.partial(self._charger.reset, payload["type"]))

    def _change_availability(self, payload: Payload) -> Answer:
        wanted = [c for c in self._charger.connectors.values() if payload["connectorId"] in (0, c.number)]
        if not wanted:
            return status("Rejected")
        operative = payload["type"] == "Operative"
        busy = [c for c in wanted if c.transaction is not None and not operative]
        for connector in wanted:
            connector.goes_inoperative = connector in busy
            if connector not in busy:
                connector.operative = operative
        return status("Scheduled" if busy else "Accepted", self._charger.show_reservations)

    def _change_configuration(self, payload: Payload) -> Answer:
        word = self._charger.settings.change(payload["key"], payload["value"])
        if payload["key"] == "AuthorizationKey" and word == "Accepted":
            return status(word, functools.partial(self._charger.change_key, payload["value"]))
        return status(word)

    def _get_configuration(self, payload: Payload) -> Answer:
        keys, unknown = self._charger.settings.listed(payload.get("key"))
        return {"configurationKey": keys, **({"unknownKey": unknown} if unknown else {})}, None

    def _trigger(self, payload: Payload) -> Answer:
        wanted, number = payload["requestedMessage"], payload.get("connectorId")
        if number is not None and number not in (0, *self._charger.connectors):
            return status("Rejected")
        numbers = [number] if number is not None else list(self._charger.connectors)
        table: dict[str, Callable[[], Awaitable[object]]] = {
            "BootNotification": self._charger.announce,
            "Heartbeat": self._charger.heartbeat,
            "StatusNotification": lambda: self._charger.report_status(*numbers),
            "MeterValues": lambda: self._charger.sample(*numbers),
            "DiagnosticsStatusNotification": lambda: self._say("DiagnosticsStatusNotification", "Idle"),
            "FirmwareStatusNotification": lambda: self._say("FirmwareStatusNotification", "Idle"),
            "LogStatusNotification": lambda: self._say("LogStatusNotification", "Idle"),
            "SignChargePointCertificate": self._request_certificate,
        }
        if wanted not in table:
            return status("NotImplemented")

        async def afterwards() -> None:
            await table[wanted]()

        return status("Accepted", afterwards)

    def _data_transfer(self, payload: Payload) -> Answer:
        return status("Accepted" if payload["vendorId"] == self._charger.vendor else "UnknownVendorId")

    def _send_list(self, payload: Payload) -> Answer:
        rows = payload.get("localAuthorizationList", [])
        if len({row["idTag"] for row in rows}) != len(rows):
            return status("Failed")
        if payload["updateType"] == "Full":
            self.cards.clear()
        elif payload["listVersion"] <= self._list_version:
            return status("VersionMismatch")
        for row in rows:
            if "idTagInfo" in row:
                self.cards[row["idTag"]] = row["idTagInfo"]
            else:
                self.cards.pop(row["idTag"], None)
        self._list_version = payload["listVersion"]
        return status("Accepted")

    def _set_profile(self, payload: Payload) -> Answer:
        number, profile = payload["connectorId"], payload["csChargingProfiles"]
        purpose = profile["chargingProfilePurpose"]
        connector = self._charger.connectors.get(number)
        idle = connector is None or connector.transaction is None
        misplaced = purpose == "ChargePointMaxProfile" and number != 0
        if (connector is None and number != 0) or misplaced or (purpose == "TxProfile" and idle):
            return status("Rejected")
        if not self._charger.forgets_limits:
            self._charger.plan.install(number, profile, self._charger.clock.now())
        return status("Accepted")

    def _clear_profile(self, payload: Payload) -> Answer:
        return status("Accepted" if self._charger.plan.clear(payload) else "Unknown")

    def _composite_schedule(self, payload: Payload) -> Answer:
        number, unit = payload["connectorId"], payload.get("chargingRateUnit", "W")
        if number not in (0, *self._charger.connectors):
            return status("Rejected")
        connector, now = self._charger.connectors.get(number), self._charger.clock.now()
        begun = connector.transaction.started if connector and connector.transaction else None
        periods = composite(
            self._charger.plan, number, now, duration_s=payload["duration"], unit=unit, transaction_from=begun
        )
        schedule = {
            "duration": payload["duration"],
            "startSchedule": timestamp(now),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
        }
        shown = {"connectorId": number, "scheduleStart": timestamp(now), "chargingSchedule": schedule}
        return {"status": "Accepted", **shown}, None

    def _diagnostics(self, payload: Payload) -> Answer:
        say = functools.partial(self._say, "DiagnosticsStatusNotification")
        bring = functools.partial(self._bring, say, payload["location"], "UploadFailed")
        return {"fileName": self._log_name}, bring

    def _log(self, payload: Payload) -> Answer:
        say = functools.partial(self._say, "LogStatusNotification", request_id=payload["requestId"])
        bring = functools.partial(self._bring, say, payload["log"]["remoteLocation"], "UploadFailure")
        return {"status": "Accepted", "filename": self._log_name}, bring

    @property
    def _log_name(self) -> str:
        return f"{self._charger.identity}.log"

    async def _bring(self, say: transfer.Say, location: str, failed: str) -> None:
        await say("Uploading")
        taken = not transfer.is_real(location) or await transfer.bring(
            location, self._log_name, self._charger.written_down()
        )
        await say("Uploaded" if taken else failed)

    def _firmware(self, payload: Payload) -> Answer:
        say = functools.partial(self._say, "FirmwareStatusNotification")
        return {}, functools.partial(self._update, say, payload["location"], _FIRMWARE)

    def _signed_firmware(self, payload: Payload) -> Answer:
        say = functools.partial(self._say, "SignedFirmwareStatusNotification", request_id=payload["requestId"])
        update = functools.partial(self._update, say, payload["firmware"]["location"], _SIGNED_FIRMWARE)
        return status("Accepted", update)

    async def _update(self, say: transfer.Say, location: str, words: tuple[str, ...]) -> None:
        await say(words[0])
        image = await transfer.fetch(location) if transfer.is_real(location) else b""
        if image is None:
            await say("DownloadFailed")
            return
        for word in words[1:]:
            await say(word)
        version = transfer.version_in(image)
        if version:
            self._charger.install(version)
            await self._charger.reset("Soft")

    def _install_certificate(self, payload: Payload) -> Answer:
        text = payload["certificate"]
        digest = hashlib.sha256(text.encode()).hexdigest()
        shown = {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": digest,
            "issuerKeyHash": digest,
            "serialNumber": digest[:16],
        }
        self._certificates[digest] = (payload["certificateType"], shown)
        return status("Accepted")

    def _certificate_ids(self, payload: Payload) -> Answer:
        wanted = payload["certificateType"]
        found = [shown for kind, shown in self._certificates.values() if kind == wanted]
        if not found:
            return status("NotFound")
        return {"status": "Accepted", "certificateHashData": found}, None

    def _delete_certificate(self, payload: Payload) -> Answer:
        gone = self._certificates.pop(payload["certificateHashData"]["issuerNameHash"], None)
        return status("NotFound" if gone is None else "Accepted")

    async def _say(self, action: str, *words: str, request_id: int | None = None) -> None:
        extra = {} if request_id is None else {"requestId": request_id}
        for word in words:
            await self._charger.call(action, {"status": word, **extra})
            await asyncio.sleep(0)

    async def _request_certificate(self) -> None:
        text = signing_request(self._charger.settings.text("CpoName"), self._charger.identity)
        await self._charger.call("SignCertificate", {"csr": text})
