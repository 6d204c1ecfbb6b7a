"""QR codes at the chargers of CPOs of OICP: a contract and a PIN, checked by the EMP or by what it left with us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.core.agreements import Agreement
from hub.core.errors import PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.parties import PartyRole
from hub.core.registry import State
from partners.oicp import pin_tries
from partners.oicp.answers import Code, Refused
from partners.oicp.cards import OICP_CARDS
from partners.oicp.ledger import CLOSED, OICP_SESSIONS, PENDING, new_session_id
from partners.oicp.pin_tries import MOST, OICP_PIN_TRIES
from partners.oicp.record_store import OICP_RECORDS
from partners.oicp.wire import Unfit
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.partners.oicp.test_cards import push, tokens
from tests.partners.oicp.test_pins import PIN, a_hash

EVCO, NOBODYS = "DE-DCB-C12345678-X", "DE-DCB-C00000000-X"
WRONG = "0000"


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    """An EMP that serves nothing and has left a code with us, and one that serves: dcb and eee."""
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("e1", "NL*OCP", PartyRole.EMSP)
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",), base_url="")
        await made.connect("eee", "emp", provider_ids=("DE-EEE",))
        await push(made, "insert", uploaded())
        yield made


def uploaded(evco: str = EVCO, *, pin: str = PIN, **fields: Any) -> dict[str, Any]:
    hashed = {"HashedPIN": {"Value": a_hash(pin), "Function": "Bcrypt"}}
    return {"QRCodeIdentification": {"EvcoID": evco, **(fields or hashed)}}


def shown(evco: str = EVCO, pin: str = PIN, **fields: Any) -> dict[str, Any]:
    code = {"EvcoID": evco, **(fields or {"PIN": pin})}
    return {"OperatorID": "DE*ABC", "EvseID": "DE*ABC*E1", "Identification": {"QRCodeIdentification": code}}


async def start(bridge: Bridged, message: dict[str, Any], by: str = "abc") -> Any:
    return await bridge.ask(by, "AuthorizeStart", message, id="DE*ABC")


async def refused(bridge: Bridged, message: dict[str, Any], operation: str = "AuthorizeStart") -> Refused:
    with pytest.raises(Refused) as fault:
        await bridge.ask("abc", operation, message, id="DE*ABC")
    return fault.value


def emp_says(code: str, **fields: Any) -> Callable[[Asked], Any]:
    status = "Authorized" if code == "000" else "NotAuthorized"
    return lambda asked: {"AuthorizationStatus": status, "StatusCode": {"Code": code}, **fields}


def raising(error: Exception) -> Callable[[Asked], Any]:
    def script(asked: Asked) -> Any:
        raise error

    return script


EEE = "DE-EEE-C12345678-1"


async def test_the_right_pin_is_a_session_in_the_place_of_an_emp_that_serves_nothing(bridge: Bridged) -> None:
    said = await start(bridge, shown())
    assert (said["AuthorizationStatus"], said["ProviderID"]) == ("Authorized", "DE-DCB")
    row = await bridge.oicp.bridge.ledger.get(said["SessionID"])
    assert (row.cpo, row.emp, row.emp_party, row.state) == ("abc", "dcb", "DE*DCB", PENDING)
    assert row.identification == {"QRCodeIdentification": {"EvcoID": EVCO}}
    assert bridge.client.asked == []


async def test_a_hub_that_asks_again_is_answered_again_and_the_pin_is_looked_at_each_time(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
    await bridge.world.hub.agreements.put(Agreement("hbs", "DE*DCB", "*", allow=True), actor="test")
    there = {"OperatorID": "FR*XYZ", "EvseID": "FR*XYZ*E1", "SessionID": "b2688855-7f00-0002-6d8e-48d883f6abb6"}
    first = await start(bridge, shown() | there, by="hbs")
    assert first["SessionID"] == there["SessionID"]
    assert await start(bridge, shown() | there, by="hbs") == first
    with pytest.raises(Refused) as fault:
        await start(bridge, shown(pin=WRONG) | there, by="hbs")
    assert fault.value.code is Code.WRONG_PIN


@pytest.mark.parametrize(
    "message",
    [
        shown(pin=WRONG),
        shown(NOBODYS),
        shown("DE-DCB-C1"),
        shown("NL-OCP-C12345678-1"),
        shown("FR-NOB-C12345678-1"),
        shown("BE-BEC-C12345678-1"),
        shown(EvcoID=EVCO),
    ],
    ids=["wrong pin", "unknown contract", "no contract", "driver of OCPI", "nobody's driver", "our own", "no pin"],
)
async def test_whatever_is_wrong_is_refused_alike(bridge: Bridged, message: dict[str, Any]) -> None:
    assert (await refused(bridge, message)).code is Code.WRONG_PIN
    assert await bridge.world.store.select(OICP_SESSIONS) == []


async def test_a_hash_is_no_pin(bridge: Bridged) -> None:
    [kept] = await bridge.world.store.select(OICP_CARDS)
    value = kept.body.decode().split('"Value":"')[1].split('"')[0]
    stolen: dict[str, Any] = {"EvcoID": EVCO, "HashedPIN": {"Value": value, "Function": "Bcrypt"}}
    assert (await refused(bridge, shown(**stolen))).code is Code.WRONG_PIN


async def test_the_driver_of_an_ocpi_emsp_is_not_asked_for_and_his_pin_goes_nowhere(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",))
    assert (await refused(bridge, shown("NL-OCP-C12345678-1"))).code is Code.WRONG_PIN
    assert bridge.client.asked == []
    assert bridge.world.peers.sent == []


async def test_an_emp_that_is_reachable_is_asked_itself(bridge: Bridged) -> None:
    bridge.client.script = emp_says("000", ProviderID="DE-EEE", EMPPartnerSessionID="emp-1")
    said = await start(bridge, {**shown(EEE), "PartnerProductID": "AC1"})
    [asked] = bridge.client.of("AuthorizeStart")
    assert asked["Identification"] == {"QRCodeIdentification": {"EvcoID": EEE, "PIN": PIN}}
    assert (asked["OperatorID"], asked["EvseID"], asked["PartnerProductID"]) == ("DE*ABC", "DE*ABC*E1", "AC1")
    assert said["SessionID"] == asked["SessionID"]
    row = await bridge.oicp.bridge.ledger.get(said["SessionID"])
    assert (row.emp, row.emp_partner_session, row.product) == ("eee", "emp-1", "AC1")


@pytest.mark.parametrize(("said", "told"), [("101", "101"), ("200", "200"), ("110", "110"), ("150", "106")])
async def test_its_no_is_a_no_whatever_it_left_with_us(bridge: Bridged, said: str, told: str) -> None:
    await left_by_eee(bridge)
    bridge.client.script = emp_says(said)
    assert (await refused(bridge, shown(EEE))).code == told


async def left_by_eee(bridge: Bridged) -> None:
    data = {"ProviderID": "DE-EEE", "AuthenticationDataRecord": [{"Identification": uploaded(EEE)}]}
    message = {"ActionType": "insert", "ProviderAuthenticationData": data}
    await bridge.ask("eee", "PushAuthenticationData", message, id="DE-EEE")


UNREACHED = {
    "silent": raising(PeerTimeout()),
    "away": raising(PeerUnreachable()),
    "broken": raising(PeerRefused("odd", http=500)),
    "not that": raising(PeerRefused("odd", http=404, status_code=320)),
    "in trouble": emp_says("021"),
}


@pytest.mark.parametrize("script", UNREACHED.values(), ids=UNREACHED)
async def test_when_it_cannot_be_reached_what_it_left_decides(bridge: Bridged, script: Callable[[Asked], Any]) -> None:
    bridge.client.script = script
    assert (await refused(bridge, shown(EEE))).code is Code.PARTNER_SILENT
    await left_by_eee(bridge)
    assert (await start(bridge, shown(EEE)))["ProviderID"] == "DE-EEE"
    assert (await refused(bridge, shown(EEE, WRONG))).code is Code.WRONG_PIN


async def test_silence_is_no_wrong_pin(bridge: Bridged) -> None:
    bridge.client.script = raising(PeerTimeout())
    for _ in range(MOST + 2):
        assert (await refused(bridge, shown(EEE))).code is Code.PARTNER_SILENT
    bridge.client.script = emp_says("000")
    assert (await start(bridge, shown(EEE)))["AuthorizationStatus"] == "Authorized"


async def test_a_provider_of_nobody_is_asked_for_at_the_one_hub_where_we_are_a_cpo(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",))
    session = "b2688855-7f00-0002-6d8e-48d883f6abb6"
    bridge.client.script = emp_says("000", ProviderID="FR-NOB", SessionID=session)
    said = await start(bridge, shown("FR-NOB-C12345678-1"))
    [asked] = bridge.client.asked
    assert (asked.partner, asked.message["OperatorID"]) == ("hbs", "DE*BSB")
    assert "SessionID" not in asked.message
    assert said["SessionID"] == session
    assert "FR*NOB" in bridge.world.partner("hbs").parties
    await bridge.connect("hbt", "hub", party="DE*HBT", operator_ids=("DE*BSB",))
    assert (await refused(bridge, shown("FR-XYZ-C12345678-1"))).code is Code.WRONG_PIN
    assert len(bridge.client.asked) == 1


async def test_a_locked_emp_vouches_for_nobody(bridge: Bridged) -> None:
    await bridge.world.registry.change("dcb", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
    assert (await refused(bridge, shown())).code is Code.WRONG_PIN


async def test_five_wrong_pins_of_a_contract_are_the_last_for_an_hour(bridge: Bridged) -> None:
    with capture_logs() as logs:
        for _ in range(MOST):
            assert (await refused(bridge, shown(pin=WRONG))).code is Code.WRONG_PIN
        assert (await refused(bridge, shown())).code is Code.WRONG_PIN
    assert [entry["partner"] for entry in logs if "wrong too often" in entry["event"]] == ["abc"]
    bridge.world.clock.passed_s += 3600
    assert (await start(bridge, shown()))["AuthorizationStatus"] == "Authorized"


async def test_a_right_pin_begins_the_count_anew(bridge: Bridged) -> None:
    for _ in range(2):
        for _ in range(MOST - 1):
            await refused(bridge, shown(pin=WRONG))
        await start(bridge, shown())


async def test_another_check_digit_is_no_other_contract_to_guess_at(bridge: Bridged) -> None:
    for digit in "ABCDE":
        await refused(bridge, shown(f"DE-DCB-C12345678-{digit}", WRONG))
    assert (await refused(bridge, shown())).code is Code.WRONG_PIN


async def test_guesses_at_once_are_no_more_than_one_after_the_other(bridge: Bridged) -> None:
    bridge.client.script = emp_says("101")
    await asyncio.gather(*(refused(bridge, shown(EEE, f"{pin:04}")) for pin in range(20)))
    assert len(bridge.client.asked) <= MOST


async def test_a_contract_that_nobody_has_is_locked_like_any_other(bridge: Bridged) -> None:
    for _ in range(MOST + 1):
        await refused(bridge, shown(NOBODYS))
    [row] = await bridge.world.store.select(OICP_PIN_TRIES)
    assert int(row.body) == MOST
    bridge.world.clock.passed_s += 3601
    await pin_tries.forget(bridge.world.hub)
    assert await bridge.world.store.select(OICP_PIN_TRIES) == []


async def test_only_the_code_and_the_pin_that_began_a_session_stop_it(bridge: Bridged) -> None:
    await push(bridge, "insert", uploaded("DE-DCB-C22222222-X"))
    begun = await start(bridge, shown())
    stop = {"SessionID": begun["SessionID"]}
    said = await bridge.ask("abc", "AuthorizeStop", {**shown(), **stop}, id="DE*ABC")
    assert said["AuthorizationStatus"] == "Authorized"
    for wrong in (shown(pin=WRONG), shown("DE-DCB-C22222222-X"), shown(EvcoID=EVCO)):
        assert (await refused(bridge, {**wrong, **stop}, "AuthorizeStop")).code is Code.WRONG_PIN
    card = {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}}
    assert (await refused(bridge, {**shown(), **card, **stop}, "AuthorizeStop")).code is Code.UNKNOWN_CARD


async def test_an_emp_that_says_who_may_stop_is_asked_about_its_own_contracts_alone(bridge: Bridged) -> None:
    bridge.client.script = emp_says("000")
    stop = {"SessionID": (await start(bridge, shown(EEE)))["SessionID"]}
    assert (await refused(bridge, {**shown(), **stop}, "AuthorizeStop")).code is Code.WRONG_PIN
    assert bridge.client.of("AuthorizeStop") == []
    await bridge.ask("abc", "AuthorizeStop", {**shown(EEE, "9999"), **stop}, id="DE*ABC")
    [asked] = bridge.client.of("AuthorizeStop")
    assert asked["Identification"] == {"QRCodeIdentification": {"EvcoID": EEE, "PIN": "9999"}}
    bridge.client.script = emp_says("101")
    for _ in range(MOST + 1):
        assert (await refused(bridge, {**shown(EEE), **stop}, "AuthorizeStop")).code == "101"
    assert len(bridge.client.of("AuthorizeStop")) == 1 + MOST


async def test_an_emp_that_does_not_say_who_may_stop_leaves_it_to_the_pin_that_began(bridge: Bridged) -> None:
    bridge.client.script = emp_says("000")
    stop = {"SessionID": (await start(bridge, shown(EEE)))["SessionID"]}
    bridge.client.script = emp_says("320")
    await bridge.ask("abc", "AuthorizeStop", {**shown(EEE), **stop}, id="DE*ABC")
    assert (await refused(bridge, {**shown(EEE, WRONG), **stop}, "AuthorizeStop")).code is Code.WRONG_PIN


async def test_a_pin_beside_a_card_is_told_to_nobody(bridge: Bridged) -> None:
    bridge.client.script = emp_says("000")
    both = {**shown(EEE)["Identification"], "RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}
    stop = {"SessionID": (await start(bridge, shown(EEE)))["SessionID"]}
    with pytest.raises(Unfit, match=r"^/Identification: more than one way") as refusal:
        await bridge.ask("abc", "AuthorizeStop", {**shown(), "Identification": both, **stop}, id="DE*ABC")
    assert PIN not in str(refusal.value)
    assert bridge.client.of("AuthorizeStop") == []


async def test_a_pin_that_a_hub_fills_in_beside_a_card_is_told_to_nobody(bridge: Bridged) -> None:
    bridge.client.script = emp_says("000")
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    both = {**shown(EEE)["Identification"], "RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}
    named = {"OperatorID": "DE*XYZ", "SessionID": new_session_id(), "Identification": both}
    begun = await bridge.ask("hbs", "AuthorizeStart", named, id="DE*XYZ")
    await bridge.ask("hbs", "AuthorizeStop", {**named, "SessionID": begun["SessionID"]}, id="DE*XYZ")
    for operation in ("AuthorizeStart", "AuthorizeStop"):
        assert all(PIN not in str(asked["Identification"]) for asked in bridge.client.of(operation))


async def test_a_missing_agreement_with_the_provider_is_told_as_such(bridge: Bridged) -> None:
    await bridge.world.hub.agreements.put(Agreement("abc", "DE*DCB", "*", allow=False), actor="test")
    assert (await refused(bridge, shown())).code is Code.NO_CONTRACT


async def test_an_uploaded_pin_in_clear_is_kept_as_a_hash_alone(bridge: Bridged) -> None:
    await push(bridge, "update", uploaded(PIN="81726354"))
    [kept] = await bridge.world.store.select(OICP_CARDS)
    assert b"81726354" not in kept.body
    assert (await start(bridge, shown(pin="81726354")))["ProviderID"] == "DE-DCB"
    await refused(bridge, shown())


async def test_a_code_that_is_deleted_allows_nothing_and_needs_no_pin_to_be_deleted(bridge: Bridged) -> None:
    await push(bridge, "delete", uploaded(EvcoID=EVCO))
    assert (await refused(bridge, shown())).code is Code.WRONG_PIN


async def test_a_push_with_a_hash_of_no_use_is_taken_in_no_part(bridge: Bridged) -> None:
    absurd: dict[str, Any] = {"HashedPIN": {"Value": "$2b$20$" + a_hash()[7:], "Function": "Bcrypt"}}
    with pytest.raises(Refused) as fault:
        await push(bridge, "insert", uploaded("DE-DCB-C22222222-X"), uploaded("DE-DCB-C33333333-X", **absurd))
    assert fault.value.code is Code.DATA_ERROR
    assert len(await bridge.world.store.select(OICP_CARDS)) == 1


async def test_no_pin_stands_anywhere_but_in_the_question_to_the_emp(bridge: Bridged) -> None:
    secret = "18273645"
    bridge.client.script = lambda asked: emp_says("000")(asked) if asked.operation == "AuthorizeStart" else YES
    with capture_logs() as logs:
        begun = await start(bridge, shown(EEE, secret))
        named = {**shown(EEE, secret), "SessionID": begun["SessionID"]}
        begin = {"Type": "Start", "ChargingStart": "2026-05-04T12:00:00+02:00"}
        await bridge.ask("abc", "ChargingNotification", {**named, **begin})
        times = dict.fromkeys(("SessionStart", "ChargingStart"), "2026-05-04T10:00:00+02:00")
        times |= dict.fromkeys(("SessionEnd", "ChargingEnd"), "2026-05-04T11:00:00+02:00")
        record = {**named, **times, "ConsumedEnergy": Decimal(5)}
        del record["OperatorID"]
        await bridge.ask("abc", "ChargeDetailRecord", record, id="DE*ABC")
        await bridge.oicp.records.go_on(begun["SessionID"])
        with pytest.raises(Unfit, match=r"^/Identification/QRCodeIdentification/EvcoID: missing$"):
            await start(bridge, shown(EEE, secret) | {"Identification": {"QRCodeIdentification": {"PIN": secret}}})
    assert secret not in str(logs)
    assert secret not in str([each for each in bridge.client.asked if each.operation != "AuthorizeStart"])
    for kind in (OICP_SESSIONS, OICP_RECORDS, OICP_PIN_TRIES):
        assert all(secret.encode() not in document.body for document in await bridge.world.store.select(kind))
    row = await bridge.oicp.bridge.ledger.get(begun["SessionID"])
    assert (row.state, row.pin) == (CLOSED, "")


async def test_codes_are_no_tokens_of_ocpi(bridge: Bridged) -> None:
    assert await tokens(bridge) == {}
