"""The commands of the README's section on looking after chargers do what it says, as they stand there."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hub.cli.failures import Code
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
