"""Parties behind another hub that are away: they hold back nobody, and get what they are owed when they are back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.behind import Status, Told
from hub.core.errors import PeerRefused, PeerUnreachable
from hub.core.lane_away import AWAY
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from hub.core.units import Change, Put, Unit
from modules.cdrs.store import DELIVERIES
from modules.sessions.store import SESSIONS
from modules.sessions.store import find as session_of
from tests.hub.core.test_delivery import Delivering, failing, running
from tests.world import OURS, Sent, World, a_world

HERE, AWAY_PARTY = "SE*EXA", "SE*EXB"


class Mesh(Delivering):
    """A hub `h` is a partner, with two eMSPs behind it: one that is there, and one that is away while `code` is set."""

    code: int | None = 4003

    async def open(self) -> None:
        await join_hub(self.world)
        self.world.peers.script = self._answer
        self.lanes.start()
        await self.quiet()
        self.world.peers.sent.clear()

    def _answer(self, sent: Sent) -> Any:
        if sent.partner == "h" and sent.to == AWAY_PARTY and self.code is not None:
            raise PeerRefused("not connected", http=200, status_code=self.code)

    async def session(self, party: str) -> str:
        """A driver of that party charges; the key of the session."""
        return f"{OURS}/{await self.world.charge(party, end=False)}".upper()

    def tried(self, party: str, method: str = "PUT") -> list[str]:
        """The sessions (or with POST the CDRs) of a party that the hub was sent, by id."""
        sent = [each for each in self.world.peers.sent if (each.partner, each.to) == ("h", party)]
        return [each.body["id"].upper() for each in sent if each.method == method]

    async def says(self, status: Status, *, second: int, role: PartyRole = PartyRole.EMSP) -> None:
        """The hub's word of the party that is away."""
        at = f"2026-05-04T10:00:{second:02}.000Z"
        word = Told("h", AWAY_PARTY, role, status, at, b"{}", role.value)
        assert await self.world.hub.behind.put([word], now=self.world.clock.now()) >= 0
        await self.quiet()

    async def changes_session(self, key: str, body: bytes) -> None:
        """It is another one now."""
        document = await session_of(self.world.store, key)
        assert document is not None
        columns = tuple(document.columns[name] for name in SESSIONS.columns)
        put = Put(SESSIONS, key, body, document.owner, document.audience, document.last_updated, columns)
        await self.world.store.commit(Unit().put(put).tells(Change("sessions", key, audience=document.audience)))
        await self.quiet()

    async def deliveries(self) -> list[str]:
        """How the CDRs stand at the hub."""
        found = await self.world.documents(DELIVERIES)
        return [document.columns["state"] for document in found if document.owner == "h"]

    async def owed(self) -> list[str]:
        return [document.columns["party"] for document in await self.world.documents(AWAY)]


async def join_hub(world: World) -> None:
    made = await world.join("h", "SE*HUB", PartyRole.HUB)
    claims = tuple(Claim(role=PartyRole.EMSP, party=Party.parse(party)) for party in (HERE, AWAY_PARTY))
    await world.registry.save(made.model_copy(update={"claims": made.claims + claims}))


@pytest.fixture
async def mesh(database_url: str) -> AsyncIterator[Mesh]:
    async with Mesh.opened(database_url, "2.2.1") as made:
        yield made


def ids(keys: list[str]) -> list[str]:
    return [key.partition("/")[2] for key in keys]


@pytest.mark.parametrize("code", [4001, 4002, 4003])
async def test_a_party_that_is_away_holds_back_no_other_party_of_its_hub(mesh: Mesh, code: int) -> None:
    mesh.code = code
    first, *_ = [await mesh.session(AWAY_PARTY) for _ in range(5)]
    other = await mesh.session(HERE)
    await mesh.quiet()
    assert mesh.tried(HERE) == ids([other])
    assert mesh.tried(AWAY_PARTY) == ids([first])
    assert await mesh.owed() == [AWAY_PARTY] * 5
    lane = mesh.lane("h")
    assert (lane.waiting, lane.state.failures, lane.state.last_error) == (5, 0, "")


async def test_nothing_is_sent_to_a_party_that_its_hub_calls_offline_until_it_is_connected(mesh: Mesh) -> None:
    await mesh.says(Status.OFFLINE, second=1)
    mesh.code = None
    sessions = [await mesh.session(AWAY_PARTY) for _ in range(3)]
    other = await mesh.session(HERE)
    await mesh.pass_s(86_400)
    assert (mesh.tried(AWAY_PARTY), mesh.tried(HERE)) == ([], ids([other]))
    await mesh.says(Status.SUSPENDED, second=2)
    assert mesh.tried(AWAY_PARTY) == []
    await mesh.says(Status.CONNECTED, second=3)
    assert mesh.tried(AWAY_PARTY) == ids(sessions)
    assert (await mesh.owed(), mesh.lane("h").waiting) == ([], 0)


async def test_what_a_hub_says_of_another_role_shuts_no_way(mesh: Mesh) -> None:
    mesh.code = None
    await mesh.says(Status.OFFLINE, second=1, role=PartyRole.CPO)
    session = await mesh.session(AWAY_PARTY)
    await mesh.quiet()
    assert mesh.tried(AWAY_PARTY) == ids([session])


async def test_where_one_role_of_a_party_is_away_and_another_not_the_first_one_waits(mesh: Mesh) -> None:
    mesh.code = None
    await mesh.says(Status.CONNECTED, second=1, role=PartyRole.CPO)
    await mesh.says(Status.OFFLINE, second=1)
    session = await mesh.session(AWAY_PARTY)
    await mesh.pass_s(7_200)
    assert (mesh.tried(AWAY_PARTY), await mesh.owed()) == ([], [AWAY_PARTY])
    await mesh.says(Status.CONNECTED, second=2)
    assert mesh.tried(AWAY_PARTY) == ids([session])


async def test_where_the_hub_says_nothing_it_is_tried_now_and_then_and_all_comes_once_it_answers(mesh: Mesh) -> None:
    sessions = [await mesh.session(AWAY_PARTY) for _ in range(3)]
    await mesh.quiet()
    assert len(mesh.tried(AWAY_PARTY)) == 1
    await mesh.pass_s(7)
    assert len(mesh.tried(AWAY_PARTY)) == 2
    await mesh.pass_s(86_400)
    tries = len(mesh.tried(AWAY_PARTY))
    assert 70 < tries < 140
    mesh.code = None
    mesh.world.peers.sent.clear()
    await mesh.pass_s(1_260)
    assert sorted(mesh.tried(AWAY_PARTY)) == sorted(ids(sessions))
    assert (await mesh.owed(), mesh.lane("h").waiting) == ([], 0)


async def test_the_word_that_it_is_connected_again_ends_the_wait_at_once(mesh: Mesh) -> None:
    session = await mesh.session(AWAY_PARTY)
    await mesh.pass_s(3_600)
    mesh.code = None
    mesh.world.peers.sent.clear()
    await mesh.says(Status.CONNECTED, second=9)
    assert mesh.tried(AWAY_PARTY) == ids([session])


@pytest.mark.parametrize(("words", "reason"), [("gone", "OCPI 4003: gone"), ("OCPI 4003", "OCPI 4003")])
async def test_why_a_party_waits_is_kept_as_its_hub_said_it(mesh: Mesh, words: str, reason: str) -> None:
    mesh.world.peers.script = failing(PeerRefused(words, http=200, status_code=4003))
    key = await mesh.session(AWAY_PARTY)
    await mesh.quiet()
    owed = mesh.lane("h").away.find(("sessions", key))
    assert owed is not None
    assert owed.reason == reason


async def test_an_operator_may_have_it_tried_at_once(mesh: Mesh) -> None:
    session = await mesh.session(AWAY_PARTY)
    await mesh.pass_s(3_600)
    mesh.code = None
    mesh.world.peers.sent.clear()
    mesh.lanes.try_now("h")
    await mesh.quiet()
    assert mesh.tried(AWAY_PARTY) == ids([session])


async def test_what_is_owed_outlives_a_restart_and_comes_once(mesh: Mesh) -> None:
    sessions = [await mesh.session(AWAY_PARTY) for _ in range(3)]
    await mesh.quiet()
    await mesh.restart()
    assert (await mesh.owed(), mesh.lane("h").waiting) == ([AWAY_PARTY] * 3, 3)
    mesh.code = None
    mesh.world.peers.sent.clear()
    await mesh.restart()
    assert mesh.tried(AWAY_PARTY) == ids(sessions)
    await mesh.restart()
    await mesh.pass_s(86_400)
    assert (len(mesh.tried(AWAY_PARTY)), await mesh.owed()) == (3, [])


async def test_what_is_owed_is_brought_as_it_is_then_and_no_older_state_after_it(mesh: Mesh) -> None:
    key = await mesh.session(AWAY_PARTY)
    await mesh.quiet()
    document = await session_of(mesh.world.store, key)
    assert document is not None
    newer = document.body.replace(b'"status":"ACTIVE"', b'"status":"INVALID"')
    assert newer != document.body
    await mesh.changes_session(key, newer)
    assert len(mesh.tried(AWAY_PARTY)) == 1
    mesh.code = None
    mesh.world.peers.sent.clear()
    await mesh.pass_s(60)
    assert [sent.body["status"] for sent in mesh.world.peers.sent if sent.to == AWAY_PARTY] == ["INVALID"]


async def test_a_cdr_is_brought_once_and_not_looked_for_where_the_hub_says_that_it_did_not_get_there(
    mesh: Mesh,
) -> None:
    await mesh.world.charge(AWAY_PARTY)
    await mesh.quiet()
    assert "delivered" not in await mesh.deliveries()
    mesh.code = None
    mesh.world.peers.sent.clear()
    await mesh.pass_s(60)
    assert [sent.method for sent in mesh.world.peers.sent if sent.module == "cdrs"] == ["POST"]
    assert await mesh.deliveries() == ["delivered"]


async def test_a_cdr_that_the_hub_had_no_answer_for_is_looked_for_at_that_party_first(mesh: Mesh) -> None:
    mesh.code = 4002
    await mesh.world.charge(AWAY_PARTY)
    await mesh.pass_s(3_600)
    assert await mesh.deliveries() == ["unknown"]
    mesh.world.peers.sent.clear()

    def is_there(sent: Sent) -> Any:
        return {"id": sent.path[0]} if (sent.method, sent.module) == ("GET", "cdrs") else None

    mesh.world.peers.script = is_there
    await mesh.pass_s(1_260)
    cdrs = [(sent.method, sent.sender, sent.to) for sent in mesh.world.peers.sent if sent.module == "cdrs"]
    assert cdrs == [("GET", str(OURS), AWAY_PARTY)]
    assert (await mesh.deliveries(), await mesh.owed()) == (["delivered"], [])


async def test_one_object_that_the_party_stumbles_over_costs_the_others_no_wait_each(mesh: Mesh) -> None:
    bad = ids([await mesh.session(AWAY_PARTY)])

    def stumbles(sent: Sent) -> Any:
        if sent.to == AWAY_PARTY and sent.body["id"].upper() in bad:
            raise PeerRefused("no answer", http=200, status_code=4002)

    mesh.world.peers.script = stumbles
    await mesh.quiet()
    good = [await mesh.session(AWAY_PARTY) for _ in range(3)]
    await mesh.pass_s(7)
    assert mesh.tried(AWAY_PARTY) == bad + ids(good) + bad
    assert mesh.lane("h").waiting == 1


async def test_what_the_party_refuses_when_it_is_back_is_owed_no_more_but_set_aside(mesh: Mesh) -> None:
    await mesh.session(AWAY_PARTY)
    await mesh.quiet()
    mesh.code = 2001
    await mesh.pass_s(60)
    assert [each["reason"] for each in await mesh.refused()] == ["200/2001: not connected"]
    assert (await mesh.owed(), mesh.lane("h").waiting) == ([], 0)


async def test_a_hub_that_is_down_itself_gets_all_when_it_is_up_and_its_absent_party_later(mesh: Mesh) -> None:
    await mesh.session(AWAY_PARTY)
    await mesh.quiet()
    answer = mesh.world.peers.script
    mesh.world.peers.script = failing(*[PeerUnreachable("down")] * 3)
    other = await mesh.session(HERE)
    await mesh.pass_s(6)
    assert mesh.lane("h").state.failures > 0
    mesh.world.peers.script = answer
    mesh.world.peers.sent.clear()
    await mesh.pass_s(120)
    assert mesh.tried(HERE) == ids([other])
    assert (mesh.lane("h").state.failures, await mesh.owed()) == (0, [AWAY_PARTY])


async def test_of_a_partner_that_is_no_hub_the_same_code_is_its_own_trouble(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world, running(world) as hub:
        world.peers.script = failing(PeerRefused("no", http=200, status_code=4003))
        await world.charge("NL*EEE", end=False)
        await hub.quiet()
        assert hub.lane("e1").state.failures == 1
        assert await world.documents(AWAY) == []
