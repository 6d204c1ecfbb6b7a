"""Who a request is for: an address that nobody has is told on every module, whatever else is asked (REQ-102)."""

from __future__ import annotations

import pytest

from tests.world import a_world

PATHS = (
    "sender/locations",
    "sender/locations/LOC1",
    "sender/tariffs",
    "sender/sessions",
    "sender/cdrs",
    "receiver/tokens/NL/EEE/CARD1",
)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_get_for_a_party_that_nobody_knows_is_4001(sqlite_url: str, version: str, path: str) -> None:
    async with a_world(sqlite_url, version) as world:
        for address in (("XX", "XXX"), ("DE", "XXX"), ("XX", "BSB")):
            headers = list(zip(("OCPI-to-country-code", "OCPI-to-party-id"), address, strict=True))
            said = await world.ask("GET", world.at(path), by="e1", headers=headers)
            assert (said.http, said.code, said.data) == (200, 4001, None)
