"""What operators and modules do with stations: the register, calls, orders, what is asked of a station by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from hub.core.errors import InvalidRequest, NotFound
from hub.core.ports import Outcome, Place
from partners.ocpp.gateway import Gateway
from partners.ocpp.stations import Called
from tests.partners.ocpp.site import CARD, PASSWORD, Payload, Point, Site, a_site, recently, station, until

E1 = Place("CP1", 1, "DE*BSB/LOC1", "E1", "1")


async def test_a_station_is_shown_as_it_was_registered_without_its_password(site: Site) -> None:
    view = site.gateway.stations.view("cp1")
    assert (view["identity"], view["location"], view["has_password"]) == ("CP1", "DE*BSB/LOC1", True)
    assert view["evses"] == {
        "1": {"evse_uid": "E1", "connectors": {"1": "1"}},
        "2": {"evse_uid": "E2", "connectors": {"2": "1"}},
    }
    assert PASSWORD not in str(view)


async def test_a_register_outlives_a_restart_with_what_was_learned(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
    await site.restart()
    assert [view["identity"] for view in site.gateway.stations.views()] == ["CP1", "CP2"]
    assert site.gateway.stations.view("CP1")["vendor"] == "Acme"
    async with await site.point():
        pass


async def test_a_station_that_another_process_registered_is_found(site: Site) -> None:
    other = Gateway(site.hub)
    await other.stations.load()
    await other.stations.put("CP9", station("E4"))
    await until(lambda: site.gateway.stations.find("CP9") is not None)


async def test_a_deleted_station_is_hung_up_on(site: Site) -> None:
    async with await site.point() as cp:
        await site.gateway.stations.delete("CP1")
        assert await cp.close_code() == 1008
    with pytest.raises(NotFound):
        site.gateway.stations.view("CP1")


@pytest.mark.parametrize(
    "tree",
    [
        {"evses": "E1"},
        {"evses": {"one": {"evse_uid": "E1", "connectors": {"one": "1"}}}},
        {"evses": {"0": {"evse_uid": "E1", "connectors": {"0": "1"}}}},
        {"evses": {n: {"evse_uid": "E1", "connectors": {"1": "1", "2": "2"}} for n in ("1", "2")}},
        {"evses": {n: {"evse_uid": "E4", "connectors": {n: "1"}} for n in ("1", "2")}},
        {"security_profile": 7},
        {"password": 7},
        {"password": "short"},
    ],
)
async def test_a_registration_that_cannot_be_is_refused(site: Site, tree: Payload) -> None:
    with pytest.raises(InvalidRequest):
        await site.gateway.stations.put("CP3", tree)
    assert site.gateway.stations.find("CP3") is None


@pytest.mark.parametrize("evse_uid", ["E2", "e2"])
async def test_an_evse_that_another_charger_serves_is_not_given_away(site: Site, evse_uid: str) -> None:
    stations = site.gateway.stations
    with pytest.raises(InvalidRequest, match=f"/evses/2/evse_uid: {evse_uid} of DE.BSB/LOC1 is served by charger CP1"):
        await stations.put("CP3", station("E4", evse_uid))
    assert stations.find("CP3") is None
    await stations.put("cp1", station("E1"))
    assert (await stations.put("CP3", station("E4", evse_uid)))["identity"] == "CP3"


async def test_of_two_chargers_registered_at_once_for_one_evse_one_is_refused(site: Site) -> None:
    puts = (site.gateway.stations.put(name, station("E4")) for name in ("CP3", "CP4"))
    became = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(error) for error in became if isinstance(error, Exception)] == [InvalidRequest]


async def test_a_station_is_shown_with_the_url_that_it_is_to_call(site: Site) -> None:
    stations = site.gateway.stations
    assert stations.view("CP1")["url"] == "ws://127.0.0.1:9000/CP1"
    view = await stations.put("RDAM|123 x", station("E4", security_profile=2))
    assert view["url"] == "wss://127.0.0.1:9443/RDAM%7C123%20x"


@pytest.mark.parametrize("identity", ["", "A/B", "A:B", "A\n", "X" * 49])
async def test_an_identity_that_no_url_or_login_can_carry_is_refused(site: Site, identity: str) -> None:
    with pytest.raises(InvalidRequest):
        await site.gateway.stations.put(identity, station("E1"))


async def test_each_connector_of_16_is_an_evse_of_its_own_unless_they_are_grouped(site: Site) -> None:
    stations = site.gateway.stations
    assert stations.place("e2") == Place("CP1", 2, "DE*BSB/LOC1", "E2", "1")
    await stations.put(
        "CP2", {"location": "LOC1", "evses": {"1": {"evse_uid": "E3", "connectors": {"1": "A", "2": "B"}}}}
    )
    assert stations.place("E3", "b") == Place("CP2", 2, "DE*BSB/LOC1", "E3", "B")
    assert stations.place("E3", "c") is None
    assert stations.place("E4") is None


# Calls of the operator


async def test_a_call_brings_the_result_and_keeps_the_order_of_its_keys(site: Site) -> None:
    payload = {"updateType": "Full", "listVersion": 3, "localAuthorizationList": []}
    async with await site.point() as cp:
        cp.answers["SendLocalList"] = {"status": "Accepted"}
        called = await site.gateway.stations.call("CP1", "SendLocalList", payload)
        assert called == Called("result", {"status": "Accepted"})
        assert list(cp.asked[0][1]) == ["updateType", "listVersion", "localAuthorizationList"]


async def test_what_becomes_of_a_call_is_always_said(site: Site) -> None:
    stations = site.gateway.stations
    assert (await stations.call("CP1", "ClearCache", {})).outcome == "not connected"
    async with await site.point() as cp:
        cp.answers["ClearCache"] = ("SecurityError", "not now")
        refused = await stations.call("CP1", "ClearCache", {})
        assert (refused.outcome, refused.code, refused.description) == ("error", "SecurityError", "not now")
        cp.answers["ClearCache"] = None
        assert (await stations.call("CP1", "ClearCache", {}, timeout_s=0.05)).outcome == "pending"
        calls = [asyncio.create_task(stations.call("CP1", "ClearCache", {}, timeout_s=30)) for _ in range(40)]
        await until(lambda: any(call.done() for call in calls))
        assert {call.result().outcome for call in calls if call.done()} == {"queue full"}
    assert {(await call).outcome for call in calls} == {"queue full", "not connected"}
    with pytest.raises(NotFound):
        await stations.call("NOBODY", "ClearCache", {})


async def test_a_call_that_breaks_its_schema_is_sent_only_by_force(site: Site) -> None:
    stations = site.gateway.stations
    async with await site.point() as cp:
        cp.answers["Reset"] = {"status": "Rejected"}
        for action, payload in (("Reset", {}), ("Reset", {"type": "Gentle"}), ("Dance", {})):
            with pytest.raises(InvalidRequest):
                await stations.call("CP1", action, payload)
        assert cp.asked == []
        assert (await stations.call("CP1", "Reset", {}, force=True)).outcome == "result"


async def test_an_answer_that_breaks_its_schema_is_handed_over_with_the_finding(site: Site) -> None:
    async with await site.point() as cp:
        cp.answers["ClearCache"] = {"status": "Perhaps"}
        called = await site.gateway.stations.call("CP1", "ClearCache", {})
    assert called.payload == {"status": "Perhaps"}
    assert "/status" in called.finding


async def test_the_message_log_shows_both_directions_without_secrets(site: Site) -> None:
    async with await site.point() as cp:
        await cp.call("Authorize", {"idTag": CARD})
        cp.answers["ChangeConfiguration"] = {"status": "Accepted"}
        change = {"key": "AuthorizationKey", "value": "ab" * 20}
        await site.gateway.stations.call("CP1", "ChangeConfiguration", change)
        shown = site.gateway.stations.messages("CP1")
        assert [frame["direction"] for frame in shown] == ["in", "out", "out", "in"]
        assert CARD not in str(shown)
        assert "ab" * 20 not in str(shown)
        assert shown[0]["message"][3]["idTag"].startswith("tok:")
        assert len(site.gateway.stations.messages("CP1", limit=2)) == 2


# Orders of modules


async def ordered(site: Site, cp: Point, order: str, answer: Payload | tuple[str, str] | None) -> Outcome:
    """Give an order to CP1, which answers so."""
    chargers, timeout_s = site.gateway.stations, 0.1 if answer is None else 10.0
    actions = {"start": "RemoteStartTransaction", "unlock": "UnlockConnector", "reserve": "ReserveNow"}
    cp.answers[actions.get(order, "CancelReservation")] = answer
    match order:
        case "start":
            return await chargers.remote_start(E1, id_tag=CARD, timeout_s=timeout_s)
        case "unlock":
            return await chargers.unlock(E1, timeout_s=timeout_s)
        case "reserve":
            expiry = "2030-01-01T00:00:00.000Z"
            return await chargers.reserve(
                E1, reservation=7, id_tag=CARD, parent_tag="GROUP", expiry=expiry, timeout_s=timeout_s
            )
    return await chargers.cancel_reservation("CP1", reservation=7, timeout_s=timeout_s)


async def test_every_answer_to_an_order_has_its_word_in_ocpi(site: Site) -> None:
    table: list[tuple[str, Payload | tuple[str, str] | None, Outcome]] = [
        ("start", {"status": "Accepted"}, Outcome.ACCEPTED),
        ("start", {"status": "Rejected"}, Outcome.REJECTED),
        ("start", {"status": "Perhaps"}, Outcome.FAILED),
        ("start", ("InternalError", ""), Outcome.FAILED),
        ("start", None, Outcome.TIMEOUT),
        ("unlock", {"status": "Unlocked"}, Outcome.ACCEPTED),
        ("unlock", {"status": "UnlockFailed"}, Outcome.FAILED),
        ("unlock", {"status": "NotSupported"}, Outcome.NOT_SUPPORTED),
        ("reserve", {"status": "Accepted"}, Outcome.ACCEPTED),
        ("reserve", {"status": "Occupied"}, Outcome.EVSE_OCCUPIED),
        ("reserve", {"status": "Faulted"}, Outcome.EVSE_INOPERATIVE),
        ("reserve", ("NotImplemented", ""), Outcome.NOT_SUPPORTED),
        ("cancel", {"status": "Accepted"}, Outcome.ACCEPTED),
        ("cancel", {"status": "Rejected"}, Outcome.UNKNOWN_RESERVATION),
    ]
    async with await site.point() as cp:
        for order, answer, outcome in table:
            assert await ordered(site, cp, order, answer) == outcome, (order, answer)
        assert cp.asked[0] == ("RemoteStartTransaction", {"connectorId": 1, "idTag": CARD})
        assert site.gateway.stations.supports("CP1", "Reservation") is False
        assert site.gateway.stations.supports("CP1", "SmartCharging") is True


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("Faulted", Outcome.EVSE_INOPERATIVE), ("Charging", Outcome.EVSE_OCCUPIED), ("Reserved", Outcome.EVSE_OCCUPIED)],
)
async def test_a_rejected_start_is_explained_by_the_state_of_the_evse(
    site: Site, status: str, outcome: Outcome
) -> None:
    async with await site.point() as cp:
        await cp.status(1, status)
        assert await ordered(site, cp, "start", {"status": "Rejected"}) == outcome


async def test_an_order_to_a_station_that_is_away_is_not_sent(site: Site) -> None:
    chargers = site.gateway.stations
    assert await chargers.unlock(E1, timeout_s=0.1) == Outcome.FAILED
    assert chargers.reachable("CP1") is False


async def test_an_order_whose_socket_breaks_has_failed(site: Site) -> None:
    cp = await site.point()
    cp.answers["UnlockConnector"] = None
    order = asyncio.create_task(site.gateway.stations.unlock(E1, timeout_s=5))
    await until(lambda: bool(cp.asked))
    await cp.close()
    assert await order == Outcome.FAILED


async def test_a_session_is_stopped_by_the_number_of_its_transaction(site: Site) -> None:
    began = recently()
    chargers = site.gateway.stations
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        (session,) = await site.sessions()
        cp.answers["RemoteStopTransaction"] = {"status": "Rejected"}
        stop = {"transaction": session["id"], "timeout_s": 1.0}
        assert await chargers.remote_stop("CP1", **stop) == Outcome.REJECTED
        cp.answers["RemoteStopTransaction"] = {"status": "Accepted"}
        assert await chargers.remote_stop("CP1", **stop) == Outcome.ACCEPTED
        assert cp.asked[-1] == ("RemoteStopTransaction", {"transactionId": number})
        await cp.stop(began + timedelta(hours=1), number, 11000)
        assert await chargers.remote_stop("CP1", **stop) == Outcome.ACCEPTED
        assert len(cp.asked) == 2


async def test_a_session_is_stopped_also_after_a_restart(site: Site) -> None:
    async with await site.point() as cp:
        number = (await cp.start(recently()))["transactionId"]
    (session,) = await site.sessions()
    await site.restart()
    async with await site.point() as cp:
        cp.answers["RemoteStopTransaction"] = {"status": "Accepted"}
        stopped = await site.gateway.stations.remote_stop("CP1", transaction=session["id"], timeout_s=1)
        assert (stopped, cp.asked[0][1]) == (Outcome.ACCEPTED, {"transactionId": number})


# What is asked of a station by itself


async def test_after_settling_a_station_is_asked_only_for_what_is_unknown(site: Site) -> None:
    async with await site.point() as cp:
        cp.answers["TriggerMessage"] = {"status": "Accepted"}
        cp.answers["GetConfiguration"] = {
            "configurationKey": [
                {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core, Reservation"},
            ]
        }
        await cp.boot()
        await cp.status(1, "Available")
        await site.settled()
        triggered = ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2})
        assert [cp.asked[0][0], *cp.asked[1:]] == ["GetConfiguration", triggered]
        await cp.status(2, "Available")
    stations = site.gateway.stations
    assert (stations.supports("CP1", "Reservation"), stations.supports("CP1", "SmartCharging")) == (True, False)
    async with await site.point() as cp:
        await site.settled()
        assert cp.asked == []


async def test_a_station_that_cannot_be_triggered_is_asked_once_in_its_life(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_settle_s=0.01) as site:
        async with await site.point() as cp:
            await cp.boot()
            await until(lambda: len(cp.asked) == 2)
        assert site.gateway.stations.view("CP1")["not_supported"] == ["GetConfiguration", "TriggerMessage"]
        async with await site.point() as cp:
            await site.settled()
            assert cp.asked == []


async def test_nothing_is_asked_while_a_queue_of_transactions_is_replayed(site: Site) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
        await put_off(site)
        assert cp.asked == []


async def put_off(site: Site) -> None:
    """Its time in peace is over, but not yet."""
    link, now = site.gateway.stations.get("CP1").link, site.hub.clock.monotonic()
    assert link is not None
    link.settle_at = now
    await until(lambda: link.settle_at != now)
    assert link.settle_at is not None


async def test_a_station_without_a_place_is_told_to_wait_until_it_has_one(site: Site) -> None:
    stations = site.gateway.stations
    await stations.put("CP3", {"password": PASSWORD})
    async with await site.point("CP3") as cp:
        cp.answers["TriggerMessage"] = {"status": "Accepted"}
        assert await cp.boot() == "Pending"
        assert not stations.reachable("CP3")
        await stations.put("CP3", station("E4"))
        await until(lambda: cp.asked == [("TriggerMessage", {"requestedMessage": "BootNotification"})])
        assert await cp.boot() == "Accepted"
        assert stations.reachable("CP3")
