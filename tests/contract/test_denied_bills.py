"""Invoices, payments and bookings are for one party, and reach it as far as it may have what their owner has.

Of these too a rule has one direction: what the viewer has of the owner's. What it kept back goes out when it is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from hub.core.agreements import Agreement
from hub.core.parties import PartyRole
from hub.core.registry import State
from hub.worker import tell_who_was_let_in
from modules.bookings.editions import IDENTIFIERS
from modules.cdrs.vetting import vet_waiting
from modules.invoicereconciliation import waiting as invoices_waiting
from modules.payments import waiting as payments_waiting
from tests.contract.test_bookings import booking
from tests.contract.test_invoicereconciliation import billed, record
from tests.contract.test_payments import advice, terminal
from tests.hub.core.test_delivery import Delivering, running
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.world import World, a_world

SHARED = ("invoicereconciliation", "payments", "bookings")


class Road(NamedTuple):
    """How an owner brings an object of a module, and where its viewer lists it."""

    owner: tuple[str, str]
    viewer: tuple[str, str]
    method: str
    here: str
    body: dict[str, Any]
    listed: str

    @property
    def module(self) -> str:
        return self.listed.split("/")[1]

    @property
    def to(self) -> list[tuple[str, str]]:
        return list(zip(("OCPI-to-country-code", "OCPI-to-party-id"), self.viewer[1].split("*"), strict=True))


C1, E1, T1 = ("c1", "BE*AAA"), ("e1", "NL*EEE"), ("t1", "NL*PTA")
_INVOICES, _ADVICE = "invoicereconciliation", "payments/financial-advice-confirmations"
DIRECT = Road(C1, E1, "POST", f"receiver/{_INVOICES}", record(), f"sender/{_INVOICES}")
REVERSE = Road(E1, C1, "POST", f"receiver/{_INVOICES}", record("NL*EEE"), f"sender/{_INVOICES}")
TERMINAL = Road(T1, C1, "POST", "receiver/payments/terminals", terminal(), "sender/payments/terminals")
ADVICE = Road(T1, C1, "POST", f"receiver/{_ADVICE}", advice(), f"sender/{_ADVICE}")
BOOKING = Road(C1, E1, "PUT", "receiver/bookings/BE/AAA/BK1", booking(), "sender/bookings")
BY_NAME = [
    pytest.param(DIRECT, id="direct billing"),
    pytest.param(REVERSE, id="reverse billing"),
    pytest.param(TERMINAL, id="terminals"),
    pytest.param(ADVICE, id="confirmations"),
]
ROADS = [*BY_NAME, pytest.param(BOOKING, id="bookings")]


@pytest.fixture
async def hub(sqlite_url: str) -> AsyncIterator[Delivering]:
    """Its lanes run. E1's driver has charged at a place of c1."""
    async with a_world(sqlite_url, "2.3.0", sharing="open") as world:
        await world.join("t1", "NL*PTA", PartyRole.PTP)
        await billed(world)
        async with running(world) as made:
            world.peers.sent.clear()
            yield made


async def bring(world: World, road: Road, **fields: Any) -> int | None:
    """A booking names its party itself."""
    headers = [] if road is BOOKING else road.to
    path, body = world.at(road.here), {**road.body, **fields}
    return (await world.ask(road.method, path, by=road.owner[0], body=body, headers=headers)).code


async def has(hub: Delivering, road: Road) -> tuple[int, int]:
    """How many the viewer was sent, and how many stand in its list."""
    await hub.quiet()
    names = IDENTIFIERS if road is BOOKING else (road.module,)
    sent = [each for each in hub.world.peers.sent if each.partner == road.viewer[0] and each.module in names]
    return len(sent), len((await hub.world.ask("GET", hub.world.at(road.listed), by=road.viewer[0])).data)


async def agree(world: World, rule: Agreement) -> None:
    await world.hub.agreements.put(rule, actor="op", shared=SHARED)


@pytest.mark.parametrize("road", BY_NAME)
@pytest.mark.parametrize("scope", ["*", "its own"])
async def test_a_denied_viewer_cannot_be_named_and_one_that_is_not_denied_can(
    hub: Delivering, road: Road, scope: str
) -> None:
    rule = Agreement(road.viewer[0], road.owner[1], "*" if scope == "*" else road.module, allow=False)
    await agree(hub.world, rule)
    async with hub.world.unchanged():
        assert await bring(hub.world, road) == 4001
    assert await has(hub, road) == (0, 0)
    await hub.world.hub.agreements.remove(rule, actor="op", shared=SHARED)
    assert await bring(hub.world, road) == 1000
    assert await has(hub, road) == (1, 1)


@pytest.mark.parametrize("road", ROADS)
async def test_a_denial_in_the_other_direction_keeps_nothing_back(hub: Delivering, road: Road) -> None:
    await agree(hub.world, Agreement(road.owner[0], road.viewer[1], allow=False))
    assert await bring(hub.world, road) == 1000
    assert await has(hub, road) == (1, 1)


@pytest.mark.parametrize("road", ROADS)
async def test_what_is_there_is_kept_back_by_a_denial_and_goes_out_when_it_is_gone(hub: Delivering, road: Road) -> None:
    assert await bring(hub.world, road) == 1000
    assert await has(hub, road) == (1, 1)
    hub.world.peers.sent.clear()
    rule = Agreement(road.viewer[0], road.owner[1], road.module, allow=False)
    await agree(hub.world, rule)
    path, body = hub.world.at(road.here), {**road.body, "last_updated": "2026-05-04T11:00:00Z"}
    assert (await hub.world.ask(road.method, path, by=road.owner[0], body=body)).code == 1000
    assert await has(hub, road) == (0, 0)
    await hub.world.hub.agreements.remove(rule, actor="op", shared=SHARED)
    await tell_who_was_let_in(hub.world.hub)
    assert await has(hub, road) == (1, 1)


@pytest.mark.parametrize("road", BY_NAME)
async def test_what_is_for_one_party_does_not_wait_for_its_owner(hub: Delivering, road: Road) -> None:
    await bring(hub.world, road)
    await has(hub, road)
    hub.world.peers.sent.clear()
    rule = Agreement(road.viewer[0], road.owner[1], road.module, allow=False)
    await agree(hub.world, rule)
    blocked = hub.world.partner(road.owner[0]).model_copy(update={"state": State.BLOCKED})
    await hub.world.registry.save(blocked)
    await hub.world.hub.agreements.remove(rule, actor="op", shared=SHARED)
    await tell_who_was_let_in(hub.world.hub)
    assert await has(hub, road) == (1, 1)


async def test_a_withdrawal_is_told_to_whom_the_record_is_denied_when_it_is_allowed(hub: Delivering) -> None:
    await bring(hub.world, DIRECT)
    await has(hub, DIRECT)
    hub.world.peers.sent.clear()
    rule = Agreement("e1", "BE*AAA", "invoicereconciliation", allow=False)
    await agree(hub.world, rule)
    gone = hub.world.at("receiver/invoicereconciliation/BE/AAA/REC1")
    assert (await hub.world.ask("DELETE", gone, by="c1")).code == 1000
    assert await has(hub, DIRECT) == (0, 0)
    await hub.world.hub.agreements.remove(rule, actor="op", shared=SHARED)
    await tell_who_was_let_in(hub.world.hub)
    await hub.quiet()
    assert hub.world.peers.to("e1") == [("DELETE", "invoicereconciliation", "BE/AAA/REC1")]


async def test_a_terminal_or_confirmation_that_is_denied_is_not_shown_alone_either(hub: Delivering) -> None:
    for road, name in ((TERMINAL, "T1"), (ADVICE, "F1")):
        await bring(hub.world, road)
        path = hub.world.at(f"{road.listed}/{name}")
        assert (await hub.world.ask("GET", path, by="c1")).code == 1000
    await agree(hub.world, Agreement("c1", "NL*PTA", "payments", allow=False))
    for road, name in ((TERMINAL, "T1"), (ADVICE, "F1")):
        assert (await hub.world.ask("GET", hub.world.at(f"{road.listed}/{name}"), by="c1")).http == 404


async def test_an_owner_that_is_blocked_takes_nothing_out_of_the_lists_of_who_pays(hub: Delivering) -> None:
    await bring(hub.world, DIRECT)
    blocked = hub.world.partner("c1").model_copy(update={"state": State.BLOCKED})
    await hub.world.registry.save(blocked)
    assert await has(hub, DIRECT) == (1, 1)


async def test_a_record_that_came_before_its_cdr_goes_out_with_it(hub: Delivering) -> None:
    world = hub.world
    body = record(cdrs=["LATE"])
    assert (await world.ask("POST", world.at(DIRECT.here), by="c1", body=body)).http == 201
    await invoices_waiting.look_again(world.hub)
    assert await has(hub, DIRECT) == (0, 0)
    await billed(world, cdr_id="LATE")
    await vet_waiting(world.hub)
    await invoices_waiting.look_again(world.hub)
    assert await has(hub, DIRECT) == (1, 1)
    await invoices_waiting.look_again(world.hub)
    assert await has(hub, DIRECT) == (1, 1)


async def test_a_confirmation_that_came_long_before_its_cdr_goes_out_with_it(hub: Delivering) -> None:
    world = hub.world
    assert (await world.ask("POST", world.at(ADVICE.here), by="t1", body=advice())).http == 201
    await payments_waiting.look_again(world.hub)
    assert await has(hub, ADVICE) == (0, 0)
    await hub.pass_s(timedelta(days=40).total_seconds())
    card = {"country_code": "NL", "party_id": "PTA", "uid": "A1", "type": "AD_HOC_USER", "contract_id": "A1"}
    cdr = wired(but(EVENING, id="LATE", cdr_token=card, authorization_reference="pp-100"), "2.3.0")
    assert (await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=cdr)).code == 1000
    await vet_waiting(world.hub)
    await payments_waiting.look_again(world.hub)
    assert await has(hub, ADVICE) == (1, 1)
