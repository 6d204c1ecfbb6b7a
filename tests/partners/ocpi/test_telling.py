"""Other hubs hear of the parties behind us: when, how often, and what comes of it when they do not listen."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from hub.app import Program
from hub.control import partner_view
from hub.core.delivery import REFUSED, Lanes
from hub.core.errors import PeerRefused, PeerTimeout
from hub.core.inbound import encode, parse
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, PeerAnswer
from hub.core.registry import Claim, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import Keys, Seal, mint_token
from modules.cdrs.store import RECEIVED
from modules.credentials.service import forget
from partners.ocpi import telling
from partners.ocpi.handshake import Handshake, connect
from partners.ocpi.telling import LEAST_S, SETTLE_S, Telling
from tests.modules.cdrs.check.records import wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.world import World, a_program, a_world, until

HUB = Claim(role=PartyRole.HUB, party=Party("SE", "HUB"))
SETTLED = int(SETTLE_S)


class OtherHub:
    """At the far end of the handshake: takes credentials, or says no."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.says_no = False
        self.is_silent = False
        self.asked_at: list[int] = []
        self.told: set[str] = set()

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        assert version == "2.3.0"
        return Found(version, self.world.partner("h").endpoints, "base64")

    async def exchange(self, method: str, url: str, token: str, form: str, body: bytes) -> PeerAnswer:
        assert method == "PUT"
        self.asked_at.append(int(self.world.clock.monotonic()))
        if self.says_no:
            raise PeerRefused("not now", http=405, status_code=2000)
        if self.is_silent:
            raise PeerTimeout("no answer in time")
        roles = parse(body, limit=2**20)["roles"]
        self.told = {f"{role['country_code']}*{role['party_id']}" for role in roles}
        theirs = {"country_code": "SE", "party_id": "HUB", "business_details": {"name": "H"}, "role": "OTHER"}
        answer = {
            "token": mint_token(),
            "url": "https://h.example/versions",
            "roles": [theirs],
            "hub_party_id": "SEHUB",
        }
        return PeerAnswer(200, 1000, answer, {})


def teller(world: World, other: OtherHub) -> Telling:
    seal = Seal(Keys.from_secret(b"x" * 32).seal)
    return Telling(world.hub, cast("Handshake", other), seal, Lanes(world.hub, ()), random.Random(1))


async def passes(world: World, work: Telling, *seconds: int) -> None:
    """At each of these seconds it looks."""
    for second in seconds:
        world.clock.move_to(second)
        await work.look()
        await until(lambda: not work.under_way)


@pytest.fixture
async def other(sqlite_url: str) -> AsyncIterator[OtherHub]:
    """The partner `h` of a world where others are connected too; it was not told of anybody yet."""
    async with a_world(sqlite_url, "2.3.0") as world:
        await world.join("h", "SE*HUB", PartyRole.HUB)
        yield OtherHub(world)


async def test_a_hub_is_told_some_seconds_after_a_party_came_and_after_it_went(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)
    await passes(world, work, 0, SETTLED - 1, SETTLED, *range(SETTLED + 1, 1_000, 7))
    assert other.asked_at == [SETTLED]
    assert {"BE*AAA", "NL*EEE"} <= other.told
    await world.join("c3", "DE*C3A", PartyRole.CPO)
    await passes(world, work, 1_000, 999 + SETTLED)
    assert other.asked_at == [SETTLED]
    await passes(world, work, 1_000 + SETTLED)
    assert "DE*C3A" in other.told
    await forget(world.hub, world.partner("c3"), actor="c3")
    await passes(world, work, 2_000, 2_000 + SETTLED, 3_000, 3_100)
    assert "DE*C3A" not in other.told
    assert other.asked_at == [SETTLED, 1_000 + SETTLED, 2_000 + SETTLED]


async def test_what_comes_together_is_told_together_and_a_hub_asked_once_a_minute_at_most(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)
    await passes(world, work, 0, SETTLED)
    for number in range(30):
        await world.join(f"n{number}", f"DE*N{number:02}", PartyRole.CPO)
        await passes(world, work, 10 + number)
    await passes(world, work, *range(40, 500))
    first, *later = other.asked_at
    assert first == SETTLED
    assert len(later) == 1
    assert later[0] >= SETTLED + LEAST_S
    assert "DE*N29" in other.told


async def test_who_is_blocked_for_a_while_is_no_reason_to_exchange_credentials(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)
    await passes(world, work, 0, SETTLED)
    for at, state in ((100, State.BLOCKED), (200, State.CONNECTED)):
        await world.registry.save(world.partner("c1").model_copy(update={"state": state}))
        await passes(world, work, at, at + SETTLED, at + 50)
    assert other.asked_at == [SETTLED]


async def test_a_party_that_went_before_a_hub_could_be_told_of_it_leaves_no_warning(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)
    await passes(world, work, 0, SETTLED)
    await world.join("c3", "DE*C3A", PartyRole.CPO)
    other.says_no = True
    await passes(world, work, 200, 200 + SETTLED)
    assert world.partner("h").untold == "not now"
    await forget(world.hub, world.partner("c3"), actor="c3")
    await passes(world, work, *range(210, 500, 5))
    assert world.partner("h").untold == ""
    assert other.asked_at == [SETTLED, 200 + SETTLED]


async def test_a_hub_that_says_no_is_asked_ever_more_rarely_and_an_operator_sees_why(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)
    other.says_no = True
    await passes(world, work, *range(0, 20_000, 5))
    gaps = [later - earlier for earlier, later in pairwise(other.asked_at)]
    assert len(gaps) >= 6
    assert all(later > earlier for earlier, later in pairwise(gaps[:6]))
    assert world.partner("h").untold == "not now"
    assert len(world.partner("h").our_tokens) == 1
    other.says_no = False
    await passes(world, work, *range(20_000, 30_000, 5))
    assert "BE*AAA" in other.told
    assert world.partner("h").untold == ""


async def test_answers_that_are_lost_day_after_day_do_not_leave_ever_more_tokens(other: OtherHub) -> None:
    other.is_silent = True
    await passes(other.world, teller(other.world, other), *range(0, 3 * 86_400, 60))
    assert 5 <= len(other.asked_at) <= 8
    assert other.world.partner("h").untold == "no answer in time"
    other.is_silent = False
    await passes(other.world, teller(other.world, other), 300_000, 300_000 + SETTLED)
    assert "BE*AAA" in other.told


async def test_a_restart_forgets_nothing_and_repeats_nothing(other: OtherHub) -> None:
    world = other.world
    await passes(world, teller(world, other), 0, SETTLED)
    await world.registry.load()
    await passes(world, teller(world, other), *range(100, 200))
    assert other.asked_at == [SETTLED]
    await world.join("c3", "DE*C3A", PartyRole.CPO)
    await passes(world, teller(world, other), 200, 200 + SETTLED)
    assert "DE*C3A" in other.told


async def test_nothing_is_begun_while_credentials_are_exchanged_anyway(other: OtherHub) -> None:
    world = other.world
    work = teller(world, other)

    def busy(known: Any) -> Any:
        return known.model_copy(update={"busy_until": world.clock.now() + timedelta(seconds=40)})

    await world.registry.change("h", busy)
    await passes(world, work, *range(60))
    assert other.asked_at == [40]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a hub of 2.2.1", {"version": "2.2.1"}),
        ("no hub", {"claims": (HUB.model_copy(update={"role": PartyRole.CPO}),)}),
        ("for one party", {"represents": "BE*AAA"}),
        ("of another protocol", {"interpreter": "oicp"}),
        ("blocked", {"state": State.BLOCKED}),
    ],
)
async def test_who_reads_of_no_other_party_is_not_asked(other: OtherHub, name: str, change: dict[str, Any]) -> None:
    world = other.world
    await world.registry.change("h", lambda known: known.model_copy(update=change))
    await passes(world, teller(world, other), *range(0, 100, 5))
    assert other.asked_at == [], name


async def invite(program: Program, name: str, *claims: Claim) -> str:
    token = mint_token()
    issued = IssuedToken(fingerprint=program.hub.registry.fingerprint(token), use=TokenUse.REGISTRATION)
    partner = Partner(name=name, invited=claims, our_tokens=(issued,))
    await program.hub.registry.commit(partner, program.hub.registry.unit(partner, new=True))
    return token


async def join(program: Program, name: str, party: str, role: PartyRole) -> str:
    """A partner that offers nothing. Returns: its token."""
    world = World.around(program.hub)
    world.version = "2.3.0"
    made = await world.join(name, party, role, state=State.BLOCKED)
    await program.hub.registry.save(made.model_copy(update={"state": State.CONNECTED, "endpoints": ()}))
    return world.secrets[name]


CPO = Claim(role=PartyRole.CPO, party=Party("BE", "AAA"))
EMSP = Claim(role=PartyRole.EMSP, party=Party("NL", "EEE"))


@asynccontextmanager
async def two_hubs(sqlite_url: str, tmp_path: Path) -> AsyncIterator[tuple[Program, Program]]:
    """`a` and `b`, which agreed on a CPO of the one and an eMSP of the other, and have nobody but that eMSP yet."""
    async with (
        a_program(sqlite_url, party="DE*HUA") as a,
        a_program(f"sqlite:///{tmp_path}/b.db", party="FR*HUB") as b,
    ):
        await join(b, "e", "NL*EEE", PartyRole.EMSP)
        hub_a, hub_b = (HUB.model_copy(update={"party": Party.parse(party)}) for party in ("DE*HUA", "FR*HUB"))
        token = await invite(a, "hubB", hub_b, EMSP)
        url = f"{a.settings.base_url}/ocpi/versions"
        await connect(b.hub, b.handshake, b.seal, "hubA", (hub_a, CPO), versions_url=url, token=token)
        yield a, b


def encoded(token: str) -> str:
    return b64encode(token.encode()).decode()


async def refused(program: Program) -> bool:
    return [document.columns["module"] for document in await program.store.select(REFUSED)] == ["cdrs"]


async def is_clear(program: Program) -> bool:
    return not await program.store.select(REFUSED) and not program.hub.registry.get("hubB").newly_told


async def rotations(program: Program) -> int:
    rows = await program.store.audit_rows(after=0, limit=1_000)
    return str(rows).count("credentials.rotated")


async def test_a_cpo_that_came_after_two_hubs_were_connected_is_known_at_the_other_and_its_bill_gets_there(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(telling, "LEAST_S", 0.0)
    monkeypatch.setattr(telling, "SETTLE_S", 3_600.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, b):

        def parties() -> frozenset[str]:
            return b.hub.registry.get("hubA").parties

        assert a.hub.registry.get("hubB").parties == {"FR*HUB", "NL*EEE"}
        token = await join(a, "c", "BE*AAA", PartyRole.CPO)
        async with httpx.AsyncClient(headers={"Authorization": f"Token {encoded(token)}"}) as client:
            bill = encode(wired(EVENING, "2.3.0"))
            said = await client.post(f"{a.settings.base_url}/ocpi/2.3.0/receiver/cdrs", content=bill)
        assert said.status_code == 201, said.text
        await until(lambda: refused(a))
        assert parties() == {"DE*HUA"}
        monkeypatch.setattr(telling, "SETTLE_S", 0.05)
        await until(lambda: "BE*AAA" in parties())
        await until(lambda: b.store.select(RECEIVED))
        await until(lambda: is_clear(a))
        await forget(a.hub, a.hub.registry.get("c"), actor="c")
        await until(lambda: parties() == {"DE*HUA"})
        await until(lambda: not a.telling.under_way)
        assert (await rotations(a), await rotations(b)) == (2, 2)
        assert (await partner_view.show(a, "hubB"))["warnings"] == []
