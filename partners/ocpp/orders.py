"""Orders to chargers, as modules give them: the port `hub.core.ports.Chargers` over OCPP 1.6.

Each is one CALL, and its outcome is read from the tables of `answers.py`. None raises for a charger's fault; each
takes at most its `timeout_s`, whatever waits before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from hub.core import trace
from hub.core.errors import PeerNonsense
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, LimitRules, Limits, Outcome, Place, ProfileOutcome
from modules.commands import results
from partners.ocpp import answers, profiles, rpc, schemas
from partners.ocpp.evse_display import EvseDisplay
from partners.ocpp.live import Live
from partners.ocpp.passwords import Passwords
from partners.ocpp.register import folded
from partners.ocpp.stations import Stations
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()

_COMMANDS: Final = {
    "RemoteStartTransaction": "START_SESSION",
    "RemoteStopTransaction": "STOP_SESSION",
    "ReserveNow": "RESERVE_NOW",
    "CancelReservation": "CANCEL_RESERVATION",
    "UnlockConnector": "UNLOCK_CONNECTOR",
}
_NEEDED: Final = {"Reservation": "ReserveNow", "SmartCharging": "SetChargingProfile", "RemoteTrigger": "TriggerMessage"}
"""Profile of 1.6 -> the action without which it is nothing."""


class ChargerOrders(Stations):
    """The stations, as modules see them."""

    def __init__(self, hub: Hub, keeper: Passwords, transactions: Transactions) -> None:
        super().__init__(hub, keeper)
        self._transactions = transactions
        self.display = EvseDisplay(hub, self.find, lambda identity: frozenset(transactions.open_at(identity)))

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        """The connector that OCPI knows under this EVSE; its first, if none is named."""
        for place in self.places_of(evse_uid):
            if connector_id is None or place.connector_id.upper() == connector_id.upper():
                return place
        return None

    def reachable(self, station: str) -> bool:
        """Is its socket up, and does it not wait for its registration to be completed?"""
        live = self.find(station)
        return live is not None and live.link is not None and not live.link.waits

    def supports(self, station: str, feature: str) -> bool:
        """As it told (SupportedFeatureProfiles). One that told nothing may support all that it has not refused."""
        live = self.find(station)
        if live is None or _NEEDED.get(feature) in live.learned.not_supported:
            return False
        features = live.learned.features
        return features is None or folded(feature) in map(folded, features)

    async def remote_start(self, place: Place, *, id_tag: str, timeout_s: float) -> Outcome:
        """RemoteStartTransaction. Rejected: the state of the EVSE says why."""
        live = self.find(place.station)
        if live is not None:
            live.begin_journey(id_tag, trace.correlation(), self.hub.clock.monotonic())
        payload = {"connectorId": place.connector, "idTag": id_tag}
        status = self.display.status_of(live, place.evse_uid) if live is not None else "UNKNOWN"
        return await self._order(place.station, "RemoteStartTransaction", payload, timeout_s, evse_status=status)

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        """RemoteStopTransaction of the session `transaction`. ACCEPTED, when it is over already."""
        record = self._transactions.of_session(station, transaction)
        if record is None:
            return answers.command_result("STOP_SESSION", "Rejected", session_ended=True)
        payload = {"transactionId": record.number}
        return await self._order(
            station,
            "RemoteStopTransaction",
            payload,
            timeout_s,
            ended=lambda: self._transactions.of_session(station, transaction) is None,
        )

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome:
        """UnlockConnector."""
        return await self._order(place.station, "UnlockConnector", {"connectorId": place.connector}, timeout_s)

    async def reserve(
        self, place: Place, *, reservation: int, id_tag: str, parent_tag: str | None, expiry: str, timeout_s: float
    ) -> Outcome:
        """ReserveNow. `expiry` is a timestamp."""
        parent = {"parentIdTag": parent_tag} if parent_tag else {}
        payload = {
            "connectorId": place.connector,
            "expiryDate": expiry,
            "idTag": id_tag,
            **parent,
            "reservationId": reservation,
        }
        return await self._order(place.station, "ReserveNow", payload, timeout_s)

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome:
        """CancelReservation."""
        return await self._order(station, "CancelReservation", {"reservationId": reservation}, timeout_s)

    def limit_rules(self, station: str) -> LimitRules:
        """As it told of itself; one that told nothing may take both units."""
        live = self.find(station)
        return profiles.rules_of(live.learned.configuration if live is not None else {})

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome:
        """SetChargingProfile: a TxProfile on the transaction of a session."""
        record = self._transactions.of_session(station, transaction)
        if record is None:
            return ProfileOutcome.REJECTED
        payload = profiles.tx_profile(record.connector, record.number, number, limits)
        return (await self._told(station, "SetChargingProfile", payload, timeout_s))[0]

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        """ClearChargingProfile of one profile of ours."""
        return (await self._told(station, "ClearChargingProfile", {"id": number}, timeout_s))[0]

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        """GetCompositeSchedule of the connector where the session is."""
        record = self._transactions.of_session(station, transaction)
        if record is None:
            return ProfileOutcome.REJECTED
        payload = {"connectorId": record.connector, "duration": duration_s, "chargingRateUnit": unit}
        outcome, answer = await self._told(station, "GetCompositeSchedule", payload, timeout_s)
        if outcome is not ProfileOutcome.ACCEPTED:
            return outcome
        return profiles.limits_in(answer, unit=unit, now=self.hub.clock.now(), duration_s=duration_s)

    async def _told(self, station: str, action: str, payload: Tree, timeout_s: float) -> tuple[ProfileOutcome, Tree]:
        """Whatever is not a yes is a no: no answer too."""
        live = self.find(station)
        if live is None or live.link is None:
            return ProfileOutcome.REJECTED, {}
        finding = schemas.check(live.link.version, action, payload, strict=True)
        if finding is not None:
            log.error("order not sent", station=station, action=action, why=finding.text)
            return ProfileOutcome.REJECTED, {}
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await live.link.rpc.call(action, payload, timeout_s=timeout_s, wait_s=timeout_s)
        except TimeoutError:
            return ProfileOutcome.REJECTED, {}
        await self.learn_from(live, action, outcome)
        if not isinstance(outcome, rpc.CallResult):
            return ProfileOutcome.REJECTED, {}
        return answers.profile_result(action, str(outcome.payload.get("status"))), outcome.payload

    async def _order(
        self,
        station: str,
        action: str,
        payload: Tree,
        timeout_s: float,
        *,
        evse_status: str = "UNKNOWN",
        ended: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        live = self.find(station)
        if live is None or live.link is None:
            return answers.NEVER_SENT
        finding = schemas.check(live.link.version, action, payload, strict=True)
        if finding is not None:
            log.error("order not sent", station=station, action=action, why=finding.text)
            return Outcome.REJECTED
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await live.link.rpc.call(action, payload, timeout_s=timeout_s, wait_s=timeout_s)
        except TimeoutError:
            return answers.NO_ANSWER
        await self.learn_from(live, action, outcome)
        return outcome_of(action, outcome, evse_status=evse_status, ended=ended)

    async def heard_late(self, live: Live, late: rpc.LateAnswer) -> None:
        """An answer after its time: its asker was told TIMEOUT; it is kept beside the command."""
        if late.action in _COMMANDS:
            outcome = outcome_of(late.action, late.outcome)
            await results.late(self.hub, live.identity, _COMMANDS[late.action], outcome)


def outcome_of(
    action: str, outcome: rpc.Outcome, *, evse_status: str = "UNKNOWN", ended: Callable[[], bool] = lambda: False
) -> Outcome:
    """OCPI's word for what became of a CALL."""
    match outcome:
        case rpc.CallResult(payload):
            try:
                return answers.command_result(
                    _COMMANDS[action], str(payload.get("status")), evse_status=evse_status, session_ended=ended()
                )
            except PeerNonsense:
                return Outcome.FAILED
        case rpc.CallError(code):
            return answers.callerror_result(code)
        case rpc.TimedOut():
            return answers.NO_ANSWER
        case rpc.Lost():
            return answers.SOCKET_LOST
    return answers.NEVER_SENT
