"""Walk (d): a new partner, from the operator's invitation to the first objects in both directions, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.walks.processes import EmspProcess
from tests.walks.site import VERSIONS, Emsp, Site, Tree, until

NEWCOMERS = {"2.1.1": "FR*AAA", "2.2.1": "FR*BBB", "2.3.0": "FR*CCC"}


@pytest.fixture(params=VERSIONS)
def newcomer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emsp]:
    """A partner that nobody here knows yet, with one driver."""
    process = EmspProcess(request.param, NEWCOMERS[request.param], tmp_path)
    process.start()
    try:
        process.wait()
        emsp = Emsp(process)
        emsp.post("tokens", {"uid": "NEWDRIVER", "whitelist": "ALLOWED", "push": False})
        yield emsp
    finally:
        process.close()


def tokens_of(site: Site, emsp: Emsp) -> list[str]:
    """The uids that the hub has of a partner's drivers."""
    items = site.hub.web.ask("GET", f"/api/v1/tokens?partner={emsp.process.name}")["items"]
    return [item["uid"] for item in items]


def state_of(site: Site, emsp: Emsp) -> str:
    return str(site.partner(emsp)["state"]).lower()


def keys_seen(emsp: Emsp) -> list[str]:
    """Digests of the tokens that the hub presented, in order of first use."""
    return list(dict.fromkeys(r["headers"]["authorization"] for r in emsp.receipts()))


def names(found: list[Tree]) -> list[str]:
    return [tree["id"] for tree in found]


async def assert_both_pull(site: Site, emsp: Emsp) -> None:
    """It sees our places and prices, and we see its drivers."""
    place = site.place()
    assert "T1" in names(emsp.post("pull", {"module": "tariffs"}))
    assert place.location in names(emsp.post("pull", {"module": "locations"}))
    assert await until(lambda: tokens_of(site, emsp), why="its tokens") == ["NEWDRIVER"]


async def test_an_invited_partner_registers_rotates_and_leaves(site: Site, newcomer: Emsp) -> None:
    invited = site.register(newcomer)
    assert state_of(site, newcomer) == "connected"
    await assert_both_pull(site, newcomer)

    before = keys_seen(newcomer)
    newcomer.post("rotate")
    place = site.place()
    assert place.location in names(newcomer.post("pull", {"module": "locations"}))
    await until(lambda: newcomer.held("locations", id=place.location), why="a push under the new token")
    assert len(keys_seen(newcomer)) > len(before)

    newcomer.post("unregister")
    assert state_of(site, newcomer) == "unregistered"
    status, _ = newcomer.process.web.answer("POST", "/sandbox/pull", {"module": "locations"})
    assert status == 409
    assert newcomer.new_complaints() == []

    status, answer = newcomer.process.web.answer("POST", "/sandbox/register", invited)
    assert (status, "401" in answer["error"]) == (409, True), "an invitation is good once"


async def test_we_register_with_a_partner_that_invited_us_rotate_and_leave(site: Site, newcomer: Emsp) -> None:
    invited = newcomer.post("invite")
    name = f"/api/v1/partners/{newcomer.process.name}"
    country_code, party_id = newcomer.process.party.split("*")
    role = {"role": "EMSP", "country_code": country_code, "party_id": party_id}

    shown = site.hub.web.ask("POST", f"{name}/connect", {**invited, "roles": [role]})
    assert (str(shown["state"]).lower(), shown["version"]) == ("connected", newcomer.version)
    await assert_both_pull(site, newcomer)

    before = keys_seen(newcomer)
    site.hub.web.ask("POST", f"{name}/rotate", {})
    assert "T1" in names(newcomer.post("pull", {"module": "tariffs"}))
    site.hub.web.ask("POST", f"{name}/pull", {"full": True})
    assert len(keys_seen(newcomer)) > len(before)

    left = site.hub.web.ask("DELETE", name)
    assert left["told"] is True
    assert newcomer.state()["registered"] is False
    tried = [text for text in newcomer.new_complaints() if not _is_trial(newcomer, text)]
    assert tried == []


def _is_trial(emsp: Emsp, complaint: str) -> bool:
    """Before its versions are read, nobody knows that a partner of 2.1.1 wants the token without Base64."""
    return emsp.version == "2.1.1" and complaint == "GET /ocpi/versions: a token that is not valid here"
