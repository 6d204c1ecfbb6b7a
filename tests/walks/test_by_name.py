"""Walk: a CPO addresses its objects to one eMSP, which is well, away, silent or refuses; and the hub falls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.walks.cpos import Cpo, joined, location, tariff
from tests.walks.site import Emsp, Site, until


@pytest.fixture
def cpo(site: Site, tmp_path: Path) -> Iterator[Cpo]:
    with joined(site, "2.2.1", tmp_path) as cpo:
        yield cpo


@pytest.fixture
def chosen(site: Site) -> Emsp:
    """Of another version than the CPO."""
    return site.emsps["2.3.0"]


async def puts(cpo: Cpo, module: str, tree: object, to: Emsp) -> str:
    """What the CPO is told; "": success. The eMSP is asked meanwhile."""
    body = {"module": module, "object": tree, "to": to.process.party}
    return await asyncio.to_thread(_told, cpo, "objects", body)


def _told(cpo: Cpo, action: str, body: object) -> str:
    status, told = cpo.process.web.answer("POST", f"/sandbox/{action}", body)
    return "" if status == 200 else str(told["error"])


def listed(emsp: Emsp, module: str) -> list[str]:
    """The ids on the hub's list, as that eMSP pulls it."""
    return [tree["id"] for tree in emsp.post("pull", {"module": module})]


async def test_what_the_emsp_takes_is_there_when_the_cpo_is_answered_and_no_lane_brings_it_again(
    site: Site, cpo: Cpo, chosen: Emsp
) -> None:
    assert await puts(cpo, "tariffs", tariff(cpo.version, "BN-T"), chosen) == ""
    assert await puts(cpo, "locations", location(cpo.version, "BN-L"), chosen) == ""
    assert chosen.held("tariffs", id="BN-T")
    change = {"path": ["BN-L", "BN-L-1"], "change": {"status": "CHARGING"}, "to": chosen.process.party}
    assert await asyncio.to_thread(_told, cpo, "patch", change) == ""
    assert chosen.held("locations", id="BN-L")[0]["evses"][0]["status"] == "CHARGING"
    await until(lambda: site.is_idle(chosen), why="the lane's rest")
    asked = [r["method"] for r in chosen.receipts() if r["path"].endswith(("/BN-T", "/BN-L", "/BN-L-1"))]
    assert asked == ["PUT", "PUT", "PATCH"]
    assert ("BN-L" in listed(chosen, "locations"), "BN-T" in listed(chosen, "tariffs")) == (True, True)
    assert (chosen.new_complaints(), cpo.complaints()) == ([], [])


@pytest.mark.parametrize(
    ("mode", "code"), [("reject", "OCPI 2000 refused"), ("silent", "OCPI 4002"), ("dead", "OCPI 4003")]
)
async def test_what_the_emsp_does_not_take_the_cpo_is_told_and_nobody_keeps(
    cpo: Cpo, chosen: Emsp, mode: str, code: str
) -> None:
    name = f"BN-{mode}"
    if mode == "dead":
        chosen.process.process.kill()
    else:
        chosen.mode(mode)
    told = await puts(cpo, "locations", location(cpo.version, name), chosen)
    assert code in told
    if mode == "dead":
        chosen.process.start()
        chosen.process.wait()
    chosen.mode("happy")
    assert name not in listed(chosen, "locations")
    assert not chosen.held("locations", id=name)
    assert await puts(cpo, "locations", location(cpo.version, name), chosen) == ""
    assert name in listed(chosen, "locations")
    assert cpo.complaints() == []


async def test_a_hub_that_falls_once_the_emsp_has_it_is_told_again(site: Site, cpo: Cpo, chosen: Emsp) -> None:
    site.hub.arm("point_to_point.accepted=1*kill")
    assert await puts(cpo, "locations", location(cpo.version, "BN-K"), chosen) != ""
    site.hub.process.wait_until_dead()
    await asyncio.to_thread(site.hub.start)
    assert "BN-K" not in listed(chosen, "locations")
    assert chosen.held("locations", id="BN-K")
    assert await puts(cpo, "locations", location(cpo.version, "BN-K"), chosen) == ""
    assert "BN-K" in listed(chosen, "locations")
    assert cpo.complaints() == []
