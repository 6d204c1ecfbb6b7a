"""The demo as it is run: a process of its own, with a hub, three eMSPs and twenty chargers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from hub.demo.world import DRIVES, OICP_DRIVE, PROVIDERS

_ROOT = Path(__file__).parents[3]
_CENT = Decimal("0.01")
SLOW = re.compile(r"demo: the first CDR was delivered after [0-9.]+ s, not within 20 s\n")
"""How fast it is, the pipeline sees where the demo runs alone."""


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """The demo, from another folder, with its temporary files below `folder`."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": path, "BUSBAR_PORT": "not for the demo"}
    return subprocess.Popen(
        [sys.executable, "-m", "hub.demo", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def left_behind(folder: Path) -> list[str]:
    """Files below `folder`, and processes that work there, zombies aside."""
    working = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(folder):
                working.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return working + [str(path) for path in folder.iterdir()]


def ends(process: subprocess.Popen[bytes], *, timeout_s: float) -> tuple[int, bytes, str]:
    """Status, standard output and standard error."""
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, output, errors.decode()


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of one run."""
    folder = tmp_path_factory.mktemp("demo")
    status, output, errors = ends(started(folder, "--once", "--json"), timeout_s=80)
    assert (status, errors) == (0, "") or SLOW.fullmatch(errors)
    assert left_behind(folder) == []
    tree: dict[str, Any] = json.loads(output, parse_float=Decimal)
    return tree


def test_partners_of_three_versions_register_and_exchange_lists(record: dict[str, Any]) -> None:
    for provider in PROVIDERS:
        partner = record["partners"][provider.name]
        assert (partner["version"], partner["registered"]) == (provider.version, True)
        assert (partner["locations"], partner["tariffs"], partner["tokens"]) == (5, 3, len(provider.cards))


def test_a_driver_of_the_partner_of_oicp_charges_and_is_billed(record: dict[str, Any]) -> None:
    seen = record["oicp"]
    assert (seen["evses"], seen["authorized_by"], seen["delivered"]) == (21, "real_time", True)
    assert seen["kwh"] == Decimal(str(OICP_DRIVE.kwh))
    assert (seen["notifications"][0], seen["notifications"][-1]) == ("Start", "End")


def test_each_drive_is_authorized_as_its_card_demands(record: dict[str, Any]) -> None:
    seen = {drive["name"]: drive["authorized_by"] for drive in record["drives"]}
    assert seen == {drive.name: drive.authorized_by for drive in DRIVES}
    assert all(0 < drive["authorize_ms"] < 5_000 for drive in record["drives"])


def test_each_partner_gets_sessions_and_a_cdr_that_equals_ours(record: dict[str, Any]) -> None:
    charged = [drive for drive in record["drives"] if drive["authorized_by"] != "refused"]
    assert {drive["partner"] for drive in charged} == {provider.name for provider in PROVIDERS}
    for drive in charged:
        assert drive["session_updates"] >= 3
        assert (drive["delivered"], drive["same_cdr"]) == (True, True)


def test_a_refused_card_leaves_no_session(record: dict[str, Any]) -> None:
    refused = next(drive for drive in record["drives"] if drive["authorized_by"] == "refused")
    assert (refused["session_id"], refused["cdr_id"], refused["session_updates"]) == (None, None, 0)


def test_energy_and_parking_are_billed_as_the_tariffs_say(record: dict[str, Any]) -> None:
    by_name = {drive["name"]: drive for drive in record["drives"]}
    app, known, asked = by_name["app"], by_name["known_card"], by_name["asked_card"]
    assert (app["kwh"], Decimal(app["total_cost"])) == (Decimal("9.6"), Decimal("4.32"))
    parked = Decimal("6.00") * 21 / 60
    assert (known["kwh"], Decimal(known["total_cost"])) == (Decimal("18.4"), Decimal("0.42") * Decimal("18.4") + parked)
    assert Decimal("0.39") * asked["kwh"] < Decimal(asked["total_cost"]) < Decimal("0.52") * asked["kwh"]
    for drive in (app, known, asked):
        assert abs(Decimal(drive["total_cost_incl"]) - Decimal(drive["total_cost"]) * Decimal("1.19")) < _CENT


def test_nobody_complains_and_the_hub_stays_small(record: dict[str, Any]) -> None:
    assert (record["complaints"], record["troubles"], record["failed"]) == ([], [], [])
    assert record["seconds_to_first_cdr"] < 20
    assert record["rss_mb"] is None or record["rss_mb"] < 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_demo(tmp_path: Path, number: signal.Signals) -> None:
    demo = started(tmp_path)
    until(lambda: len(psutil.Process(demo.pid).children()) == 2 + len(PROVIDERS))
    demo.send_signal(number)
    status, _, errors = ends(demo, timeout_s=60)
    if number is signal.SIGKILL:
        until(lambda: not [each for each in left_behind(tmp_path) if "hub.demo" in each])
        return
    assert (status, errors) == (130, "")
    assert left_behind(tmp_path) == []


def test_a_hub_that_ends_is_named_at_once(tmp_path: Path) -> None:
    demo = started(tmp_path, "--once")
    assert demo.stdout is not None
    while b"Four drivers" not in demo.stdout.readline():
        assert demo.poll() is None
    hub = next(child for child in psutil.Process(demo.pid).children() if "busbar" in child.cmdline())
    hub.kill()
    status, _, errors = ends(demo, timeout_s=60)
    assert status == 1
    assert errors.startswith("demo: hub ended with status -9")
    assert left_behind(tmp_path) == []


def test_a_run_that_fails_says_why_in_its_record_and_on_standard_error(tmp_path: Path) -> None:
    demo = started(tmp_path, "--once", "--json")
    until(lambda: any("busbar" in child.cmdline() for child in psutil.Process(demo.pid).children()))
    next(child for child in psutil.Process(demo.pid).children() if "busbar" in child.cmdline()).kill()
    status, output, errors = ends(demo, timeout_s=60)
    failed = json.loads(output)["failed"]
    assert (status, bool(failed)) == (1, True)
    assert errors == "".join(f"demo: {reason}\n" for reason in failed)


def until(condition: Any) -> None:
    """Wait for `condition`, for at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
