"""Charges between an EMP and a CPO that both speak OICP: nothing of what they say to each other is lost here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.errors import EndpointsMissing, PeerTimeout, PeerUnreachable
from hub.core.parties import Party, PartyRole
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import CLOSED, REFUSED
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.world import until

EVSE = "DE*ABC*E1"
DRIVER = {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000001-6"}}
CARD = {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}
START = {"ChargingStart": "2026-05-04T12:00:00+02:00"}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


def _order(evse_id: str = EVSE, **fields: Any) -> dict[str, Any]:
    return {"ProviderID": "DE-DCB", "EvseID": evse_id, "Identification": DRIVER, **fields}


def _notified(session: str, evse_id: str = EVSE, **fields: Any) -> dict[str, Any]:
    return {"Type": "Start", "SessionID": session, "EvseID": evse_id, "OperatorID": evse_id[:6], **START, **fields}


def _record(session: str, **fields: Any) -> dict[str, Any]:
    return {
        "SessionID": session,
        "EvseID": EVSE,
        "Identification": DRIVER,
        "SessionStart": "2026-05-04T11:00:00+02:00",
        "ChargingStart": "2026-05-04T11:02:00+02:00",
        "ChargingEnd": "2026-05-04T11:32:00+02:00",
        "SessionEnd": "2026-05-04T11:40:00+02:00",
        "ConsumedEnergy": 10,
        **fields,
    }


async def test_a_charge_that_is_ordered_has_one_session_id_on_both_sides(bridge: Bridged) -> None:
    bridge.client.script = lambda asked: {**YES, "CPOPartnerSessionID": "cpo-7"}
    ordered = _order(EMPPartnerSessionID="emp-9", PartnerProductID="AC1")
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", ordered, id="DE-DCB")
    [asked] = bridge.client.of("AuthorizeRemoteStart")
    assert (begun["SessionID"], begun["CPOPartnerSessionID"]) == (asked["SessionID"], "cpo-7")
    assert (asked["EMPPartnerSessionID"], asked["PartnerProductID"]) == ("emp-9", "AC1")
    await bridge.ask("abc", "ChargingNotification", _notified(asked["SessionID"]))
    assert bridge.client.of("ChargingNotification")[0]["SessionID"] == begun["SessionID"]


async def test_a_charge_is_stopped_though_nobody_has_told_yet_that_it_began(bridge: Bridged) -> None:
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    stop = {"ProviderID": "DE-DCB", "EvseID": EVSE, "SessionID": begun["SessionID"]}
    assert (await bridge.ask("dcb", "AuthorizeRemoteStop", stop, id="DE-DCB"))["Result"] is True
    assert bridge.client.of("AuthorizeRemoteStop") == [stop]


async def test_the_record_of_a_charge_that_was_ordered_goes_on_as_it_came_and_needs_no_price(bridge: Bridged) -> None:
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    record = _record(begun["SessionID"])
    await bridge.ask("abc", "ChargeDetailRecord", record, id="DE*ABC")
    [sent] = await until(lambda: bridge.client.of("ChargeDetailRecord"))
    assert sent == record


async def test_the_same_record_is_taken_however_often_it_comes_at_once_and_goes_on_once(bridge: Bridged) -> None:
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    said = await asyncio.gather(
        *(bridge.ask("abc", "ChargeDetailRecord", _record(begun["SessionID"]), id="DE*ABC") for _ in range(20))
    )
    assert [each["Result"] for each in said] == [True] * 20
    await until(lambda: bridge.client.of("ChargeDetailRecord"))
    assert (await bridge.ask("abc", "ChargeDetailRecord", _record(begun["SessionID"]), id="DE*ABC"))["Result"] is True
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", _record(begun["SessionID"], ConsumedEnergy=11), id="DE*ABC")
    assert (refused.value.code, refused.value.http) == (Code.SESSION_INVALID, 404)
    assert len(bridge.client.of("ChargeDetailRecord")) == 1


async def test_a_reservation_has_one_session_id_on_both_sides(bridge: Bridged) -> None:
    kept = await bridge.ask("dcb", "AuthorizeRemoteReservationStart", _order(Duration=20), id="DE-DCB")
    [asked] = bridge.client.of("AuthorizeRemoteReservationStart")
    assert (asked["SessionID"], asked["Duration"]) == (kept["SessionID"], 20)
    stop = {"ProviderID": "DE-DCB", "EvseID": EVSE, "SessionID": kept["SessionID"]}
    assert (await bridge.ask("dcb", "AuthorizeRemoteReservationStop", stop, id="DE-DCB"))["Result"] is True
    assert bridge.client.of("AuthorizeRemoteReservationStop")[0]["SessionID"] == kept["SessionID"]
    assert (await bridge.oicp.bridge.ledger.get(kept["SessionID"])).state == CLOSED


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("510", "510"),
        ("603", "603"),
        ("601", "601"),
        ("400", "400"),
        ("017", "310"),
        ("210", "310"),
        ("320", "320"),
        ("310", "310"),
        ("021", "501"),
        ("999", "501"),
    ],
)
async def test_a_cpo_is_heard_in_its_own_word_where_that_is_about_the_charge(
    bridge: Bridged, code: str, told: str
) -> None:
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": code}}
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    assert refused.value.code == told
    row = await bridge.oicp.bridge.ledger.get(bridge.client.of("AuthorizeRemoteStart")[0]["SessionID"])
    assert row.state == REFUSED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (PeerTimeout(), Code.PARTNER_SILENT),
        (PeerUnreachable(), Code.PARTNER_SILENT),
        (EndpointsMissing(), Code.NOT_OFFERED),
    ],
)
async def test_the_silence_of_a_cpo_is_its_own_and_not_that_of_the_evse(
    bridge: Bridged, fault: Exception, code: Code
) -> None:
    def silent(asked: Asked) -> Any:
        raise fault

    bridge.client.script = silent
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    assert refused.value.code is code


async def test_a_charge_behind_another_hub_is_told_under_the_session_id_that_the_emp_knows(bridge: Bridged) -> None:
    hub = await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    await bridge.oicp.connections.learn(hub, PartyRole.CPO, Party.parse("FR*XYZ"))
    evse_id, issued = "FR*XYZ*E1", "b2688855-7f00-0002-6d8e-48d883f6abb6"
    await bridge.place(evse_id, "FR*XYZ", "POOL9", "FRXYZE1")
    bridge.client.script = lambda asked: {**YES, "SessionID": issued}
    begun = await bridge.ask("dcb", "AuthorizeRemoteStart", _order(evse_id), id="DE-DCB")
    assert begun["SessionID"] != issued
    await bridge.ask("hbs", "ChargingNotification", _notified(issued, evse_id))
    await bridge.oicp.notifications.tell(bridge.world.partner("dcb"), "FR*XYZ", issued)
    assert [told["SessionID"] for told in bridge.client.of("ChargingNotification")] == [begun["SessionID"]]


@pytest.fixture
async def untold(sqlite_url: str) -> AsyncIterator[Bridged]:
    """A CPO that has told of no EVSE, one that has, and an EMP."""
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place("DE*XYZ*E1", "DE*XYZ", "POOL1", "DEXYZE1")
        yield made


@pytest.mark.parametrize("kind", ["", "Reservation"])
async def test_a_cpo_that_has_told_of_no_evse_is_asked_for_each_and_the_charge_goes_through(
    untold: Bridged, kind: str
) -> None:
    begun = await untold.ask("dcb", f"AuthorizeRemote{kind}Start", _order(), id="DE-DCB")
    [asked] = untold.client.of(f"AuthorizeRemote{kind}Start")
    assert (asked["EvseID"], asked["SessionID"]) == (EVSE, begun["SessionID"])
    stop = {"ProviderID": "DE-DCB", "EvseID": EVSE, "SessionID": begun["SessionID"]}
    if not kind:
        await untold.ask("abc", "ChargingNotification", _notified(begun["SessionID"]))
        assert untold.client.of("ChargingNotification")[0]["EvseID"] == EVSE
    assert (await untold.ask("dcb", f"AuthorizeRemote{kind}Stop", stop, id="DE-DCB"))["Result"] is True
    assert untold.client.of(f"AuthorizeRemote{kind}Stop") == [stop]


async def test_what_such_a_cpo_does_not_have_it_says_itself(untold: Bridged) -> None:
    untold.client.script = lambda asked: {"Result": False, "StatusCode": {"Code": "603"}}
    with pytest.raises(Refused) as refused:
        await untold.ask("dcb", "AuthorizeRemoteStart", _order(), id="DE-DCB")
    assert refused.value.code == "603"
    assert len(untold.client.of("AuthorizeRemoteStart")) == 1


async def test_a_cpo_that_has_told_of_another_evse_is_not_asked(untold: Bridged) -> None:
    with pytest.raises(Refused) as refused:
        await untold.ask("dcb", "AuthorizeRemoteStart", _order("DE*XYZ*E2"), id="DE-DCB")
    assert refused.value.code is Code.UNKNOWN_EVSE
    assert untold.client.asked == []


async def _allowed(bridge: Bridged) -> dict[str, Any]:
    bridge.client.script = lambda asked: {"AuthorizationStatus": "Authorized", "ProviderID": "DE-DCB", **YES}
    begun = await bridge.ask("abc", "AuthorizeStart", {"OperatorID": "DE*ABC", "Identification": CARD}, id="DE*ABC")
    return {"OperatorID": "DE*ABC", "SessionID": begun["SessionID"], "Identification": CARD}


async def test_an_emp_says_whether_its_driver_may_stop(bridge: Bridged) -> None:
    stop = await _allowed(bridge)
    other = {**stop, "Identification": {"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}}}
    said = await bridge.ask("abc", "AuthorizeStop", other, id="DE*ABC")
    assert said["AuthorizationStatus"] == "Authorized"
    assert bridge.client.of("AuthorizeStop") == [other]
    bridge.client.script = lambda asked: {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "103"}}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStop", stop, id="DE*ABC")
    assert refused.value.code is Code.UNREADABLE_CARD


async def test_where_the_emp_does_not_say_a_driver_stops_with_what_he_began_with(bridge: Bridged) -> None:
    stop = await _allowed(bridge)

    def silent(asked: Asked) -> Any:
        raise PeerTimeout

    for script in (silent, lambda asked: {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "320"}}):
        bridge.client.script = script
        assert (await bridge.ask("abc", "AuthorizeStop", stop, id="DE*ABC"))["AuthorizationStatus"] == "Authorized"
        other = {**stop, "Identification": {"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}}}
        with pytest.raises(Refused) as refused:
            await bridge.ask("abc", "AuthorizeStop", other, id="DE*ABC")
        assert refused.value.code is Code.UNKNOWN_CARD


@pytest.mark.parametrize("code", ["103", "110", "121", "122"])
async def test_the_only_emp_that_is_asked_refuses_in_its_own_word(bridge: Bridged, code: str) -> None:
    bridge.client.script = lambda asked: {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": code}}
    driver = {"PlugAndChargeIdentification": {"EvcoID": f"DE-DCB-C00000{code}"}}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStart", {"OperatorID": "DE*ABC", "Identification": driver}, id="DE*ABC")
    assert refused.value.code == code
