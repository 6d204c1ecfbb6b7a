"""busbar station set: a charger over a real websocket is told a value, and what it has then is read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.cli.failures import Code
from tests.hub.api.test_devices import Answers, a_charger, kept
from tests.hub.test_cli import Ran, Shell, a_background

ANOTHER = "answers another value now"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Shell]:
    with a_background(tmp_path) as background:
        yield Shell(background, tmp_path)


def told_to_set(hub: Shell, answers: Answers) -> Ran:
    """What the command leaves behind at a charger that answers so."""
    stack = AsyncExitStack()

    async def connected() -> Any:
        return await stack.enter_async_context(a_charger(hub.house, "2.1", answers))

    hub.background.do(connected())
    ran = hub.run("station", "set", "CP1", "SmartChargingCtrlr.RateUnit=A", "--json")
    hub.background.do(stack.aclose())
    return ran


@pytest.mark.parametrize(
    ("status", "value", "code", "says"),
    [
        ("Accepted", "A", 0, ""),
        ("Accepted", "W", Code.FAILED, ANOTHER),
        ("RebootRequired", "W", 0, "takes effect when the charger restarts"),
        ("Rejected", "W", Code.FAILED, ""),
    ],
)
def test_a_value_that_a_charger_took_and_does_not_have_is_no_success(
    hub: Shell, status: str, value: str, code: int, says: str
) -> None:
    ran = told_to_set(hub, kept(status, value))
    assert (ran.code, ran.tree["status"]) == (code, status)
    assert says in ran.err
    assert (ANOTHER in ran.err) is (says == ANOTHER)


def test_a_value_that_a_charger_took_and_does_not_show_is_said_to_be_so(hub: Shell) -> None:
    hidden = {"getVariableResult": [{"attributeStatus": "Rejected"}]}
    ran = told_to_set(hub, {**kept("Accepted", ""), "GetVariables": hidden})
    assert (ran.code, ran.tree["verified"]) == (0, False)
    assert "does not show it" in ran.err
