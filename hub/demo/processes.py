"""The programs that the demo starts, each in a process of its own, and what the system knows of a process."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import hub

_HOST: Final = "127.0.0.1"
_STOP_S: Final = 6.0
_LOG_LINES: Final = 15
_MOST_ERRORS: Final = 5
_LONGEST_LINE: Final = 300
_IMPORTED: Final = time.monotonic()


class ChildFailed(Exception):
    """A program ended, or did not come up. The text has the end of its log."""


class Child:
    """One program. Its standard error, and what it prints after its first line, are in `log`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._output = process.stdout or asyncio.StreamReader()

    @classmethod
    async def start(cls, name: str, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Self:
        """Run `words` (see `child.py`) in `folder`. BUSBAR_ settings of our own environment do not get there."""
        log = folder / f"{name}.log"
        inherited = {key: value for key, value in os.environ.items() if not key.upper().startswith("BUSBAR_")}
        path = os.pathsep.join(filter(None, [str(Path(hub.__file__).parent.parent), os.environ.get("PYTHONPATH")]))
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hub.demo.child",
                *words,
                cwd=folder,
                env={**inherited, "PYTHONPATH": path, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is ours: the others are ended in order
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def first_line(self, *, timeout_s: float) -> bytes:
        """What it prints first. Raises: ChildFailed."""
        try:
            line = await asyncio.wait_for(self._output.readline(), timeout_s)
        except TimeoutError:
            raise self.failure(f"said nothing within {timeout_s:.0f} s") from None
        if not line:
            raise self.failure("ended at once")
        return line

    def must_live(self) -> None:
        """Raises: ChildFailed."""
        if self._process.returncode is not None:
            raise self.failure(f"ended with status {self._process.returncode}")

    def failure(self, what: str) -> ChildFailed:
        """What to raise about it."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        end = "\n    ".join(text.splitlines()[-_LOG_LINES:])
        return ChildFailed(f"{self.name} {what}" + (f"; the end of its log:\n    {end}" if end else ""))

    def logged_errors(self) -> list[str]:
        """The first few lines of its log that tell of an error, where it logs as the hub does for eyes."""
        text = self.log.read_text(errors="replace")
        told = [" ".join(line.split()) for line in text.splitlines() if line.startswith(("[error", "[critical"))]
        return [f"{self.name} logged {line[:_LONGEST_LINE]}" for line in told[:_MOST_ERRORS]]

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._finish(), _STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._finish()

    async def _finish(self) -> None:
        await self._process.communicate()


def free_port(preferred: int | None = None) -> int:
    """`preferred` if nobody listens there; else one below those that outgoing connections are given."""
    choices = [] if preferred is None else [preferred]
    choices += random.sample(range(20_000, 32_000), 50)
    for port in choices:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
    raise ChildFailed("no free TCP port was found")


def alive_for_s() -> float:
    """Seconds since this process was started; where the system does not say, since this file was loaded."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, LookupError, ValueError):
        age = -1.0
    loaded = time.monotonic() - _IMPORTED
    return age if loaded <= age < loaded + 60 else loaded


def rss_mb(pid: int) -> float | None:
    """Resident memory of a process in MB (10^6 bytes); None where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return None
    return round(kib * 1024 / 1e6, 1)
