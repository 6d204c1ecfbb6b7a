"""Each pair of a CPO's version and an eMSP's: the whole conversation of two partners, through the hub, over HTTP.

The CPO, the hub and the eMSP are processes; each side checks all that it is sent against its own version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.walks.cpos import PRICE, Charge, Cpo, joined, location, tariff
from tests.walks.site import VERSIONS, Emsp, Site, Tree, until
from tests.walks.test_commands import results
from tests.walks.test_taps import before_taxes

PROFILE = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": 10}]}


@pytest.fixture(scope="module", params=VERSIONS)
def cpo(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cpo]:
    """A CPO of each version, for its conversations with every eMSP."""
    with joined(site, request.param, tmp_path_factory.mktemp("cpo")) as cpo:
        yield cpo


async def arrived(emsp: Emsp, module: str, identity: str, **fields: object) -> Tree:
    """The object at the eMSP, once it is there and has these values."""
    found = await until(lambda: emsp.held(module, id=identity, **fields), why=f"{identity} {fields}")
    return found[0]


def status_of_first_evse(emsp: Emsp, location_id: str) -> str:
    (tree,) = emsp.held("locations", id=location_id)
    return str(tree["evses"][0]["status"])


async def shows_a_place(cpo: Cpo, emsp: Emsp) -> tuple[Tree, Tree]:
    """A tariff and a location, then a change of one EVSE. Returns: both, as the CPO keeps them."""
    name = f"{cpo.version}-{emsp.version}"
    priced = cpo.does("objects", module="tariffs", object=tariff(cpo.version, f"T-{name}"))
    place = cpo.does("objects", module="locations", object=location(cpo.version, f"L-{name}"))
    assert await arrived(emsp, "tariffs", f"T-{name}")
    assert await arrived(emsp, "locations", f"L-{name}")
    cpo.does("patch", path=[f"L-{name}", f"L-{name}-1"], change={"status": "CHARGING"})
    await until(lambda: status_of_first_evse(emsp, f"L-{name}") == "CHARGING", why="the change of an EVSE")
    return place, priced


async def lets_a_driver_in(cpo: Cpo, emsp: Emsp, uid: str) -> Tree:
    """A token reaches the CPO, which asks its eMSP. Returns: the token, as the CPO has it."""
    emsp.push_token(uid)
    token: Tree = await until(lambda: cpo.token(uid) or {}, why="the token at the CPO")
    said = await asyncio.to_thread(cpo.does, "authorize", uid=uid)
    assert said["allowed"] == "ALLOWED"
    emsp.decides(**{uid: "NO_CREDIT"})
    said = await asyncio.to_thread(cpo.does, "authorize", uid=uid)
    assert said["allowed"] == "NO_CREDIT"
    return token


async def orders(cpo: Cpo, emsp: Emsp, command: str, body: Tree) -> Tree:
    """A command that is carried out. Returns: what the CPO was told to do."""
    assert results(await emsp.command(command, body)) == ("ACCEPTED", "ACCEPTED")
    order: Tree = cpo.state()["commands"][-1]
    assert order["command"] == command
    return dict(order["body"])


async def limits(cpo: Cpo, emsp: Emsp, charge: Charge) -> None:
    """A charging profile is set, shown, told of when it changes, and taken back."""
    for method, given in (("PUT", PROFILE), ("GET", {"duration": 900}), ("DELETE", {})):
        said = await asyncio.to_thread(emsp.post, "limits", {"method": method, "session": charge.id, "given": given})
        assert results(said) == ("ACCEPTED", "ACCEPTED"), method
        order = cpo.state()["profiles"][-1]
        assert (order["method"], order["session"]) == (method, charge.id)
        if method == "GET":
            assert said["result"]["profile"]["charging_profile"] == PROFILE
    shown = {"start_date_time": "2026-01-01T10:00:00Z", "charging_profile": PROFILE}
    await asyncio.to_thread(cpo.does, "limits", session=charge.id, profile=shown)
    await until(lambda: emsp.state()["limits"].get(charge.id) == shown, why="the active profile")


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_cpo_and_an_emsp_of_any_two_versions_do_all_their_business(site: Site, cpo: Cpo, theirs: str) -> None:
    emsp = site.emsps[theirs]
    place, priced = await shows_a_place(cpo, emsp)
    uid = site.uid()
    token = await lets_a_driver_in(cpo, emsp, uid)

    spot = {"location_id": place["id"], "evse_uid": place["evses"][0]["uid"]}
    start = await orders(cpo, emsp, "START_SESSION", {"token": uid, **spot})
    assert (start["token"]["uid"], start["location_id"]) == (uid, place["id"])

    charge = Charge(cpo, token, place, priced, reference=start.get("authorization_reference"))
    cpo.does("objects", module="sessions", object=charge.session("ACTIVE", 0.5))
    session = await arrived(emsp, "sessions", charge.id)
    assert (session["status"], session["kwh"]) == ("ACTIVE", 0.5)
    if "2.1.1" not in (cpo.version, theirs):
        await limits(cpo, emsp, charge)
    assert (await orders(cpo, emsp, "STOP_SESSION", {"session_id": charge.id}))["session_id"] == charge.id

    cpo.does("objects", module="sessions", object=charge.session("COMPLETED", 1))
    await arrived(emsp, "sessions", charge.id, status="COMPLETED")
    bill = charge.cdr()
    cpo.does("objects", module="cdrs", object=bill)
    cdr = await arrived(emsp, "cdrs", bill["id"])
    assert float(before_taxes(cdr)) == PRICE
    assert cdr["total_energy"] == 1
    assert emsp.new_complaints() == []
    assert cpo.complaints() == []
