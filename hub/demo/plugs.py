"""The demo's chargers: the scripted charge points of the sandbox, with somebody who looks at their frames."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.demo.world import Drive
from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from partners.sandbox.point.clock import FastClock, StepClock
from partners.sandbox.point.link import Security

_KEPT: Final = 200
_CHARGE_S: Final = 2.6
"""Real seconds that a charge takes, however long it is by the charger's clock."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An OCPP message that passed. `answer_ms`: of an answer, the time since its question."""

    is_sent: bool
    action: str
    payload: dict[str, Any]
    answer_ms: float | None = None


Look = Callable[[Frame], None]


class Frames(deque[tuple[str, str]]):
    """Takes the place of a link's list of frames, and shows each to `look` as it passes."""

    def __init__(self, look: Look) -> None:
        super().__init__(maxlen=_KEPT)
        self._look = look
        self._open: dict[str, tuple[str, float]] = {}

    def append(self, item: tuple[str, str], /) -> None:
        super().append(item)
        message = json.loads(item[1])
        kind, identity, now = message[0], message[1], time.monotonic()
        if kind == 2:
            self._open[identity] = (message[2], now)
            self._look(Frame(item[0] == ">", message[2], message[3]))
        elif kind == 3 and identity in self._open:
            action, asked = self._open.pop(identity)
            self._look(Frame(item[0] == ">", action, message[2], (now - asked) * 1000))


@dataclass(slots=True)
class Plug:
    """A charger, and what was seen on its wire. `passed`: the last frame of each action, answers as `ACTION.conf`."""

    charger: Charger
    passed: dict[str, tuple[float, Frame]] = field(default_factory=dict)

    def saw(self, frame: Frame) -> None:
        """Keep a frame."""
        name = frame.action if frame.answer_ms is None else f"{frame.action}.conf"
        self.passed[name] = (time.monotonic(), frame)

    def at_s(self, name: str) -> float | None:
        """When the last frame of this name passed, by the monotonic clock."""
        found = self.passed.get(name)
        return found[0] if found is not None else None

    def answer_ms(self, action: str) -> float | None:
        """How long the charger waited for its last answer."""
        found = self.passed.get(f"{action}.conf")
        return found[1].answer_ms if found is not None else None


def plug(url: str, identity: str, password: str, ocpp: str, drive: Drive | None) -> Plug:
    """A charger that is not connected yet. With a `drive`, its clock stands where the drive will end about now."""
    look = {"vendor": "Demo", "model": "Duo 43"}
    charger = speaking(ocpp, url, identity, clock=_clock(drive), security=Security(password), **look)
    made = Plug(charger)
    charger.link.frames = Frames(made.saw)
    return made


def _clock(drive: Drive | None) -> StepClock | FastClock:
    if drive is None or drive.is_refused:
        return FastClock()
    minutes = drive.minutes + drive.idle_minutes
    start = datetime.now(UTC) - timedelta(minutes=minutes)
    return StepClock(start.replace(microsecond=0), speed=minutes * 60 / _CHARGE_S)
