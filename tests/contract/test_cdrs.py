"""CDRs on their way: one at the partner, whatever is lost on the way, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.control import records
from hub.core.delivery import REFUSED
from hub.core.dialect import NotExpressible
from hub.core.errors import InvalidRequest, PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.ports import PeerAnswer
from hub.core.units import Document
from modules.cdrs import publication
from modules.cdrs import service as cdrs
from modules.cdrs.publication import CdrPublication
from modules.cdrs.store import CDRS, DELIVERIES
from partners.sandbox.emsp import Emsp
from tests.world import OURS, Sent, World, a_program, invited, location, until


async def issued(world: World, owner: str = "NL*EEE") -> Document:
    """A CDR of a charge that has ended."""
    await world.charge(owner)
    documents: list[Document] = await world.documents(CDRS)
    return documents[-1]


async def deliver(world: World, cdr: Document, *, to: str = "e1") -> None:
    await CdrPublication().deliver(world.hub, world.partner(to), cdr.key, frozenset({""}))


async def state(world: World, cdr: Document) -> str:
    return (await publication.load(world.hub, "e1", cdr.key)).state


def has_it(cdr: Document, has: bool) -> Callable[[Sent], Any]:
    """A partner that answers GET by what it has."""

    def script(sent: Sent) -> Any:
        if sent.method == "GET":
            if not has:
                raise PeerRefused("no", http=404, status_code=2000)
            return {"id": cdr.columns["id"].lower()}
        return PeerAnswer(201, 1000, None, {"location": "https://e1.example/cdrs/1"})

    return script


def failing(fault: PeerFault) -> Callable[[Sent], Any]:
    def script(sent: Sent) -> Any:
        raise fault

    return script


async def test_a_cdr_is_posted_once(world_on_both: World) -> None:
    world = world_on_both
    cdr = await issued(world)
    assert await state(world, cdr) == "pending"
    world.peers.script = has_it(cdr, has=False)
    for _ in range(3):
        await deliver(world, cdr)
    assert [sent.brief for sent in world.peers.sent] == [("POST", "cdrs", "")]
    delivery = await publication.load(world.hub, "e1", cdr.key)
    assert (delivery.state, delivery.attempts, delivery.location) == ("delivered", 1, "https://e1.example/cdrs/1")
    assert world.peers.sent[0].body["id"] == cdr.columns["id"]


async def test_sending_is_on_disk_before_the_request_leaves(world_on_both: World) -> None:
    """A crash in the middle finds it there, and asks before it sends again."""
    world = world_on_both
    cdr = await issued(world)

    def crash(sent: Sent) -> Any:
        raise KeyboardInterrupt

    world.peers.script = crash
    with pytest.raises(KeyboardInterrupt):
        await deliver(world, cdr)
    assert await state(world, cdr) == "sending"
    world.peers.script = has_it(cdr, has=True)
    await deliver(world, cdr)
    assert [sent.method for sent in world.peers.sent] == ["POST", "GET"]
    assert await state(world, cdr) == "delivered"


AFTER = [
    (PeerTimeout("late"), "unknown"),
    (PeerNonsense("broke off"), "unknown"),
    (PeerRefused("no", http=500), "unknown"),
    (PeerRefused("no", http=503), "unknown"),
    (PeerRefused("no", http=200, status_code=3000), "unknown"),
    (PeerUnreachable("never left"), "pending"),
    (PeerRefused("no", http=400), "refused"),
    (PeerRefused("no", http=200, status_code=2001), "refused"),
]


@pytest.mark.parametrize(("fault", "after"), AFTER, ids=lambda value: str(value))
async def test_what_is_known_after_a_failure_is_written_down(world: World, fault: PeerFault, after: str) -> None:
    if world.version != "2.2.1":
        return  # no version differs in this
    cdr = await issued(world)
    world.peers.script = failing(fault)
    with pytest.raises(PeerFault):
        await deliver(world, cdr)
    assert await state(world, cdr) == after


@pytest.mark.parametrize("has", [True, False], ids=["arrived", "did not arrive"])
async def test_after_a_lost_answer_the_partner_is_asked_before_anything_is_sent_again(
    world_on_both: World, has: bool
) -> None:
    world = world_on_both
    cdr = await issued(world)
    world.peers.script = failing(PeerTimeout("lost"))
    with pytest.raises(PeerTimeout):
        await deliver(world, cdr)
    world.peers.script = has_it(cdr, has)
    await deliver(world, cdr)
    assert [sent.method for sent in world.peers.sent] == (["POST", "GET"] if has else ["POST", "GET", "POST"])
    posted = {sent.raw for sent in world.peers.sent if sent.method == "POST"}
    assert len(posted) == 1
    assert await state(world, cdr) == "delivered"


@pytest.mark.parametrize(
    "fault",
    [PeerTimeout("late"), *[PeerRefused("no", http=http) for http in (401, 408, 429, 500, 503)]],
    ids=str,
)
async def test_silence_or_trouble_is_not_taken_for_a_no(world: World, fault: PeerFault) -> None:
    cdr = await issued(world)
    world.peers.script = failing(PeerTimeout("lost"))
    with pytest.raises(PeerTimeout):
        await deliver(world, cdr)
    world.peers.script = failing(fault)
    with pytest.raises(PeerFault):
        await deliver(world, cdr)
    assert [sent.method for sent in world.peers.sent] == ["POST", "GET"]
    assert await state(world, cdr) == "unknown"


async def test_what_was_refused_may_be_sent_again_the_same(world: World) -> None:
    cdr = await issued(world)
    world.peers.script = failing(PeerRefused("no", http=200, status_code=2001))
    with pytest.raises(PeerRefused):
        await deliver(world, cdr)
    world.peers.script = has_it(cdr, has=False)
    await deliver(world, cdr)
    assert [sent.method for sent in world.peers.sent] == ["POST", "POST"]
    assert world.peers.sent[0].raw == world.peers.sent[1].raw
    assert await state(world, cdr) == "delivered"


def shown_at(place: str) -> Callable[[Sent], Any]:
    """A partner that shows what it took at `place` alone (`{id}`: the CDR's); its second answer to a POST is lost."""
    kept: dict[str, Any] = {}
    posted: list[str] = []

    def script(sent: Sent) -> Any:
        if sent.method == "GET":
            if sent.module not in kept:
                raise PeerRefused("no", http=404, status_code=2000)
            return kept[sent.module]
        url = place.replace("{id}", sent.body["id"])
        kept[url.replace("http://e1", "https://e1")] = sent.body
        posted.append(sent.body["id"])
        if len(posted) == 2:
            raise PeerTimeout("lost")
        return PeerAnswer(201, 1000, None, {"location": url})

    return script


PLACES = {
    "with our party": ("https://e1.example/ocpi/cdrs/DE/BSB/{id}", 1),
    "in a query": ("https://e1.example/view?cdr={id}&full=1", 1),
    "by http, as seen behind a proxy": ("http://e1.example/cdr/{id}", 1),
    "by a number of its own": ("https://e1.example/cdr/17", 2),
    "on another host": ("https://elsewhere.example/cdrs/{id}", 2),
}


@pytest.mark.parametrize(("place", "posts"), PLACES.values(), ids=PLACES)
async def test_after_a_lost_answer_it_is_looked_for_where_earlier_ones_were_shown(
    world: World, place: str, posts: int
) -> None:
    first, second = await issued(world), await issued(world)
    world.peers.script = shown_at(place)
    await deliver(world, first)
    with pytest.raises(PeerTimeout):
        await deliver(world, second)
    world.peers.sent.clear()
    await deliver(world, second)
    assert len([sent for sent in world.peers.sent if sent.method == "POST"]) == posts - 1
    assert {sent.module for sent in world.peers.sent if "elsewhere" in sent.module} == set()
    assert await state(world, second) == "delivered"


async def test_nobody_else_gets_it(world: World) -> None:
    cdr = await issued(world)
    for other in ("e2", "c1"):
        await deliver(world, cdr, to=other)
    assert world.peers.sent == []


async def test_a_credit_goes_where_it_can_be_said(world: World) -> None:
    cdr = await issued(world)
    tree = await cdrs.take_back(world.hub, cdr.key, actor="test", location=location())
    credit = next(d for d in await world.documents(CDRS) if d.columns["id"] == tree["id"])
    if world.version == "2.1.1":
        with pytest.raises(NotExpressible):
            await deliver(world, credit)
        said = await world.ask("GET", world.at("sender/cdrs"), by="e1")
        assert [record["id"] for record in said.data] == [cdr.columns["id"]]
    else:
        await deliver(world, credit)
        assert world.peers.sent[0].body["credit_reference_id"] == cdr.columns["id"]


@pytest.mark.parametrize(("version", "party"), [("2.1.1", "NL*EEE"), ("2.2.1", "NL*FFF"), ("2.3.0", "NL*GGG")])
async def test_over_http_lost_replies_make_exactly_one_cdr(database_url: str, version: str, party: str) -> None:
    """The sandbox takes in what it is sent and drops the connection, again and again, until it is itself again."""
    async with a_program(database_url) as program, Emsp(version, party) as emsp:
        token_a = await invited(program, "emsp", party)
        path = "cpo/versions" if version == "2.1.1" else "versions"
        await emsp.register(f"{program.settings.base_url}/ocpi/{path}", token_a)
        world = World.around(program.hub)
        await world.furnish()
        await until(lambda: emsp.receipts.on("locations", "PUT"))
        await world.charge(party, end=False)
        await until(lambda: emsp.mirror.listed("sessions"))
        emsp.temper.switch("lost-reply")
        await world.charge(party)
        await until(lambda: len([r for r in emsp.receipts.all() if r.outcome == "lost"]) >= 3)
        lane = program.lanes.find("emsp")
        assert lane is not None
        emsp.temper.switch("happy")
        await until(lambda: emsp.mirror.listed("cdrs") and lane.waiting == 0)
        assert len(emsp.mirror.listed("cdrs")) == 1
        assert len({receipt.body for receipt in emsp.receipts.on("cdrs", "POST")}) == 1
        assert [text for text in emsp.complaints.texts() if "sent before" in text] == []


async def test_an_operator_sends_again_what_was_refused_and_nothing_that_was_taken(sqlite_url: str) -> None:
    async with a_program(sqlite_url) as program, Emsp("2.2.1", "NL*EEE") as emsp:
        token_a = await invited(program, "emsp", "NL*EEE")
        await emsp.register(f"{program.settings.base_url}/ocpi/versions", token_a)
        world = World.around(program.hub)
        await world.furnish()
        await until(lambda: emsp.receipts.on("locations", "PUT"))
        emsp.temper.switch("reject")
        await world.charge("NL*EEE")
        await until(lambda: world.documents(REFUSED))
        emsp.temper.switch("happy")
        (document,) = await world.documents(CDRS)
        await records.resend(program, OURS, document.columns["id"], actor="ops")
        await until(lambda: emsp.mirror.listed("cdrs"))
        await until(lambda: _state_of(world, document.key, "delivered"))
        with pytest.raises(InvalidRequest, match="delivered already"):
            await records.resend(program, OURS, document.columns["id"], actor="ops")


async def _state_of(world: World, key: str, state: str) -> bool:
    return bool(await world.store.select(DELIVERIES, equal={"cdr": key, "state": state}))
