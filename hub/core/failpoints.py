"""Places where a test may make us fail: killed, delayed, or with an exception, in the middle of the real program.

    BUSBAR_FAILPOINTS = "store.before_commit=3*off->kill; store.after_commit=sleep(0.2)"

Each name has a chain of steps joined by `->`. A step is `[count*]action`; without a count it holds for ever, and after
the last counted step the point is off. Actions: `off`, `kill` (SIGKILL to ourselves), `raise`, `sleep(seconds)`, and
`once`, which is short for `1*raise`. Unarmed, a failpoint costs one look at an empty dict. Arming is refused unless
BUSBAR_DEV or BUSBAR_TEST is set, so that no stray variable can kill a hub that people rely on.
"""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_STEP: Final = re.compile(r"(?:(\d{1,9})\*)?(off|kill|raise|once|sleep)(?:\((\d{1,6}(?:\.\d{1,6})?)\))?", re.ASCII)
_ALLOWED_BY: Final = ("BUSBAR_DEV", "BUSBAR_TEST")


class FailpointRaised(Exception):
    """What the action `raise` raises."""


@dataclass(slots=True)
class _Step:
    action: str
    left: float
    seconds: float


_armed: dict[str, list[_Step]] = {}
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Do what BUSBAR_FAILPOINTS says for this place; nothing by default.

    `sleep` blocks the calling thread. Raises: FailpointRaised, for the actions `raise` and `once`.
    """
    if _armed:
        _fire(name)


def arm(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Replace all failpoints by those of `text`; "" disarms.

    Raises: ValueError, when the text is malformed; PermissionError, when neither BUSBAR_DEV nor BUSBAR_TEST is set.
    """
    entries = [entry for entry in (part.strip() for part in text.split(";")) if entry]
    if entries and not any(environment.get(name, "") not in ("", "0") for name in _ALLOWED_BY):
        raise PermissionError("BUSBAR_FAILPOINTS is obeyed only with BUSBAR_DEV or BUSBAR_TEST set")
    plans = dict(_plan(entry) for entry in entries)
    with _lock:
        _armed.clear()
        _armed.update(plans)


def _plan(entry: str) -> tuple[str, list[_Step]]:
    name, equals, chain = entry.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"a failpoint is written name=action, not {entry!r}")
    return name.strip(), [_step(step.strip(), entry) for step in chain.split("->")]


def _step(text: str, entry: str) -> _Step:
    match = _STEP.fullmatch(text)
    if match is None or (match[2] == "sleep") != (match[3] is not None):
        raise ValueError(f"{text!r} in {entry!r} is no failpoint action")
    if match[2] == "once":
        return _Step("raise", left=1, seconds=0)
    return _Step(match[2], left=int(match[1]) if match[1] else math.inf, seconds=float(match[3] or 0))


def _fire(name: str) -> None:
    with _lock:
        step = next((step for step in _armed.get(name, ()) if step.left > 0), None)
        if step is None:
            return
        step.left -= 1
    if step.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif step.action == "raise":
        raise FailpointRaised(name)
    elif step.action == "sleep":
        time.sleep(step.seconds)


arm(os.environ.get("BUSBAR_FAILPOINTS", ""))
