"""Orders of an EMP of OICP: what a CPO of OICP gets of them, when they come too late, and which are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import PeerFault, PeerNonsense, PeerRefused
from hub.core.parties import Party, PartyRole
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import REFUSED
from partners.oicp.wire import Unfit
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.world import Sent

EVSE = "DE*ABC*E1"
CONTRACT = "DE-DCB-C00000001-6"


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        await made.place("BE*AAA*E1", "BE*AAA", "X1", "U1")
        yield made


def _driver(contract: str = CONTRACT) -> dict[str, Any]:
    return {"RemoteIdentification": {"EvcoID": contract}}


async def _ordered(bridge: Bridged, operation: str = "AuthorizeRemoteStart", **fields: Any) -> Any:
    message = {"ProviderID": "DE-DCB", "EvseID": EVSE, "Identification": _driver(), **fields}
    return await bridge.ask("dcb", operation, message, id="DE-DCB")


async def _stopped(bridge: Bridged, session: str, evse_id: str = EVSE, **fields: Any) -> Any:
    message = {"ProviderID": "DE-DCB", "EvseID": evse_id, "SessionID": session, **fields}
    return await bridge.ask("dcb", "AuthorizeRemoteStop", message, id="DE-DCB")


async def _until(seen: Callable[[], Any]) -> Any:
    for _ in range(500):
        if found := seen():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def test_what_only_the_partners_know_of_an_order_goes_on_as_it_came(bridge: Bridged) -> None:
    begun = await _ordered(bridge, EMPPartnerSessionID="emp-1", CPOPartnerSessionID="cpo-1", Loyalty="gold")
    [asked] = bridge.client.of("AuthorizeRemoteStart")
    assert (asked["EMPPartnerSessionID"], asked["CPOPartnerSessionID"], asked["Loyalty"]) == ("emp-1", "cpo-1", "gold")
    await _stopped(bridge, begun["SessionID"], EMPPartnerSessionID="emp-2", Loyalty="silver")
    [asked] = bridge.client.of("AuthorizeRemoteStop")
    assert (asked["EMPPartnerSessionID"], asked["Loyalty"]) == ("emp-2", "silver")


async def test_a_reservation_that_does_not_say_how_long_is_as_long_as_its_cpo_has_it(bridge: Bridged) -> None:
    await _ordered(bridge, "AuthorizeRemoteReservationStart")
    assert "Duration" not in bridge.client.of("AuthorizeRemoteReservationStart")[0]


async def test_a_charge_that_a_card_began_is_stopped_by_its_emp_though_nobody_told_of_it(bridge: Bridged) -> None:
    bridge.client.script = lambda asked: {"AuthorizationStatus": "Authorized", "ProviderID": "DE-DCB", **YES}
    driver = {"PlugAndChargeIdentification": {"EvcoID": CONTRACT}}
    asked = {"OperatorID": "DE*ABC", "EvseID": EVSE, "Identification": driver}
    begun = await bridge.ask("abc", "AuthorizeStart", asked, id="DE*ABC")
    bridge.client.script = lambda asked: YES
    assert (await _stopped(bridge, begun["SessionID"]))["Result"] is True
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == begun["SessionID"]


async def _late(bridge: Bridged, operation: str, cpo: str = "abc", **fields: Any) -> None:
    """An order that its CPO takes only when we have given it up."""
    answers = asyncio.Event()

    async def slow(asked: Asked) -> None:
        if asked.operation == operation:
            await answers.wait()

    bridge.client.before = slow
    waiting = asyncio.create_task(_ordered(bridge, operation, **fields))
    await _until(lambda: bridge.client.of(operation))
    bridge.world.clock.passed_s += 56
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code is Code.PARTNER_SILENT
    answers.set()


@pytest.mark.parametrize(
    ("order", "end"),
    [
        ("AuthorizeRemoteStart", "AuthorizeRemoteStop"),
        ("AuthorizeRemoteReservationStart", "AuthorizeRemoteReservationStop"),
    ],
)
async def test_what_a_cpo_takes_too_late_is_ended_at_once(bridge: Bridged, order: str, end: str) -> None:
    await _late(bridge, order)
    [ended] = await _until(lambda: bridge.client.of(end))
    session = bridge.client.of(order)[0]["SessionID"]
    assert (ended["SessionID"], ended["EvseID"]) == (session, EVSE)
    assert (await bridge.oicp.bridge.ledger.get(session)).state == REFUSED


async def _behind_a_hub(bridge: Bridged, issued: str) -> None:
    hub = await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    await bridge.oicp.connections.learn(hub, PartyRole.CPO, Party.parse("FR*XYZ"))
    await bridge.place("FR*XYZ*E1", "FR*XYZ", "POOL9", "FRXYZE1")
    bridge.client.script = lambda asked: {**YES, "SessionID": issued}


async def test_what_another_hub_takes_too_late_is_ended_at_once(bridge: Bridged) -> None:
    issued = "b2688855-7f00-0002-6d8e-48d883f6abb6"
    await _behind_a_hub(bridge, issued)
    await _late(bridge, "AuthorizeRemoteStart", EvseID="FR*XYZ*E1")
    [ended] = await _until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert ended["SessionID"] == issued


async def test_a_charge_behind_another_hub_is_stopped_though_nobody_told_of_it(bridge: Bridged) -> None:
    issued = "b2688855-7f00-0002-6d8e-48d883f6abb6"
    await _behind_a_hub(bridge, issued)
    begun = await _ordered(bridge, EvseID="FR*XYZ*E1", PartnerProductID="AC1")
    assert bridge.client.of("AuthorizeRemoteStart")[0]["PartnerProductID"] == "AC1"
    assert (await _stopped(bridge, begun["SessionID"], "FR*XYZ*E1"))["Result"] is True
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == issued


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (PeerRefused("busy", http=503), "310"),
        (PeerRefused("often", http=429), "310"),
        (PeerRefused("a page of a firewall", http=403), "310"),
        (PeerRefused("who?", http=401, status_code=17), "310"),
        (PeerRefused("closed", http=404, status_code=400), "400"),
        (PeerNonsense("a page"), "310"),
    ],
)
async def test_a_cpo_that_answers_nothing_of_oicp_is_silent(bridge: Bridged, fault: PeerFault, code: str) -> None:
    def broken(asked: Asked) -> Any:
        raise fault

    bridge.client.script = broken
    with pytest.raises(Refused) as refused:
        await _ordered(bridge)
    assert (refused.value.code, refused.value.info) == (code, "")


async def test_a_stop_that_its_cpo_refuses_is_refused_in_its_word(bridge: Bridged) -> None:
    begun = await _ordered(bridge)
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": "400"}}
    with pytest.raises(Refused) as refused:
        await _stopped(bridge, begun["SessionID"])
    assert refused.value.code is Code.SESSION_INVALID


@pytest.mark.parametrize("operation", ["AuthorizeRemoteStop", "AuthorizeRemoteReservationStop"])
async def test_a_session_of_another_evse_is_not_ended(bridge: Bridged, operation: str) -> None:
    begun = await _ordered(bridge, "AuthorizeRemoteReservationStart")
    message = {"ProviderID": "DE-DCB", "EvseID": "DE*ABC*E2", "SessionID": begun["SessionID"]}
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", operation, message, id="DE-DCB")
    assert refused.value.code is Code.SESSION_INVALID
    assert bridge.client.of(operation) == []
    assert (await _stopped(bridge, begun["SessionID"], "de*abc*e1"))["Result"] is True


@pytest.mark.parametrize("operation", ["AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"])
@pytest.mark.parametrize("contract", ["DE-ZZZ-C00000001-0", "a contract of paper"])
async def test_an_emp_orders_for_its_own_drivers_alone(bridge: Bridged, operation: str, contract: str) -> None:
    with pytest.raises(Refused) as refused:
        await _ordered(bridge, operation, Identification=_driver(contract))
    assert refused.value.code is Code.FOREIGN_CONTRACT
    assert bridge.client.asked == []


@pytest.mark.parametrize("duration", [0, 100, -3, 1.5, "abc", {"minutes": 15}])
async def test_a_reservation_lasts_whole_minutes_or_is_none(bridge: Bridged, duration: Any) -> None:
    with pytest.raises(Refused) as refused:
        await _ordered(bridge, "AuthorizeRemoteReservationStart", Duration=duration)
    assert refused.value.code is Code.DATA_ERROR
    assert bridge.client.asked == []
    assert await bridge.oicp.bridge.ledger.open_at(EVSE) == []


@pytest.mark.parametrize("field", ["EMPPartnerSessionID", "PartnerProductID"])
async def test_an_order_that_oicp_cannot_write_is_never_sent_and_never_waits(bridge: Bridged, field: str) -> None:
    with pytest.raises(Unfit, match=f"^/{field}: "):
        await _ordered(bridge, **{field: "x" * 300})
    assert bridge.client.asked == []
    assert await bridge.oicp.bridge.ledger.open_at(EVSE) == []


@pytest.mark.parametrize(
    "identification",
    [
        {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}},
        {"QRCodeIdentification": {"EvcoID": CONTRACT}},
    ],
)
async def test_an_order_names_its_driver_as_orders_do(bridge: Bridged, identification: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        await _ordered(bridge, Identification=identification)
    assert refused.value.code is Code.DATA_ERROR
    assert bridge.client.asked == []


async def test_who_may_not_order_there_is_told_that_there_is_no_contract(bridge: Bridged) -> None:
    denied = Agreement("dcb", "DE*ABC", "commands", allow=False)
    await bridge.world.hub.agreements.put(denied, actor="test")
    with pytest.raises(Refused) as refused:
        await _ordered(bridge)
    assert refused.value.code is Code.NO_CONTRACT


async def test_what_an_ocpi_cpo_said_stands_beside_the_code(bridge: Bridged) -> None:
    def says(sent: Sent) -> Any:
        return {"result": "REJECTED", "timeout": 0} if sent.module == "commands" else None

    bridge.world.peers.script = says
    with pytest.raises(Refused) as refused:
        await _ordered(bridge, EvseID="BE*AAA*E1")
    assert (refused.value.code, refused.value.info) == (Code.EVSE_IN_USE, "REJECTED")
