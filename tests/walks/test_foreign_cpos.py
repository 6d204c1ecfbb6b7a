"""Walk (c): a CPO of another company registers, and what it says of its places reaches the eMSPs of each version.

The CPO is a program of its own, in each version too: nine pairs of versions, each way of telling and of asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.walks.cpos import Cpo, joined, location, tariff
from tests.walks.site import VERSIONS, Emsp, Site, Tree, until


@pytest.fixture(params=VERSIONS)
def cpo(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Cpo]:
    """A CPO of each version, registered, and gone again afterwards."""
    with joined(site, request.param, tmp_path) as cpo:
        yield cpo


async def held(emsp: Emsp, module: str, identity: str) -> Tree:
    """The object at a partner, once it is there."""
    found: list[Tree] = await until(lambda: emsp.held(module, id=identity), why=f"{identity} at {emsp.version}")
    (tree,) = found
    return tree


def has_status(emsp: Emsp, identity: str, status: str) -> bool:
    """Is the first EVSE of this location there so?"""
    (tree,) = emsp.held("locations", id=identity)
    return bool(tree["evses"][0]["status"] == status)


def is_gone(emsp: Emsp, tariff_id: str) -> bool:
    return not emsp.held("tariffs", id=tariff_id)


def owned(found: list[Tree], cpo: Cpo, version: str) -> list[Tree]:
    """Of 2.1.1 no object says whose it is."""
    return [tree for tree in found if version == "2.1.1" or tree["party_id"] == cpo.party_id]


async def test_what_a_cpo_pushes_reaches_every_emsp_in_its_version(site: Site, cpo: Cpo) -> None:
    name = f"X-{cpo.version}"
    cpo.does("objects", module="tariffs", object=tariff(cpo.version, f"T-{cpo.version}"))
    cpo.does("objects", module="locations", object=location(cpo.version, name))
    for emsp in site.emsps.values():
        told = await held(emsp, "locations", name)
        assert [evse["status"] for evse in told["evses"]] == ["AVAILABLE", "AVAILABLE"]
        assert await held(emsp, "tariffs", f"T-{cpo.version}")

    change = {"status": "CHARGING"}
    part = cpo.does("patch", path=[name, f"{name}-1"], change=change)
    for emsp in site.emsps.values():
        await until(partial(has_status, emsp, name, "CHARGING"), why=f"the status at {emsp.version}")
        told = await held(emsp, "locations", name)
        assert told["evses"][0]["last_updated"] == part["last_updated"] == told["last_updated"]
        methods = [r["method"] for r in emsp.receipts() if f"/{cpo.country}/{cpo.party_id}/{name}" in r["path"]]
        assert methods[-1] == "PATCH"

    cpo.does("withdraw", tariff=f"T-{cpo.version}")
    for emsp in site.emsps.values():
        await until(partial(is_gone, emsp, f"T-{cpo.version}"), why=f"its end at {emsp.version}")
        assert emsp.new_complaints() == []
    assert cpo.complaints() == []


async def test_what_a_cpo_had_before_is_pulled_and_can_be_pulled_on(site: Site, cpo: Cpo) -> None:
    key = f"/api/v1/partners/{cpo.process.name}"
    await until(lambda: site.hub.web.ask("GET", key)["pulled"].get("locations"), why="our pull")
    for emsp in site.emsps.values():
        found = owned(emsp.post("pull", {"module": "locations"}), cpo, emsp.version)
        assert "OLD1" in [tree["id"] for tree in found]
        assert "OLD" in [tree["id"] for tree in owned(emsp.post("pull", {"module": "tariffs"}), cpo, emsp.version)]
        assert emsp.new_complaints() == []
    assert cpo.complaints() == []


@pytest.mark.parametrize("cpo", ["2.2.1", "2.3.0"], indirect=True)
async def test_what_is_addressed_to_one_emsp_reaches_it_alone(site: Site, cpo: Cpo) -> None:
    name = f"P-{cpo.version}"
    chosen = site.emsps["2.3.0"]
    cpo.does("objects", module="locations", object=location(cpo.version, name), to=chosen.process.party)
    assert await held(chosen, "locations", name)
    receipt = next(r for r in chosen.receipts() if r["path"].endswith(f"/{name}"))
    assert receipt["headers"]["ocpi-from-party-id"] == cpo.party_id
    for emsp in site.emsps.values():
        if emsp is not chosen:
            assert not emsp.held("locations", id=name)
            assert name not in [tree["id"] for tree in emsp.post("pull", {"module": "locations"})]
    assert chosen.new_complaints() == []
    assert cpo.complaints() == []


async def test_an_agreement_keeps_one_emsp_out(site: Site, cpo: Cpo) -> None:
    name, kept_out = f"A-{cpo.version}", site.emsps["2.2.1"]
    rule = {"viewer": kept_out.process.name, "owner": cpo.process.party, "allow": False}
    site.hub.web.ask("PUT", "/api/v1/agreements", rule)
    cpo.does("objects", module="locations", object=location(cpo.version, name))
    for emsp in site.emsps.values():
        if emsp is not kept_out:
            assert await held(emsp, "locations", name)
    assert name not in [tree["id"] for tree in kept_out.post("pull", {"module": "locations"})]
    assert not kept_out.held("locations", id=name)
    owner = cpo.process.party.replace("*", "%2A")
    site.hub.web.ask("DELETE", f"/api/v1/agreements/{kept_out.process.name}/{owner}/%2A")
    assert await held(kept_out, "locations", name)
    assert name in [tree["id"] for tree in kept_out.post("pull", {"module": "locations"})]


async def test_what_changed_while_an_agreement_kept_an_emsp_out_is_brought_to_it_afterwards(
    site: Site, cpo: Cpo
) -> None:
    name, kept_out = f"B-{cpo.version}", site.emsps["2.1.1"]
    cpo.does("objects", module="locations", object=location(cpo.version, name))
    for emsp in site.emsps.values():
        assert await held(emsp, "locations", name)
    rule = {"viewer": kept_out.process.name, "owner": cpo.process.party, "allow": False}
    site.hub.web.ask("PUT", "/api/v1/agreements", rule)
    cpo.does("patch", path=[name, f"{name}-1"], change={"status": "CHARGING"})
    others = [emsp for emsp in site.emsps.values() if emsp is not kept_out]
    for emsp in others:
        await until(partial(has_status, emsp, name, "CHARGING"), why=f"the status at {emsp.version}")
    await until(partial(site.is_idle, kept_out), why="a lane without work")
    assert has_status(kept_out, name, "AVAILABLE")
    told = {emsp.version: len(emsp.receipts()) for emsp in others}

    owner = cpo.process.party.replace("*", "%2A")
    site.hub.web.ask("DELETE", f"/api/v1/agreements/{kept_out.process.name}/{owner}/%2A")
    await until(partial(has_status, kept_out, name, "CHARGING"), why="what changed meanwhile")
    assert {emsp.version: len(emsp.receipts()) for emsp in others} == told
    assert kept_out.new_complaints() == []


async def test_a_cpo_that_leaves_takes_its_places_along(site: Site, cpo: Cpo) -> None:
    name = f"L-{cpo.version}"
    cpo.does("objects", module="locations", object=location(cpo.version, name))
    emsp = site.emsps["2.2.1"]
    assert await held(emsp, "locations", name)
    cpo.does("rotate")
    cpo.does("patch", path=[name, f"{name}-2"], change={"status": "BLOCKED"})
    site.hub.web.ask("POST", f"/api/v1/partners/{cpo.process.name}/block", {})
    assert name not in [tree["id"] for tree in emsp.post("pull", {"module": "locations"})]
    site.hub.web.ask("POST", f"/api/v1/partners/{cpo.process.name}/unblock", {})
    assert name in [tree["id"] for tree in emsp.post("pull", {"module": "locations"})]
    assert cpo.complaints() == []
