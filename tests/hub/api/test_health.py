"""Liveness, readiness and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from hub.control.health import HEALTH, PROBE_EVERY_S
from hub.core.errors import NotReady
from tests.hub.house import OPERATOR_TOKEN, House, a_house
from tests.world import ManualClock


async def test_a_hub_that_runs_is_live_and_ready_for_anybody(house: House) -> None:
    assert (await house.ask("GET", "/health/live", token="")).tree == {"status": "live"}
    assert (await house.ask("GET", "/health/ready", token="")).tree == {"status": "ready", "dev": True}
    assert (await house.http.head("/health/ready")).status_code == 200


async def test_it_is_not_ready_while_commits_fail_and_looks_again_soon(empty: Path, monkeypatch: Any) -> None:
    clock = ManualClock()
    async with a_house(empty, clock=clock) as house:
        store = house.program.store

        async def failing(unit: object) -> tuple[int, ...]:
            raise NotReady("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(store, "commit", failing)
            told = await house.ask("GET", "/health/ready", token="")
            assert (told.status, told.tree["why_not"]) == (503, "the disk is full")
        assert (await house.ask("GET", "/health/ready", token="")).status == 503
        clock.passed_s += PROBE_EVERY_S
        assert (await house.ask("GET", "/health/ready", token="")).status == 200


async def test_readiness_writes_at_most_once_in_five_seconds(empty: Path) -> None:
    clock = ManualClock()
    async with a_house(empty, clock=clock) as house:
        for _ in range(5):
            await house.ask("GET", "/health/ready", token="")
        (probe,) = await house.program.store.select(HEALTH)
        clock.passed_s += PROBE_EVERY_S
        await house.ask("GET", "/health/ready", token="")
        (again,) = await house.program.store.select(HEALTH)
    assert again.version == probe.version + 1


def figures(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    return {
        family.name: {tuple(v for _, v in sorted(sample.labels.items())): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


async def test_metrics_tell_of_partners_answers_and_charges(house: House) -> None:
    await house.furnish()
    await house.invite("acme")
    await house.charge(end=False)
    await house.charge(kwh=2_147_483)
    await house.http.get("/ocpi/versions")
    found = figures((await house.http.get("/metrics")).text)
    assert found["busbar_lane_waiting"] == {("acme",): 0}
    assert found["busbar_partners"] == {("invited",): 1}
    assert found["busbar_open_charges"] == {(): 1}
    assert found["busbar_held_charges"] == {(): 1}
    assert found["busbar_stations"] == {(): 0}
    assert found["busbar_requests"]["PUT", "api", "2xx"] == 2
    assert found["busbar_requests"]["other", "other", "4xx"] == 1


async def test_metrics_need_a_token_from_elsewhere(house: House) -> None:
    away = httpx.ASGITransport(app=house.program.asgi, client=("192.0.2.7", 1234))
    async with httpx.AsyncClient(transport=away, base_url="http://127.0.0.1") as http:
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})).status_code == 200
        viewer = {"Authorization": f"Bearer {house.token_of('viewer')}"}
        assert (await http.get("/metrics", headers=viewer)).status_code == 200


async def test_a_proxy_on_this_machine_does_not_open_the_metrics(house: House) -> None:
    assert (await house.http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"})).status_code == 401


async def test_failed_logins_are_logged_and_counted_by_face(house: House) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            await house.ask("GET", "/api/v1", token="a-wrong-token")
        await house.http.get("/ocpi/versions", headers={"Authorization": "Token a-wrong-token"})
    told = [(line["log_level"], line["face"]) for line in logs if line["event"] == "login failed"]
    assert told == [("warning", "api"), ("warning", "api"), ("warning", "ocpi")]
    assert "a-wrong-token" not in str(logs)
    text = (await house.http.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})).text
    assert 'busbar_failed_logins_total{face="api"} 2.0' in text
    assert figures(text)["busbar_failed_logins"] == {
        ("api",): 2,
        ("ocpi",): 1,
        ("ocpp",): 0,
        ("oicp",): 0,
        ("files",): 0,
    }
