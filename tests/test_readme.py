"""The quick start of the README does what it says: its commands are run as they stand, on other ports."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ports import Port

ROOT = Path(__file__).resolve().parent.parent
_PORTS = ("8000", "9000", "9100")


def quick_start() -> list[str]:
    """The shell blocks of the quick start: how to serve, and then everything else."""
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## Quick start by hand") : text.index("## Commands")]
    return re.findall(r"```bash\n(.*?)```", part, re.DOTALL)


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A hub served as the README says, in a folder of its own; from the README's ports to those it really has."""
    held = {name: Port() for name in _PORTS}
    chosen = {name: str(port.number) for name, port in held.items()}
    command = [sys.executable, "-c", "from hub.cli import main; main()", "serve", "--dev"]
    command += ["--port", chosen["8000"], "--ocpp-port", chosen["9000"]]
    with (tmp_path / "serve.log").open("wb") as log:
        hub = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=log, stderr=log)
    try:
        wait_for(chosen["8000"])
        yield chosen
    finally:
        hub.terminate()
        hub.wait(20)
        for port in held.values():
            port.release()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}


def wait_for(port: str) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the hub did not start")


def test_the_quick_start_begins_with_serving() -> None:
    assert quick_start()[0].splitlines() == [
        "make setup",
        'export PATH="$PWD/.venv/bin:$PATH"',
        "busbar serve --dev",
    ]


def test_the_quick_start_leads_from_nothing_to_a_delivered_cdr(tmp_path: Path, ports: dict[str, str]) -> None:
    script = "set -e\n" + "".join(quick_start()[1:]).replace("busbar cdr list", "busbar cdr list --json")
    script = script.replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    for written, real in ports.items():
        script = re.sub(rf"\b{written}\b", real, script)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**environment(), "BUSBAR_URL": f"http://127.0.0.1:{ports['8000']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"status_code":1000' in done.stdout
    (cdr,) = json.loads(done.stdout[done.stdout.rindex('{"items"') :])["items"]
    assert (cdr["cdr"]["total_energy"], cdr["cdr"]["total_cost"]["before_taxes"]) == (10, 4.5)
    assert cdr["cdr"]["start_date_time"] < cdr["cdr"]["end_date_time"] <= cdr["cdr"]["last_updated"]
    assert "remark" not in cdr["cdr"]
    assert [delivery["state"] for delivery in cdr["deliveries"]] == ["delivered"]


def test_a_new_charger_is_put_into_service_as_the_readme_says(tmp_path: Path, ports: dict[str, str]) -> None:
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## A new charger") : text.index("## Looking after chargers")]
    (block,) = re.findall(r"```bash\n(.*?)```", part, re.DOTALL)
    script = f"set -e\n{quick_start()[1]}\n{block}".replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    for written, real in ports.items():
        script = re.sub(rf"\b{written}\b", real, script)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**environment(), "BUSBAR_URL": f"http://127.0.0.1:{ports['8000']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    steps = dict(line.split()[1::-1] for line in done.stdout.splitlines() if re.match(r"(ok|open|failed) ", line))
    assert (set(steps.values()), "publish" in steps) == ({"ok"}, True), done.stdout


def test_a_file_is_held_against_a_schema_as_the_readme_says(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## OpenAPI and JSON Schemas") : text.index("## Pricing")]
    (command,) = re.findall(r"```bash\n(.*?)```", part, re.DOTALL)
    (tmp_path / "openapi").symlink_to(ROOT / "openapi")
    (tmp_path / "location.json").write_text('{"id": "LOC1", "publish": "yes"}')
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = subprocess.run(
        ["bash", "-ec", command], cwd=tmp_path, env={**environment(), "PATH": paths}, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert "['publish']" in said.stdout
    assert '"country_code" is a required property' in said.stdout


def test_the_example_of_prices_and_tariffs_does_what_it_says(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## Prices and tariffs") : text.index("## Speed")]
    (script,) = re.findall(r"```bash\n(.*?)```", part, re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"],
        cwd=tmp_path,
        env={**environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0].endswith("Nothing prices ENERGY in a session at 21:00: it is free there. [gap]")
    assert told[1:] == ["it has a gap", "one has no price"]
    ten, bad = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    assert (ten["total_cost"], bad["error"]["code"]) == ({"excl": "4.5", "incl": "5.355"}, "not_json")


def test_a_site_shares_its_power_as_the_readme_says(tmp_path: Path, ports: dict[str, str]) -> None:
    """Where the README sleeps, its reader looks again until it is so."""
    text = (ROOT / "README.md").read_text()
    part = text[text.index("## A site within its grid connection") : text.index("## OpenAPI and JSON Schemas")]
    (script,) = re.findall(r"```bash\n(.*?)```", part, re.DOTALL)
    script = script.replace("busbar site power yard", "busbar site power yard --json | tee -a seen.jsonl")
    script, sleeps = re.subn(r"^sleep \d+$", "read -r", script, flags=re.MULTILINE)
    for written, real in ports.items():
        script = re.sub(rf"\b{written}\b", real, script)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shares, url = [[13, 13], [17, 17], [9, 9]], f"http://127.0.0.1:{ports['8000']}"
    assert sleeps == len(shares)
    said, pipe = tmp_path / "said", subprocess.PIPE
    with said.open("w") as log:
        shell = subprocess.Popen(
            ["bash", "-c", f"set -e\n{script}"],
            cwd=tmp_path,
            env={**environment(), "PATH": path, "BUSBAR_URL": url},
            stdin=pipe,
            stdout=log,
            stderr=log,
            text=True,
        )
        with shell:
            assert shell.stdin is not None
            for each in shares:
                while shown(f"{url}/api/v1/sites/yard/power", tmp_path) != each:
                    assert shell.poll() is None, said.read_text()
                    time.sleep(0.1)
                print(file=shell.stdin, flush=True)
    assert shell.returncode == 0, said.read_text()
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert [[item["may_a"] for item in view["items"]] for view in seen] == shares
    assert all("no more, as L1 of grid has no more" in item["why"] for item in seen[0]["items"])


def shown(url: str, folder: Path) -> list[object]:
    """What the EVSEs of a site may draw; nothing as long as there is none."""
    headers = {"Authorization": f"Bearer {(folder / 'busbar.db.operator').read_text().strip()}"}
    answer = httpx.get(url, headers=headers, trust_env=False)
    return [item["may_a"] for item in answer.json()["items"]] if answer.status_code == 200 else []
