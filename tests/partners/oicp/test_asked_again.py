"""A hub or CPO of OICP that lost our answer, and asks once more about the same charge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import OicpSession, new_session_id
from partners.oicp.record_store import DELIVERED
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.partners.oicp.charges import START, a_record, record_is
from tests.world import Sent, token, until

EVSE = "BE*AAA*E1"
UID = "0102030405060708090A"
ISSUED = "b2688855-7f00-0002-6d8e-48d883f6abb6"
DRIVER = {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000001-6"}}
CARD = {"RFIDMifareFamilyIdentification": {"UID": UID}}
ORDERS = ["AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"]


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
        await made.place(EVSE, "BE*AAA", "X1", "U1")
        await made.place("BE*AAA*E2", "BE*AAA", "X1", "U2")
        yield made


def _cpo(bridge: Bridged, result: str, *, tells: asyncio.Event | None = None) -> Callable[[Sent], Any]:
    """c1 accepts each command, and tells its result; not before `tells`."""

    async def tell(sent: Sent) -> None:
        if tells is not None:
            await tells.wait()
        path = sent.body["response_url"].removeprefix("https://busbar.example")
        await bridge.world.ask("POST", path, by="c1", body={"result": result})

    def script(sent: Sent) -> Any:
        if sent.module == "commands" and sent.partner == "c1":
            bridge.world.hub.background.start(tell(sent), name="result")
            return {"result": "ACCEPTED", "timeout": 30}
        return None

    return script


def _orders_at_c1(bridge: Bridged) -> int:
    return len([sent for sent in bridge.world.peers.sent if sent.module == "commands" and sent.partner == "c1"])


async def _until_ordered(bridge: Bridged) -> None:
    await until(lambda: _orders_at_c1(bridge))


async def _order(bridge: Bridged, operation: str = ORDERS[0], **fields: Any) -> Any:
    named = {"SessionID": ISSUED, "ProviderID": "DE-DCB", "EvseID": EVSE, "Identification": DRIVER}
    return await bridge.ask("hbs", operation, {**named, **fields}, id="DE-DCB")


@pytest.mark.parametrize("operation", ORDERS)
async def test_an_order_that_comes_again_is_given_once_and_answered_as_before(bridge: Bridged, operation: str) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    first = await _order(bridge, operation, EMPPartnerSessionID="emp-1")
    assert (first["Result"], first["SessionID"], first["EMPPartnerSessionID"]) == (True, ISSUED, "emp-1")
    assert await _order(bridge, operation, EMPPartnerSessionID="emp-1") == first
    assert _orders_at_c1(bridge) == 1


@pytest.mark.parametrize("operation", ORDERS)
async def test_an_order_that_was_refused_is_refused_again_in_the_same_word(bridge: Bridged, operation: str) -> None:
    bridge.world.peers.script = _cpo(bridge, "EVSE_INOPERATIVE")
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await _order(bridge, operation)
        assert refused.value.code is Code.EVSE_OUT_OF_SERVICE
    assert _orders_at_c1(bridge) == 1


async def test_who_asks_again_while_the_order_is_under_way_waits_for_the_same_result(bridge: Bridged) -> None:
    tells = asyncio.Event()
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED", tells=tells)
    waiting = [asyncio.create_task(_order(bridge))]
    await _until_ordered(bridge)
    waiting.append(asyncio.create_task(_order(bridge)))
    await asyncio.sleep(0.05)
    tells.set()
    said = await asyncio.gather(*waiting)
    assert said[0] == said[1]
    assert _orders_at_c1(bridge) == 1


@pytest.mark.parametrize("operation", ORDERS)
@pytest.mark.parametrize("names", [["emp-1"] * 6, [f"emp-{number}" for number in range(6)]])
async def test_orders_under_one_session_id_at_the_same_moment_are_one_order_with_one_answer(
    bridge: Bridged, operation: str, names: list[str]
) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    said = await asyncio.gather(*(_order(bridge, operation, EMPPartnerSessionID=name) for name in names))
    assert [(each["Result"], each["SessionID"]) for each in said] == [(True, ISSUED)] * len(names)
    assert all(each == said[0] for each in said)
    assert _orders_at_c1(bridge) == 1


@pytest.mark.parametrize(("result", "code"), [("REJECTED", Code.EVSE_IN_USE), ("NOT_SUPPORTED", Code.NOT_OFFERED)])
@pytest.mark.parametrize("names", [["emp-1"] * 3, ["emp-1", "emp-2", "emp-3"]])
async def test_what_is_refused_at_once_is_refused_to_all_who_ordered_it_in_the_same_word(
    bridge: Bridged, names: list[str], result: str, code: Code
) -> None:
    bridge.world.peers.script = lambda sent: {"result": result, "timeout": 0} if sent.module == "commands" else None
    asks = [_order(bridge, EMPPartnerSessionID=name) for name in names]
    said = await asyncio.gather(*asks, return_exceptions=True)
    assert [each.code for each in said if isinstance(each, Refused)] == [code] * len(names)
    with pytest.raises(Refused) as refused:
        await _order(bridge)
    assert refused.value.code is code
    assert _orders_at_c1(bridge) == 1


async def test_an_emp_that_sends_one_order_several_times_at_once_begins_one_charge_and_ends_it_once(
    bridge: Bridged,
) -> None:
    await bridge.connect("xyz", "emp", provider_ids=("DE-XYZ",))
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    driver = {"RemoteIdentification": {"EvcoID": "DE-XYZ-C00000001-2"}}
    order = {"ProviderID": "DE-XYZ", "EvseID": EVSE, "Identification": driver}
    begun = await asyncio.gather(*(bridge.ask("xyz", ORDERS[1], order, id="DE-XYZ") for _ in range(4)))
    assert len({said["SessionID"] for said in begun}) == 1
    stop = {"ProviderID": "DE-XYZ", "EvseID": EVSE, "SessionID": begun[0]["SessionID"]}
    asks = [bridge.ask("xyz", "AuthorizeRemoteReservationStop", stop, id="DE-XYZ") for _ in range(4)]
    assert [said["Result"] for said in await asyncio.gather(*asks)] == [True] * 4
    assert [sent.path for sent in bridge.world.peers.sent if sent.module == "commands"] == [
        ("RESERVE_NOW",),
        ("CANCEL_RESERVATION",),
    ]


@pytest.mark.parametrize("operation", ORDERS)
async def test_an_order_that_comes_again_when_all_is_over_starts_nothing_and_says_so(
    bridge: Bridged, operation: str
) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    await _order(bridge, operation)
    await bridge.oicp.bridge.ledger.change(ISSUED, OicpSession.closed)
    with pytest.raises(Refused) as refused:
        await _order(bridge, operation)
    assert refused.value.code is Code.SESSION_INVALID
    assert _orders_at_c1(bridge) == 1


@pytest.mark.parametrize("operation", ORDERS)
@pytest.mark.parametrize("named", ["5", "x y", "../../x", "abc/1", f"{ISSUED}0"])
async def test_an_order_under_a_name_that_is_no_session_id_begins_nothing(
    bridge: Bridged, operation: str, named: str
) -> None:
    with pytest.raises(Refused) as refused:
        await _order(bridge, operation, SessionID=named)
    assert refused.value.code is Code.DATA_ERROR
    assert _orders_at_c1(bridge) == 0


async def test_an_evse_of_nobody_here_is_unknown_to_the_hub_that_asks(bridge: Bridged) -> None:
    with pytest.raises(Refused) as refused:
        await _order(bridge, EvseID="DE*XYZ*E1")
    assert refused.value.code is Code.UNKNOWN_EVSE


async def test_an_order_that_was_given_up_is_not_taken_up_by_asking_again(bridge: Bridged) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED", tells=asyncio.Event())
    waiting = asyncio.create_task(_order(bridge))
    await _until_ordered(bridge)
    while not waiting.done():  # it may begin to count only now
        bridge.world.clock.passed_s += 56
        await asyncio.sleep(0.01)
    for asked in (waiting, _order(bridge)):
        with pytest.raises(Refused) as refused:
            await asked
        assert refused.value.code is Code.EVSE_UNREACHABLE
    assert _orders_at_c1(bridge) == 1


@pytest.mark.parametrize(
    "fields",
    [{"EvseID": "BE*AAA*E2"}, {"Identification": {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000002-4"}}}],
)
async def test_a_session_id_is_not_given_to_another_charge(bridge: Bridged, fields: dict[str, Any]) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    await _order(bridge)
    with pytest.raises(Refused) as refused:
        await _order(bridge, **fields)
    assert refused.value.code is Code.SESSION_INVALID
    assert _orders_at_c1(bridge) == 1


async def test_what_an_emp_calls_its_orders_makes_none_the_same(bridge: Bridged) -> None:
    await bridge.connect("xyz", "emp", provider_ids=("DE-XYZ",))
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED")
    driver = {"RemoteIdentification": {"EvcoID": "DE-XYZ-C00000001-2"}}
    message = {"SessionID": ISSUED, "ProviderID": "DE-XYZ", "EvseID": EVSE, "Identification": driver}
    begun = [await bridge.ask("xyz", ORDERS[0], message, id="DE-XYZ") for _ in range(2)]
    assert len({said["SessionID"] for said in begun} | {ISSUED}) == 3


async def _allowed(bridge: Bridged, **fields: Any) -> Any:
    message = {"SessionID": ISSUED, "OperatorID": "DE*ABC", "EvseID": "DE*ABC*E1", "Identification": CARD, **fields}
    return await bridge.ask("hbs", "AuthorizeStart", message, id="DE*ABC")


def _emsp(allowed: str) -> Callable[[Sent], Any]:
    return lambda sent: {"allowed": allowed, "token": token("2.3.0", uid=UID)}


async def _card_of_e1(bridge: Bridged) -> None:
    path = f"/ocpi/2.3.0/receiver/tokens/NL/EEE/{UID}"
    await bridge.world.ask("PUT", path, by="e1", body=token("2.3.0", uid=UID, whitelist="NEVER"))


async def test_a_card_that_was_allowed_is_allowed_again_whatever_its_emsp_would_say_now(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    for allowed in ("ALLOWED", "NO_CREDIT"):
        bridge.world.peers.script = _emsp(allowed)
        said = await _allowed(bridge)
        assert (said["AuthorizationStatus"], said["SessionID"]) == ("Authorized", ISSUED)


async def test_a_card_that_is_asked_about_by_several_names_at_once_has_the_one_session(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    said = await asyncio.gather(*(_allowed(bridge, CPOPartnerSessionID=f"cpo-{number}") for number in range(4)))
    assert [(each["AuthorizationStatus"], each["SessionID"]) for each in said] == [("Authorized", ISSUED)] * 4


async def test_of_two_cards_under_one_session_id_at_once_one_is_refused_as_another_charge(bridge: Bridged) -> None:
    other = "FFFFFFFF"
    bridge.world.peers.script = lambda sent: {"allowed": "ALLOWED", "token": token("2.3.0", uid=sent.path[0])}
    for uid in (UID, other):
        path = f"/ocpi/2.3.0/receiver/tokens/NL/EEE/{uid}"
        await bridge.world.ask("PUT", path, by="e1", body=token("2.3.0", uid=uid, whitelist="NEVER"))
    asks = [_allowed(bridge), _allowed(bridge, Identification={"RFIDMifareFamilyIdentification": {"UID": other}})]
    said = await asyncio.gather(*asks, return_exceptions=True)
    [refused] = [each for each in said if isinstance(each, BaseException)]
    assert isinstance(refused, Refused)
    assert refused.code is Code.SESSION_INVALID


async def test_another_card_is_not_allowed_by_the_session_of_the_first(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    await _allowed(bridge)
    with pytest.raises(Refused) as refused:
        await _allowed(bridge, Identification={"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}})
    assert refused.value.code is Code.SESSION_INVALID


async def test_a_charge_that_is_over_is_not_allowed_again(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    await _allowed(bridge)
    await bridge.oicp.bridge.ledger.change(ISSUED, OicpSession.closed)
    with pytest.raises(Refused) as refused:
        await _allowed(bridge)
    assert refused.value.code is Code.SESSION_INVALID


@pytest.fixture
async def between(sqlite_url: str) -> AsyncIterator[Bridged]:
    """A hub and a CPO of OICP, and an EMP of OICP that allows each card."""
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
        await made.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        made.client.script = _allows("DE-DCB")
        yield made


def _allows(provider: str, **fields: Any) -> Callable[[Asked], Any]:
    yes = {"AuthorizationStatus": "Authorized", "ProviderID": provider, "StatusCode": {"Code": "000"}, **fields}
    return lambda asked: yes if asked.operation == "AuthorizeStart" else YES


def _questions(bridge: Bridged) -> list[str]:
    """The SessionIDs under which the EMP was asked."""
    return [asked.message["SessionID"] for asked in bridge.client.asked if asked.partner == "dcb"]


async def test_a_card_that_an_emp_of_oicp_allowed_is_allowed_again_under_the_one_session_id(between: Bridged) -> None:
    said = [await _allowed(between, CPOPartnerSessionID="cpo-1") for _ in range(2)]
    assert said[0] == said[1]
    assert said[0]["SessionID"] == ISSUED
    assert _questions(between) == [ISSUED]


async def test_the_record_of_a_hubs_charge_reaches_the_emp_that_was_asked(between: Bridged) -> None:
    for _ in range(2):
        await _allowed(between)
    row = await between.oicp.bridge.ledger.get(ISSUED)
    record = a_record(row)
    assert (await between.ask("hbs", "ChargeDetailRecord", record, id="DE*BSB"))["Result"] is True
    await record_is(between, row, DELIVERED)
    assert between.client.of("ChargeDetailRecord") == [record]


async def test_who_asks_again_while_the_emp_thinks_gets_the_same_answer(between: Bridged) -> None:
    thinks = asyncio.Event()

    async def wait(asked: Asked) -> None:
        await thinks.wait()

    between.client.before = wait
    waiting = [asyncio.create_task(_allowed(between)) for _ in range(2)]
    await asyncio.sleep(0.05)
    thinks.set()
    said = await asyncio.gather(*waiting)
    assert said[0] == said[1]
    assert _questions(between) == [ISSUED]


async def test_an_answer_that_was_broken_off_is_asked_for_anew(between: Bridged) -> None:
    await _allowed(between)
    await between.oicp.bridge.ledger.change(ISSUED, lambda row: replace(row, cpo="", evse_id=""))
    assert (await _allowed(between))["SessionID"] == ISSUED
    row = await between.oicp.bridge.ledger.get(ISSUED)
    assert (row.cpo, row.emp, row.evse_id) == ("hbs", "dcb", "DE*ABC*E1")
    assert _questions(between) == [ISSUED] * 2


async def test_between_two_hubs_each_has_its_own_session_id_and_the_charge_is_told(between: Bridged) -> None:
    await between.connect("far", "hub", party="DE*FAR", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    theirs = new_session_id()

    def script(asked: Asked) -> Any:
        return (_allows("DE-8EO", SessionID=theirs) if asked.partner == "far" else _refuses)(asked)

    between.client.script = script
    said = [await _allowed(between) for _ in range(2)]
    assert (said[0]["SessionID"], said[0]) == (ISSUED, said[1])
    assert len([asked for asked in between.client.asked if asked.partner == "far"]) == 1
    begun = {"Type": "Start", "SessionID": ISSUED, "EvseID": "DE*ABC*E1", "OperatorID": "DE*ABC", **START}
    await between.ask("hbs", "ChargingNotification", begun)
    await between.oicp.notifications.tell(between.world.partner("far"), "DE*ABC", ISSUED)
    assert [told["SessionID"] for told in between.client.of("ChargingNotification")] == [theirs]


def _refuses(asked: Asked) -> Any:
    return {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "102"}}


async def _at_xyz(bridge: Bridged, **fields: Any) -> Any:
    usual = {"OperatorID": "DE*XYZ", "EvseID": "DE*XYZ*E1", "Identification": CARD, "CPOPartnerSessionID": "cpo-1"}
    asked = {name: value for name, value in {**usual, **fields}.items() if value}
    return (await bridge.ask("xyz", "AuthorizeStart", asked, id="DE*XYZ"))["SessionID"]


@pytest.mark.parametrize("evse_id", ["DE*XYZ*E1", ""])
async def test_a_cpo_that_asks_again_by_its_own_name_of_the_charge_gets_the_same_session(
    between: Bridged, evse_id: str
) -> None:
    first = await _at_xyz(between, EvseID=evse_id)
    assert await _at_xyz(between, EvseID=evse_id, SessionID=ISSUED) == first
    assert _questions(between) == [first]


@pytest.mark.parametrize(
    "fields",
    [
        {"EvseID": "DE*XYZ*E2"},
        {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}}},
        {"CPOPartnerSessionID": "cpo-2"},
        {"CPOPartnerSessionID": ""},
    ],
)
async def test_what_differs_is_another_charge_of_a_cpo(between: Bridged, fields: dict[str, Any]) -> None:
    assert await _at_xyz(between) != await _at_xyz(between, **fields)


@pytest.mark.parametrize(("evse_id", "sessions"), [("DE*XYZ*E1", 1), ("", 3)])
async def test_a_card_that_is_shown_several_times_at_once_begins_one_charge_at_an_evse(
    bridge: Bridged, evse_id: str, sessions: int
) -> None:
    await bridge.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    said = await asyncio.gather(*(_at_xyz(bridge, EvseID=evse_id, CPOPartnerSessionID="") for _ in range(3)))
    assert len(set(said)) == sessions


async def test_a_cpo_that_gives_all_its_charges_one_name_has_as_many_sessions(between: Bridged) -> None:
    first = await _at_xyz(between)
    begun = {"Type": "Start", "SessionID": first, "EvseID": "DE*XYZ*E1", "OperatorID": "DE*XYZ", **START}
    await between.ask("xyz", "ChargingNotification", begun)
    second = await _at_xyz(between)
    between.world.clock.passed_s += 120
    assert len({first, second, await _at_xyz(between)}) == 3
