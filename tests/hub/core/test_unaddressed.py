"""What waits for whom it is for is looked at when something comes that may tell, and not again and again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core import unaddressed
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.unaddressed import Addressee, Waiting
from hub.core.units import Document, Put, Unit
from modules.cdrs.store import CDRS
from modules.payments.store import CONFIRMATIONS
from tests.world import World

DAY = timedelta(days=1)


class Looks:
    """What is looked at. Objects wait under a reference, and an arrival of that reference tells, once `told` has it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: set[str] = set()
        self._at: list[str] = []
        self._waiting = Waiting(
            kind=CONFIRMATIONS,
            arrivals=(CDRS,),
            concerned=self._concerned,
            whose=self._whose,
            address=lambda document, tree, party: Unit().put(_one(document.key, document.columns["reference"], party)),
            limit=100,
        )

    async def _concerned(self, hub: Hub, arrival: Document) -> list[Document]:
        return await hub.store.select(CONFIRMATIONS, equal={"reference": arrival.columns["reference"], "audience": ""})

    async def _whose(self, hub: Hub, document: Document, tree: Tree) -> Addressee:
        self._at.append(document.key)
        return Addressee("NL*EEE" if document.columns["reference"] in self.told else "")

    async def again(self) -> list[str]:
        """What the next look concerns."""
        self._at = []
        await unaddressed.look_again(self.world.hub, self._waiting)
        return self._at

    async def comes(self, *keys: str) -> None:
        """Objects, whose references are called like them."""
        await self.world.store.commit(Unit([_one(key, key, "") for key in keys]))

    async def arrives(self, key: str, reference: str) -> None:
        put = Put(CDRS, key, b"{}", columns=("2.1.1", key, "", reference))
        await self.world.store.commit(Unit([put]))


def _one(key: str, reference: str, audience: str) -> Put:
    return Put(CONFIRMATIONS, key, b"{}", audience=audience, columns=(key, reference))


@pytest.fixture
def looks(world: World) -> Looks:
    return Looks(world)


async def test_what_waits_is_looked_at_when_it_comes_and_when_something_comes_that_may_tell(looks: Looks) -> None:
    await looks.comes("A", "B")
    assert await looks.again() == ["A", "B"]
    assert await looks.again() == []
    await looks.comes("C")
    await looks.arrives("1", "B")
    await looks.arrives("2", "X")
    assert await looks.again() == ["C", "B"]
    assert await looks.again() == []


async def test_what_is_told_of_late_goes_out_and_is_looked_at_no_more(looks: Looks) -> None:
    await looks.comes("A")
    await looks.again()
    looks.told.add("A")
    assert await looks.again() == []
    await looks.arrives("1", "A")
    assert await looks.again() == ["A"]
    assert [each.audience for each in await looks.world.documents(CONFIRMATIONS)] == ["NL*EEE"]
    looks.world.clock.move_to(2 * DAY.total_seconds())
    assert await looks.again() == []


async def test_all_are_looked_at_once_a_day(looks: Looks) -> None:
    await looks.comes("A", "B")
    await looks.again()
    looks.world.clock.move_to(DAY.total_seconds() - 1)
    assert await looks.again() == []
    looks.world.clock.move_to(DAY.total_seconds())
    await looks.arrives("1", "A")
    assert await looks.again() == ["A", "B"]
    assert await looks.again() == []


async def test_a_restart_goes_on_where_the_last_look_ended(looks: Looks) -> None:
    await looks.comes("A", "B")
    await looks.again()
    await looks.arrives("1", "B")
    assert await Looks(looks.world).again() == ["B"]
    async with looks.world.unchanged():
        assert await looks.again() == []


async def test_of_many_none_is_left_out(looks: Looks) -> None:
    await looks.comes(*(f"K{number}" for number in range(450)))
    assert len(set(await looks.again())) == 450
    for number in range(0, 450, 2):
        await looks.arrives(f"{number}", f"K{number}")
    assert await looks.again() == [f"K{number}" for number in range(0, 450, 2)]
