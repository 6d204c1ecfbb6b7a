"""Failpoints do what they are told, and nothing unless they are allowed to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from hub.core import failpoints
from hub.core.failpoints import FailpointRaised, arm, failpoint

ALLOWED = {"BUSBAR_TEST": "1"}


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def outcomes(name: str, times: int) -> list[bool]:
    """For each pass, whether it raised."""
    raised = []
    for _ in range(times):
        try:
            failpoint(name)
        except FailpointRaised:
            raised.append(True)
        else:
            raised.append(False)
    return raised


def test_an_unarmed_failpoint_does_nothing() -> None:
    assert outcomes("store.before_commit", 3) == [False] * 3


@pytest.mark.parametrize(
    ("chain", "raised"),
    [
        ("raise", [True] * 5),
        ("once", [True, False, False, False, False]),
        ("2*off->raise", [False, False, True, True, True]),
        ("1*raise->1*off->2*raise", [True, False, True, True, False]),
        ("2*off->once->off", [False, False, True, False, False]),
        ("off", [False] * 5),
    ],
)
def test_a_chain_is_gone_through_step_by_step(chain: str, raised: list[bool]) -> None:
    arm(f"here={chain}", ALLOWED)
    assert outcomes("here", 5) == raised
    assert outcomes("elsewhere", 1) == [False]


def test_several_failpoints_are_separated_by_semicolons() -> None:
    arm(" a=once ; b=raise; ", ALLOWED)
    assert outcomes("a", 2) == [True, False]
    assert outcomes("b", 2) == [True, True]


def test_sleep_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    arm("here=1*sleep(0.05)", ALLOWED)
    failpoint("here")
    failpoint("here")
    assert slept == [0.05]


@pytest.mark.parametrize(
    "text", ["here", "=kill", "here=", "here=explode", "here=sleep", "here=kill(3)", "here=x*kill"]
)
def test_a_malformed_failpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="failpoint"):
        arm(text, ALLOWED)


@pytest.mark.parametrize("environment", [{}, {"BUSBAR_DEV": "0"}, {"BUSBAR_TEST": ""}])
def test_arming_is_refused_outside_of_development_and_tests(environment: dict[str, str]) -> None:
    with pytest.raises(PermissionError):
        arm("here=kill", environment)
    assert outcomes("here", 1) == [False]


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_kill_ends_the_process_at_that_very_place() -> None:
    program = (
        "from hub.core.failpoints import failpoint\n"
        "for n in range(5):\n"
        "    failpoint('here')\n"
        "    print(n, flush=True)\n"
    )
    done = run(program, BUSBAR_FAILPOINTS="here=3*off->kill", BUSBAR_DEV="1")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "0\n1\n2\n"


def test_a_stray_variable_stops_the_program_instead_of_arming_it() -> None:
    done = run("import hub.core.failpoints", BUSBAR_FAILPOINTS="here=kill", BUSBAR_DEV="", BUSBAR_TEST="")
    assert done.returncode == 1
    assert "BUSBAR_DEV or BUSBAR_TEST" in done.stderr


def test_an_unarmed_failpoint_is_nearly_free() -> None:
    assert failpoints._armed == {}
    start = time.thread_time()  # of the processor, whatever else it has to do
    for _ in range(100_000):
        failpoint("here")
    assert time.thread_time() - start < 0.5
