"""Orders of modules to chargers of OCPP 2.0.1 and 2.1, and how their answers are read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.core.ports import Limits, Outcome, Place, ProfileOutcome
from partners.ocpp import schemas
from partners.ocpp.cards import Card, id_token
from partners.ocpp.numbering import number_of
from partners.ocpp.profiles import rules_of
from tests.partners.ocpp.library import a_library_point
from tests.partners.ocpp.site import CARD, Payload, Point, Site, recently

E1 = Place("CP1", 1, "DE*BSB/LOC1", "E1", "1")
SECOND_PLUG = Place("CP1", number_of(3, 2), "DE*BSB/LOC1", "E1", "1")
EXPIRY = "2030-01-01T00:00:00.000Z"
BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
Answer = Payload | tuple[str, str] | None


async def ordered(site: Site, order: str) -> Outcome:
    """Give an order to CP1."""
    chargers, timeout_s = site.gateway.stations, 0.2
    match order:
        case "start":
            return await chargers.remote_start(E1, id_tag=CARD, token_type="RFID", timeout_s=timeout_s)
        case "unlock":
            return await chargers.unlock(SECOND_PLUG, timeout_s=timeout_s)
        case "reserve":
            return await chargers.reserve(
                E1, reservation=7, id_tag="BB12", parent_tag="GROUP", expiry=EXPIRY, timeout_s=timeout_s
            )
    return await chargers.cancel_reservation("CP1", reservation=7, timeout_s=timeout_s)


def sent(cp: Point, version: str) -> list[tuple[str, Payload]]:
    """What the charger was asked; all of it valid by the official schemas."""
    for action, payload in cp.asked:
        assert schemas.check(version, action, payload, strict=True) is None, action
    return cp.asked


ORDERS: list[tuple[str, str, Answer, Outcome]] = [
    ("start", "RequestStartTransaction", {"status": "Accepted", "transactionId": "T1"}, Outcome.ACCEPTED),
    ("start", "RequestStartTransaction", {"status": "Rejected"}, Outcome.REJECTED),
    ("start", "RequestStartTransaction", {"status": "Perhaps"}, Outcome.FAILED),
    ("start", "RequestStartTransaction", ("InternalError", ""), Outcome.FAILED),
    ("start", "RequestStartTransaction", None, Outcome.TIMEOUT),
    ("unlock", "UnlockConnector", {"status": "Unlocked"}, Outcome.ACCEPTED),
    ("unlock", "UnlockConnector", {"status": "UnlockFailed"}, Outcome.FAILED),
    ("unlock", "UnlockConnector", {"status": "OngoingAuthorizedTransaction"}, Outcome.EVSE_OCCUPIED),
    ("unlock", "UnlockConnector", {"status": "UnknownConnector"}, Outcome.REJECTED),
    ("reserve", "ReserveNow", {"status": "Accepted"}, Outcome.ACCEPTED),
    ("reserve", "ReserveNow", {"status": "Occupied"}, Outcome.EVSE_OCCUPIED),
    ("reserve", "ReserveNow", {"status": "Unavailable"}, Outcome.EVSE_INOPERATIVE),
    ("reserve", "ReserveNow", {"status": "Rejected"}, Outcome.REJECTED),
    ("reserve", "ReserveNow", ("NotSupported", ""), Outcome.NOT_SUPPORTED),
    ("cancel", "CancelReservation", {"status": "Accepted"}, Outcome.ACCEPTED),
    ("cancel", "CancelReservation", {"status": "Rejected"}, Outcome.UNKNOWN_RESERVATION),
]


@BOTH
async def test_every_answer_to_an_order_has_its_word_in_ocpi(site: Site, version: str) -> None:
    async with await site.point(protocols=[f"ocpp{version}"]) as cp:
        for order, action, answer, outcome in ORDERS:
            cp.answers[action] = answer
            assert await ordered(site, order) == outcome, (order, answer)
        asked = sent(cp, version)
    assert {action for action, _ in asked} == {action for _, action, _, _ in ORDERS}
    assert asked[0][1]["evseId"] == 1
    assert asked[0][1]["idToken"] == {"idToken": CARD, "type": "ISO14443"}
    assert 0 < asked[0][1]["remoteStartId"] < 2**31
    by_action = dict(asked)
    assert by_action["UnlockConnector"] == {"evseId": 3, "connectorId": 2}
    assert by_action["ReserveNow"] == {
        "id": 7,
        "expiryDateTime": EXPIRY,
        "idToken": {"idToken": "BB12", "type": "Central"},
        "evseId": 1,
        "groupIdToken": {"idToken": "GROUP", "type": "Central"},
    }


def test_a_token_is_called_a_card_only_where_it_can_be_one() -> None:
    assert id_token(Card("04A1B2C3"), "2.0.1") == {"idToken": "04A1B2C3", "type": "ISO14443"}
    assert id_token(Card("04A1B2C3", "RFID"), "2.1")["type"] == "ISO14443"
    assert id_token(Card("04A1B2C3", "APP_USER"), "2.1")["type"] == "Central"
    assert id_token(Card("BB0123456789ABCDEF01", "RFID"), "2.0.1")["type"] == "Central"
    assert id_token(Card("app-17", "AD_HOC_USER"), "2.0.1")["type"] == "Central"
    assert id_token(Card("app-17", "AD_HOC_USER"), "2.1")["type"] == "DirectPayment"
    assert id_token(Card("DE8AACA1B2C3D4", "EMAID"), "2.0.1")["type"] == "eMAID"


@BOTH
async def test_a_charge_goes_on_and_is_stopped_after_an_update_taught_its_charger_2x(site: Site, version: str) -> None:
    async with await site.point() as cp:
        number = (await cp.start(recently()))["transactionId"]
    (session,) = await site.sessions()
    async with await site.point(protocols=[f"ocpp{version}"]) as cp:
        cp.answers["RequestStopTransaction"] = {"status": "Accepted"}
        stopped = await site.gateway.stations.remote_stop("CP1", transaction=session["id"], timeout_s=1)
        assert stopped == Outcome.ACCEPTED
        assert sent(cp, version) == [("RequestStopTransaction", {"transactionId": str(number)})]


@BOTH
async def test_a_charge_is_limited_and_its_limits_are_read(site: Site, version: str) -> None:
    async with await site.point() as cp:
        number = (await cp.start(recently()))["transactionId"]
    (session,) = await site.sessions()
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    chargers, named = site.gateway.stations, {"transaction": session["id"], "timeout_s": 1.0}
    async with await site.point(protocols=[f"ocpp{version}"]) as cp:
        cp.answers |= {name: {"status": "Accepted"} for name in ("SetChargingProfile", "ClearChargingProfile")}
        limits = Limits("A", ((0, Decimal("16.0")), (600, Decimal("6.5"))), at, 3600, Decimal("6.0"))
        assert await chargers.limit("CP1", number=5, limits=limits, **named) == ProfileOutcome.ACCEPTED
        assert await chargers.unlimit("CP1", number=5, timeout_s=1) == ProfileOutcome.ACCEPTED
        cp.answers["ClearChargingProfile"] = {"status": "Unknown"}
        assert await chargers.unlimit("CP1", number=5, timeout_s=1) == ProfileOutcome.UNKNOWN
        cp.answers["GetCompositeSchedule"] = {"status": "Accepted", "schedule": SCHEDULE}
        shown = await chargers.limits("CP1", duration_s=900, unit="A", **named)
        asked = sent(cp, version)
    profile = asked[0][1]["chargingProfile"]
    assert (asked[0][1]["evseId"], profile["transactionId"], profile["chargingProfileKind"]) == (
        1,
        str(number),
        "Absolute",
    )
    (schedule,) = profile["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 600, "limit": 6.5}]
    assert asked[1][1] == {"chargingProfileId": 5}
    assert asked[-1][1] == {"duration": 900, "chargingRateUnit": "A", "evseId": 1}
    assert shown == Limits("W", ((0, Decimal(11000)), (300, Decimal("7400.5"))), at, 900)


SCHEDULE: Payload = {
    "evseId": 1,
    "duration": 900,
    "scheduleStart": "2026-05-01T12:00:00Z",
    "chargingRateUnit": "W",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}, {"startPeriod": 300, "limit": 7400.5}],
}


async def test_a_schedule_without_a_limit_limits_nothing(site: Site) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
    (session,) = await site.sessions()
    async with await site.point(protocols=["ocpp2.1"]) as cp:
        periods = [{"startPeriod": 0, "setpoint": 5000}]
        cp.answers["GetCompositeSchedule"] = {
            "status": "Accepted",
            "schedule": {**SCHEDULE, "chargingSchedulePeriod": periods},
        }
        ask: dict[str, Any] = {"transaction": session["id"], "duration_s": 900, "unit": "A", "timeout_s": 1}
        shown = await site.gateway.stations.limits("CP1", **ask)
    assert isinstance(shown, Limits)
    assert shown.periods == ()


def test_what_limits_a_station_takes_is_read_in_the_words_of_its_version() -> None:
    told = {"SmartChargingCtrlr.RateUnit": "W,A", "SmartChargingCtrlr.PeriodsPerSchedule": "24"}
    assert (rules_of(told, "2.0.1").units, rules_of(told, "2.1").most_periods) == (("W", "A"), 24)
    assert rules_of({"ChargingScheduleAllowedChargingRateUnit": "Power"}, "1.6").units == ("W",)
    assert rules_of(told, "1.6").most_periods is None


async def test_what_a_component_says_is_not_there_is_not_supported(site: Site) -> None:
    stations = site.gateway.stations
    async with await site.point(protocols=["ocpp2.0.1"]):
        assert stations.supports("CP1", "Reservation") is True
        stations.get("CP1").learned.configuration = {"ReservationCtrlr.Available": "false"}
        assert stations.supports("CP1", "Reservation") is False
        assert stations.supports("CP1", "SmartCharging") is True
        stations.get("CP1").learned.configuration = {"SmartChargingCtrlr.Enabled": "False"}
        assert stations.supports("CP1", "SmartCharging") is False
        assert stations.supports("CP1", "Core") is True


@BOTH
async def test_limits_that_are_not_answered_are_no_no_and_are_cleared_after_them(site: Site, version: str) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
    (session,) = await site.sessions()
    chargers, named = site.gateway.stations, {"transaction": session["id"], "number": 5}
    async with await site.point(protocols=[f"ocpp{version}"]) as cp:
        cp.answers |= {"SetChargingProfile": None, "ClearChargingProfile": {"status": "Accepted"}}
        assert await chargers.limit("CP1", limits=Limits("A", ((0, Decimal(7)),)), timeout_s=0.1, **named) is None
        assert await chargers.restore("CP1", limits=None, timeout_s=5, **named) is ProfileOutcome.ACCEPTED
        assert [action for action, _ in sent(cp, version)] == ["SetChargingProfile", "ClearChargingProfile"]
    assert await chargers.limit("CP1", limits=Limits("A", ()), timeout_s=1, **named) is ProfileOutcome.REJECTED


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_client_that_others_wrote_takes_every_order(site: Site, protocol: str) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
    (session,) = await site.sessions()
    accepted = {"status": "Accepted"}
    actions = ("RequestStartTransaction", "RequestStopTransaction", "ReserveNow", "CancelReservation")
    limiting = ("SetChargingProfile", "ClearChargingProfile")
    answers: dict[str, Any] = {
        **dict.fromkeys((*actions, *limiting), accepted),
        "UnlockConnector": {"status": "Unlocked"},
        "GetCompositeSchedule": {"status": "Accepted", "schedule": SCHEDULE},
    }
    chargers, named = site.gateway.stations, {"transaction": session["id"], "timeout_s": 5.0}
    async with a_library_point(site, protocol, answers) as library:
        for order in ("start", "unlock", "reserve", "cancel"):
            assert await ordered(site, order) == Outcome.ACCEPTED, order
        assert await chargers.remote_stop("CP1", **named) == Outcome.ACCEPTED
        limits = Limits("A", ((0, Decimal("16.0")),))
        assert await chargers.limit("CP1", number=5, limits=limits, **named) == ProfileOutcome.ACCEPTED
        assert isinstance(await chargers.limits("CP1", duration_s=900, unit="A", **named), Limits)
        assert await chargers.unlimit("CP1", number=5, timeout_s=5) == ProfileOutcome.ACCEPTED
        assert {action for action, _ in library.heard} == set(answers)
