"""How a charge point of OCPP 2.0.1 or 2.1 answers every CALL of the CSMS.

What 1.6 has too is done as there, in other words (`Answers`); the rest is here.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from partners.sandbox.point.answers import Answer, Answers, status
from partners.sandbox.point.clock import timestamp
from partners.sandbox.point.link import Payload
from partners.sandbox.point.state import Connector
from partners.sandbox.point.variables import Variables

if TYPE_CHECKING:
    from partners.sandbox.charger2 import Charger2

_PURPOSES = {"ChargingStationMaxProfile": "ChargePointMaxProfile"}
_CRITERIA = {"evseId": "connectorId"}
_PAGE = 20
_FIRMWARE = ("Downloading", "Downloaded", "Installing", "Installed")
_ACCEPTED = (
    "AFRRSignal", "AdjustPeriodicEventStream", "ChangeTransactionTariff", "ClearCache", "ClearDisplayMessage",
    "NotifyAllowedEnergyTransfer", "PublishFirmware", "RequestBatterySwap", "SetDERControl", "SetDefaultTariff",
    "SetDisplayMessage", "SetMonitoringBase", "SetMonitoringLevel", "SetNetworkProfile", "UpdateDynamicSchedule",
    "UsePriorityCharging",
)  # fmt: skip
"""Answered with a yes, and nothing follows from it at this charge point."""


class Answers2(Answers):
    """The table of 2.x."""

    def __init__(self, charger: Charger2) -> None:
        super().__init__(charger)
        self._charger: Charger2 = charger
        self.variables = Variables(charger.settings, len(charger.connectors))
        self._table = {
            **dict.fromkeys(_ACCEPTED, _accepted),
            "CancelReservation": self._cancel_reservation,
            "CertificateSigned": _accepted,
            "ChangeAvailability": self._availability,
            "ClearChargingProfile": self._clear,
            "ClearDERControl": lambda _: status("NotFound"),
            "ClearTariffs": self._clear_tariffs,
            "ClearVariableMonitoring": self._clear_monitors,
            "CostUpdated": self._cost,
            "CustomerInformation": self._customer,
            "DataTransfer": self._data_transfer,
            "DeleteCertificate": self._delete_certificate,
            "GetBaseReport": self._base_report,
            "GetChargingProfiles": lambda _: status("NoProfiles"),
            "GetCompositeSchedule": self._composite,
            "GetDERControl": lambda _: status("NotFound"),
            "GetDisplayMessages": lambda _: status("Unknown"),
            "GetInstalledCertificateIds": self._certificate_chains,
            "GetLocalListVersion": lambda _: ({"versionNumber": self._list_version}, None),
            "GetLog": self._log,
            "GetMonitoringReport": lambda _: status("EmptyResultSet"),
            "GetPeriodicEventStream": lambda _: ({}, None),
            "GetReport": lambda _: status("NotSupported"),
            "GetTariffs": lambda _: status("NoTariff"),
            "GetTransactionStatus": self._transaction_status,
            "GetVariables": self._get_variables,
            "InstallCertificate": self._install_certificate,
            "NotifyWebPaymentStarted": lambda _: ({}, None),
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._remote_stop,
            "ReserveNow": self._reserve_now,
            "Reset": self._reset_station,
            "SendLocalList": self._local_list,
            "SetChargingProfile": self._profile,
            "SetVariableMonitoring": self._set_monitors,
            "SetVariables": self._set_variables,
            "TriggerMessage": self._trigger_message,
            "UnlockConnector": self._unlock_connector,
            "UnpublishFirmware": lambda _: status("NoFirmware"),
            "UpdateFirmware": self._update_firmware,
        }

    def _request_start(self, payload: Payload) -> Answer:
        wanted = payload.get("evseId")
        asked: Payload = {"idTag": payload["idToken"]["idToken"]}
        if wanted is not None:
            asked["connectorId"] = wanted
        profile = payload.get("chargingProfile")
        if profile is not None:
            asked["chargingProfile"] = _of_16(profile)
        self._charger.asked_start = payload["remoteStartId"]
        return self._remote_start(asked)

    def _reserve_now(self, payload: Payload) -> Answer:
        group = payload.get("groupIdToken")
        return self._reserve(
            {
                "reservationId": payload["id"],
                "connectorId": payload.get("evseId", 0),
                "idTag": payload["idToken"]["idToken"],
                "parentIdTag": group["idToken"] if group else None,
                "expiryDate": payload["expiryDateTime"],
            }
        )

    def _unlock_connector(self, payload: Payload) -> Answer:
        connector = self._charger.connectors.get(payload["evseId"])
        if connector is None or payload["connectorId"] != 1:
            return status("UnknownConnector")
        if connector.transaction is not None:
            return status("OngoingAuthorizedTransaction")
        return status("Unlocked")

    def _availability(self, payload: Payload) -> Answer:
        number = payload.get("evse", {}).get("id", 0)
        return self._change_availability({"connectorId": number, "type": payload["operationalStatus"]})

    def _reset_station(self, payload: Payload) -> Answer:
        is_busy = any(connector.transaction is not None for connector in self._charger.connectors.values())
        if payload["type"] == "OnIdle" and is_busy:
            return status("Scheduled")
        return status("Accepted", functools.partial(self._charger.reset, "Immediate"))

    def _transaction_status(self, payload: Payload) -> Answer:
        waiting = bool(len(self._charger.outbox))
        if "transactionId" not in payload:
            return {"messagesInQueue": waiting}, None
        running = self._charging(payload["transactionId"]) is not None
        return {"ongoingIndicator": running, "messagesInQueue": waiting}, None

    def _cost(self, payload: Payload) -> Answer:
        self._charger.shown_cost[payload["transactionId"]] = payload["totalCost"]
        return {}, None

    def _local_list(self, payload: Payload) -> Answer:
        rows = [
            {"idTag": row["idToken"]["idToken"], **({"idTagInfo": row["idTokenInfo"]} if "idTokenInfo" in row else {})}
            for row in payload.get("localAuthorizationList", [])
        ]
        asked = {"listVersion": payload["versionNumber"], "updateType": payload["updateType"]}
        return self._send_list({**asked, "localAuthorizationList": rows})

    # The device model

    def _get_variables(self, payload: Payload) -> Answer:
        return {"getVariableResult": [self.variables.read(asked) for asked in payload["getVariableData"]]}, None

    def _set_variables(self, payload: Payload) -> Answer:
        results = [self.variables.write(asked) for asked in payload["setVariableData"]]
        keys = [
            asked["attributeValue"]
            for asked, result in zip(payload["setVariableData"], results, strict=True)
            if asked["variable"]["name"] == "BasicAuthPassword" and result["attributeStatus"] == "Accepted"
        ]
        later = functools.partial(self._charger.change_password, keys[-1]) if keys else None
        return {"setVariableResult": results}, later

    def _base_report(self, payload: Payload) -> Answer:
        return status("Accepted", functools.partial(self._report, payload["requestId"]))

    async def _report(self, request: int) -> None:
        rows = list(self.variables.report())
        pages = [rows[first : first + _PAGE] for first in range(0, len(rows), _PAGE)]
        for number, page in enumerate(pages):
            await self._charger.call(
                "NotifyReport",
                {
                    "requestId": request,
                    "generatedAt": timestamp(self._charger.clock.now()),
                    "seqNo": number,
                    "tbc": number + 1 < len(pages),
                    "reportData": page,
                },
            )

    def _set_monitors(self, payload: Payload) -> Answer:
        results = [
            {**{name: asked[name] for name in ("type", "severity", "component", "variable")}, "status": "Rejected"}
            for asked in payload["setMonitoringData"]
        ]
        return {"setMonitoringResult": results}, None

    def _clear_monitors(self, payload: Payload) -> Answer:
        return {"clearMonitoringResult": [{"id": number, "status": "NotFound"} for number in payload["id"]]}, None

    # Profiles and tariffs

    def _profile(self, payload: Payload) -> Answer:
        profile, number = payload["chargingProfile"], payload["evseId"]
        connector = self._charger.connectors.get(number)
        if profile["chargingProfilePurpose"] == "TxProfile":
            running = connector.transaction if connector is not None else None
            if running is None or profile.get("transactionId") != running.number:
                return status("Rejected")
        return self._set_profile({"connectorId": number, "csChargingProfiles": _of_16(profile)})

    def _clear(self, payload: Payload) -> Answer:
        if "chargingProfileId" in payload:
            return self._clear_profile({"id": payload["chargingProfileId"]})
        criteria = payload.get("chargingProfileCriteria", {})
        asked = {_CRITERIA.get(name, name): _PURPOSES.get(value, value) for name, value in criteria.items()}
        return self._clear_profile(asked)

    def _composite(self, payload: Payload) -> Answer:
        number, unit = payload["evseId"], payload.get("chargingRateUnit", "W")
        asked = {"connectorId": number, "duration": payload["duration"], "chargingRateUnit": unit}
        answer, _ = self._composite_schedule(asked)
        if answer["status"] != "Accepted":
            return answer, None
        schedule = answer["chargingSchedule"]
        shown = {
            "evseId": number,
            "duration": schedule["duration"],
            "scheduleStart": schedule["startSchedule"],
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": schedule["chargingSchedulePeriod"],
        }
        return {"status": "Accepted", "schedule": shown}, None

    def _clear_tariffs(self, payload: Payload) -> Answer:
        return {"clearTariffsResult": [{"status": "NoTariff"}]}, None

    # What is told afterwards

    def _trigger_message(self, payload: Payload) -> Answer:
        place = payload.get("evse", {})
        wanted = [c for c in self._charger.connectors.values() if place.get("id", c.number) == c.number]
        if not wanted:
            return status("Rejected")
        return self._triggered(payload["requestedMessage"], wanted)

    def _triggered(self, message: str, wanted: list[Connector]) -> Answer:
        numbers = [connector.number for connector in wanted]
        table: dict[str, Callable[[], Awaitable[object]]] = {
            "BootNotification": self._charger.announce,
            "Heartbeat": self._charger.heartbeat,
            "StatusNotification": lambda: self._charger.report_status(*numbers),
            "MeterValues": lambda: self._charger.sample(*numbers),
            "TransactionEvent": lambda: self._charger.update(*wanted),
            "FirmwareStatusNotification": lambda: self._say("FirmwareStatusNotification", "Idle"),
            "LogStatusNotification": lambda: self._say("LogStatusNotification", "Idle"),
            "SignChargingStationCertificate": self._request_certificate,
        }
        if message not in table:
            return status("NotImplemented")

        async def afterwards() -> None:
            await table[message]()

        return status("Accepted", afterwards)

    def _update_firmware(self, payload: Payload) -> Answer:
        number = payload["requestId"]
        say = functools.partial(self._say, "FirmwareStatusNotification", request_id=number)
        return status("Accepted", functools.partial(self._update, say, payload["firmware"]["location"], _FIRMWARE))

    def _customer(self, payload: Payload) -> Answer:
        number = payload["requestId"]

        async def tell() -> None:
            now = timestamp(self._charger.clock.now())
            told = {"data": "", "seqNo": 0, "generatedAt": now, "requestId": number}
            await self._charger.call("NotifyCustomerInformation", told)

        return status("Accepted", tell)

    def _certificate_chains(self, payload: Payload) -> Answer:
        wanted = payload.get("certificateType")
        chains: list[dict[str, Any]] = [
            {"certificateType": kind, "certificateHashData": shown}
            for kind, shown in self._certificates.values()
            if wanted is None or kind in wanted
        ]
        return ({"status": "Accepted", "certificateHashDataChain": chains} if chains else {"status": "NotFound"}), None


def _accepted(_: Payload) -> Answer:
    return status("Accepted")


def _of_16(profile: Payload) -> Payload:
    """A ChargingProfileType of 2.x in the words of 1.6; of several schedules the first."""
    purpose = profile["chargingProfilePurpose"]
    return {
        **{name: value for name, value in profile.items() if name not in ("id", "chargingSchedule")},
        "chargingProfileId": profile["id"],
        "chargingProfilePurpose": _PURPOSES.get(purpose, purpose),
        "chargingSchedule": profile["chargingSchedule"][0],
    }
