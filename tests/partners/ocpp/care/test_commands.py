"""The commands of the README's section on looking after chargers do what it says, as they stand there."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.cli import station_log
from hub.cli.face import Face
from hub.cli.failures import Code, CommandFailed
from hub.core.jsontypes import Tree
from tests.hub.house import OPERATOR_TOKEN
from tests.hub.invoked import invoked
from tests.partners.ocpp.care.conftest import Yard

ROOT = Path(__file__).parents[4]


def lines() -> list[str]:
    """The commands of the section."""
    text = (ROOT / "README.md").read_text()
    (part,) = re.findall(r"^## Looking after chargers\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    return [line for block in re.findall(r"```bash\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]


async def run(yard: Yard, line: str) -> tuple[int, Any]:
    """A command in a thread of its own, as it blocks. Returns: the exit code, and its JSON."""
    environment = {"BUSBAR_URL": yard.house.url, "BUSBAR_OPERATOR_TOKEN": OPERATOR_TOKEN}
    words = [*shlex.split(line), "--json"]
    result = await asyncio.to_thread(invoked, *words, env=environment)
    return result.exit_code, json.loads(result.stdout or "null")


async def test_the_commands_of_the_readme_do_what_it_says(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    making, *commands = lines()
    await asyncio.to_thread(subprocess.run, making, shell=True, check=True)
    said: dict[str, Any] = {}
    async with yard.charger():
        for line in (line.removeprefix("busbar ") for line in commands):
            code, said[line] = await run(yard, line)
            assert code == 0, line
        await yard.campaign(state="done", verified=1)
    assert said["firmware list"]["items"][0]["size"] == (tmp_path / "image.bin").stat().st_size
    for name in ("diagnostics.log", "security.log"):
        assert b"BootNotification" in (tmp_path / name).read_bytes()


async def test_a_log_that_does_not_come_is_a_sentence_and_an_exit_code(yard: Yard) -> None:
    async with yard.charger() as charger:
        charger._answers._table["GetDiagnostics"] = lambda _: ({}, None)
        assert (await run(yard, "station log CP1 --wait 5"))[0] == Code.FAILED
    assert (await run(yard, "station log CP1"))[0] == Code.NOT_FOUND
    assert (await run(yard, "firmware add fw nowhere.bin --model M --version 1"))[0] == Code.NOT_FOUND
    assert (await run(yard, "firmware remove fw"))[0] == Code.NOT_FOUND


async def test_a_log_that_came_when_nobody_waited_is_listed_and_saved_without_asking_again(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with yard.charger() as charger:
        charger._answers._table["GetDiagnostics"] = lambda _: ({"fileName": "late.log"}, None)
        assert (await run(yard, "station log CP1 --wait 1"))[0] == Code.FAILED
        (log,) = (await run(yard, "station logs CP1"))[1]["items"]
        assert (log["kind"], log["state"]) == ("diagnostics", "asked")
        (url,) = yard.locations(charger)
        assert (await yard.house.http.put(url, content=b"late")).status_code == 201
        code, saved = await run(yard, f"station log CP1 --number {log['number']} --save late.log")
        assert (code, saved["state"], saved["saved"]) == (Code.DONE, "received", "late.log")
        assert yard.locations(charger) == [url]
    assert (tmp_path / "late.log").read_bytes() == b"late"
    assert (await run(yard, f"station log CP1 --number {log['number'] + 1}"))[0] == Code.NOT_FOUND


def test_whoever_waits_for_a_log_is_told_how_to_get_it_later_when_the_hub_goes_away() -> None:
    def gone(path: str) -> Tree:
        raise CommandFailed(f"no hub answers to {path}", Code.UNREACHABLE)

    face = cast("Face", SimpleNamespace(hub=SimpleNamespace(get=gone)))
    with pytest.raises(CommandFailed, match="no hub answers") as failed:
        station_log._arrived(face, "CP1", {"number": 7, "state": "asked"}, 5)
    assert (failed.value.code, failed.value.advice) == (
        Code.UNREACHABLE,
        "It may still come: busbar station log CP1 --number 7",
    )
