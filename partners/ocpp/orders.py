"""Orders to chargers, as modules give them: the port `hub.core.ports.Chargers` over OCPP.

Each is one CALL, put in the words of the connection's version (`phrases.py`), and its outcome is read from the tables
of `answers.py`. None raises for a charger's fault; each
takes at most its `timeout_s`, whatever waits before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from secrets import randbelow
from typing import Final

import structlog

from hub.core import trace
from hub.core.errors import InvalidRequest, NotFound, PeerNonsense
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, LimitRules, Limits, Outcome, Place, ProfileOutcome
from modules.commands import late as late_answers
from partners.ocpp import answers, maintenance, profiles, rpc, schemas, unplaced
from partners.ocpp.cards import Card
from partners.ocpp.evse_display import EvseDisplay
from partners.ocpp.journal import Record
from partners.ocpp.limits_told import LimitsTold
from partners.ocpp.live import Live, remote_start, version_of
from partners.ocpp.passwords import Passwords
from partners.ocpp.phrases import COMMANDS, PHRASES, Hold, Phrases, Said
from partners.ocpp.profiles_owed import ProfilesOwed
from partners.ocpp.register import folded
from partners.ocpp.reserved_evses import ReservedEvses
from partners.ocpp.stations import Stations
from partners.ocpp.transactions import Transactions
from partners.ocpp.unplaced import Verdict

log = structlog.get_logger()

_NEEDED: Final = {"Reservation": "ReserveNow", "SmartCharging": "SetChargingProfile", "RemoteTrigger": "TriggerMessage"}
"""Profile of 1.6 -> the action without which it is nothing."""
_CONTROLS: Final = {"Reservation": "ReservationCtrlr", "SmartCharging": "SmartChargingCtrlr"}
"""Profile of 1.6 -> the component of 2.x that says whether it is there."""
_IS_THERE: Final = ("Available", "Enabled")

Say = Callable[[Phrases], Said]


class ChargerOrders(Stations):
    """The stations, as modules see them."""

    def __init__(self, hub: Hub, keeper: Passwords, transactions: Transactions) -> None:
        super().__init__(hub, keeper)
        self._transactions = transactions
        self.limits_told = LimitsTold(hub, transactions)
        self.owed = ProfilesOwed(hub, transactions)
        self.reserved = ReservedEvses(hub.store)
        self.display = EvseDisplay(
            hub, self.find, lambda identity: frozenset(transactions.open_at(identity)), self.reserved
        )

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
        """As it told (1.6: SupportedFeatureProfiles; 2.x: the component that controls it).

        One that told nothing may support all that it has not refused.
        """
        live = self.find(station)
        if live is None or _NEEDED.get(feature) in live.learned.not_supported:
            return False
        if version_of(live) != "1.6":
            told = (live.learned.configuration.get(f"{_CONTROLS.get(feature)}.{name}") for name in _IS_THERE)
            return not any(word is not None and folded(word) == "false" for word in told)
        features = live.learned.features
        return features is None or folded(feature) in map(folded, features)

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        """RemoteStartTransaction, RequestStartTransaction. Rejected: the state of the EVSE says why.

        The charge that follows belongs to this journey: by the number that 2.x hands back, or by its token.
        """
        live = self.find(place.station)
        number = randbelow(2**31 - 1) + 1
        if self._is_closed(place):
            return Outcome.EVSE_INOPERATIVE
        if live is not None:
            live.begin_journey(id_tag, trace.correlation(), self.hub.clock.monotonic())
            live.begin_journey(remote_start(number), trace.correlation(), self.hub.clock.monotonic())
        status = self.display.status_of(live, place.evse_uid) if live is not None else "UNKNOWN"
        card = Card(id_tag, token_type)
        outcome = await self._order(
            place.station, lambda phrases: phrases.start(place, card, number), timeout_s, evse_status=status
        )
        if live is not None and live.link is not None and outcome in (Outcome.ACCEPTED, Outcome.REJECTED):
            live.answered_start(self.hub.clock.monotonic(), refused=outcome is Outcome.REJECTED)
        return outcome

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        """RemoteStopTransaction, RequestStopTransaction of the session `transaction`. ACCEPTED, when it is over."""
        record = self._transactions.of_session(station, transaction)
        number = record.number if record is not None else None
        if number is None:
            return answers.command_result("STOP_SESSION", "Rejected", session_ended=record is None)
        return await self._order(
            station,
            lambda phrases: phrases.stop(number),
            timeout_s,
            ended=lambda: self._transactions.of_session(station, transaction) is None,
        )

    async def settle_unplaced(self, name: str, verdict: Verdict, *, actor: str) -> None:
        """Bill a charge that waits without a session, or never. See `unplaced.py`. Raises: NotFound, InvalidRequest."""
        record = await unplaced.find(self.hub.store, name)
        if record is None:
            raise NotFound("there is no such transaction that waits")
        if verdict.drops:
            await unplaced.drop(self._transactions, record, actor=actor)
            return
        at = self._place_of(record, verdict.evse_uid)
        await unplaced.place(self.hub, self._transactions, record, at, token=verdict.token, actor=actor)

    def _place_of(self, record: Record, evse_uid: str) -> Place:
        """Where it was: at this EVSE, or, with "", where its charger said. Raises: NotFound, InvalidRequest."""
        places = self.get(record.station).station.places()
        at = places.get(record.connector)
        if evse_uid:
            at = next((place for place in places.values() if _is_at(place, evse_uid)), None)
        elif at is None:
            raise InvalidRequest(unplaced.NEEDED[unplaced.lack_of(record)])
        if at is None:
            known = sorted({place.evse_uid for place in places.values()})
            raise InvalidRequest(f"/evse_uid: {record.station} has no EVSE {evse_uid}; there are {', '.join(known)}")
        return at

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome:
        """UnlockConnector."""
        return await self._order(place.station, lambda phrases: phrases.unlock(place), timeout_s)

    async def reserve(
        self,
        place: Place,
        *,
        reservation: int,
        id_tag: str,
        token_type: str = "",
        parent_tag: str | None,
        expiry: str,
        timeout_s: float,
    ) -> Outcome:
        """ReserveNow. `expiry` is a timestamp."""
        if self._is_closed(place):
            return Outcome.EVSE_INOPERATIVE
        hold = Hold(reservation, place, Card(id_tag, token_type), parent_tag, expiry)
        return await self._order(place.station, lambda phrases: phrases.reserve(hold), timeout_s)

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome:
        """CancelReservation."""
        return await self._order(station, lambda phrases: phrases.cancel(reservation), timeout_s)

    def _is_closed(self, place: Place) -> bool:
        """Is the EVSE out of service to partners?"""
        live = self.find(place.station)
        return live is not None and maintenance.covers(live.station, place.evse_uid)

    def limit_rules(self, station: str) -> LimitRules:
        """As it told of itself; one that told nothing may take both units."""
        live = self.find(station)
        return profiles.rules_of(live.learned.configuration, version_of(live)) if live is not None else profiles.ANY

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        """SetChargingProfile: a TxProfile on the transaction of a session."""
        record = self._transactions.of_session(station, transaction)
        if record is None or record.number is None:
            return ProfileOutcome.REJECTED
        connector, charge = record.connector, record.number
        told = await self._told(station, lambda phrases: phrases.limit(connector, charge, number, limits), timeout_s)
        return told[0]

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        """ClearChargingProfile of one profile of ours."""
        told = await self._told(station, lambda phrases: phrases.unlimit(number), timeout_s)
        return told[0] or ProfileOutcome.REJECTED

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        """The profile from before under the same number, which replaces the other; or ClearChargingProfile."""
        if limits is None:
            return await self.unlimit(station, number=number, timeout_s=timeout_s)
        return await self.limit(station, transaction=transaction, number=number, limits=limits, timeout_s=timeout_s)

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        """GetCompositeSchedule of the connector, or EVSE, where the session is."""
        record = self._transactions.of_session(station, transaction)
        if record is None:
            return ProfileOutcome.REJECTED
        connector = record.connector
        asked = await self._told(station, lambda phrases: phrases.limits(connector, duration_s, unit), timeout_s)
        outcome, answer = asked
        if outcome is not ProfileOutcome.ACCEPTED:
            return outcome or ProfileOutcome.REJECTED
        return profiles.limits_in(answer, unit=unit, now=self.hub.clock.now(), duration_s=duration_s)

    async def prefer(
        self, station: str, *, transaction: str, departure: datetime | None, need_kwh: Decimal | None, timeout_s: float
    ) -> bool:
        """A charger of its own shares with nobody."""
        return False

    async def _told(self, station: str, say: Say, timeout_s: float) -> tuple[ProfileOutcome | None, Tree]:
        """Whatever is not a yes is a no; None where no answer came to what was sent."""
        action, outcome = await self._ask(station, say, timeout_s)
        if isinstance(outcome, rpc.TimedOut | rpc.Lost):
            return None, {}
        if not isinstance(outcome, rpc.CallResult):
            return ProfileOutcome.REJECTED, {}
        return answers.profile_result(action, str(outcome.payload.get("status"))), outcome.payload

    async def _order(
        self,
        station: str,
        say: Say,
        timeout_s: float,
        *,
        evse_status: str = "UNKNOWN",
        ended: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        action, outcome = await self._ask(station, say, timeout_s)
        if outcome is None:
            return Outcome.REJECTED
        return outcome_of(action, outcome, evse_status=evse_status, ended=ended)

    async def _ask(self, station: str, say: Say, timeout_s: float) -> tuple[str, rpc.Outcome | None]:
        """What became of an order, and which action it was; None, where it cannot be said in the station's version."""
        live = self.find(station)
        if live is None or live.link is None:
            return "", rpc.NotSent("not connected")
        action, payload = say(PHRASES[live.link.version])
        finding = schemas.check(live.link.version, action, payload, strict=True)
        if finding is not None:
            log.error("order not sent", station=station, action=action, why=finding.text)
            return action, None
        outcome: rpc.Outcome
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await live.link.rpc.call(action, payload, timeout_s=timeout_s, wait_s=timeout_s)
        except TimeoutError:
            return action, rpc.TimedOut()
        await self.learn_from(live, action, outcome)
        return action, outcome

    async def heard_late(self, live: Live, late: rpc.LateAnswer) -> None:
        """An answer after its time: its asker was told TIMEOUT. A profile goes again."""
        if late.action in COMMANDS:
            outcome = outcome_of(late.action, late.outcome)
            await late_answers.answered(self.hub, live.identity, COMMANDS[late.action], outcome)
        await self.owed.heard_late(live, late)


def outcome_of(
    action: str, outcome: rpc.Outcome, *, evse_status: str = "UNKNOWN", ended: Callable[[], bool] = lambda: False
) -> Outcome:
    """OCPI's word for what became of a CALL."""
    match outcome:
        case rpc.CallResult(payload):
            try:
                return answers.command_result(
                    COMMANDS[action], str(payload.get("status")), evse_status=evse_status, session_ended=ended()
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


def _is_at(place: Place, evse_uid: str) -> bool:
    return place.evse_uid.upper() == evse_uid.upper()
