"""Whom an agreement lets in is told of what is there, whatever stops in between; and nobody else is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from hub.core import failpoints
from hub.core.agreements import Agreement
from hub.core.delivery import only_for
from hub.core.failpoints import FailpointRaised
from hub.core.kept_back import KEPT_BACK, forget
from hub.core.opened import OPENED, Opened
from hub.core.parties import PartyRole
from hub.core.registry import State
from hub.core.units import Put, Unit
from hub.worker import tell_who_was_let_in
from modules.tariffs.store import TARIFFS
from tests.hub.core.test_sharing import Pushed, push
from tests.modules.bookings.booked import open_place
from tests.world import NOW, World, a_world, their_location, their_tariff, token

SHARED = ("tariffs", "locations", "bookings", "tokens")
DENIED = Agreement(viewer="e1", owner="BE*AAA", allow=False)
LATER = NOW.replace(minute=5)
PUTS = [("PUT", "tariffs", "BE/AAA/T9"), ("PUT", "locations", "BE/AAA/X1")]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """A CPO's tariff and location, which everybody has; then e1 may not have them any more."""
    async with a_world(database_url) as made:
        await push(made, "c1", "tariffs", their_tariff("2.2.1"))
        await push(made, "c1", "locations", their_location("2.2.1"))
        await agree(made, DENIED)
        yield made


@pytest.fixture
async def pushed(world: World) -> AsyncIterator[Pushed]:
    """With lanes that have passed over what e1 may not have."""
    pushing = Pushed(world)
    pushing.start()
    await push(world, "c1", "locations", their_location("2.2.1", name="New", at=LATER))
    await pushing.settled()
    world.peers.sent.clear()
    yield pushing
    await pushing.lanes.stop()


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def agree(world: World, rule: Agreement) -> None:
    await world.hub.agreements.put(rule, actor="ops", shared=SHARED)


async def end(world: World, rule: Agreement = DENIED) -> None:
    await world.hub.agreements.remove(rule, actor="ops", shared=SHARED)


async def owed(world: World) -> int:
    return len(await world.documents(OPENED))


async def test_what_changed_while_a_rule_denied_it_is_sent_when_the_rule_is_gone(pushed: Pushed) -> None:
    await end(pushed.world)
    await tell_who_was_let_in(pushed.world.hub)
    await pushed.settled()
    assert pushed.got("e1") == PUTS
    assert [sent.body["name"] for sent in pushed.world.peers.sent if sent.module == "locations"] == ["New"]
    assert {sent.partner for sent in pushed.world.peers.sent} == {"e1"}
    await tell_who_was_let_in(pushed.world.hub)
    await pushed.settled()
    assert pushed.got("e1") == PUTS
    assert await owed(pushed.world) == 0


async def test_a_rule_that_allows_lets_in_as_well_and_in_its_module_alone(pushed: Pushed) -> None:
    await agree(pushed.world, Agreement(viewer="e1", owner="BE*AAA", module="tariffs"))
    await tell_who_was_let_in(pushed.world.hub)
    await pushed.settled()
    assert pushed.world.peers.sent != []
    assert pushed.got("e1") == PUTS[:1]


async def test_a_rule_that_opens_nothing_new_brings_nothing(world: World) -> None:
    for rule in (
        Agreement(viewer="e2", owner="BE*AAA"),
        Agreement(viewer="e1", owner="BE*BBB", allow=False),
        Agreement(viewer="NL*FFF", module="locations"),
    ):
        await agree(world, rule)
        assert await owed(world) == 0


async def test_a_rule_for_everybody_lets_in_each_of_them_but_who_was_in(world: World) -> None:
    await agree(world, Agreement(allow=False))
    await agree(world, Agreement(viewer="e2", owner="BE*AAA", module="locations"))
    await tell_who_was_let_in(world.hub)
    last = await world.store.last_change()
    await end(world, Agreement(allow=False))
    await tell_who_was_let_in(world.hub)
    told = {(row.change.what, row.change.key) for row in await world.store.changes(after=last, limit=100)}
    assert ("only/e2", "BE*AAA/T9") in told
    assert ("only/e2", "BE*AAA/X1") not in told
    assert ("only/e1", "BE*AAA/X1") not in told
    assert ("only/e1", "DE*BSB/LOC1") in told


async def test_tokens_are_brought_to_a_cpo(world: World) -> None:
    path = world.at("receiver/tokens/NL/EEE/CARD1")
    assert (await world.ask("PUT", path, by="e1", body=token("2.2.1"))).code == 1000
    rule = Agreement(viewer="BE*BBB", owner="NL*EEE", allow=False)
    await agree(world, rule)
    last = await world.store.last_change()
    await end(world, rule)
    await tell_who_was_let_in(world.hub)
    told = [row.change for row in await world.store.changes(after=last, limit=100) if row.change.module == "tokens"]
    assert [change.what for change in told] == ["only/c2"]


async def test_booking_locations_are_brought_as_well(database_url: str) -> None:
    async with a_world(database_url, "2.3.0") as world:
        await open_place(world)
        rule = Agreement(viewer="e1", owner="DE*BSB", module="bookings", allow=False)
        await agree(world, rule)
        pushing = Pushed(world)
        pushing.start()
        await pushing.settled()
        assert "Booking" not in {module for _, module, _ in pushing.got("e1")}
        world.peers.sent.clear()
        await end(world, rule)
        await tell_who_was_let_in(world.hub)
        await pushing.settled()
        await pushing.lanes.stop()
        assert {sent.partner for sent in world.peers.sent} == {"e1"}
        assert [sent.brief for sent in world.peers.sent] == [("PUT", "Booking", "DE/BSB/booking_locations/BL1")]


async def test_what_is_owed_is_on_disk_with_the_rule(database_url: str) -> None:
    async with a_world(database_url) as world:
        await push(world, "c1", "locations", their_location("2.2.1"))
        await agree(world, DENIED)
        await end(world)
    async with a_world(database_url) as world:
        last = await world.store.last_change()
        await tell_who_was_let_in(world.hub)
        told = [row.change for row in await world.store.changes(after=last, limit=100)]
        assert told == [only_for("e1", "locations", "BE*AAA/X1")]


async def test_a_stop_between_two_batches_leaves_nothing_out_and_tells_nothing_twice(world: World) -> None:
    columns = tuple((await world.documents(TARIFFS))[0].columns.values())
    more = [Put(TARIFFS, f"BE*AAA/M{n}", b"{}", owner="BE*AAA", columns=columns) for n in range(1000)]
    await world.store.commit(Unit([*more]))
    last = await world.store.last_change()
    await end(world)
    failpoints.arm("catching_up.after_batch=1*off->1*raise", {"BUSBAR_TEST": "1"})
    with pytest.raises(FailpointRaised):
        await tell_who_was_let_in(world.hub)
    await tell_who_was_let_in(world.hub)
    rows = await world.store.changes(after=last, limit=5000)
    told = [row.change.key for row in rows if row.change.what == "only/e1"]
    assert told == ["BE*AAA/T9", *(put.key for put in more), "BE*AAA/X1"]


async def test_who_is_kept_out_again_before_it_was_told_is_told_nothing(pushed: Pushed) -> None:
    await end(pushed.world)
    await agree(pushed.world, DENIED)
    await tell_who_was_let_in(pushed.world.hub)
    await pushed.settled()
    assert pushed.got("e1") == []
    assert await owed(pushed.world) == 0


async def test_what_is_addressed_to_somebody_else_is_not_brought(pushed: Pushed) -> None:
    world = pushed.world
    await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "P1"), for_party="NL*FFF")
    await pushed.settled()
    world.peers.sent.clear()
    await end(world)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert pushed.got("e1") == PUTS


async def test_of_an_object_for_all_and_for_one_by_name_the_copy_that_counts_is_brought(pushed: Pushed) -> None:
    world = pushed.world
    await end(world)
    await tell_who_was_let_in(world.hub)
    by_name = their_location("2.2.1", "BE*AAA", "P2", name="By name", at=LATER)
    await push(world, "c1", "locations", by_name, for_party="NL*EEE")
    await pushed.settled()
    await agree(world, DENIED)
    for_all = their_location("2.2.1", "BE*AAA", "P2", name="For all", at=LATER.replace(minute=6))
    await push(world, "c1", "locations", for_all)
    await pushed.settled()
    world.peers.sent.clear()
    await end(world)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert [sent.body["name"] for sent in world.peers.sent if sent.path[-1] == "P2"] == ["For all"]


async def test_a_partner_that_is_blocked_is_brought_it_when_it_is_back_and_one_that_left_is_not(pushed: Pushed) -> None:
    world = pushed.world
    connected = world.partner("e1")
    await world.registry.save(connected.model_copy(update={"state": State.BLOCKED}))
    await world.join("gone", "NL*GON", PartyRole.EMSP)
    await agree(world, Agreement(viewer="gone", allow=False))
    await end(world)
    await end(world, Agreement(viewer="gone", allow=False))
    assert await owed(world) == 2
    await world.registry.save(world.partner("gone").model_copy(update={"state": State.UNREGISTERED}))
    await tell_who_was_let_in(world.hub)
    assert await owed(world) == 0
    await world.registry.save(connected)
    await pushed.settled()
    assert pushed.got("e1") == PUTS
    assert "only/gone" not in {row.change.what for row in await world.store.changes(after=0, limit=1000)}


async def stands(world: World, name: str, state: State) -> None:
    await world.registry.save(world.partner(name).model_copy(update={"state": state}))


@pytest.mark.parametrize("state", [State.BLOCKED, State.UNREGISTERED])
async def test_what_is_owed_of_an_owner_that_is_away_is_sent_when_it_is_back(pushed: Pushed, state: State) -> None:
    world = pushed.world
    await stands(world, "c1", state)
    await end(world)
    async with world.unchanged():
        for _ in range(2):
            await tell_who_was_let_in(world.hub)
    await stands(world, "c1", State.CONNECTED)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert pushed.got("e1") == PUTS
    assert await owed(world) == 0


async def test_what_is_there_does_not_wait_for_an_owner_that_is_away(world: World) -> None:
    await push(world, "c2", "locations", their_location("2.2.1", "BE*BBB", "Y1"))
    everybody = Agreement(viewer="e1", allow=False)
    await agree(world, everybody)
    await end(world)
    await stands(world, "c1", State.BLOCKED)
    last = await world.store.last_change()
    await end(world, everybody)
    for _ in range(2):
        await tell_who_was_let_in(world.hub)
    told = [row.change.key for row in await world.store.changes(after=last, limit=100) if row.change.what == "only/e1"]
    assert told == ["DE*BSB/T1", "DE*BSB/LOC1", "BE*BBB/Y1"]
    await stands(world, "c1", State.CONNECTED)
    await tell_who_was_let_in(world.hub)
    told = [row.change.key for row in await world.store.changes(after=last, limit=100) if row.change.what == "only/e1"]
    assert told[3:] == ["BE*AAA/T9", "BE*AAA/X1"]
    assert await owed(world) == 0


async def test_who_is_kept_out_again_before_the_owner_is_back_is_told_nothing(pushed: Pushed) -> None:
    world = pushed.world
    await stands(world, "c1", State.BLOCKED)
    await end(world)
    await tell_who_was_let_in(world.hub)
    await agree(world, DENIED)
    await tell_who_was_let_in(world.hub)
    assert await owed(world) == 0
    await stands(world, "c1", State.CONNECTED)
    await pushed.settled()
    assert pushed.got("e1") == []


async def test_an_owner_that_goes_away_in_between_is_gone_on_with_when_it_is_back(world: World) -> None:
    columns = tuple((await world.documents(TARIFFS))[0].columns.values())
    more = [Put(TARIFFS, f"BE*AAA/M{n}", b"{}", owner="BE*AAA", columns=columns) for n in range(600)]
    await world.store.commit(Unit([*more]))
    last = await world.store.last_change()
    await end(world)
    failpoints.arm("catching_up.after_batch=1*raise", {"BUSBAR_TEST": "1"})
    with pytest.raises(FailpointRaised):
        await tell_who_was_let_in(world.hub)
    await stands(world, "c1", State.BLOCKED)
    await tell_who_was_let_in(world.hub)
    await stands(world, "c1", State.CONNECTED)
    await tell_who_was_let_in(world.hub)
    rows = await world.store.changes(after=last, limit=5000)
    told = {row.change.key for row in rows if row.change.what == "only/e1"}
    assert told == {"BE*AAA/T9", *(put.key for put in more), "BE*AAA/X1"}
    assert await owed(world) == 0


async def withdraw(world: World, tariff_id: str = "T9") -> None:
    assert (await world.ask("DELETE", world.at(f"receiver/tariffs/BE/AAA/{tariff_id}"), by="c1")).code == 1000


async def test_what_was_withdrawn_while_a_rule_denied_it_is_withdrawn_when_the_rule_is_gone(pushed: Pushed) -> None:
    world = pushed.world
    await push(world, "c1", "tariffs", their_tariff("2.2.1", tariff_id="Mixed"))
    await pushed.settled()
    for tariff_id in ("T9", "mixed"):
        await withdraw(world, tariff_id)
    await pushed.settled()
    assert pushed.got("e1") == []
    await end(world)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    gone = [("DELETE", "tariffs", "BE/AAA/T9"), ("DELETE", "tariffs", "BE/AAA/Mixed")]
    assert [sent for sent in pushed.got("e1") if sent[0] == "DELETE"] == gone
    assert pushed.got("e1").count(PUTS[1]) == 1
    assert await world.documents(KEPT_BACK) == []


async def test_what_is_there_again_is_not_withdrawn(pushed: Pushed) -> None:
    world = pushed.world
    await withdraw(world)
    await pushed.settled()
    await push(world, "c1", "tariffs", their_tariff("2.2.1"))
    await end(world)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert sorted(set(pushed.got("e1"))) == sorted(PUTS)
    assert await world.documents(KEPT_BACK) == []


async def test_who_may_have_a_tariff_hears_of_its_withdrawal_at_once(pushed: Pushed) -> None:
    world = pushed.world
    await withdraw(world)
    await pushed.settled()
    assert pushed.got("e2") == [("DELETE", "tariffs", "BE/AAA/T9")]
    assert [document.columns["partner"] for document in await world.documents(KEPT_BACK)] == ["e1"]


async def test_a_withdrawal_waits_for_its_own_rule(pushed: Pushed) -> None:
    world = pushed.world
    await withdraw(world)
    await pushed.settled()
    await agree(world, Agreement(viewer="e1", owner="BE*AAA", module="locations"))
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert pushed.got("e1") == PUTS[1:]
    await stands(world, "c1", State.BLOCKED)
    await end(world)
    await tell_who_was_let_in(world.hub)
    await stands(world, "c1", State.CONNECTED)
    await tell_who_was_let_in(world.hub)
    await pushed.settled()
    assert ("DELETE", "tariffs", "BE/AAA/T9") in pushed.got("e1")


async def test_what_an_old_version_cannot_say_any_more_is_withdrawn_when_the_rule_is_gone(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        await world.join("old", "NL*OLD", PartyRole.EMSP, version="2.1.1")
        await push(world, "c1", "locations", their_location("2.2.1"))
        await push(world, "c1", "tariffs", their_tariff("2.2.1"))
        rule = Agreement(viewer="old", owner="BE*AAA", allow=False)
        await agree(world, rule)
        pushing = Pushed(world)
        pushing.start()
        await pushing.settled()
        world.peers.sent.clear()
        await push(world, "c1", "locations", their_location("2.2.1", publish=False, at=LATER))
        await push(world, "c1", "tariffs", their_tariff("2.2.1", type="AD_HOC_PAYMENT", at=LATER))
        await pushing.settled()
        assert pushing.got("old") == []
        await end(world, rule)
        await tell_who_was_let_in(world.hub)
        await pushing.settled()
        await pushing.lanes.stop()
        removed = [("PATCH", "locations", f"BE/AAA/X1/{evse}") for evse in ("E1", "E2")]
        assert set(pushing.got("old")) >= {("DELETE", "tariffs", "BE/AAA/T9"), *removed}


async def test_what_is_kept_back_for_long_is_forgotten(pushed: Pushed) -> None:
    world = pushed.world
    await withdraw(world)
    await pushed.settled()
    for days, count in ((400, 1), (401, 0)):
        world.clock.move_to(days * 86_400)
        await forget(world.hub)
        assert len(await world.documents(KEPT_BACK)) == count


async def test_however_many_wait_for_their_owners_the_next_one_is_told(world: World) -> None:
    await stands(world, "c1", State.BLOCKED)
    await end(world)
    waiting = [Opened("e1", {"tariffs": ("BE*AAA",)}).put() for _ in range(1100)]
    await world.store.commit(Unit([*waiting]))
    rule = Agreement(viewer="e2", owner="DE*BSB", allow=False)
    await agree(world, rule)
    await end(world, rule)
    last = await world.store.last_change()
    await tell_who_was_let_in(world.hub)
    told = [row.change.what for row in await world.store.changes(after=last, limit=100)]
    assert set(told) == {"only/e2"}
