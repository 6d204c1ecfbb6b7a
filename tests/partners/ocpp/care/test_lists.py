"""Local lists over a real charger: in step with the tokens, no longer than it can hold, and no card too many."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp import schemas
from partners.ocpp.care.list_entries import LONGEST, Listed, added, fitting, list_payload, removed
from partners.ocpp.care.list_limits import Limits, limits_in, question
from partners.sandbox.charger import Charger
from partners.sandbox.emsp import Emsp
from tests.partners.ocpp.care.conftest import Yard
from tests.partners.ocpp.site import until
from tests.world import stored_token

VERSIONS = ("1.6", "2.0.1", "2.1")


async def put(yard: Yard, uid: str, owner: str = "DE*BSB", **fields: Any) -> None:
    hub = yard.house.program.hub
    model = Token.model_validate({**stored_token(owner, uid), **fields})
    await tokens.put(hub.store, Party.parse(owner), uid, model, now=hub.clock.now())


async def in_step(yard: Yard, state: str = "in step") -> Any:
    shown: Any = None

    async def reached() -> bool:
        nonlocal shown
        await yard.house.program.local_lists.step()
        shown = await yard.ask("GET", "/stations/CP1/local_list")
        return bool(shown["state"] == state)

    await until(reached)
    return shown


def sent(charger: Charger) -> list[str]:
    """The update types of the lists that a charger got."""
    texts = [text for way, text in charger.link.frames if way == "<" and '"SendLocalList"' in text]
    return ["Full" if '"Full"' in text else "Differential" for text in texts]


async def test_a_list_is_brought_whole_and_then_what_changes(yard: Yard) -> None:
    await put(yard, "04AA0001")
    async with yard.charger(local_list=True) as charger:
        assert (await in_step(yard))["entries"] == 1
        assert list(charger._answers.cards) == ["04AA0001"]
        await put(yard, "04AA0002", group_id="G1")
        await put(yard, "04AA0003")
        await yard.house.program.local_lists.step()
        assert charger._answers.cards["04AA0002"] == {"parentIdTag": "G1", "status": "Accepted"}
        await put(yard, "04AA0001", valid=False, last_updated="2027-01-01T00:00:00Z")
        await yard.house.program.local_lists.step()
        assert sorted(charger._answers.cards) == ["04AA0002", "04AA0003"]
        await yard.house.program.local_lists.step()
        assert sent(charger) == ["Full", "Differential", "Differential"]
        assert charger.complaints.texts() == []


async def test_only_cards_that_their_emsp_lets_us_list_and_pays_for_are_on_it(yard: Yard) -> None:
    async with Emsp("2.2.1", "NL*EEE") as emsp, yard.charger(local_list=True) as charger:
        charger.settings._keys["LocalPreAuthorize"].value = "false"
        await yard.house.admit(emsp)
        cards: dict[str, Any] = {
            "ALWAYS": {"whitelist": "ALWAYS"},
            "ALLOWED": {},
            "OFFLINE": {"whitelist": "ALLOWED_OFFLINE"},
            "NEVER": {"whitelist": "NEVER"},
            "BLOCKED": {"whitelist": "ALWAYS", "valid": False},
            "APP": {"type": "APP_USER"},
            "123456789012345678901": {},
        }
        for uid, fields in cards.items():
            await put(yard, uid, "NL*EEE", **fields)
        await put(yard, "GONE", "BE*AAA")
        await until(lambda: _has(yard, charger, {"ALWAYS", "ALLOWED", "OFFLINE"}))
        assert charger.complaints.texts() == []


async def _has(yard: Yard, charger: Charger, wanted: set[str]) -> bool:
    await yard.house.program.local_lists.step()
    return set(charger._answers.cards) >= wanted and not set(charger._answers.cards) & {
        *("NEVER", "BLOCKED", "APP", "GONE", "123456789012345678901")
    }


async def test_a_list_is_no_longer_than_the_charger_says_nor_any_message(yard: Yard) -> None:
    for number in range(12):
        await put(yard, f"04AA{number:04}")
    async with yard.charger(local_list=True) as charger:
        charger.settings._keys["LocalAuthListMaxLength"].value = "10"
        charger.settings._keys["SendLocalListMaxLength"].value = "4"
        shown = await in_step(yard)
        assert (shown["entries"], shown["left_out"], len(charger._answers.cards)) == (10, 2, 10)
        assert sent(charger) == ["Full", "Differential", "Differential"]


async def test_a_charger_that_lost_its_list_gets_a_whole_one_after_it_connects(yard: Yard) -> None:
    await put(yard, "04AA0001")
    async with yard.charger(local_list=True) as charger:
        await in_step(yard)
        charger._answers.cards.clear()
        charger._answers._list_version = 0
        await charger.reconnect()
        await until(lambda: _has(yard, charger, {"04AA0001"}))
        assert sent(charger) == ["Full", "Full"]
        await charger.reconnect()
        for _ in range(3):
            await yard.house.program.local_lists.step()
        assert sent(charger) == ["Full", "Full"]


async def test_without_the_switch_or_the_list_nothing_is_sent(yard: Yard) -> None:
    await put(yard, "04AA0001")
    async with yard.charger() as charger:
        await yard.house.program.local_lists.step()
        assert sent(charger) == []
    async with yard.charger(local_list=True) as charger:
        charger.settings._keys["LocalAuthListEnabled"].value = "false"
        await in_step(yard, "switched off at the charger")
        await yard.house.program.local_lists.step()
        assert sent(charger) == []


async def test_a_charger_that_does_not_take_a_list_is_left_alone_for_a_while(yard: Yard) -> None:
    await put(yard, "04AA0001")
    async with yard.charger(local_list=True) as charger:
        charger._answers._table["SendLocalList"] = lambda _: ({"status": "Failed"}, None)
        shown = await in_step(yard, "behind")
        for _ in range(5):
            await yard.house.program.local_lists.step()
        assert len(sent(charger)) == 1
    assert shown["why"] == "answered Failed"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_payload_is_valid_in_each_version(version: str) -> None:
    cards = [Listed(1, "04AABBCC", "ALWAYS", "G" * 36), Listed(2, "X" * LONGEST[version], "ALLOWED", "G1")]
    some = [*(added(card, version) for card in cards), removed("04AABBCC", version)]
    calls: list[tuple[str, Tree]] = [("GetLocalListVersion", {}), (question(version).action, question(version).payload)]
    for entries in ([], some):
        calls += [("SendLocalList", list_payload(version, 7, entries, is_full=full)) for full in (True, False)]
    for action, payload in calls:
        assert schemas.check(version, action, payload, strict=True) is None, (action, payload)


def test_a_charger_that_asks_its_list_first_gets_no_card_that_is_to_be_asked_for() -> None:
    cards = [Listed(2, "A", "ALLOWED", ""), Listed(3, "B", "ALLOWED_OFFLINE", ""), Listed(2, "C" * 21, "ALLOWED", "")]
    assert [card.uid for card in fitting(cards, "1.6", asks_list_first=True)] == ["A"]
    assert [card.uid for card in fitting(cards, "1.6", asks_list_first=False)] == ["A", "B"]
    assert len(list(fitting(cards, "2.1", asks_list_first=False))) == 3


def test_what_a_charger_does_not_tell_or_tells_oddly_is_the_default() -> None:
    for odd in ({}, {"configurationKey": 1}, {"configurationKey": [{"key": "LocalAuthListMaxLength", "value": "-1"}]}):
        assert limits_in("1.6", odd) == Limits()
    told = {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "ItemsPerMessage"}}
    result = {"getVariableResult": [{**told, "attributeStatus": "Accepted", "attributeValue": "5"}]}
    assert limits_in("2.1", result).items == 5
