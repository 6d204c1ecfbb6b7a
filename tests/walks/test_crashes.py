"""`kill -9` of the hub at each place between a charger's StopTransaction and the partner's CDR.

Whatever was under way, after the restart the charger repeats what was not acknowledged, the lanes go on, and the
partner's receipt log holds each CDR once.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest

from partners.sandbox.charger import Charger
from partners.sandbox.point.clock import StepClock
from tests.walks.site import VERSIONS, Emsp, Place, Site, Tree, cost, until
from tests.walks.test_taps import assert_nobody_complains, before_taxes, the_cdr, the_completed_session

UNACKNOWLEDGED = (
    "session.end.before_cdr",
    "ocpp.in.before_commit",
    "cdr.create.before_commit",
)
"""Killed here, the charger has no answer and the database nothing."""
UNANSWERED = ("ocpp.in.after_commit", "cdr.create.after_commit", "ocpp.in.before_reply")
"""Killed here, the database has it, and the charger does not know."""
ON_THE_WAY = ("out.claim", "out.before_connect", "out.after_send", "out.before_ack", "out.after_ack")
"""Killed here, the CDR is on its way to the partner."""
_EVERY_SITUATION = [
    *((name, VERSIONS[at % 3]) for at, name in enumerate((*UNACKNOWLEDGED, *UNANSWERED))),
    *((name, VERSIONS[at % 3]) for at, name in enumerate(ON_THE_WAY)),
    *(("out.after_send", version) for version in ("2.1.1", "2.2.1")),
]


@dataclass
class Crashed:
    """A charge of 10 kWh in whose end the hub was killed and started again."""

    token: Tree
    unanswered: bool
    """Did the charger still wait for the answer to its StopTransaction when the hub was dead?"""
    recorded: Tree | None = None


async def crash_at(site: Site, emsp: Emsp, failpoints: str, *, quiet_s: float = 0.0, ocpp: str = "1.6") -> Crashed:
    """Charge, arm, unplug, wait for the death, restart, wait until the charger has told everything."""
    uid, place = site.uid(), site.place(ocpp)
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=10, minutes=20)
        await asyncio.sleep(quiet_s)
        await asyncio.to_thread(site.hub.arm, failpoints)
        unplugging = asyncio.create_task(charger.unplug())
        await asyncio.to_thread(site.hub.process.wait_until_dead)
        unanswered = len(charger.outbox) > 0
        await asyncio.to_thread(site.hub.start)
        await unplugging
        await charger.settled()
        assert charger.complaints.texts() == []
    return Crashed(token, unanswered)


async def assert_billed_once(site: Site, emsp: Emsp, token: Tree, kwh: str) -> None:
    """One CDR, POSTed once, with the right amounts; a completed session; nothing waits and nothing is refused."""
    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (Decimal(kwh), cost(kwh))
    assert (session["kwh"], before_taxes(session)) == (Decimal(kwh), cost(kwh))
    await until(lambda: site.is_idle(emsp), why="the lane is idle")
    assert len(emsp.cdr_posts(token)) == 1
    assert site.refused(emsp) == []


@pytest.mark.parametrize(("failpoint", "version"), _EVERY_SITUATION)
async def test_a_hub_killed_at_the_end_of_a_charge_bills_it_once(site: Site, failpoint: str, version: str) -> None:
    emsp = site.emsps[version]

    crashed = await crash_at(site, emsp, f"{failpoint}=kill")

    if failpoint not in ON_THE_WAY:
        assert crashed.unanswered
    await assert_billed_once(site, emsp, crashed.token, "10")
    assert_nobody_complains(site)


@pytest.mark.parametrize(
    ("failpoint", "commits"),
    [
        *(("store.before_commit", commits) for commits in (0, 1, 3)),
        ("store.after_commit", 0),
        ("store.after_commit", 2),
    ],
)
async def test_a_hub_killed_around_any_commit_of_that_path_bills_it_once(
    site: Site, failpoint: str, commits: int
) -> None:
    emsp = site.emsps["2.3.0"]
    armed = f"{failpoint}={commits}*off->kill" if commits else f"{failpoint}=kill"

    crashed = await crash_at(site, emsp, armed, quiet_s=0 if commits else 0.8)

    assert crashed.unanswered or commits > 0
    await assert_billed_once(site, emsp, crashed.token, "10")
    assert_nobody_complains(site)


async def crash_at_start(site: Site, emsp: Emsp, place: Place) -> None:
    """A hub that is killed before it answers a start knows the charge once, and bills it once."""
    uid = site.uid()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await asyncio.to_thread(site.hub.arm, "ocpp.in.before_reply=kill")
        tapping = asyncio.create_task(charger.tap(uid))
        await asyncio.to_thread(site.hub.process.wait_until_dead)
        await asyncio.to_thread(site.hub.start)
        await tapping
        await charger.settled()
        await charger.charge(kwh=10, minutes=20)
        await charger.unplug()
        await charger.settled()

    await assert_billed_once(site, emsp, token, "10")
    assert len(site.transactions(place)) == 1


async def test_a_hub_killed_before_it_answered_a_start_knows_the_charge_once(site: Site) -> None:
    await crash_at_start(site, site.emsps["2.2.1"], site.place())


KILLS = 5
CHARGERS = 10
ROUNDS = 2


async def test_kills_at_random_in_a_busy_time_lose_nothing_and_double_nothing(site: Site) -> None:
    rng = random.Random(20)
    charges = [(site.emsps[VERSIONS[number % 3]], site.place()) for number in range(CHARGERS)]
    emsps = list(site.emsps.values())
    due: dict[str, tuple[Emsp, Tree, Decimal]] = {}

    async def one(emsp: Emsp, charger: Charger) -> None:
        await charger.boot()
        for _ in range(ROUNDS):
            uid, kwh = site.uid(), rng.randrange(1, 30)
            due[uid] = (emsp, await asyncio.to_thread(emsp.push_until_taken, uid), Decimal(kwh))
            await charger.plug_in()
            await charger.tap(uid)
            await charger.charge(kwh=kwh, minutes=30)
            await charger.unplug()
        await charger.settled(timeout_s=40)

    async def nemesis() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(0.3, 1.2))
            for emsp in emsps:
                await asyncio.to_thread(emsp.mode, rng.choice(["happy", "random-500", "lost-reply"]), seed=7)
            site.hub.process.kill()
            await asyncio.to_thread(site.hub.start)

    async with asyncio.timeout(90):
        chargers = [(emsp, site.charger(place, clock=StepClock(speed=600))) for emsp, place in charges]
        async with asyncio.TaskGroup() as group:
            for _, charger in chargers:
                await charger.__aenter__()
            work = [group.create_task(one(emsp, charger)) for emsp, charger in chargers]
            group.create_task(nemesis())
        for emsp in emsps:
            emsp.mode("happy")
        assert all(task.done() for task in work)
        for _, charger in chargers:
            await charger.__aexit__(None, None, None)

    assert len(due) == CHARGERS * ROUNDS
    for emsp, token, kwh in due.values():
        cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
        assert (cdr["total_energy"], session["kwh"], before_taxes(cdr)) == (kwh, kwh, cost(kwh))
        copies = Counter(receipt["body"] for receipt in emsp.cdr_posts(token))
        assert len(copies) == 1, "copies of one CDR differ"
        assert len({json.loads(body)["id"] for body in copies}) == 1
    for emsp in emsps:
        await until(partial(site.is_idle, emsp), why="the lane is idle")
        assert site.refused(emsp) == []
    assert_nobody_complains(site)


async def test_the_hub_is_ready_soon_after_a_kill(site: Site) -> None:
    assert min(site.hub.started_in_s) < 5
