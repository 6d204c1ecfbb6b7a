"""Remote starts, stops and reservations, in both directions between OCPI's two answers and OICP's one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.parties import Party, PartyRole
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import PENDING, REFUSED
from partners.oicp.mapping.commands import TO_OCPI, TO_OICP, code_of_command, command_result
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.world import NOW, Sent, their_location, token, until

EVSE = "DE*ABC*E1"
CONTRACT = "NL-EEE-C12345678-X"
DCB_CONTRACT = "DE-DCB-C00000001-6"
URL = "https://e1.example/results/1"


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        await made.place("BE*AAA*E1", "BE*AAA", "X1", "U1")
        yield made


async def _order(bridge: Bridged, name: str, *, by: str = "e1", **fields: Any) -> Any:
    body = {"response_url": f"https://{by}.example/results/1", **fields}
    return await bridge.world.ask("POST", f"/ocpi/2.3.0/receiver/commands/{name}", by=by, body=body, headers=TO_ABC)


TO_ABC = (("OCPI-to-country-code", "DE"), ("OCPI-to-party-id", "ABC"))


def _start(**fields: Any) -> dict[str, Any]:
    driver = token("2.3.0", type="APP_USER", uid="app-1", contract_id=CONTRACT)
    return {"token": driver, "location_id": "POOL1", "evse_uid": "DEABCE1", "authorization_reference": "r1", **fields}


async def _result(bridge: Bridged) -> str:
    """What e1 was told at its response_url."""
    told = await until(lambda: [s for s in bridge.world.peers.sent if s.partner == "e1" and s.module == URL])
    return str(told[-1].body["result"])


async def test_a_start_by_an_ocpi_emsp_is_a_remote_start_and_its_answer_the_result(bridge: Bridged) -> None:
    said = await _order(bridge, "START_SESSION", **_start())
    assert (said.code, said.data["result"]) == (1000, "ACCEPTED")
    assert await _result(bridge) == "ACCEPTED"
    asked = bridge.client.of("AuthorizeRemoteStart")[0]
    assert (asked["ProviderID"], asked["EvseID"]) == ("NL-EEE", EVSE)
    assert asked["Identification"] == {"RemoteIdentification": {"EvcoID": CONTRACT}}
    row = await bridge.oicp.bridge.ledger.get(asked["SessionID"])
    assert (row.state, row.reference, row.cpo, row.emp_party) == (PENDING, "r1", "abc", "NL*EEE")


@pytest.mark.parametrize(("ours", "spoken"), [(("DE-BSB",), "DE-BSB"), (("DE-BSB", "NL*EEE"), "NL*EEE")])
async def test_an_emsp_orders_at_a_hub_under_its_own_provider_id_where_that_is_one_of_ours(
    bridge: Bridged, ours: tuple[str, ...], spoken: str
) -> None:
    hub = await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=ours)
    await bridge.oicp.connections.learn(hub, PartyRole.CPO, Party("FR", "XYZ"))
    await bridge.place("FR*XYZ*E1", "FR*XYZ", "POOL9", "FRXYZE1")
    body = {"response_url": URL, **_start(location_id="POOL9", evse_uid="FRXYZE1")}
    to = (("OCPI-to-country-code", "FR"), ("OCPI-to-party-id", "XYZ"))
    await bridge.world.ask("POST", "/ocpi/2.3.0/receiver/commands/START_SESSION", by="e1", body=body, headers=to)
    await _result(bridge)
    assert bridge.client.of("AuthorizeRemoteStart")[0]["ProviderID"] == spoken


@pytest.mark.parametrize(("code", "result"), [("602", "EVSE_OCCUPIED"), ("510", "FAILED"), ("987", "FAILED")])
async def test_each_refusal_of_a_cpo_is_told(bridge: Bridged, code: str, result: str) -> None:
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": code}}
    await _order(bridge, "START_SESSION", **_start())
    assert await _result(bridge) == result
    row = await bridge.oicp.bridge.ledger.get(bridge.client.of("AuthorizeRemoteStart")[0]["SessionID"])
    assert row.state == REFUSED


async def test_why_a_charge_did_not_begin_is_said_where_ocpi_has_no_word_for_it(bridge: Bridged) -> None:
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": "510"}}
    await _order(bridge, "START_SESSION", **_start())
    assert await _result(bridge) == "FAILED"
    told = [sent.body for sent in bridge.world.peers.sent if sent.module == URL]
    assert told == [{"result": "FAILED", "message": [{"language": "en", "text": "no EV connected"}]}]


async def test_a_reservation_that_its_cpo_does_not_know_is_unknown_to_the_emsp(bridge: Bridged) -> None:
    expiry = timestamp(NOW + timedelta(minutes=10))
    await _order(bridge, "RESERVE_NOW", **_start(), expiry_date=expiry, reservation_id="res-1")
    await _result(bridge)
    bridge.world.peers.sent.clear()
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": "400"}}
    await _order(bridge, "CANCEL_RESERVATION", reservation_id="res-1")
    assert await _result(bridge) == "UNKNOWN_RESERVATION"


@pytest.mark.parametrize(
    ("fault", "result"),
    [(PeerTimeout(), "TIMEOUT"), (PeerUnreachable(), "FAILED"), (PeerRefused("no", http=403), "REJECTED")],
)
async def test_an_order_without_an_answer_is_never_tried_twice(bridge: Bridged, fault: Exception, result: str) -> None:
    def broken(asked: Asked) -> Any:
        raise fault

    bridge.client.script = broken
    await _order(bridge, "START_SESSION", **_start())
    assert await _result(bridge) == result
    assert len(bridge.client.of("AuthorizeRemoteStart")) == 1


async def test_an_order_whose_answer_never_came_is_ended_in_case_that_it_was_heard(bridge: Bridged) -> None:
    def silent(asked: Asked) -> Any:
        if asked.operation == "AuthorizeRemoteStart":
            raise PeerTimeout
        return YES

    bridge.client.script = silent
    await _order(bridge, "START_SESSION", **_start())
    assert await _result(bridge) == "TIMEOUT"
    await until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    [started], [stopped] = bridge.client.of("AuthorizeRemoteStart"), bridge.client.of("AuthorizeRemoteStop")
    assert stopped["SessionID"] == started["SessionID"]


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"evse_uid": "NOWHERE"}, "REJECTED"),
        ({"token": token("2.3.0", contract_id="a contract of paper")}, "REJECTED"),
    ],
)
async def test_what_oicp_cannot_order_is_refused_at_once(bridge: Bridged, fields: dict[str, Any], result: str) -> None:
    said = await _order(bridge, "START_SESSION", **_start(**fields))
    assert said.data["result"] == result
    assert bridge.client.asked == []


async def test_a_stop_names_the_session_by_either_name(bridge: Bridged) -> None:
    await _order(bridge, "START_SESSION", **_start())
    await _result(bridge)
    session_id = bridge.client.of("AuthorizeRemoteStart")[0]["SessionID"]
    ledger = bridge.oicp.bridge.ledger
    await ledger.change(session_id, lambda row: replace(row, session=f"DE*ABC/{session_id}"))
    said = await _order(bridge, "STOP_SESSION", session_id=session_id)
    assert said.data["result"] == "ACCEPTED"
    await until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == session_id
    unknown = await _order(bridge, "STOP_SESSION", session_id="b2688855-7f00-0002-6d8e-48d883f6abb6")
    assert unknown.data["result"] == "UNKNOWN_SESSION"


async def test_nobody_but_its_own_emsp_stops_a_charge_at_a_cpo_of_oicp(bridge: Bridged) -> None:
    await _order(bridge, "START_SESSION", **_start())
    await _result(bridge)
    session_id = bridge.client.of("AuthorizeRemoteStart")[0]["SessionID"]
    said = await _order(bridge, "STOP_SESSION", by="e2", session_id=session_id)
    assert said.data["result"] == "UNKNOWN_SESSION"
    await bridge.oicp.bridge.ledger.change(session_id, lambda row: replace(row, emp="dcb", emp_party="DE*DCB"))
    for other in ("e1", "e2"):
        said = await _order(bridge, "STOP_SESSION", by=other, session_id=session_id)
        assert said.data["result"] == "UNKNOWN_SESSION"
    assert bridge.client.of("AuthorizeRemoteStop") == []


async def test_nobody_but_its_own_emsp_gives_a_reservation_up(bridge: Bridged) -> None:
    expiry = timestamp(NOW + timedelta(minutes=10))
    await _order(bridge, "RESERVE_NOW", **_start(), expiry_date=expiry, reservation_id="res-1")
    await _result(bridge)
    said = await _order(bridge, "CANCEL_RESERVATION", by="e2", reservation_id="res-1")
    assert said.data["result"] == "REJECTED"
    assert bridge.client.of("AuthorizeRemoteReservationStop") == []


async def test_a_reference_that_is_the_session_of_somebody_else_changes_nothing_of_it(bridge: Bridged) -> None:
    told = {
        "ProviderID": "DE-DCB",
        "EvseID": EVSE,
        "Identification": {"RemoteIdentification": {"EvcoID": DCB_CONTRACT}},
    }
    theirs = await bridge.ask("dcb", "AuthorizeRemoteStart", told, id="DE-DCB")
    before = await bridge.oicp.bridge.ledger.get(theirs["SessionID"])
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": "602"}}
    await _order(bridge, "START_SESSION", **_start(authorization_reference=theirs["SessionID"]))
    assert await _result(bridge) == "EVSE_OCCUPIED"
    assert await bridge.oicp.bridge.ledger.get(theirs["SessionID"]) == before


async def test_a_cpo_is_told_the_reference_of_the_emsp_as_the_name_that_it_gives_the_charge(bridge: Bridged) -> None:
    await _order(bridge, "START_SESSION", **_start())
    await _result(bridge)
    assert bridge.client.of("AuthorizeRemoteStart")[0]["EMPPartnerSessionID"] == "r1"
    expiry = timestamp(NOW + timedelta(minutes=10))
    await _order(
        bridge, "RESERVE_NOW", **_start(authorization_reference="r2"), expiry_date=expiry, reservation_id="res-1"
    )
    await until(lambda: bridge.client.of("AuthorizeRemoteReservationStart"))
    assert bridge.client.of("AuthorizeRemoteReservationStart")[0]["EMPPartnerSessionID"] == "r2"


async def test_an_emsp_that_gives_no_reference_gives_the_charge_no_name(bridge: Bridged) -> None:
    order = _start()
    del order["authorization_reference"]
    await _order(bridge, "START_SESSION", **order)
    await _result(bridge)
    assert "EMPPartnerSessionID" not in bridge.client.of("AuthorizeRemoteStart")[0]


async def test_a_hub_may_tell_of_a_charge_before_it_has_answered_the_order(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    await bridge.oicp.connections.learn(bridge.oicp.connections.get("hbs"), PartyRole.CPO, Party.parse("FR*XYZ"))
    await bridge.place("FR*XYZ*E1", "FR*XYZ", "POOL9", "FRXYZE1")
    issued = "b2688855-7f00-0002-6d8e-48d883f6abb6"

    async def early(asked: Asked) -> None:
        start = {
            "Type": "Start",
            "SessionID": issued,
            "EMPPartnerSessionID": asked.message["EMPPartnerSessionID"],
            "EvseID": "FR*XYZ*E1",
            "OperatorID": "FR*XYZ",
            "ChargingStart": "2026-05-04T12:00:00+02:00",
        }
        await bridge.ask("hbs", "ChargingNotification", start)

    bridge.client.before = early
    bridge.client.script = lambda asked: {**YES, "SessionID": issued}
    to = (("OCPI-to-country-code", "FR"), ("OCPI-to-party-id", "XYZ"))
    body = {"response_url": URL, **_start(location_id="POOL9", evse_uid="FRXYZE1")}
    path = "/ocpi/2.3.0/receiver/commands/START_SESSION"
    assert (await bridge.world.ask("POST", path, by="e1", body=body, headers=to)).data["result"] == "ACCEPTED"
    assert await _result(bridge) == "ACCEPTED"
    told = await bridge.world.ask("GET", "/ocpi/2.3.0/sender/sessions?date_from=2026-01-01T00:00:00Z", by="e1")
    assert [each["id"] for each in told.data] == [issued]
    stop = {"response_url": URL, "session_id": issued}
    path = "/ocpi/2.3.0/receiver/commands/STOP_SESSION"
    bridge.client.before = None
    said = await bridge.world.ask("POST", path, by="e1", body=stop, headers=to)
    assert said.data["result"] == "ACCEPTED"
    await until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == issued


async def test_a_reservation_is_given_in_whole_minutes_and_given_up_by_its_id(bridge: Bridged) -> None:
    expiry = timestamp(NOW + timedelta(minutes=10, seconds=1))
    await _order(bridge, "RESERVE_NOW", **_start(), expiry_date=expiry, reservation_id="res-1")
    assert await _result(bridge) == "ACCEPTED"
    asked = bridge.client.of("AuthorizeRemoteReservationStart")[0]
    assert asked["Duration"] == 11
    cancelled = await _order(bridge, "CANCEL_RESERVATION", reservation_id="res-1")
    assert cancelled.data["result"] == "ACCEPTED"
    await until(lambda: bridge.client.of("AuthorizeRemoteReservationStop"))
    assert bridge.client.of("AuthorizeRemoteReservationStop")[0]["SessionID"] == asked["SessionID"]


async def test_a_reservation_that_oicp_has_no_number_for_is_refused(bridge: Bridged) -> None:
    expiry = timestamp(NOW + timedelta(minutes=120))
    said = await _order(bridge, "RESERVE_NOW", **_start(), expiry_date=expiry, reservation_id="res-1")
    assert said.data["result"] == "REJECTED"


async def test_nothing_is_unlocked_by_oicp(bridge: Bridged) -> None:
    said = await _order(bridge, "UNLOCK_CONNECTOR", location_id="POOL1", evse_uid="DEABCE1", connector_id="1")
    assert said.data["result"] == "NOT_SUPPORTED"


def _remote(**fields: Any) -> dict[str, Any]:
    driver = {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000001-X"}}
    return {"ProviderID": "DE-DCB", "EvseID": "BE*AAA*E1", "Identification": driver, **fields}


async def _locations(bridge: Bridged) -> None:
    path = "/ocpi/2.3.0/receiver/locations/BE/AAA/X1"
    said = await bridge.world.ask("PUT", path, by="c1", body=their_location("2.3.0"))
    assert said.code == 1000


def _cpo_takes(bridge: Bridged, *results: str) -> Callable[[Sent], Any]:
    """c1 accepts each command, and tells the next of `results` a moment later."""
    left = list(results)

    async def tell(sent: Sent) -> None:
        path = sent.body["response_url"].removeprefix("https://busbar.example")
        await bridge.world.ask("POST", path, by="c1", body={"result": left.pop(0)})

    def script(sent: Sent) -> Any:
        if sent.module == "commands" and sent.partner == "c1":
            bridge.world.hub.background.start(tell(sent), name="result")
            return {"result": "ACCEPTED", "timeout": 30}
        return None

    return script


async def test_a_remote_start_is_held_until_the_ocpi_cpo_has_told_the_result(bridge: Bridged) -> None:
    await _locations(bridge)
    bridge.world.peers.script = _cpo_takes(bridge, "ACCEPTED")
    said = await bridge.ask("dcb", "AuthorizeRemoteStart", _remote(EMPPartnerSessionID="emp-9"), id="DE-DCB")
    assert (said["Result"], said["EMPPartnerSessionID"]) == (True, "emp-9")
    order = next(sent.body for sent in bridge.world.peers.sent if sent.module == "commands")
    assert order["token"]["contract_id"] == "DE-DCB-C00000001-X"
    assert (order["evse_uid"], order["authorization_reference"]) == ("U1", said["SessionID"])


@pytest.mark.parametrize("result", sorted(TO_OICP.keys() - {"ACCEPTED", "UNKNOWN_SESSION"}))
async def test_each_result_of_an_ocpi_cpo_has_its_code(bridge: Bridged, result: str) -> None:
    await _locations(bridge)
    bridge.world.peers.script = _cpo_takes(bridge, result)
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", "AuthorizeRemoteStart", _remote(), id="DE-DCB")
    assert refused.value.code is TO_OICP[result]


async def test_an_evse_that_nobody_told_of_is_603(bridge: Bridged) -> None:
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", "AuthorizeRemoteStart", _remote(EvseID="DE*ABC*E77"), id="DE-DCB")
    assert refused.value.code is Code.UNKNOWN_EVSE


async def test_a_session_is_stopped_by_its_own_emp_alone(bridge: Bridged) -> None:
    await _locations(bridge)
    bridge.world.peers.script = _cpo_takes(bridge, "ACCEPTED", "ACCEPTED")
    await bridge.connect("xyz", "emp", provider_ids=("DE-XYZ",))
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", _remote(), id="DE-DCB")
    stop = {"SessionID": begun["SessionID"], "ProviderID": "DE-XYZ", "EvseID": "BE*AAA*E1"}
    with pytest.raises(Refused) as refused:
        await bridge.ask("xyz", "AuthorizeRemoteStop", stop, id="DE-XYZ")
    assert refused.value.code is Code.SESSION_INVALID


async def test_a_reservation_of_an_emp_lasts_a_quarter_of_an_hour_unless_it_says(bridge: Bridged) -> None:
    await _locations(bridge)
    bridge.world.peers.script = _cpo_takes(bridge, "ACCEPTED", "ACCEPTED")
    begun = await bridge.ask("dcb", "AuthorizeRemoteReservationStart", _remote(), id="DE-DCB")
    order = next(sent.body for sent in bridge.world.peers.sent if sent.path == ("RESERVE_NOW",))
    assert order["expiry_date"] == timestamp(NOW + timedelta(minutes=15))
    stop = {"SessionID": begun["SessionID"], "ProviderID": "DE-DCB", "EvseID": "BE*AAA*E1"}
    assert (await bridge.ask("dcb", "AuthorizeRemoteReservationStop", stop, id="DE-DCB"))["Result"] is True
    await until(lambda: bridge.client.of("ChargeDetailRecord"))
    [record] = bridge.client.of("ChargeDetailRecord")
    assert (record["SessionID"], record["ConsumedEnergy"]) == (begun["SessionID"], 0)


def test_every_result_and_every_code_has_a_word_on_the_other_side() -> None:
    assert {code_of_command(result) for result in TO_OICP} <= set(Code)
    assert {command_result(code.value) for code in Code} <= {*TO_OICP}
    assert set(TO_OCPI.values()) <= set(TO_OICP)
    assert code_of_command("EVSE_OCCUPIED", "RESERVE_NOW") is Code.EVSE_RESERVED
