"""Who is there: a CPO is killed and comes back, is suspended and let in again, and the eMSPs are told each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.walks.cpos import Cpo, joined, tariff
from tests.walks.site import Emsp, Site, Tree, until

TOLD = ("2.2.1", "2.3.0")
"""Versions that have the module."""


@pytest.fixture(params=TOLD)
def cpo(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Cpo]:
    with joined(site, request.param, tmp_path) as cpo:
        yield cpo


def at_emsp(emsp: Emsp, cpo: Cpo, status: str) -> bool:
    """Is this what the eMSP was told of the CPO last?"""
    clients: list[Tree] = emsp.state()["clients"]
    return any((each["party_id"], each["status"]) == (cpo.party_id, status) for each in clients)


async def all_are_told(site: Site, cpo: Cpo, status: str) -> None:
    for version in TOLD:
        await until(partial(at_emsp, site.emsps[version], cpo, status), why=f"{status} at {version}")


def in_our_books(site: Site, cpo: Cpo) -> Tree:
    items: list[Tree] = site.hub.web.ask("GET", "/api/v1/clients")["items"]
    (found,) = [each for each in items if each["party"] == f"BE*{cpo.party_id}"]
    return found


def client_infos(emsp: Emsp) -> int:
    """How many it was sent."""
    return sum("/hubclientinfo/" in receipt["path"] for receipt in emsp.receipts())


async def test_who_is_killed_is_offline_and_who_comes_back_is_connected(site: Site, cpo: Cpo) -> None:
    await all_are_told(site, cpo, "CONNECTED")
    cpo.process.process.kill()
    uid = site.uid()
    site.emsps["2.2.1"].push_token(uid)
    await all_are_told(site, cpo, "OFFLINE")
    shown = in_our_books(site, cpo)
    assert (shown["status"], shown["partner"], shown["role"]) == ("OFFLINE", cpo.process.name, "CPO")
    assert shown["why"].startswith("does not answer")

    cpo.process.start()
    cpo.process.wait()
    await all_are_told(site, cpo, "CONNECTED")
    await until(lambda: cpo.token(uid), why="what waited meanwhile")
    assert [text for emsp in site.emsps.values() for text in emsp.new_complaints()] == []


async def test_who_is_suspended_is_told_of_so_and_what_it_is_owed_waits(site: Site, cpo: Cpo) -> None:
    await all_are_told(site, cpo, "CONNECTED")
    at = f"/api/v1/partners/{cpo.process.name}"
    site.hub.web.ask("POST", f"{at}/block")
    await all_are_told(site, cpo, "SUSPENDED")
    uid = site.uid()
    site.emsps["2.3.0"].push_token(uid)
    price = {"module": "tariffs", "object": tariff(cpo.version, "OLD")}
    status, answer = cpo.process.web.answer("POST", "/sandbox/objects", price)
    assert (status, "401" in answer["error"]) == (409, True)
    assert cpo.token(uid) is None

    site.hub.web.ask("POST", f"{at}/unblock")
    await all_are_told(site, cpo, "CONNECTED")
    await until(lambda: cpo.token(uid), why="what it was owed")


async def test_a_restart_of_the_hub_tells_nobody_anything_again(site: Site, cpo: Cpo) -> None:
    await all_are_told(site, cpo, "CONNECTED")
    for version in TOLD:
        await until(partial(site.is_idle, site.emsps[version]), why="nothing under way")
    before = {version: client_infos(site.emsps[version]) for version in TOLD}
    shown = in_our_books(site, cpo)
    site.hub.process.stop()
    site.hub.start()
    uid = site.uid()
    site.emsps["2.2.1"].push_token(uid)
    await until(lambda: cpo.token(uid), why="the lanes at work")
    for version in TOLD:
        await until(partial(site.is_idle, site.emsps[version]), why="nothing under way")
    assert {version: client_infos(site.emsps[version]) for version in TOLD} == before
    assert in_our_books(site, cpo) == shown
