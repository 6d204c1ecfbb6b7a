"""Our EVSEs at a hub where we are a CPO."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.clock import timestamp
from hub.core.errors import PeerRefused, PeerTimeout
from hub.core.parties import Party, PartyRole
from modules.locations import foreign
from modules.locations import service as locations
from partners.oicp import findings
from partners.oicp.agreed import terms_with
from partners.oicp.evse_intake import Source
from partners.oicp.evse_sending import Refusal
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.bridged import Bridged, bridged
from tests.partners.oicp.scripted_hub import ScriptedHub
from tests.world import NOW, OURS, location, their_location

AAA = Party("BE", "AAA")
DATA, STATUS = "PushEvseData", "PushEvseStatus"


class Yard:
    """A bridge with a CPO of OCPI whose EVSEs go to a hub."""

    def __init__(self, bridge: Bridged) -> None:
        self.bridge = bridge
        self.hub = ScriptedHub()
        bridge.client.script = self.hub

    async def has(self, *uids: str, location_id: str = "X1", **fields: Any) -> None:
        """BE*AAA's location has these EVSEs now."""
        clock = self.bridge.world.clock
        clock.passed_s += 60
        tree = their_location("2.3.0", location_id=location_id, evses=uids, at=clock.now(), **fields)
        await foreign.put(self.bridge.world.hub, foreign.Spot(AAA, location_id), tree)
        await self.bridge.oicp.follower.catch_up()

    async def does(self, uid: str, status: str, location_id: str = "X1") -> None:
        clock = self.bridge.world.clock
        clock.passed_s += 60
        part = {"status": status, "last_updated": timestamp(clock.now())}
        await foreign.patch(self.bridge.world.hub, foreign.Spot(AAA, location_id), (uid,), part)
        await self.bridge.oicp.follower.catch_up()

    async def push(self) -> list[tuple[str, str, int]]:
        """Returns: what the hub was sent."""
        self.hub.forget_pushes()
        await self.bridge.oicp.evse_push.push("hbs")
        return list(self.hub.pushes)

    def passes(self, time: timedelta) -> None:
        self.bridge.world.clock.passed_s += time.total_seconds()


@pytest.fixture
async def yard(sqlite_url: str) -> AsyncIterator[Yard]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        await made.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), push_size=5)
        await made.oicp.operators.say(AAA, {"hotline": "+3212345678"}, actor="test")
        yield Yard(made)


def _ids(*uids: str) -> list[str]:
    return [f"BE*AAA*E{uid}" for uid in uids]


async def test_what_the_hub_has_not_is_inserted_and_then_its_status(yard: Yard) -> None:
    await yard.has("1", "2")
    assert await yard.push() == [(DATA, "insert", 2), (STATUS, "insert", 2)]
    assert list(yard.hub.data) == _ids("1", "2")
    assert set(yard.hub.states.values()) == {"Available"}
    assert (yard.bridge.client.asked[0].id, yard.bridge.client.asked[0].partner) == ("DE*BSB", "hbs")
    assert "OperatorID" not in yard.hub.data["BE*AAA*E1"]


async def test_only_what_changed_goes(yard: Yard) -> None:
    await yard.has("1", "2")
    await yard.has("3", location_id="X2")
    await yard.push()
    assert await yard.push() == []
    await yard.has("3", location_id="X2", help_phone="+3299999999")
    assert await yard.push() == [(DATA, "update", 1)]
    await yard.does("1", "CHARGING")
    assert await yard.push() == [(STATUS, "update", 1)]
    assert yard.hub.states["BE*AAA*E1"] == "Occupied"


async def test_many_go_in_requests_of_a_size_one_after_the_other(yard: Yard) -> None:
    await yard.has(*map(str, range(12)))
    sent = await yard.push()
    assert [each for each in sent if each[0] == DATA] == [(DATA, "insert", size) for size in (5, 5, 2)]


async def test_an_evse_that_is_gone_is_deleted(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has(*map(str, range(1, 10)))
    assert (DATA, "delete", 1) in await yard.push()
    assert "BE*AAA*E0" not in yard.hub.data


async def test_more_than_a_fifth_is_taken_back_only_when_an_operator_says_so(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has(*map(str, range(3, 10)))
    assert [each for each in await yard.push() if each[1] == "delete"] == []
    assert len(yard.hub.data) == 10
    (held,) = await yard.bridge.oicp.evse_push.shown()
    assert held["reason"].startswith("3 of 10 EVSEs would be taken back")
    await yard.bridge.oicp.evse_push.confirm("hbs", actor="test")
    await yard.push()
    assert len(yard.hub.data) == 7
    assert await yard.bridge.oicp.evse_push.shown() == []


async def test_a_fifth_is_the_most_of_a_day_not_of_a_push(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    for gone in (1, 2, 3):
        await yard.has(*map(str, range(gone, 10)))
        await yard.push()
    assert len(yard.hub.data) == 8


async def test_what_is_held_goes_by_itself_when_it_is_there_again(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has("9")
    await yard.push()
    await yard.has(*map(str, range(10)))
    yard.passes(timedelta(hours=2))
    await yard.push()
    assert await yard.bridge.oicp.evse_push.shown() == []
    assert len(yard.hub.data) == 10


async def test_a_week_later_all_of_it_is_told_again_if_it_fits_one_request(yard: Yard) -> None:
    await yard.has("1", "2")
    await yard.push()
    yard.passes(timedelta(days=8))
    sent = await yard.push()
    assert (DATA, "fullLoad", 2) in sent
    assert (STATUS, "fullLoad", 2) in sent
    await yard.has(*map(str, range(9)))
    await yard.push()
    yard.passes(timedelta(days=8))
    assert [each for each in await yard.push() if each[:2] == (DATA, "fullLoad")] == []


async def test_a_hub_that_has_other_evses_than_it_said_is_brought_to_order(yard: Yard) -> None:
    await yard.has("1", "2", "3")
    yard.hub.data["BE*AAA*E2"] = {"EvseID": "BE*AAA*E2"}
    await yard.push()
    assert sorted(yard.hub.data) == _ids("1", "2", "3")
    assert len(yard.hub.data["BE*AAA*E2"]) > 1
    del yard.hub.data["BE*AAA*E3"]
    await yard.does("3", "CHARGING")
    await yard.push()
    await yard.push()
    assert yard.hub.states["BE*AAA*E3"] == "Occupied"


async def test_an_evse_that_the_hub_does_not_take_keeps_no_other_from_it(yard: Yard) -> None:
    yard.hub.refuses["BE*AAA*E2"] = "018"
    await yard.has("1", "2", "3")
    await yard.push()
    assert sorted(yard.hub.data) == _ids("1", "3")
    (found,) = [line for line in await findings.shown(yard.bridge.world.store) if line["owner"] == "BE*AAA"]
    assert found["example"] == "BE*AAA*E2"
    assert await yard.push() == []
    yard.hub.refuses.clear()
    await yard.has("1", "2", "3", help_phone="+3299999999")
    await yard.push()
    assert sorted(yard.hub.data) == _ids("1", "2", "3")
    assert [line for line in await findings.shown(yard.bridge.world.store) if line["owner"] == "BE*AAA"] == []


async def test_a_status_waits_for_the_data_of_its_evse(yard: Yard) -> None:
    yard.hub.refuses["BE*AAA*E1"] = "022"
    await yard.has("1")
    await yard.push()
    await yard.does("1", "CHARGING")
    assert await yard.push() == []


@pytest.mark.parametrize("fault", [PeerTimeout(), PeerRefused("a page of a firewall", http=403), PeerRefused(http=503)])
async def test_a_hub_that_fails_is_tried_again_and_gets_nothing_twice(yard: Yard, fault: Exception) -> None:
    await yard.has("1")
    yard.hub.fault = fault
    await yard.bridge.oicp.evse_push.guarded("hbs")
    (shown,) = await yard.bridge.oicp.evse_push.shown()
    assert "takes no EVSEs" in shown["reason"]
    yard.hub.fault = None
    assert await yard.push() == [(DATA, "insert", 1), (STATUS, "insert", 1)]
    assert await yard.bridge.oicp.evse_push.shown() == []


async def test_a_hub_that_does_not_know_us_is_not_asked_for_each_evse(yard: Yard) -> None:
    await yard.has("1", "2", "3", "4")
    yard.hub.refuses["BE*AAA*E1"] = "017"
    with pytest.raises(Refusal):
        await yard.push()
    assert len(yard.hub.pushes) == 1


async def test_what_was_acknowledged_is_known_after_a_restart(yard: Yard) -> None:
    await yard.has("1", "2")
    await yard.push()
    oicp = yard.bridge.oicp
    again = type(oicp.evse_push)(oicp.bridge, oicp.table, oicp.operators)
    yard.hub.forget_pushes()
    await again.push("hbs")
    assert yard.hub.pushes == []


async def test_a_fleet_of_which_a_hundredth_changed_sends_that_hundredth(yard: Yard) -> None:
    connection = yard.bridge.oicp.connections.get("hbs")
    await yard.bridge.oicp.connections.connect(connection.model_copy(update={"push_size": 500}), actor="test")
    for number in range(100):
        uids = tuple(f"{number}A{each}" for each in range(10))
        tree = their_location("2.3.0", location_id=f"L{number}", evses=uids, at=NOW)
        await foreign.put(yard.bridge.world.hub, foreign.Spot(AAA, f"L{number}"), tree)
    await yard.bridge.oicp.follower.catch_up()
    await yard.push()
    assert len(yard.hub.data) == len(yard.hub.states) == 1000
    yard.passes(timedelta(minutes=5))
    await yard.has(*(f"7A{each}" for each in range(10)), location_id="L7", help_phone="+3299999999")
    assert await yard.push() == [(DATA, "update", 10)]


async def test_what_was_confirmed_does_not_count_among_the_fifth_of_that_day(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has(*map(str, range(3, 10)))
    await yard.push()
    await yard.bridge.oicp.evse_push.confirm("hbs", actor="test")
    await yard.push()
    await yard.has(*map(str, range(4, 10)))
    await yard.push()
    assert len(yard.hub.data) == 6


async def test_what_is_there_again_holds_nothing_else(yard: Yard) -> None:
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has("9")
    await yard.push()
    await yard.has(*map(str, range(10)))
    await yard.push()
    assert await yard.bridge.oicp.evse_push.shown() == []
    await yard.has(*map(str, range(1, 10)))
    assert (DATA, "delete", 1) in await yard.push()


async def test_what_the_hub_never_took_is_not_taken_back(yard: Yard) -> None:
    for each in _ids("0", "1", "2"):
        yard.hub.refuses[each] = "022"
    await yard.has(*map(str, range(10)))
    await yard.push()
    await yard.has(*map(str, range(4, 10)))
    await yard.push()
    assert sorted(yard.hub.data) == _ids(*map(str, range(4, 10)))
    assert await yard.bridge.oicp.evse_push.shown() == []


async def test_other_owners_are_no_news_of_those_that_stay(yard: Yard) -> None:
    await yard.bridge.world.join("c2", "FR*CCC", PartyRole.CPO)
    await yard.has(*map(str, range(8)))
    tree = their_location("2.3.0", "FR*CCC", location_id="C1", evses=("1",), at=yard.bridge.world.clock.now())
    await foreign.put(yard.bridge.world.hub, foreign.Spot(Party("FR", "CCC"), "C1"), tree)
    await yard.bridge.oicp.operators.say(Party("FR", "CCC"), {"hotline": "+3312345678"}, actor="test")
    await yard.bridge.oicp.follower.catch_up()
    await yard.push()
    assert len(yard.hub.data) == 9
    rule = Agreement(viewer="hbs", owner="FR*CCC", allow=False)
    await yard.bridge.world.hub.agreements.put(rule, actor="ops")
    assert [each for each in await yard.push() if each[0] == DATA] == [(DATA, "delete", 1)]


async def test_a_hub_that_says_when_to_come_again_is_tried_again_then(yard: Yard) -> None:
    await yard.has("1")
    yard.hub.fault = PeerRefused("often", http=429, retry_after_s=0.2)
    clock = yard.bridge.world.clock
    running = asyncio.create_task(yard.bridge.oicp.evse_push.run())
    async with asyncio.timeout(30):
        while not yard.hub.pushes:
            await asyncio.sleep(0.02)
            clock.move_to(clock.passed_s + 1)
            if yard.bridge.client.asked:
                yard.hub.fault = None
    running.cancel()
    assert yard.hub.pushes[0] == (DATA, "insert", 1)


@pytest.fixture
async def between(yard: Yard) -> Yard:
    """Behind another hub, where we are a provider, there are two CPOs."""
    far = await yard.bridge.connect("far", "hub", party="DE*FAR", provider_ids=("DE-BSB",))
    for country, party in (("DE", "ABC"), ("DE", "XYZ")):
        operator = f"{country}*{party}"
        await yard.bridge.oicp.connections.learn(far, PartyRole.CPO, Party(country, party))
        source = Source("far", operator, operator, terms_with(far))
        told = {f"{country}{party}E{number}": evse({"EvseID": f"{operator}*E{number}"}) for number in (1, 2)}
        await yard.bridge.oicp.intake.write(source, told, {}, {})
    await yard.has("1")
    return yard


async def _lists(yard: Yard, *operators: str) -> None:
    await yard.bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB", *operators), push_size=5)


async def test_the_evses_of_cpos_behind_another_hub_are_not_pushed_as_ours(between: Yard) -> None:
    await between.push()
    assert list(between.hub.data) == _ids("1")
    lines = await between.bridge.oicp.evse_push.shown()
    assert [(line["owner"], line["things"], line["example"]) for line in lines] == [
        ("DE*ABC", 2, "DE*ABC*E1"),
        ("DE*XYZ", 2, "DE*XYZ*E1"),
    ]
    assert "far" in lines[0]["reason"]
    assert "hbs" in lines[0]["reason"]


async def test_a_cpo_behind_another_hub_whose_operator_id_is_ours_there_is_pushed_under_it(between: Yard) -> None:
    await _lists(between, "DE*ABC")
    await between.push()
    assert sorted(between.hub.data) == [*_ids("1"), "DE*ABC*E1", "DE*ABC*E2"]
    pushed = [asked for asked in between.bridge.client.asked if asked.operation == DATA]
    under = {asked.id: [each["EvseID"] for each in _records(asked.message)] for asked in pushed}
    assert under == {"DE*BSB": _ids("1"), "DE*ABC": ["DE*ABC*E1", "DE*ABC*E2"]}
    assert [line["owner"] for line in await between.bridge.oicp.evse_push.shown()] == ["DE*XYZ"]


def _records(message: Any) -> Any:
    return message["OperatorEvseData"]["EvseDataRecord"]


async def test_what_was_pushed_as_ours_is_taken_back_when_an_operator_says_so(between: Yard) -> None:
    await _lists(between, "DE*ABC")
    await between.push()
    await _lists(between)
    await between.push()
    assert len(between.hub.data) == 3
    await between.bridge.oicp.evse_push.confirm("hbs", actor="test")
    await between.push()
    assert list(between.hub.data) == _ids("1")


def _names(yard: Yard) -> dict[str, str]:
    """By OperatorID, the OperatorName with which EVSEs were pushed last."""
    pushed = [data["OperatorEvseData"] for data in yard.bridge.client.of(DATA)]
    return {data["OperatorID"]: data["OperatorName"] for data in pushed}


async def test_the_name_that_was_said_of_our_operator_is_told_with_its_evses(yard: Yard) -> None:
    await yard.bridge.oicp.operators.say(OURS, {"operator_name": "Busbar Charging"}, actor="test")
    await yard.has("1", "2")
    await yard.push()
    assert _names(yard) == {"DE*BSB": "Busbar Charging"}


async def test_evses_are_told_anew_when_their_operator_is_called_otherwise(yard: Yard) -> None:
    await yard.has("1", "2")
    await yard.push()
    assert _names(yard) == {"DE*BSB": "DE*BSB"}
    for name in ("Busbar Charging", "Busbar"):
        await yard.bridge.oicp.operators.say(OURS, {"operator_name": name}, actor="test")
        assert await yard.push() == [(DATA, "update", 2)]
        assert _names(yard) == {"DE*BSB": name}
        assert await yard.push() == []


async def test_each_operator_id_of_ours_has_its_own_name_and_the_terms_of_the_hub_go_before(yard: Yard) -> None:
    operators = yard.bridge.oicp.operators
    ids: dict[str, Any] = {"party": "DE*HBS", "operator_ids": ("DE*ZZZ", "BE*AAA"), "push_size": 5}
    await yard.bridge.connect("hbs", "hub", **ids)
    await operators.say(OURS, {"operator_name": "Busbar Charging"}, actor="test")
    names = yard.bridge.oicp.evse_push.names
    connection = yard.bridge.oicp.connections.get("hbs")
    assert [names.of(connection, each) for each in ids["operator_ids"]] == ["Busbar Charging", "BE*AAA"]
    await operators.say(AAA, {"operator_name": "Aaa"}, actor="test")
    await yard.has("1")
    await yard.push()
    assert _names(yard) == {"BE*AAA": "Aaa"}
    await yard.bridge.connect("hbs", "hub", **ids, terms={"operator_name": "Agreed"})
    await yard.push()
    assert _names(yard) == {"BE*AAA": "Agreed"}


async def test_an_evse_of_our_own_that_is_told_again_after_it_was_left_out_is_inserted_again(yard: Yard) -> None:
    world = yard.bridge.world
    await yard.bridge.oicp.operators.say(OURS, {"hotline": "+49301234567"}, actor="test")
    uids = tuple(f"E{number}" for number in range(1, 11))
    for given in (uids, uids[1:], uids):
        yard.passes(timedelta(minutes=1))
        tree = location(evses=given)
        for each in tree["evses"]:
            del each["status"]
        await locations.put(world.store, OURS, "LOC1", tree, now=world.clock.now())
        await yard.bridge.oicp.follower.catch_up()
        sent = await yard.push()
    assert (DATA, "insert", 1) in sent
    assert len(yard.hub.data) == len(yard.hub.states) == 10
