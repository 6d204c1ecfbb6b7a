"""Modes, receipts and restarts of the sandbox eMSP, over real connections."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from partners.sandbox.emsp import Emsp
from partners.sandbox.modes import MODES
from tests.partners.sandbox.samples import Peer, agreed, location


@asynccontextmanager
async def served(version: str = "2.2.1", **options: Any) -> AsyncIterator[Peer]:
    async with Emsp(version, **options) as emsp:
        agreed(emsp)
        async with httpx.AsyncClient(base_url=emsp.url, timeout=2) as client:
            yield Peer(emsp, client)


async def test_half_are_turned_away_under_rate_limit_and_told_when_to_come_back() -> None:
    async with served(mode="rate-limit", seed=3) as hub:
        answers = [await hub.send("GET", "tokens") for _ in range(40)]
        refused = [a for a in answers if a.status_code == 429]
        assert 10 < len(refused) < 30
        assert {a.headers["retry-after"] for a in refused} == {"2"}
        assert [r.outcome for r in hub.emsp.receipts.all()].count("refused") == len(refused)


async def test_the_same_seed_fails_at_the_same_requests() -> None:
    seen = []
    for _ in range(2):
        async with served(mode="random-500", seed=7) as hub:
            seen.append([(await hub.send("GET", "tokens")).status_code for _ in range(30)])
    assert seen[0] == seen[1]
    assert {200, 500} == set(seen[0])


async def test_a_partial_answer_is_cut_between_six_and_eight_tenths() -> None:
    async with served() as hub:
        whole = len((await hub.send("GET", "tokens")).content)
        hub.emsp.temper.switch("partial")
        cut = (await hub.send("GET", "tokens")).content
        assert 0.55 * whole < len(cut) < 0.85 * whole
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
            json.loads(cut)


async def test_slow_is_slow() -> None:
    async with served(mode="slow", slow_s=(0.1, 0.2)) as hub:
        assert (await hub.send("GET", "tokens")).elapsed.total_seconds() > 0.1


async def test_under_auth_fail_nothing_is_done() -> None:
    async with served(mode="auth-fail") as hub:
        assert (await hub.send("PUT", "locations/BE/BEC/LOC1", location("2.2.1"))).status_code == 401
        assert hub.emsp.mirror.listed("locations") == []
        assert hub.emsp.complaints.texts() == []


async def test_reject_is_a_polite_no() -> None:
    async with served(mode="reject") as hub:
        hub.emsp.add_token({"uid": "U1"})
        assert await hub.code("PUT", "locations/BE/BEC/LOC1", location("2.2.1")) == (200, 2000)
        info = (await hub.send("POST", "tokens/U1/authorize")).json()["data"]
        assert info["allowed"] == "NOT_ALLOWED"


async def test_pagination_stress_gives_one_item_a_page() -> None:
    async with served(mode="pagination-stress") as hub:
        for number in range(3):
            hub.emsp.add_token({"uid": f"U{number}"})
        answer = await hub.send("GET", "tokens?limit=50")
        assert len(answer.json()["data"]) == 1
        assert answer.headers["x-limit"] == "1"


async def test_the_silent_one_takes_the_request_and_never_answers() -> None:
    async with served(mode="silent") as hub:
        with pytest.raises(httpx.TimeoutException):
            await asyncio.wait_for(hub.send("PUT", "locations/BE/BEC/LOC1", location("2.2.1")), 30)
        assert [r.outcome for r in hub.emsp.receipts.all()] == ["silent"]
        assert hub.emsp.mirror.listed("locations") == []


async def test_a_lost_reply_was_processed_all_the_same() -> None:
    async with served(mode="lost-reply") as hub:
        with pytest.raises(httpx.RemoteProtocolError):
            await hub.send("PUT", "locations/BE/BEC/LOC1", location("2.2.1"))
        (receipt,) = hub.emsp.receipts.on("locations")
        assert (receipt.outcome, receipt.status, receipt.status_code) == ("lost", 201, 1000)
        assert len(hub.emsp.mirror.listed("locations")) == 1


async def test_the_admin_routes_switch_the_mode_and_stay_straight() -> None:
    async with served(mode="silent") as hub, httpx.AsyncClient(base_url=hub.emsp.url) as tester:
        for name in MODES:
            assert (await tester.put("/sandbox/mode", json={"mode": name})).json() == {"mode": name}
        assert (await tester.put("/sandbox/mode", json={"mode": "moody"})).status_code == 400
        await tester.put("/sandbox/authorize", json={"U1": "BLOCKED", "delay": 0.5})
        assert (hub.emsp.drivers.verdicts, hub.emsp.drivers.delay_s) == ({"U1": "BLOCKED"}, 0.5)
        await tester.post("/sandbox/tokens", json={"uid": "U1", "push": False})
        state = (await tester.get("/sandbox/state")).json()
        assert (state["registered"], state["counts"]["tokens"]) == (True, 1)
        assert (await tester.post("/sandbox/rotate")).status_code == 409


async def test_receipts_hold_no_token_and_outlive_the_process(tmp_path: Path) -> None:
    log = tmp_path / "receipts.jsonl"
    async with served(receipts=log) as hub:
        hub.emsp.add_token({"uid": "U1"})
        await hub.send("PUT", "locations/BE/BEC/LOC1", location("2.2.1"))
        await hub.send("GET", "credentials")
    content = log.read_text()
    assert "hub-token" not in content
    assert hub.headers()["Authorization"] not in content
    with log.open("a") as torn:
        torn.write('{"at": "2026-05-04T10:0')
    async with Emsp("2.2.1", receipts=log) as again:
        assert [r.method for r in again.receipts.all()] == ["PUT", "GET"]
        assert [tree["id"] for tree in again.mirror.listed("locations")] == ["LOC1"]
        assert list(again.drivers.tokens) == ["U1"]
        assert again.registration
        assert again.registration.their_token == "our-token"
    accounts = log.with_name("receipts.jsonl.accounts")
    assert accounts.stat().st_mode & 0o077 == 0


async def test_the_program_says_where_it_listens_and_ends_when_told() -> None:
    command = ("-m", "partners.sandbox", "emsp", "--version", "2.3.0", "--party", "NL*EEE", "--port", "0")
    program = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert program.stdout
    said = json.loads(await asyncio.wait_for(program.stdout.readline(), 60))
    async with httpx.AsyncClient() as tester:
        state = (await tester.get(f"{said['url']}/sandbox/state")).json()
    assert (state["version"], state["party"]) == ("2.3.0", "NL*EEE")
    program.terminate()
    _, errors = await asyncio.wait_for(program.communicate(), 60)
    assert (program.returncode, errors) == (0, b"")
