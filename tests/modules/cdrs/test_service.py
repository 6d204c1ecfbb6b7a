"""CDRs: issued once and for ever, taken back by a credit, and only where all of it can be said."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.units import Unit
from modules.cdrs import service
from modules.cdrs.publication import CdrPublication
from modules.cdrs.store import CDRS, key_of
from modules.cdrs.wire import CDR
from modules.locations import service as locations
from modules.sessions.charge import frozen_location
from modules.sessions.facts import facts_of
from modules.tariffs import service as tariffs
from tests.modules.sessions.charging import Charging
from tests.modules.sessions.test_service import with_reservation_prices
from tests.world import NOW, OURS, World, a_world, location

POST = ("POST", "cdrs", "")


async def charged(world: World) -> Charging:
    """A charge of 10 kWh, billed."""
    charging = Charging(world)
    await charging.begin()
    await charging.end(30, "110")
    return charging


async def take_back(world: World, cdr_id: str) -> Any:
    document = await service.get(world.hub, key_of(OURS, cdr_id))
    frozen = await frozen_location(world.store, document.columns["session"])
    return await service.take_back(world.hub, document.key, actor="op", location=frozen)


async def delivered(world: World) -> list[str]:
    """What the eMSP gets when all CDRs are offered to it: ids, or `held`."""
    found = []
    for document in await world.documents(CDRS):
        world.peers.sent.clear()
        try:
            await CdrPublication().deliver(world.hub, world.partner("e1"), document.key, frozenset({""}))
        except NotExpressible:
            assert world.peers.sent == []
            found.append("held")
        else:
            found += [sent.body["id"] for sent in world.peers.sent if sent.brief == POST]
    return found


async def listed(world: World) -> list[Any]:
    said = await world.ask("GET", world.at("sender/cdrs"), by="e1")
    assert said.headers["x-total-count"] == str(len(said.data))
    return list(said.data)


async def test_a_cdr_is_valid_and_of_its_session(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    CDR["2.3.0"].read(cdr)
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (10, 5)
    (theirs,) = await listed(world)
    assert theirs["id"] == cdr["id"]
    assert await delivered(world) == [cdr["id"]]
    assert world.peers.sent[-1].body["id"] == cdr["id"]


async def test_the_receipt_of_a_cdr_is_kept_beside_it_and_sent_to_nobody(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    key = key_of(OURS, cdr["id"])
    kept = await service.receipt(world.hub, key)
    assert kept["figures"][-1]["before_taxes"]["rounded"] == f"{cdr['total_cost']['before_taxes']:f}"
    assert (kept["currency"], kept["policy"]["rounding"]) == (cdr["currency"], "half_up")
    await delivered(world)
    assert "figures" not in str(world.peers.sent[-1].body)


async def test_the_receipt_of_a_credit_says_what_it_takes_back_and_what_it_gives_back(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    credit = await take_back(world, cdr["id"])
    billed, back = [await service.receipt(world.hub, key_of(OURS, each["id"])) for each in (cdr, credit)]
    assert "credit_reference_id" not in billed
    assert back["credit_reference_id"] == cdr["id"]
    apart = ("credit_reference_id", "figures")
    assert {n: v for n, v in back.items() if n not in apart} == {n: v for n, v in billed.items() if n not in apart}
    for ours, theirs in zip(back["figures"], billed["figures"], strict=True):
        assert [-amount for amount in amounts(ours)] == amounts(theirs)
    total = back["figures"][-1]
    assert Decimal(total["before_taxes"]["rounded"]) == credit["total_cost"]["before_taxes"]
    assert [Decimal(tax["amount"]) for tax in total["taxes"]] == [
        tax["amount"] for tax in credit["total_cost"].get("taxes", ())
    ]
    with pytest.raises(NotFound):
        await service.receipt(world.hub, key_of(OURS, "none"))


def amounts(figure: Any) -> list[Fraction]:
    """All numbers of a figure of a receipt."""
    both = (figure["before_taxes"], figure["after_taxes"] or {})
    return [Fraction(text) for each in both for text in each.values()] + [
        Fraction(t["amount"]) for t in figure["taxes"]
    ]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_cdr_is_never_written_again(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        charging = await charged(world)
        charging.facts.remark = "another story"
        unit = Unit()
        assert service.issue(world.hub, facts_of(world.hub, charging.facts), "NL*EEE", unit) == ""
        async with world.unchanged():
            with pytest.raises(Conflict):
                await world.store.commit(unit)


async def test_a_credit_is_all_of_it_again_with_the_total_negative(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    credit = await take_back(world, cdr["id"])
    stored = parse((await service.get(world.hub, key_of(OURS, credit["id"]))).body, limit=2**20)
    assert stored == credit
    CDR["2.3.0"].read(stored)
    assert (stored["credit"], stored["credit_reference_id"]) == (True, cdr["id"])
    assert stored["id"] != cdr["id"]
    assert len(stored["id"]) <= 39
    assert stored["total_cost"]["before_taxes"] == -cdr["total_cost"]["before_taxes"]
    own = {"id", "credit", "credit_reference_id", "total_cost", "last_updated"}
    assert {n: v for n, v in stored.items() if n not in own} == {n: v for n, v in cdr.items() if n not in own}


async def test_nothing_is_taken_back_twice_and_no_credit_at_all(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    credit = await take_back(world, cdr["id"].upper())
    async with world.unchanged():
        for cdr_id in (cdr["id"], credit["id"]):
            with pytest.raises(InvalidRequest):
                await take_back(world, cdr_id)
        with pytest.raises(NotFound):
            await take_back(world, "NONE")


async def test_credits_are_left_out_and_held_for_2_1_1(world: World) -> None:
    (cdr,) = await (await charged(world)).cdrs()
    credit = await take_back(world, cdr["id"])
    if world.version == "2.1.1":
        assert [tree["id"] for tree in await listed(world)] == [cdr["id"]]
        assert await delivered(world) == [cdr["id"], "held"]
    else:
        assert [tree["id"] for tree in await listed(world)] == [cdr["id"], credit["id"]]
        assert await delivered(world) == [cdr["id"], credit["id"]]


async def test_who_cannot_be_told_of_a_credit_is_not_billed_twice(world: World) -> None:
    charging = await charged(world)
    await charging.correct(40, "112")
    first, credit, bill = await charging.cdrs()
    if world.version == "2.1.1":
        assert [tree["id"] for tree in await listed(world)] == [first["id"]]
        assert await delivered(world) == [first["id"], "held", "held"]
    else:
        assert await delivered(world) == [first["id"], credit["id"], bill["id"]]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_the_location_in_a_cdr_of_2_1_1_is_that_of_the_start(world: World) -> None:
    charging = Charging(world)
    await charging.begin()
    await locations.put(world.store, OURS, "LOC1", location(name="New", evses=("E2",)), now=world.clock.now())
    await charging.end(30, "110")
    for body in (await listed(world))[0], (await delivered(world), world.peers.sent[-1].body)[1]:
        place = body["location"]
        assert (place["name"], [evse["uid"] for evse in place["evses"]]) == ("Rail", ["E1"])
        assert [connector["id"] for connector in place["evses"][0]["connectors"]] == ["1"]
        assert body["auth_id"] == "NL-EEE-C1"


async def test_a_bill_for_a_reservation_alone_reaches_every_version(world: World) -> None:
    await tariffs.put(world.store, OURS, "T1", with_reservation_prices(), now=NOW)
    charging = Charging(world)
    await charging.reserve()
    world.clock.passed_s = 3600
    await charging.end_reservation(expired=True)
    (cdr,) = await charging.cdrs()
    assert [tree["id"] for tree in await listed(world)] == [cdr["id"]]
    assert await delivered(world) == [cdr["id"]]
    credit = await take_back(world, cdr["id"])
    assert credit["credit_reference_id"] == cdr["id"]


async def test_a_bill_goes_to_the_owner_of_the_token_alone(world: World) -> None:
    await charged(world)
    (document,) = await world.documents(CDRS)
    world.peers.sent.clear()
    for name in ("e2", "c1"):
        await CdrPublication().deliver(world.hub, world.partner(name), document.key, frozenset({""}))
    assert world.peers.sent == []
    assert (await world.ask("GET", world.at("sender/cdrs"), by="e2")).data == []
