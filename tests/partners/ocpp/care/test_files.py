"""What chargers fetch and bring: whole, in parts, and never under a link that is not theirs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.api.access import limiter
from hub.core.units import Unit
from partners.ocpp.care import links
from partners.sandbox.point import transfer
from tests.hub.house import OPERATOR_TOKEN
from tests.partners.ocpp.care.conftest import IMAGE, Yard

NOBODYS = "/files/" + "A" * 43
TRICKS = (
    *(NOBODYS, f"{NOBODYS}/fw2.bin", "/files", "/files/", "/files/kept", "/files/%00", "/files/" + "A" * 5000),
    *("/files/..%2f..%2fetc%2fpasswd", "/files/%2e%2e/%2e%2e/etc", "/files//etc/passwd"),
)


async def a_link(yard: Yard, purpose: links.Purpose = "firmware", subject: str = "fw2", name: str = "fw2.bin") -> str:
    """The path of a link that works."""
    hub = yard.house.program.hub
    minted = links.mint(hub, purpose, "CP1", subject, name=name, is_secure=True)
    await hub.store.commit(Unit().put(minted.put))
    return minted.url.removeprefix(yard.house.url)


async def test_firmware_is_fetched_under_its_link_whole_and_in_parts(yard: Yard) -> None:
    await yard.add_firmware()
    path, http = await a_link(yard), yard.house.http
    whole = await http.get(path)
    assert (whole.status_code, whole.content) == (200, IMAGE)
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = await http.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, IMAGE[10:20])
    assert (await http.head(path)).headers["content-length"] == str(len(IMAGE))
    assert (await http.get(path, headers={"Range": "bytes=999999-"})).status_code == 416
    assert await transfer.fetch(yard.house.url + path) == IMAGE


async def test_a_guessed_link_and_a_tricky_path_lead_nowhere(yard: Yard) -> None:
    await yard.add_firmware()
    for path in TRICKS:
        for method in ("GET", "HEAD", "PUT", "POST"):
            answer = await yard.house.http.request(method, path, content=b"x" if method in ("PUT", "POST") else None)
            assert answer.status_code == 404, (method, path)
    assert len(list(yard.files.iterdir())) == 1


async def test_what_follows_a_link_is_no_path(yard: Yard) -> None:
    await yard.add_firmware()
    path = await a_link(yard, name="")
    for ending in ("", "/x.bin", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd"):
        assert (await yard.house.http.get(path + ending)).content == IMAGE


async def test_a_link_is_for_one_purpose(yard: Yard) -> None:
    await yard.add_firmware()
    path = await a_link(yard)
    assert (await yard.house.http.put(path, content=b"log")).status_code == 404
    async with yard.charger() as charger:
        await yard.ask("POST", "/stations/CP1/logs", {})
        (url,) = yard.locations(charger)
        assert (await yard.house.http.get(url)).status_code == 404


async def test_a_link_works_until_its_time_is_over(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    await yard.add_firmware()
    hub = yard.house.program.hub
    path = await a_link(yard)
    assert (await yard.house.http.get(path)).status_code == 200
    over = hub.clock.now() + timedelta(seconds=hub.settings.files_link_s)
    monkeypatch.setattr(type(hub.clock), "now", lambda _: over)
    assert (await yard.house.http.get(path)).status_code == 404
    await links.forget(hub)
    assert await hub.store.select(links.CARE_LINKS) == []


async def test_who_guesses_is_slowed_down(yard: Yard) -> None:
    yard.house.program.web.state.failures = limiter(3)
    answers = [(await yard.house.http.get(f"/files/{number:043}")).status_code for number in range(5)]
    assert answers == [404, 404, 404, 429, 429]


async def test_a_file_that_is_not_what_was_said_is_not_kept(yard: Yard) -> None:
    described = {"model": "M", "version": "1", "sha256": hashlib.sha256(b"good").hexdigest()}
    await yard.ask("PUT", "/firmware/fw", described)
    house = yard.house
    assert (await house.ask("PUT", "/api/v1/firmware/fw/file", body=b"evil")).status == 422
    assert (await house.ask("PUT", "/api/v1/firmware/none/file", body=b"good")).status == 404
    assert list(yard.files.iterdir()) == []
    assert (await house.ask("PUT", "/api/v1/firmware/fw", {**described, "version": "2"})).status == 409
    assert (await house.ask("PUT", "/api/v1/firmware/..%2ffw", described)).status == 422
    assert (await yard.ask("GET", "/firmware"))["items"][0]["state"] == "waits for its file"


async def test_a_link_to_firmware_that_was_deleted_leads_nowhere(yard: Yard) -> None:
    await yard.add_firmware()
    path = await a_link(yard)
    await yard.ask("DELETE", "/firmware/fw2")
    assert (await yard.house.http.get(path)).status_code == 404
    assert list(yard.files.iterdir()) == []


async def test_a_charger_brings_its_diagnostics_and_the_operator_gets_them_as_they_came(yard: Yard) -> None:
    async with yard.charger() as charger:
        asked = await yard.ask("POST", "/stations/CP1/logs", {"since": "2026-01-01T00:00:00Z"})
        log = await yard.log(asked["number"], "received")
        assert charger.complaints.texts() == []
    assert log["file_name"] == "CP1.log"
    answer = await yard.house.http.get(
        f"/api/v1/stations/CP1/logs/{asked['number']}/file", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    )
    assert b"BootNotification" in answer.content
    assert hashlib.sha256(answer.content).hexdigest() == log["sha256"]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_a_security_log_comes_by_the_way_of_the_whitepaper(yard: Yard) -> None:
    async with yard.charger() as charger:
        asked = await yard.ask("POST", "/stations/CP1/logs", {"kind": "security"})
        log = await yard.log(asked["number"], "received")
        assert charger.complaints.texts() == []
    assert log["kind"] == "security"
    assert [row["number"] for row in (await yard.ask("GET", "/stations/CP1/logs"))["items"]] == [asked["number"]]


async def test_a_log_is_taken_once_and_only_while_asked_for(yard: Yard) -> None:
    async with yard.charger() as charger:
        asked = await yard.ask("POST", "/stations/CP1/logs", {})
        await yard.log(asked["number"], "received")
        (url,) = yard.locations(charger)
    assert (await yard.house.http.put(f"{url}/again", content=b"more")).status_code == 404
    assert len(list(yard.files.iterdir())) == 1


async def test_of_two_who_bring_under_one_link_one_is_taken(yard: Yard) -> None:
    hub = yard.house.program.hub
    url = await _silent(yard)
    both = [yard.house.http.post(url, content=bytes([n]) * 50_000) for n in (1, 2)]
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*both)])
    assert statuses[0] == 201
    assert statuses[1] in (404, 409)
    assert len(list(yard.files.iterdir())) == 1
    assert await hub.store.select(links.CARE_LINKS) == []


async def test_an_upload_that_is_too_large_empty_or_a_part_is_refused_and_leaves_nothing(yard: Yard) -> None:
    program, http = yard.house.program, yard.house.http
    program.settings = program.hub.settings = program.settings.model_copy(update={"log_bytes": 1024})
    url = await _silent(yard)

    async def unending() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 500

    assert (await http.put(url, content=b"x" * 1025)).status_code == 413
    assert (await http.put(url, content=unending())).status_code == 413
    assert (await http.put(url, content=b"")).status_code == 422
    assert (await http.put(url, content=b"x", headers={"Content-Range": "bytes 0-0/2"})).status_code == 422
    assert not yard.files.exists() or list(yard.files.iterdir()) == []
    assert (await http.put(url, content=b"x" * 1024)).status_code == 201


async def test_links_are_shown_to_nobody(yard: Yard) -> None:
    async with yard.charger() as charger:
        await yard.ask("POST", "/stations/CP1/logs", {})
        (url,) = yard.locations(charger)
    token = url.split("/")[4]
    for path in ("/stations/CP1/messages", "/stations/CP1/logs", "/audit"):
        assert token not in str(await yard.ask("GET", path))
    for file in yard.files.parent.glob("busbar.db*"):
        assert token.encode() not in file.read_bytes()


async def test_a_charger_that_is_away_is_not_asked(yard: Yard) -> None:
    async with yard.charger():
        pass
    told = await yard.house.ask("POST", "/api/v1/stations/CP1/logs", {})
    assert (told.status, told.code) == (404, "not_found")
    assert (await yard.house.ask("POST", "/api/v1/stations/CP9/logs", {})).status == 404
    assert (await yard.ask("GET", "/stations/CP1/logs"))["items"] == []


async def test_without_tls_a_charger_gets_the_plain_address(yard: Yard) -> None:
    hub = yard.house.program.hub
    hub.settings = hub.settings.model_copy(update={"files_plain_url": "http://plain.example", "files_url": "https://f"})
    for is_secure, base in ((True, "https://f/files/"), (False, "http://plain.example/files/")):
        url = links.mint(hub, "log", "CP1", "1", name="", is_secure=is_secure).url
        assert url.startswith(base)
        assert len(url.removeprefix(base)) == 43


async def _silent(yard: Yard) -> str:
    """The link of a request that the charger does nothing about."""
    async with yard.charger() as charger:
        charger._answers._table["GetDiagnostics"] = lambda _: ({"fileName": "x"}, None)
        await yard.ask("POST", "/stations/CP1/logs", {})
        return yard.locations(charger)[-1]
