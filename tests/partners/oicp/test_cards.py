"""Cards and contracts that an EMP leaves with us, to say in its place who may charge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from hub.core.parties import PartyRole
from modules.tokens.store import TOKENS
from partners.oicp.answers import Code, Refused
from tests.partners.oicp.bridged import Bridged, bridged

UID, OTHER = "0102030405060708090A", "0102030405060708090B"
EVCO = "DE-DCB-C12345678-X"


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",), base_url="")
        yield made


def card(uid: str = UID, **fields: Any) -> dict[str, Any]:
    return {"RFIDIdentification": {"UID": uid, "EvcoID": EVCO, "RFID": "mifareCls", **fields}}


async def push(bridge: Bridged, action: str, *identifications: Mapping[str, Any]) -> Any:
    records = [{"Identification": each} for each in identifications]
    data = {"ProviderID": "DE-DCB", "AuthenticationDataRecord": records}
    said = await bridge.ask(
        "dcb", "PushAuthenticationData", {"ActionType": action, "ProviderAuthenticationData": data}, id="DE-DCB"
    )
    await bridge.oicp.card_tokens.catch_up()
    return said


async def tokens(bridge: Bridged) -> dict[str, bool]:
    """By uid: is it valid?"""
    found = await bridge.world.store.select(TOKENS, equal={"owner": "DE*DCB"})
    return {document.columns["uid"]: b'"valid":true' in document.body for document in found}


async def test_cards_are_tokens_that_are_on_no_whitelist(bridge: Bridged) -> None:
    assert (await push(bridge, "fullLoad", card(PrintedNumber="12 34")))["Result"] is True
    (document,) = await bridge.world.store.select(TOKENS, equal={"owner": "DE*DCB"})
    assert b'"whitelist":"NEVER"' in document.body
    assert b'"visual_number":"12 34"' in document.body


async def test_a_driver_is_allowed_in_the_place_of_his_emp_under_a_session_id_of_ours(bridge: Bridged) -> None:
    await push(bridge, "insert", card())
    start = {"OperatorID": "DE*ABC", "Identification": {"RFIDMifareFamilyIdentification": {"UID": UID}}}
    said = await bridge.ask("abc", "AuthorizeStart", start, id="DE*ABC")
    assert (said["AuthorizationStatus"], said["ProviderID"]) == ("Authorized", "DE-DCB")
    row = await bridge.oicp.bridge.ledger.get(said["SessionID"])
    assert (row.cpo, row.emp, row.emp_party) == ("abc", "dcb", "DE*DCB")
    assert bridge.client.asked == []
    start["Identification"] = {"RFIDMifareFamilyIdentification": {"UID": OTHER}}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStart", start, id="DE*ABC")
    assert refused.value.code is Code.UNKNOWN_CARD


async def test_a_cpo_of_ocpi_asks_for_such_a_driver_too(bridge: Bridged) -> None:
    await push(bridge, "insert", card())
    said = await bridge.world.ask("POST", f"/ocpi/2.3.0/sender/tokens/{UID}/authorize", by="c1")
    assert (said.code, said.data["allowed"], said.data["token"]["contract_id"]) == (1000, "ALLOWED", EVCO)


async def test_a_card_that_is_over_allows_nothing(bridge: Bridged) -> None:
    await push(bridge, "insert", card(ExpiryDate="2026-05-04T11:00:00Z"))
    assert await tokens(bridge) == {UID: True}
    bridge.world.clock.passed_s += 2 * 3600
    await bridge.oicp.card_tokens.catch_up()
    assert await tokens(bridge) == {UID: False}
    said = await bridge.world.ask("POST", f"/ocpi/2.3.0/sender/tokens/{UID}/authorize", by="c1")
    assert said.data["allowed"] != "ALLOWED"


async def test_what_is_deleted_is_no_valid_token_any_more(bridge: Bridged) -> None:
    await push(bridge, "insert", card(), card(OTHER))
    bridge.world.clock.passed_s += 5
    await push(bridge, "delete", card())
    assert await tokens(bridge) == {UID: False, OTHER: True}
    bridge.world.clock.passed_s += 5
    await push(bridge, "fullLoad", card())
    assert await tokens(bridge) == {UID: True, OTHER: False}


@pytest.mark.parametrize(("action", "pushed"), [("insert", (UID, OTHER)), ("update", (OTHER,)), ("delete", (OTHER,))])
async def test_a_push_is_taken_whole_or_not_at_all(bridge: Bridged, action: str, pushed: tuple[str, ...]) -> None:
    await push(bridge, "insert", card())
    with pytest.raises(Refused) as refused:
        await push(bridge, action, *map(card, pushed))
    assert refused.value.code is Code.DATA_TRANSACTION
    assert await tokens(bridge) == {UID: True}


async def test_a_contract_of_another_emp_is_refused(bridge: Bridged) -> None:
    with pytest.raises(Refused) as refused:
        await push(bridge, "insert", card(), card(OTHER, EvcoID="NL-XYZ-C12345678-X"))
    assert refused.value.code is Code.FOREIGN_CONTRACT
    assert await tokens(bridge) == {}
