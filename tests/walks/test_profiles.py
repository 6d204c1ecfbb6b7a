"""An app limits a charge at our charger: ACCEPTED is what the charger then goes by, not what it said alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from partners.sandbox.charger import Charger
from partners.sandbox.point.answers import Answer
from partners.sandbox.point.clock import FastClock
from partners.sandbox.point.faults import Faults
from tests.walks.site import Emsp, Site, Tree, until
from tests.walks.test_commands import results, start_at, the_active_session

OCPP = ("1.6", "2.0.1", "2.1")
PROFILE = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": 7}]}


class Limited(NamedTuple):
    """What the eMSP was answered and called back with, and the limits that it was told of afterwards, in A.

    `held_w`: what the charger holds the charge to in the end; None: to nothing.
    """

    results: tuple[str, str | None]
    told: list[float]
    held_w: float | None


@asynccontextmanager
async def charging(site: Site, emsp: Emsp, ocpp: str, **faults: bool) -> AsyncIterator[tuple[Charger, Tree]]:
    """An app has started a charge: the charger, and the session. It ends without complaints of the charger."""
    place, uid = site.place(ocpp), site.uid()
    token = emsp.post("tokens", {"uid": uid, "type": "RFID", "push": False})
    async with site.charger(place, clock=FastClock(), faults=Faults(**faults)) as charger:
        await charger.boot()
        await charger.plug_in()
        started = await emsp.command("START_SESSION", start_at(place, uid))
        assert results(started) == ("ACCEPTED", "ACCEPTED")
        await charger.until_started()
        yield charger, await the_active_session(emsp, token)
        await charger.unplug()
        await charger.settled()
        assert charger.complaints.texts() == []


async def limit(emsp: Emsp, session: Tree) -> Tree:
    ask = {"method": "PUT", "session": session["id"], "given": PROFILE}
    outcome: Tree = await asyncio.to_thread(emsp.post, "limits", ask)
    return outcome


def held(charger: Charger) -> float | None:
    """What it holds its charge to now, in W."""
    return charger.plan.limit_w(1, charger.clock.now(), transaction_from=None)


Frame = tuple[Any, str, str, Tree]
"""Socket, id, action and payload of a CALL of the hub."""


def takes_and_then(charger: Charger, deed: Callable[[Frame], Awaitable[None]]) -> None:
    """The first SetChargingProfile gets no answer: it is carried out, and then comes `deed`."""
    honest, seen = charger.link._answer, list[Frame]()

    async def answer(socket: Any, identity: str, action: str, payload: Tree) -> None:
        frame = (socket, identity, action, payload)
        if action != "SetChargingProfile" or seen:
            await honest(*frame)
            return
        seen.append(frame)
        charger.on_call(action, payload)
        await deed(frame)

    charger.link._answer = answer  # type: ignore[method-assign]


def takes_it_late(charger: Charger) -> None:
    """The first SetChargingProfile is carried out and answered after the ClearChargingProfile that takes it back."""
    honest, kept = charger.link._answer, list[Frame]()
    is_late = False

    async def answer(socket: Any, identity: str, action: str, payload: Tree) -> None:
        nonlocal is_late
        frame = (socket, identity, action, payload)
        if action == "SetChargingProfile" and not kept:
            kept.append(frame)
            return
        await honest(*frame)
        if action == "ClearChargingProfile" and not is_late:
            is_late = True
            await honest(*kept[0])
            assert held(charger) == 7 * 690

    charger.link._answer = answer  # type: ignore[method-assign]


async def limited(site: Site, emsp: Emsp, ocpp: str, *, denies: bool = False, **faults: bool) -> Limited:
    """An app starts a charge, and limits it to 7 A. `denies`: the schedule of the charger shows 32 A all along."""
    async with charging(site, emsp, ocpp, **faults) as (charger, session):
        if denies:
            deny(charger)
        outcome = await limit(emsp, session)
        if outcome["result"] == {"result": "ACCEPTED"}:
            await until(lambda: active_profiles(emsp, session["id"]), why="ActiveChargingProfile")
        held_w = held(charger)
    return Limited(results(outcome), active_profiles(emsp, session["id"]), held_w)


def deny(charger: Charger) -> None:
    """It keeps profiles, and its schedule shows none of them."""
    table = charger._answers._table
    honest = table["GetCompositeSchedule"]

    def denied(payload: Tree) -> Answer:
        answer, then = honest(payload)
        schedule = answer["chargingSchedule" if "chargingSchedule" in answer else "schedule"]
        schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 32.0}]
        return answer, then

    table["GetCompositeSchedule"] = denied


def active_profiles(emsp: Emsp, session_id: str) -> list[float]:
    """The first limit of each ActiveChargingProfile of a session that the eMSP was told."""
    puts = [
        r for r in emsp.receipts() if r["method"] == "PUT" and r["path"].endswith(f"/chargingprofiles/{session_id}")
    ]
    return [float(first_limit(json.loads(receipt["body"]))) for receipt in puts]


def first_limit(active: Tree) -> float:
    return float(active["charging_profile"]["charging_profile_period"][0]["limit"])


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_that_the_charger_goes_by_is_accepted_and_shown(site: Site, ocpp: str) -> None:
    found = await limited(site, site.emsps["2.2.1"], ocpp)
    assert found.results == ("ACCEPTED", "ACCEPTED")
    assert set(found.told) == {7}
    assert found.held_w == 7 * 690


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_that_the_charger_accepts_and_does_not_go_by_is_rejected(site: Site, ocpp: str) -> None:
    found = await limited(site, site.emsps["2.2.1"], ocpp, forgets_limits=True)
    assert found.results == ("ACCEPTED", "REJECTED")
    assert found.told == []


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_that_is_rejected_for_what_the_charger_shows_is_not_in_force(site: Site, ocpp: str) -> None:
    found = await limited(site, site.emsps["2.2.1"], ocpp, denies=True)
    assert found.results == ("ACCEPTED", "REJECTED")
    assert found.held_w is None


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_whose_charger_dropped_its_socket_is_taken_back_when_it_is_there_again(
    site: Site, ocpp: str
) -> None:
    emsp = site.emsps["2.2.1"]
    async with charging(site, emsp, ocpp) as (charger, session):

        async def drop(frame: Frame) -> None:
            frame[0].transport.abort()

        takes_and_then(charger, drop)
        assert results(await limit(emsp, session)) == ("ACCEPTED", "REJECTED")
        await until(lambda: held(charger) is None, why="taken back")


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_that_the_hub_died_over_is_taken_back_when_both_are_there_again(site: Site, ocpp: str) -> None:
    emsp = site.emsps["2.2.1"]
    async with charging(site, emsp, ocpp) as (charger, session):
        is_dead = asyncio.Event()

        async def die(_: Frame) -> None:
            await asyncio.to_thread(site.hub.process.kill)
            is_dead.set()

        takes_and_then(charger, die)
        asking = asyncio.create_task(limit(emsp, session))
        await is_dead.wait()
        assert held(charger) == 7 * 690
        await asyncio.to_thread(site.hub.start)
        await until(lambda: held(charger) is None, why="taken back")
        assert results(await asking)[1] in ("REJECTED", None)


@pytest.mark.parametrize("ocpp", OCPP)
async def test_a_profile_that_a_charger_takes_after_it_was_taken_back_is_taken_back_again(
    site: Site, ocpp: str
) -> None:
    emsp = site.emsps["2.2.1"]
    async with charging(site, emsp, ocpp) as (charger, session):
        takes_it_late(charger)
        assert results(await limit(emsp, session)) == ("ACCEPTED", "REJECTED")
        await until(lambda: held(charger) is None, why="taken back again")
