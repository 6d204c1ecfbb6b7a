"""Where a request goes, and who is said to answer it: each row of the table of routing headers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.operations import ANYBODY, RECEIVER, SENDER, Operations
from hub.core.parties import PartyRole
from hub.core.registry import State
from hub.core.routing import Receiver, destination
from tests.world import Said, World, a_world

HUB = "DE*HUB"
parcels = Operations("parcels", callers=ANYBODY)


def said(call: Call, shared: bool) -> Answer:
    """Says where it would go. A parcel's id is the party that it belongs to, or anything."""
    owner = call.reading.parameters.get("parcel_id", "").replace("-", "*")
    goes = destination(call, owner=owner if "*" in owner else "", shared=shared)
    if isinstance(goes, Receiver):
        call.answered_by(goes.party)
        return ok(f"{goes.partner.name} as {goes.party}")
    return ok(goes.value)


@parcels("GET", SENDER, listed=True)
async def list_parcels(call: Call) -> Answer:
    """All parcels."""
    return said(call, shared=True)


@parcels("GET", SENDER, "{parcel_id}")
async def get_parcel(call: Call, parcel_id: str) -> Answer:
    """One."""
    return said(call, shared=False)


@parcels("POST", RECEIVER, "{parcel_id}")
async def post_parcel(call: Call, parcel_id: str) -> Answer:
    """About one party."""
    return said(call, shared=False)


@parcels("PUT", RECEIVER, "{parcel_id}")
async def put_parcel(call: Call, parcel_id: str) -> Answer:
    """For everybody."""
    return said(call, shared=True)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A hub that is another party than its own CPO."""
    async with a_world(sqlite_url, hub_party=HUB, operations=parcels.table) as made:
        yield made


@pytest.fixture
async def plain(sqlite_url: str) -> AsyncIterator[World]:
    """A hub that is its own CPO too."""
    async with a_world(sqlite_url, operations=parcels.table) as made:
        yield made


def headers(direction: str, party: str) -> list[tuple[str, str]]:
    country, _, rest = party.partition("*")
    return [(f"OCPI-{direction}-country-code", country), (f"OCPI-{direction}-party-id", rest)] if party else []


async def asked(
    world: World, method: str, path: str = "", *, to: str = "", sender: str = "NL*EEE", by: str = "e1"
) -> Said:
    side = "sender" if method == "GET" else "receiver"
    target = world.at(f"{side}/parcels" + (f"/{path}" if path else ""))
    return await world.ask(method, target, by=by, headers=[*headers("to", to), *headers("from", sender)])


def addressed(said: Said) -> tuple[str, str]:
    """FROM and TO of an answer."""
    values = said.headers
    return (
        f"{values['ocpi-from-country-code']}*{values['ocpi-from-party-id']}",
        f"{values['ocpi-to-country-code']}*{values['ocpi-to-party-id']}",
    )


@pytest.mark.parametrize(
    ("method", "path", "to", "goes", "answered_by"),
    [
        ("PUT", "x", HUB, "everybody", HUB),
        ("PUT", "x", "", "everybody", HUB),
        ("PUT", "x", "DE*BSB", "ours", "DE*BSB"),
        ("PUT", "x", "BE*AAA", "c1 as BE*AAA", "BE*AAA"),
        ("PUT", "x", "be*aaa", "c1 as BE*AAA", "BE*AAA"),
        ("GET", "", HUB, "everybody", HUB),
        ("GET", "", "", "everybody", HUB),
        ("GET", "", "BE*AAA", "c1 as BE*AAA", "BE*AAA"),
        ("GET", "x", "", "ours", HUB),
        ("GET", "BE-AAA", "", "c1 as BE*AAA", "BE*AAA"),
        ("GET", "DE-BSB", "", "ours", HUB),
        ("POST", "BE-AAA", "", "c1 as BE*AAA", "BE*AAA"),
        ("POST", "BE-AAA", HUB, "c1 as BE*AAA", "BE*AAA"),
        ("POST", "x", "DE*BSB", "ours", "DE*BSB"),
    ],
)
async def test_a_request_goes_where_its_headers_or_its_owner_say(
    world: World, method: str, path: str, to: str, goes: str, answered_by: str
) -> None:
    said = await asked(world, method, path, to=to)
    assert (said.code, said.data) == (1000, goes)
    expected = HUB if to == HUB and "as" not in goes else answered_by
    assert addressed(said) == (expected, "NL*EEE")


async def test_where_the_hub_is_its_own_cpo_its_address_means_both(plain: World) -> None:
    assert (await asked(plain, "PUT", "x", to="DE*BSB")).data == "everybody"
    assert (await asked(plain, "GET", "x", to="DE*BSB")).data == "ours"
    assert (await asked(plain, "GET", "", to="DE*BSB")).data == "everybody"


async def test_one_object_is_not_asked_of_the_hub(world: World) -> None:
    said = await asked(world, "GET", "x", to=HUB)
    assert (said.http, said.code) == (200, 2001)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("XX*XXX", 4001),
        ("NL*FFF", 4001),
        ("NL*EEE", 4001),
        ("NL*PPP", 4003),
        ("NL*AAA", 4003),
    ],
)
async def test_who_cannot_be_reached_is_told_by_code(world: World, to: str, code: int) -> None:
    """Unknown; of the same role, so out of reach; itself; blocked; invited and not here yet."""
    async with world.unchanged():
        said = await asked(world, "POST", "x", to=to)
        assert (said.http, said.code) == (200, code)
        assert addressed(said) == (HUB, "NL*EEE")


async def test_open_routing_to_an_owner_that_left_is_told_by_code(world: World) -> None:
    await world.registry.save(world.partner("c1").model_copy(update={"state": State.UNREGISTERED, "claims": ()}))
    assert (await asked(world, "POST", "BE-AAA")).code == 4003


@pytest.mark.parametrize(
    "odd", [[("OCPI-to-country-code", "DE")], [("OCPI-to-party-id", "BSB")], headers("to", "D*BSB"), headers("to", "*")]
)
async def test_half_an_address_is_no_address(world: World, odd: list[tuple[str, str]]) -> None:
    said = await world.ask("GET", world.at("sender/parcels"), by="e1", headers=odd)
    assert (said.http, said.code) == (200, 2001)


async def test_nobody_speaks_as_a_party_that_is_not_its_own(world: World) -> None:
    async with world.unchanged():
        for sender in ("NL*FFF", "BE*AAA", HUB, "XX*XXX", "N*EEE"):
            said = await asked(world, "PUT", "x", to=HUB, sender=sender)
            assert (sender, said.http, said.code) == (sender, 200, 2001)


async def test_without_headers_the_first_party_of_a_platform_asks(world: World) -> None:
    said = await asked(world, "GET", sender="")
    assert addressed(said) == (HUB, "NL*EEE")


async def test_a_partner_of_211_knows_no_headers_and_gets_none(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.1.1", operations=parcels.table) as world:
        said = await asked(world, "POST", "BE-AAA", to="XX*XXX", sender="NL*FFF")
        assert said.data == "c1 as BE*AAA"
        assert not [name for name in said.headers if name.startswith("ocpi-")]


async def test_a_party_of_two_platforms_is_reached_at_the_one_that_is_connected(world: World) -> None:
    assert world.partner("p").state is State.BLOCKED
    await world.join("new", "NL*PPP", PartyRole.CPO)
    assert (await asked(world, "POST", "x", to="NL*PPP")).data == "new as NL*PPP"
