"""The sandbox CPO: it keeps to the specification itself, checks what it is sent, and reports on commands later."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.core.parties import PartyRole
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from partners.sandbox.cpo import Cpo
from tests.world import a_program, invited, their_location, their_tariff, token, until


@pytest.fixture
async def cpo(sqlite_url: str, version: str) -> AsyncIterator[tuple[Any, Cpo]]:
    """A running hub, and a CPO that is registered there."""
    async with a_program(sqlite_url) as program, Cpo(version, "BE*AAA") as made:
        token_a = await invited(program, "cpo", "BE*AAA", PartyRole.CPO)
        path = "emsp/versions" if version == "2.1.1" else "versions"
        await made.register(f"{program.settings.base_url}/ocpi/{path}", token_a)
        yield program, made


async def ask(cpo: Cpo, method: str, path: str, body: Any = None) -> Any:
    """As the hub would."""
    assert cpo.registration is not None
    shown = cpo.registration.our_token
    if cpo.rules.base64_tokens:
        shown = b64encode(shown.encode()).decode()
    headers = {"Authorization": f"Token {shown}", "X-Request-ID": "r", "X-Correlation-ID": "c"}
    for end, party in (("to", "BE*AAA"), ("from", "DE*BSB")):
        headers[f"OCPI-{end}-country-code"], headers[f"OCPI-{end}-party-id"] = party.split("*")
    async with httpx.AsyncClient(trust_env=False) as web:
        answer = await web.request(method, f"{cpo.url}/ocpi/{cpo.rules.version}/{path}", headers=headers, json=body)
    return answer.json()


async def test_it_registers_pushes_changes_and_withdraws(cpo: tuple[Any, Cpo]) -> None:
    program, partner = cpo
    await partner.put("tariffs", plain(their_tariff(partner.rules.version)))
    await partner.put("locations", plain(their_location(partner.rules.version)))
    await partner.patch_location(("X1", "E1"), {"status": "CHARGING"})
    (kept,) = await program.store.select(LOCATIONS)
    assert b'"status":"CHARGING"' in kept.body
    assert len(await program.store.select(TARIFFS)) == 1
    await partner.withdraw("T9")
    assert await program.store.select(TARIFFS) == []
    assert partner.complaints.texts() == []


async def test_its_lists_are_pulled_page_by_page(cpo: tuple[Any, Cpo]) -> None:
    program, partner = cpo
    for number in range(5):
        tree = plain(their_location(partner.rules.version, location_id=f"X{number}"))
        await partner.put("locations", tree, push=False)
    partner.temper.switch("pagination-stress")
    await until(lambda: program.hub.registry.get("cpo").pulled.get("locations"))
    await program.puller.pull("cpo", full=True)
    assert len(await program.store.select(LOCATIONS)) == 5
    assert [text for text in partner.complaints.texts() if "VersionNumber" not in text] == []


async def test_its_own_objects_must_keep_to_the_specification(cpo: tuple[Any, Cpo]) -> None:
    _, partner = cpo
    with pytest.raises(ValueError, match="Location"):
        await partner.put("locations", {"id": "X1"})
    with pytest.raises(ValueError, match="Tariff"):
        await partner.put("tariffs", {"id": "T1", "currency": "EURO"})


async def test_it_complains_of_what_it_is_sent_wrong(cpo: tuple[Any, Cpo]) -> None:
    _, partner = cpo
    good = token(partner.rules.version)
    assert (await ask(partner, "PUT", "tokens/NL/EEE/CARD1", good))["status_code"] == 1000
    assert (await ask(partner, "GET", "tokens/nl/eee/card1"))["data"]["uid"] == "CARD1"
    assert partner.complaints.texts() == []
    assert (await ask(partner, "PUT", "tokens/NL/EEE/CARD1", {**good, "whitelist": "X"}))["status_code"] == 2001
    assert (await ask(partner, "POST", "commands/STOP_SESSION", {}))["status_code"] == 2001
    assert len(partner.complaints.texts()) >= 2


async def test_it_answers_a_command_and_reports_later(cpo: tuple[Any, Cpo]) -> None:
    program, partner = cpo
    url = f"{program.settings.base_url}/ocpi/{partner.rules.version}/sender/commands/STOP_SESSION/none"
    partner.orders.settle(delay=0.01)
    answer = await ask(partner, "POST", "commands/STOP_SESSION", {"response_url": url, "session_id": "S1"})
    assert answer["data"]["result"] == "ACCEPTED"
    assert partner.orders.taken[0]["command"] == "STOP_SESSION"
    await until(lambda: any("result to" in text for text in partner.complaints.texts()))
    partner.orders.settle(answer="REJECTED")
    answer = await ask(partner, "POST", "commands/STOP_SESSION", {"response_url": url, "session_id": "S1"})
    assert answer["data"]["result"] == "REJECTED"


def plain(tree: dict[str, Any]) -> dict[str, Any]:
    """Without what the CPO fills in itself."""
    return {name: value for name, value in tree.items() if name not in ("country_code", "party_id", "last_updated")}
