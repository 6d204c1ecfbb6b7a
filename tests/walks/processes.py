"""Real processes for the walks: a hub, and partners with receipt files, on ports that stay theirs over a restart.

Nothing here outlives the test run: every process runs in `tests.walks.child`, which ends with us.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx

from partners.sandbox.wire import encode
from tests.ports import Port
from tests.walks.nursery import nursery

OPERATOR_TOKEN: Final = "the-operator-of-the-walks"
START_TIMEOUT_S: Final = 30.0
_IDLE_S: Final = 1.0
"""No connection is used again after that: servers close idle ones after 5 s, as it happens just when we ask."""


class Process:
    """A program that can be started, killed and started again; everything it says is in one log file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = {**_plain_environment(), **environment}
        self._log = log
        self._pid: int | None = None
        self._lines: int | None = None

    @property
    def is_running(self) -> bool:
        return self._pid is not None and not nursery().ended(self._pid)

    def start(self) -> None:
        """Start it; it is not ready yet."""
        assert not self.is_running
        self._let_go()
        theirs, self._lines = os.pipe()
        with self._log.open("ab") as log:
            self._pid = nursery().start(self._command, self._environment, stdin=theirs, log=log.fileno())
        os.close(theirs)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no flush."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for the orderly end; after a while, SIGKILL."""
        self._end(signal.SIGTERM)

    def wait_until_dead(self, *, timeout_s: float = 15.0) -> None:
        """Wait for an end that we did not cause here. Raises: TimeoutError."""
        assert self._pid is not None
        deadline = time.monotonic() + timeout_s
        while self.is_running:
            if time.monotonic() > deadline:
                raise TimeoutError("it goes on")
            time.sleep(0.005)
        self._let_go()

    def tell(self, line: str) -> None:
        """A line for `tests.walks.child`."""
        assert self._lines is not None
        os.write(self._lines, line.encode() + b"\n")

    def log_text(self) -> str:
        """What it said so far, over all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _end(self, number: signal.Signals) -> None:
        if self._pid is None:
            return
        nursery().signal(self._pid, number)
        try:
            self.wait_until_dead()
        except TimeoutError:
            nursery().signal(self._pid, signal.SIGKILL)
            self.wait_until_dead()

    def _let_go(self) -> None:
        if self._lines is not None:
            os.close(self._lines)
        self._pid = self._lines = None


class Web:
    """JSON over HTTP with a process, from any thread. Numbers with a fraction are Decimals."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        limits = httpx.Limits(keepalive_expiry=_IDLE_S)
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=60, limits=limits, trust_env=False, verify=False
        )
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON. Raises: AssertionError for any answer but a success; httpx.HTTPError."""
        status, tree = self.answer(method, path, body)
        assert 200 <= status < 300, f"{method} {path}: {status} {tree}"
        return tree

    def answer(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of whatever comes back. Raises: httpx.HTTPError."""
        content = None if body is None else encode(body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        response = self._client.request(method, path, content=content, headers=headers)
        return response.status_code, json.loads(response.content or b"null", parse_float=Decimal)

    def close(self) -> None:
        self._client.close()


class HubProcess:
    """The hub on a database, with its management API and its chargers' port."""

    def __init__(self, database_url: str, directory: Path, **settings: object) -> None:
        self._ports = Port(), Port()
        self.port, self.ocpp_port = (port.number for port in self._ports)
        self.environment = {
            "BUSBAR_DEV": "1",
            "BUSBAR_DATABASE_URL": database_url,
            "BUSBAR_PORT": str(self.port),
            "BUSBAR_OCPP_PORT": str(self.ocpp_port),
            "BUSBAR_OPERATOR_TOKEN": OPERATOR_TOKEN,
            "BUSBAR_SECRET_KEY": "the secret key of the walks, long enough",
            **{f"BUSBAR_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = Process(["tests.walks.serve"], self.environment, directory / "hub.log")
        self.web = Web(f"http://127.0.0.1:{self.port}", {"Authorization": f"Bearer {OPERATOR_TOKEN}"})
        self.chargers_url = f"ws://127.0.0.1:{self.ocpp_port}"
        self.started_in_s: list[float] = []

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        began = time.monotonic()
        self.process.start()
        until_ready(self.process, lambda: self.web.answer("GET", "/health/ready")[0] == 200)
        self.started_in_s.append(time.monotonic() - began)

    def arm(self, failpoints: str) -> None:
        """From now on these failpoints hold in the running hub; "" disarms."""
        before = self.process.log_text().count("armed\n")
        self.process.tell(failpoints)
        until_ready(self.process, lambda: self.process.log_text().count("armed\n") > before)

    def close(self) -> None:
        self.process.kill()
        self.web.close()
        for port in self._ports:
            port.release()


class HubInParts(HubProcess):
    """The same as three processes; `process` is the one with the HTTP face."""

    def __init__(self, database_url: str, directory: Path, **settings: object) -> None:
        super().__init__(database_url, directory, **settings)
        self.process, self.ocpp, self.worker = (
            Process(["tests.walks.serve", part], self.environment, directory / f"{part}.log")
            for part in ("api", "ocpp", "worker")
        )

    def start(self) -> None:
        """Start what does not run, and wait until all are ready; the first makes the tables."""
        if not self.process.is_running:
            super().start()
        for part in (self.ocpp, self.worker):
            if not part.is_running:
                before = part.log_text().count("serving")
                part.start()
                until_ready(part, lambda: part.log_text().count("serving") > before)  # noqa: B023 - waited for here

    def close(self) -> None:
        for part in (self.ocpp, self.worker):
            part.kill()
        super().close()


class PartnerProcess:
    """A sandbox partner, whose receipts are in a file."""

    kind: ClassVar[str]

    def __init__(self, version: str, party: str, directory: Path) -> None:
        self.version, self.party = version, party
        self.name = party.replace("*", "-").lower()
        self._port = Port()
        self.port = self._port.number
        self.receipts = directory / f"{self.name}.receipts"
        command = ["partners.sandbox", self.kind, "--version", version, "--party", party, "--port", str(self.port)]
        command += ["--receipts", str(self.receipts)]
        self.process = Process(command, {}, directory / f"{self.name}.log")
        self.web = Web(f"http://127.0.0.1:{self.port}")

    def start(self) -> None:
        """Start it; `wait` for it before use."""
        self.process.start()

    def wait(self) -> None:
        """Until it answers."""
        until_ready(self.process, lambda: self.web.answer("GET", "/sandbox/state")[0] == 200)

    def close(self) -> None:
        self.process.kill()
        self.web.close()
        self._port.release()


class EmspProcess(PartnerProcess):
    """A partner that sells charging."""

    kind = "emsp"


class CpoProcess(PartnerProcess):
    """A partner that has chargers."""

    kind = "cpo"


def until_ready(process: Process, holds: Callable[[], bool]) -> None:
    """Wait until the process does what it must. Raises: AssertionError with its log."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.is_running, process.log_text()[-3000:]
        with suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.02)
    raise AssertionError(f"not ready in time:\n{process.log_text()[-3000:]}")


def _plain_environment() -> dict[str, str]:
    """Ours, without what would configure a hub; and Python as it is started by users."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BUSBAR_")}
