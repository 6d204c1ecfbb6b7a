"""A CPO of 2.1.1 whose ids no later version could hold does its business with eMSPs of each version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.walks.cpos import Charge, Cpo, joined, location, tariff
from tests.walks.site import VERSIONS, Emsp, Site, Tree, until
from tests.walks.test_pairs import lets_a_driver_in, orders

PLACE = "Parking-of-the-old-Market-in-Gent-000"
EVSE = "Left-of-the-two-in-the-old-Market-00"
LONGEST = 36


@pytest.fixture(scope="module")
def cpo(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cpo]:
    with joined(site, "2.1.1", tmp_path_factory.mktemp("cpo")) as cpo:
        yield cpo


def shows(cpo: Cpo, location_id: str, name: str, **fields: object) -> Tree:
    """A location with a long id, and one EVSE with such. Returns: it, as the CPO keeps it."""
    (evse, _) = location("2.1.1", "L")["evses"]
    evse = {**evse, "uid": f"{EVSE}{location_id[-2:]}x"}
    tree = location("2.1.1", location_id, evses=[evse], name=name, **fields)
    place: Tree = cpo.does("objects", module="locations", object=tree)
    return place


async def known(emsp: Emsp, module: str, **fields: object) -> Tree:
    """What the eMSP knows by these values, once it does."""
    (found,) = await until(lambda: emsp.held(module, **fields), why=f"{module} {fields}")
    return dict(found)


def place_in(tree: Tree) -> tuple[str, str]:
    """Location and EVSE of a session or a CDR, in whatever version."""
    if "location" in tree:
        return tree["location"]["id"], tree["location"]["evses"][0]["uid"]
    spot = tree.get("cdr_location") or {**tree, "id": tree["location_id"]}
    return spot["id"], spot["evse_uid"]


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_what_has_long_ids_is_used_by_its_name_and_known_to_its_cpo_by_its_own(
    site: Site, cpo: Cpo, theirs: str
) -> None:
    emsp, tail = site.emsps[theirs], theirs[2]
    priced = cpo.does("objects", module="tariffs", object=tariff("2.1.1", "Day"))
    here = shows(cpo, f"{PLACE}a{tail}", f"Here {tail}")
    shows(cpo, f"{PLACE}A{tail}", f"There {tail}")
    told = await known(emsp, "locations", name=f"Here {tail}")
    there = await known(emsp, "locations", name=f"There {tail}")
    spot = {"location_id": told["id"], "evse_uid": told["evses"][0]["uid"]}
    assert max(map(len, spot.values())) <= LONGEST
    assert len({told["id"].upper(), there["id"].upper()}) == 2
    cpo.does("patch", path=[here["id"], here["evses"][0]["uid"]], change={"status": "CHARGING"})
    await until(lambda: emsp.held("locations", name=f"Here {tail}")[0]["evses"][0]["status"] == "CHARGING", why="PATCH")
    token = await lets_a_driver_in(cpo, emsp, uid := site.uid())

    charge = Charge(cpo, token, here, priced, reference=None)
    driver = {"auth_id": token["auth_id"]} if theirs == "2.1.1" else {"uid": uid}
    for charge.id in (f"s-{uid}", f"S-{uid}"):
        order = await orders(cpo, emsp, "START_SESSION", {"token": uid, **spot})
        assert (order["location_id"], order["evse_uid"]) == (here["id"], here["evses"][0]["uid"])
        cpo.does("objects", module="sessions", object=charge.session("ACTIVE", 0.5))
        session = await known(emsp, "sessions", status="ACTIVE", **driver)
        assert place_in(session) == tuple(spot.values())
        assert (await orders(cpo, emsp, "STOP_SESSION", {"session_id": session["id"]}))["session_id"] == charge.id
        cpo.does("objects", module="sessions", object=charge.session("COMPLETED", 1))
        await known(emsp, "sessions", id=session["id"], status="COMPLETED")
    bill = charge.cdr()
    cpo.does("objects", module="cdrs", object=bill)
    assert place_in(await known(emsp, "cdrs", id=bill["id"])) == tuple(spot.values())
    assert emsp.new_complaints() == []
    assert cpo.complaints() == []


async def test_names_are_known_after_a_restart(site: Site, cpo: Cpo) -> None:
    emsp, uid = site.emsps["2.2.1"], site.uid()
    here = shows(cpo, f"{PLACE}rr", "Restarted")
    told = await known(emsp, "locations", name="Restarted")
    await lets_a_driver_in(cpo, emsp, uid)
    site.hub.process.kill()
    await asyncio.to_thread(site.hub.start)
    spot = {"location_id": told["id"], "evse_uid": told["evses"][0]["uid"]}
    order = await orders(cpo, emsp, "START_SESSION", {"token": uid, **spot})
    assert (order["location_id"], order["evse_uid"]) == (here["id"], here["evses"][0]["uid"])
    cpo.does("patch", path=[here["id"]], change={"name": "Opened anew"})
    assert (await known(emsp, "locations", name="Opened anew"))["id"] == told["id"]
    assert cpo.complaints() == []
