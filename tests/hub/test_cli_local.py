"""The commands that need no running hub: serve and migrate as processes, doctor, openapi, price, demo."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from hub.cli.failures import Code
from hub.cli.remote import Remote
from hub.control import checkup
from modules.cdrs import model, received, vetting
from tests.hub.house import a_house, settings_in
from tests.hub.invoked import invoked
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.world import tariff

ROOT = Path(__file__).parents[2]
BUSBAR = [sys.executable, "-c", "from hub.cli import main; main()"]
CDR = {
    "start_date_time": "2026-05-04T10:00:00Z",
    "end_date_time": "2026-05-04T11:00:00Z",
    "charging_periods": [{"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}],
    "total_cost": {"before_taxes": 5},
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a directory of its own; `serve` sets logging up for its process, which here is ours."""
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def environment(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUSBAR_")}
    return {**kept, "PYTHONPATH": str(ROOT), **given}


def run(*words: str, env: Mapping[str, str] | None = None) -> Any:
    return invoked(*words, env=env)


def write(path: Path, tree: Any) -> str:
    path.write_text(json.dumps(tree, default=float))
    return str(path)


def test_the_hub_starts_says_where_it_is_and_ends_when_told(tmp_path: Path) -> None:
    command = [*BUSBAR, "serve", "--port", "0", "--ocpp-port", "0", "--json"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        try:
            assert facts["operator_token"].startswith("bb_")
            assert facts["ocpp_port"] > 0
            with httpx.Client(base_url=facts["url"], trust_env=False) as http:
                assert http.get("/health/ready").json() == {"status": "ready"}
                versions = http.get("/api/v1", headers={"Authorization": f"Bearer {facts['operator_token']}"}).json()
            assert versions["versions_url"] == facts["versions_url"] == f"{facts['url']}/ocpi/versions"
            asked = [*BUSBAR, "partner", "list", "--json", "--url", facts["url"]]
            listed = subprocess.run(asked, env=environment(), capture_output=True, text=True, timeout=30, check=True)
            assert json.loads(listed.stdout) == {"items": [], "total": 0}
            taken = [*BUSBAR, "serve", "--database-url", "sqlite:///other.db", "--port", facts["url"].rsplit(":", 1)[1]]
            second = subprocess.run(taken, env=environment(), capture_output=True, text=True, timeout=30, check=False)
            assert second.returncode == Code.FAILED
            assert "is taken" in second.stderr
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    assert (tmp_path / "busbar.db.operator").read_text() == facts["operator_token"]


def test_one_hub_writes_to_a_database(tmp_path: Path) -> None:
    from hub.core.store.lockfile import LockFile

    lock = LockFile(tmp_path / "busbar.db")
    try:
        ran = run("serve", "--port", "0", "--ocpp-port", "0", "--json")
    finally:
        lock.release()
    assert ran.exit_code == Code.FAILED
    assert "in use by another hub" in json.loads(ran.stderr.splitlines()[-1])["error"]["message"]


def test_settings_that_cannot_be_are_named_without_their_value() -> None:
    ran = run("serve", env={"BUSBAR_SECRET_KEY": "much-too-short"})
    assert ran.exit_code == Code.USAGE
    assert "secret_key" in ran.stderr
    assert "much-too-short" not in ran.stderr


def test_migrate_makes_the_tables_and_may_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        ran = run("migrate", "--json")
        assert ran.exit_code == 0
        assert json.loads(ran.stdout)["migrated"] is True
    with closing(sqlite3.connect(tmp_path / "busbar.db")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert {"doc_partners", "doc_operators", "changes", "audit"} <= tables
    assert run("migrate", "--database-url", "mysql://x").exit_code == Code.FAILED


def levels(**given: Any) -> dict[str, str]:
    worst: dict[str, str] = {}
    order = ("ok", "weak", "fail")
    for finding in checkup.examine(settings_in(Path.cwd(), **given)):
        before = worst.get(finding.check, "ok")
        worst[finding.check] = max(before, finding.level, key=order.index)
    return worst


def test_the_doctor_finds_nothing_to_fear_in_a_careful_installation() -> None:
    found = levels(dev=False)
    assert "fail" not in found.values()
    assert found["mode"] == found["database"] == found["port"] == "ok"


@pytest.mark.parametrize(
    ("given", "check", "level"),
    [
        ({"dev": True}, "mode", "weak"),
        ({"dev": False, "operator_token": "short"}, "operator token", "fail"),
        ({"host": "0.0.0.0"}, "address", "weak"),
        ({"public_url": "http://hub.example"}, "public URL", "weak"),
        ({"allow_networks": ("10.0.0.0/8",)}, "allowed networks", "weak"),
        ({"allow_networks": ("nonsense",)}, "allowed networks", "fail"),
        ({"database_url": "sqlite:////nowhere/busbar.db"}, "database", "fail"),
        ({"database_url": "postgresql://127.0.0.1:1/x", "secret_key": None}, "secret key", "fail"),
        ({"database_url": "postgresql://127.0.0.1:1/x"}, "database", "fail"),
        ({"public_url": "https://127.0.0.1:1"}, "certificate", "weak"),
    ],
    ids=str,
)
def test_the_doctor_sees(given: dict[str, Any], check: str, level: str) -> None:
    assert levels(**given)[check] == level


def test_the_doctor_sees_files_that_others_can_read(tmp_path: Path) -> None:
    run("migrate")
    (tmp_path / "busbar.db.key").write_text("k" * 40)
    (tmp_path / "busbar.db.key").chmod(0o644)
    (tmp_path / "busbar.db").chmod(0o644)
    assert levels(secret_key=None)["secret key"] == "fail"
    assert levels()["database"] == "weak"
    (tmp_path / "busbar.db").chmod(0o640)
    assert levels()["database"] == "weak"


def test_the_doctor_is_content_with_the_database_as_it_was_made() -> None:
    run("migrate")
    assert levels()["database"] == "ok"


def test_the_doctor_counts_the_bills_that_are_held() -> None:
    async def held() -> None:
        async with a_house(Path.cwd()) as house:
            await house.furnish()
            await house.charge(kwh=2_147_483)

    asyncio.run(held())
    (found,) = (each for each in checkup.examine(settings_in(Path.cwd())) if each.check == "bills")
    assert (found.level, found.finding) == ("weak", "1 held: these charges are not billed")
    assert "busbar transaction list --held" in found.advice


def test_the_doctor_sees_tariffs_that_our_connectors_name_and_that_are_not_here() -> None:
    async def furnished(*, withdrawn: bool) -> None:
        async with a_house(Path.cwd()) as house:
            if withdrawn:
                await house.ask("DELETE", "/api/v1/tariffs/DE/BSB/T1")
            else:
                await house.furnish()

    asyncio.run(furnished(withdrawn=False))
    assert levels()["tariffs"] == "ok"
    asyncio.run(furnished(withdrawn=True))
    (found,) = (each for each in checkup.examine(settings_in(Path.cwd())) if each.check == "tariffs")
    assert (found.level, "T1" in found.finding, "LOC1/E1/1, LOC1/E2/1" in found.finding) == ("weak", True, True)


def test_the_doctor_names_the_stations_that_log_in_without_a_password() -> None:
    async def registered(**profiles: int) -> None:
        async with a_house(Path.cwd()) as house:
            for identity, profile in profiles.items():
                told = await house.ask("PUT", f"/api/v1/stations/{identity}", {"security_profile": profile})
                assert told.status in (200, 201), told.tree

    asyncio.run(registered(CP1=1, CP2=2))
    assert levels()["stations"] == "ok"
    asyncio.run(registered(CP3=0, CP1=0))
    (found,) = (each for each in checkup.examine(settings_in(Path.cwd())) if each.check == "stations")
    assert (found.level, found.finding.endswith("CP1, CP3")) == ("weak", True), found
    assert "--security-profile" in found.advice


@pytest.mark.parametrize("dev", [True, False])
def test_the_doctor_tells_the_mode_of_the_hub_that_runs_here(dev: bool) -> None:
    command = [*BUSBAR, "serve", "--port", "0", "--ocpp-port", "0", "--json", *(["--dev"] if dev else [])]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["url"].rsplit(":", 1)[1]
        try:
            found = json.loads(run("doctor", "--json", env={"BUSBAR_PORT": port}).stdout)["items"][0]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    assert (found["check"], found["level"]) == ("mode", "weak" if dev else "ok")
    assert ("was started with --dev" in found["finding"]) is dev


def test_the_doctor_sees_that_a_port_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert levels(port=other.getsockname()[1])["port"] == "weak"


def test_the_doctor_writes_for_people_and_for_programs() -> None:
    people = run("doctor", "--dev")
    assert people.exit_code == 0
    assert "weak  mode: development" in people.stdout
    assert "-> leave --dev out" in people.stdout
    programs = json.loads(run("doctor", "--json").stdout)
    assert {"level", "check", "finding", "advice"} == set(programs["items"][0])
    assert run("doctor", env={"BUSBAR_ALLOW_NETWORKS": "nonsense"}).exit_code == Code.FAILED


def test_all_documents_are_written_and_compared(tmp_path: Path) -> None:
    assert run("openapi", "--check").exit_code == Code.FAILED
    written = json.loads(run("openapi", "--json").stdout)
    assert {Path(path).name for path in written["documents"]} >= {"management.json", "ocpi-2.2.1.json"}
    assert (tmp_path / "openapi" / "management.json").exists()
    again = run("openapi", "--check", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)["changed"] == []


def test_a_price_needs_no_hub(tmp_path: Path) -> None:
    files = ["--tariff", write(tmp_path / "t.json", tariff()), "--cdr", write(tmp_path / "c.json", CDR)]
    ran = run("price", *files, "--json")
    assert ran.exit_code == 0
    quoted = json.loads(ran.stdout)
    assert (quoted["total"]["before_taxes"], quoted["check"]["verdict"]) == (5, "right")
    people = run("price", *files)
    assert "10 kWh x 0.5 per kWh, +19 % " in people.stdout
    assert "right: every amount is what" in people.stdout


def test_a_wrong_price_is_exit_code_one(tmp_path: Path) -> None:
    wrong = write(tmp_path / "c.json", {**CDR, "total_cost": {"before_taxes": 6}})
    ran = run("price", "--tariff", write(tmp_path / "t.json", tariff()), "--cdr", wrong, "--json")
    assert ran.exit_code == Code.FAILED
    assert json.loads(ran.stdout)["check"]["deviations"][0]["difference"] == 1


def test_what_cannot_be_priced_is_one_sentence(tmp_path: Path) -> None:
    ran = run("price", "--cdr", write(tmp_path / "c.json", CDR))
    assert ran.exit_code == Code.FAILED
    assert ran.stderr.startswith("busbar: unfit_case: /tariffs: at least one is needed")


def test_the_demo_is_run_with_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, bool] = {}

    def show(*, once: bool, as_json: bool) -> int:
        asked.update(once=once, as_json=as_json)
        return 7

    monkeypatch.setattr("hub.demo.run", show)
    assert run("demo", "--once", "--json").exit_code == 7
    assert asked == {"once": True, "as_json": True}


def test_a_command_begins_without_what_only_a_hub_needs() -> None:
    """Each takes tenths of a second to load, and a command is soon over."""
    looks = (
        "import sys, hub.cli.commands; print(*{'sqlalchemy', 'alembic', 'fastapi', 'uvicorn', 'ocpp'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", looks], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("busbar ")


def test_the_doctor_counts_the_cdrs_that_reach_nobody() -> None:
    async def brought() -> None:
        async with a_house(Path.cwd()) as house:
            hub = house.program.hub
            await received.take(hub, model.CDR.model_validate(HOURS), partner="cpo", version="2.3.0", original=HOURS)

    asyncio.run(brought())
    (found,) = (each for each in checkup.examine(settings_in(Path.cwd())) if each.check == "CDRs")
    assert (found.level, found.finding) == ("weak", "1 reach nobody: withheld, or of drivers of nobody here")
    assert "busbar cdr list --withheld" in found.advice


def test_the_doctor_counts_the_cdrs_of_others_that_are_held() -> None:
    """A credit CDR of something that was not received is held whatever the policy."""
    tree = {**HOURS, "id": "CDR9-C", "credit": True, "credit_reference_id": "CDR9", "total_cost": {"before_taxes": -1}}

    async def brought() -> None:
        async with a_house(Path.cwd()) as house:
            hub = house.program.hub
            await received.take(hub, model.CDR.model_validate(tree), partner="cpo", version="2.3.0", original=tree)
            await vetting.vet_waiting(hub)

    asyncio.run(brought())
    (found,) = (each for each in checkup.examine(settings_in(Path.cwd())) if each.check == "CDRs")
    assert (found.level, found.finding.split(":")[0]) == ("weak", "1 of other CPOs are held")
    assert "busbar cdr list --held" in found.advice


@pytest.mark.parametrize(
    ("url", "loads"), [("http://127.0.0.1:1", False), ("https://127.0.0.1:1", True), ("http://hub.example", True)]
)
def test_a_hub_here_that_speaks_no_tls_is_asked_without_the_certificates_of_authorities(
    url: str, loads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: loaded.append(1))
    with Remote(url, "token"):
        assert bool(loaded) == loads
