"""A hub of OICP that lost our answer, and asks once more under the same SessionID."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import OicpSession
from tests.partners.oicp.bridged import Bridged, bridged
from tests.world import Sent, token

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
    for _ in range(500):
        if _orders_at_c1(bridge):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("c1 was not asked")


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


async def test_an_order_that_was_given_up_is_not_taken_up_by_asking_again(bridge: Bridged) -> None:
    bridge.world.peers.script = _cpo(bridge, "ACCEPTED", tells=asyncio.Event())
    waiting = asyncio.create_task(_order(bridge))
    await _until_ordered(bridge)
    bridge.world.clock.passed_s += 56
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
    assert refused.value.code is Code.DATA_TRANSACTION
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


async def test_another_card_is_not_allowed_by_the_session_of_the_first(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    await _allowed(bridge)
    with pytest.raises(Refused) as refused:
        await _allowed(bridge, Identification={"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}})
    assert refused.value.code is Code.DATA_TRANSACTION


async def test_a_charge_that_is_over_is_not_allowed_again(bridge: Bridged) -> None:
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp("ALLOWED")
    await _allowed(bridge)
    await bridge.oicp.bridge.ledger.change(ISSUED, OicpSession.closed)
    with pytest.raises(Refused) as refused:
        await _allowed(bridge)
    assert refused.value.code is Code.SESSION_INVALID
