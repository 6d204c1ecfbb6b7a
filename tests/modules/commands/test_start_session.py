"""START_SESSION: which connector, which id tag, and what the tap that follows finds. OCPI mod_commands."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hub.core.parties import Party
from hub.core.ports import Outcome
from modules.locations import service as locations
from modules.tokens import service as tokens
from modules.tokens.aliases import by_alias
from modules.tokens.authorize import By, Decision, authorize, for_start, recall
from modules.tokens.wire import TOKEN
from tests.modules.commands.world import NOW, After, World, reserve, start, token

LONG = "0123456789-ABCDEF-0123456789-ABCDEF"


async def told(world: World) -> Any:
    """What the charger was told last."""
    return world.chargers.calls[-1][1]


async def set_status(world: World, **statuses: str) -> None:
    for evse_uid, status in statuses.items():
        await locations.set_status(world.store, "DE*BSB/LOC1", evse_uid, status, now=NOW)


async def test_the_named_evse_is_the_one_that_starts(world: World) -> None:
    await world.commanded("START_SESSION", start(evse_uid="e2"))
    assert (await told(world))["place"] == world.chargers.places["E2"]


async def test_a_charger_is_told_what_kind_of_token_it_is(world: World) -> None:
    await world.commanded("START_SESSION", start())
    await world.commanded("RESERVE_NOW", reserve())
    assert world.chargers.token_types == ["APP_USER", "APP_USER"]


async def test_without_an_evse_an_available_one_is_chosen(world: World) -> None:
    await set_status(world, E1="CHARGING")
    await world.commanded("START_SESSION", start(evse_uid=None))
    assert (await told(world))["place"] == world.chargers.places["E2"]


async def test_without_an_evse_a_car_that_is_plugged_in_and_waits_is_better_than_nothing(world: World) -> None:
    await set_status(world, E1="CHARGING", E2="OUTOFORDER")
    await world.running_session("FR*FFF", "E1")
    await world.commanded("START_SESSION", start(evse_uid=None))
    assert (await told(world))["place"] == world.chargers.places["E3"]


async def test_without_an_evse_it_is_the_one_that_is_reserved_for_the_driver(world: World) -> None:
    await world.commanded("RESERVE_NOW", reserve(evse_uid="E2"))
    await set_status(world, E2="RESERVED")
    await world.commanded("START_SESSION", start(evse_uid=None))
    assert (await told(world))["place"] == world.chargers.places["E2"]
    await world.commanded("START_SESSION", start(evse_uid=None, token=token(uid="APP-2")))
    assert (await told(world))["place"] == world.chargers.places["E1"]


async def test_without_an_evse_chargers_out_of_reach_are_not_chosen(world: World) -> None:
    world.chargers.offline = {"CP1"}
    await world.commanded("START_SESSION", start(evse_uid=None))
    assert (await told(world))["place"].station == "CP2"


@pytest.mark.parametrize("location_id", ["LOC1", "LOC2"])
async def test_without_an_evse_and_nothing_free_the_command_is_rejected(world: World, location_id: str) -> None:
    world.chargers.offline = {"CP1", "CP2"}
    data = await world.commanded("START_SESSION", start(evse_uid=None, location_id=location_id))
    assert (data["result"], world.chargers.calls) == ("REJECTED", [])


async def test_a_connector_without_its_evse_is_2001(world: World) -> None:
    answer = await world.command("START_SESSION", start(evse_uid=None, connector_id="1"))
    assert answer.json()["status_code"] == 2001


@pytest.mark.parametrize(("version", "code"), [("2.1.1", 1000), ("2.2.1", 2001), ("2.3.0", 2001)])
async def test_a_connector_that_the_evse_requires_must_be_named_by_who_can(
    world: World, version: str, code: int
) -> None:
    answer = await world.command("START_SESSION", start(version, evse_uid="E3"), version=version)
    assert answer.json()["status_code"] == code
    await world.quiet()


async def test_a_required_connector_that_is_named_starts(world: World) -> None:
    await world.commanded("START_SESSION", start(evse_uid="E3", connector_id="1"))
    assert (await told(world))["place"] == world.chargers.places["E3"]


async def test_a_removed_evse_is_unknown(world: World) -> None:
    await locations.remove_evse(world.store, "DE*BSB/LOC1", "E1", now=NOW)
    answer = await world.command("START_SESSION", start())
    assert answer.json()["status_code"] == 2003


async def test_a_token_that_is_not_valid_is_not_our_business(world: World) -> None:
    data = await world.commanded("START_SESSION", start(token={**token(), "valid": False}))
    assert data["result"] == "ACCEPTED"


@pytest.mark.parametrize("name", ["START_SESSION", "RESERVE_NOW"])
async def test_the_tap_that_follows_is_accepted_for_15_minutes_without_asking(world: World, name: str) -> None:
    order = start() if name == "START_SESSION" else reserve()
    await world.commanded(name, {**order, "authorization_reference": "REF-1"})
    for _ in range(2):
        decision = await authorize(world.hub, "app-1", world.chargers.places["E1"], at="CP1")
        assert (decision.allowed, decision.auth_method, decision.reference) == ("ALLOWED", "COMMAND", "REF-1")
        assert decision.owner == "NL*EEE"
        assert decision.token is not None
        assert decision.token["contract_id"] == "NL-EEE-C1"
        await world.pass_s(15 * 60 - 1 - world.clock.passed_s)
    await world.pass_s(2)
    assert await recall(world.hub, "APP-1", at="CP1") is None


async def test_what_is_remembered_holds_at_that_charger_only(world: World) -> None:
    await world.commanded("START_SESSION", start())
    assert await recall(world.hub, "APP-1", at="CP2") is None


async def test_a_rejected_order_is_not_remembered(world: World) -> None:
    world.chargers.offline = {"CP1"}
    await world.commanded("START_SESSION", start())
    assert await recall(world.hub, "APP-1", at="CP1") is None


async def test_the_token_of_2_1_1_belongs_to_the_caller(world: World) -> None:
    await world.commanded("START_SESSION", start("2.1.1"), version="2.1.1")
    decision = await recall(world.hub, "APP-1", at="CP1")
    assert isinstance(decision, Decision)
    assert (decision.owner, decision.by) == ("NL*EEE", By.COMMAND)
    assert decision.token is not None
    assert (decision.token["country_code"], decision.token["party_id"]) == ("NL", "EEE")


@pytest.mark.parametrize("uid", ["APP-1", "20:69:C0:21", "X" * 20])
async def test_a_uid_that_fits_is_the_id_tag(world: World, uid: str) -> None:
    await world.commanded("START_SESSION", start(token=token(uid=uid)))
    assert (await told(world))["id_tag"] == uid


async def test_a_long_uid_gets_an_alias_for_good_and_is_found_by_it(world: World) -> None:
    for _ in range(2):
        await world.commanded("START_SESSION", start(token=token(uid=LONG)))
    aliases = {call["id_tag"] for _, call in world.chargers.calls}
    (alias,) = aliases
    assert len(alias) <= 20
    assert await by_alias(world.store, alias.lower()) == {
        "party": "NL*EEE",
        "uid": LONG,
        "type": "APP_USER",
    }
    for uid in (alias, LONG):
        decision = await recall(world.hub, uid, at="CP1")
        assert decision is not None
        assert decision.token is not None
        assert (decision.accepted, decision.token["uid"]) == (True, LONG)


async def test_the_same_uid_of_two_parties_has_two_aliases(world: World) -> None:
    world.chargers.answers["remote_start"] = Outcome.REJECTED
    await world.commanded("START_SESSION", start(token=token(uid=LONG)))
    theirs = start(token=token("FR", "FFF", uid=LONG), response_url="https://fff.example.org/1")
    await world.commanded("START_SESSION", theirs, by="fff")
    assert len({call["id_tag"] for _, call in world.chargers.calls}) == 2
    assert await by_alias(world.store, "nobody") is None


# Whose card it is, and what is left of a command that a charger refused

ORDERS: Final = {"START_SESSION": ("remote_start", start), "RESERVE_NOW": ("reserve", reserve)}
REFUSALS: Final = tuple(outcome for outcome in Outcome if outcome not in (Outcome.ACCEPTED, Outcome.TIMEOUT))
every_order = pytest.mark.parametrize("name", ORDERS)


async def listed(world: World, owner: str, uid: str = "CARD1", **fields: Any) -> None:
    """An eMSP has told us of a card."""
    party = Party.parse(owner)
    tree = {**token(party.country_code, party.party_id, uid=uid), "type": "RFID", "whitelist": "ALWAYS", **fields}
    await tokens.put(world.store, party, uid, TOKEN["2.3.0"].read(tree), now=NOW)


@every_order
async def test_a_card_that_only_others_have_on_our_list_is_foreign(world: World, name: str) -> None:
    await listed(world, "FR*FFF", valid=False)
    answer = await world.command(name, ORDERS[name][1](token=token(uid="card:1")))
    await world.quiet()
    assert (answer.json()["status_code"], answer.json()["data"]["result"]) == (2004, "REJECTED")
    assert world.chargers.calls == []
    decision = await authorize(world.hub, "CARD1", world.chargers.places["E1"], at="CP1")
    assert (decision.allowed, decision.owner) == ("BLOCKED", "FR*FFF")


@every_order
async def test_a_card_that_the_sender_has_on_our_list_too_is_its_own(world: World, name: str) -> None:
    await listed(world, "FR*FFF")
    await listed(world, "NL*EEE", valid=False)
    assert (await world.commanded(name, ORDERS[name][1](token=token(uid="CARD1"))))["result"] == "ACCEPTED"


@every_order
@pytest.mark.parametrize("uid", ["APP-1", LONG])
@pytest.mark.parametrize("outcome", Outcome)
async def test_what_a_charger_refused_is_forgotten(world: World, name: str, uid: str, outcome: Outcome) -> None:
    method, order = ORDERS[name]
    world.chargers.answers[method] = outcome
    await world.commanded(name, order(token=token(uid=uid)))
    for shown in {uid, (await told(world))["id_tag"]}:
        assert (await recall(world.hub, shown, at="CP1") is None) == (outcome in REFUSALS), shown


async def test_a_command_that_breaks_on_our_side_is_forgotten(world: World) -> None:
    world.chargers.answers["remote_start"] = RuntimeError("bug")
    await world.commanded("START_SESSION", start())
    assert await recall(world.hub, "APP-1", at="CP1") is None


async def test_a_refusal_forgets_nothing_that_a_later_command_wrote(world: World) -> None:
    world.chargers.answers["remote_start"] = After(5, Outcome.REJECTED)
    await world.commanded("START_SESSION", start())
    world.chargers.answers["remote_start"] = Outcome.ACCEPTED
    await world.commanded("START_SESSION", start())
    await world.pass_s(6)
    assert await recall(world.hub, "APP-1", at="CP1") is not None


async def test_a_second_press_that_is_refused_leaves_the_first_in_force(world: World) -> None:
    for outcome in (Outcome.ACCEPTED, Outcome.REJECTED):
        world.chargers.answers["remote_start"] = outcome
        await world.commanded("START_SESSION", {**start(), "authorization_reference": outcome.value})
    decision = await recall(world.hub, "APP-1", at="CP1")
    assert decision is not None
    assert decision.reference == "ACCEPTED"


async def test_of_two_presses_that_are_both_refused_nothing_is_left(world: World) -> None:
    for seconds in (9, 5):
        world.chargers.answers["remote_start"] = After(seconds, Outcome.REJECTED)
        await world.commanded("START_SESSION", start())
    await world.pass_s(10)
    assert await recall(world.hub, "APP-1", at="CP1") is None


async def test_a_card_made_invalid_after_its_command_starts_nothing(world: World) -> None:
    await listed(world, "NL*EEE")
    await world.commanded("START_SESSION", start(token={**token(uid="CARD1"), "type": "RFID"}))
    part = {"valid": False, "last_updated": "2026-05-04T10:00:00Z"}
    await tokens.patch(world.store, Party.parse("NL*EEE"), "CARD1", "RFID", part, now=NOW)
    for decide in (authorize, for_start):
        assert (await decide(world.hub, "CARD1", world.chargers.places["E1"], at="CP1")).allowed == "BLOCKED"
