"""Which partners are there: when each was last heard of, and who does not answer any more. OCPI mod_hub_client_info.

    heard    a request of theirs, or an answer of theirs to one of ours, whatever it was about
    due      nothing heard for `alive_after_s`, or a request of ours that did not come through: then the partner is to
             be asked for its versions, which has no effect (Still alive check; `partners/ocpi/alive.py` asks)
    silent   two checks in a row were missed: its parties are OFFLINE. What fails once says nothing yet

A silent partner is asked again at growing intervals. A call of its own brings the next check forward and does not
replace it: who can only call cannot be sent anything. All of this is in memory; what it comes to is kept by whoever
listens to `changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hub.core.clock import Clock
from hub.core.settings import Settings

MISSES: Final = 2
"""Checks that fail in a row before a partner counts as silent."""


@dataclass(slots=True)
class _Doubt:
    """A partner of which it is not sure that it is there."""

    due_at: float
    missed: int = 0
    soonest: float = 0.0
    """Before this it is not asked again, whatever happens."""


class Pulses:
    """The pulse of each partner, by name."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._after_s = settings.alive_after_s
        self._first_s = min(settings.lane_first_s, settings.alive_after_s)
        self._began = clock.monotonic()
        self._heard: dict[str, float] = {}
        self._doubts: dict[str, _Doubt] = {}
        self._silent: dict[str, str] = {}
        self.changed: Callable[[], None] = _nobody_listens
        """Called when a partner fell silent, or is there again."""

    def called(self, name: str) -> None:
        """It made a request that was let in."""
        self._heard[name] = self._clock.monotonic()
        if name in self._silent:
            self.doubted(name)

    def answered(self, name: str) -> None:
        """It answered a request of ours."""
        self._heard[name] = self._clock.monotonic()
        self._doubts.pop(name, None)
        if self._silent.pop(name, None) is not None:
            self.changed()

    def doubted(self, name: str) -> None:
        """A request of ours did not come through, or it calls although it does not answer: ask it soon."""
        now = self._clock.monotonic()
        doubt = self._doubts.setdefault(name, _Doubt(due_at=now))
        doubt.due_at = min(doubt.due_at, max(now, doubt.soonest))

    def missed(self, name: str, why: str) -> None:
        """It was asked for its versions, and did not answer as it should."""
        now = self._clock.monotonic()
        doubt = self._doubts.setdefault(name, _Doubt(due_at=now))
        doubt.missed += 1
        doubt.soonest = now + self._first_s
        doubt.due_at = now + min(self._first_s * 2 ** min(doubt.missed - 1, 20), self._after_s)
        if doubt.missed >= MISSES and name not in self._silent:
            self._silent[name] = why
            self.changed()

    def is_due(self, name: str) -> bool:
        """Is it to be asked for its versions now?"""
        now, doubt = self._clock.monotonic(), self._doubts.get(name)
        if doubt is not None:
            return now >= doubt.due_at
        return now - self._heard.get(name, self._began) >= self._after_s

    def is_silent(self, name: str) -> bool:
        return name in self._silent

    def why_silent(self, name: str) -> str:
        """What came of the check that decided it."""
        return self._silent.get(name, "")

    def recall(self, silent: Iterable[tuple[str, str]]) -> None:
        """These were silent before a restart, and why: so they count until they answer. They are asked at once."""
        for name, why in silent:
            self._silent.setdefault(name, why)
            self.doubted(name)

    def forget(self, name: str) -> None:
        """It is not connected any more; when it comes back, it has been heard."""
        self._doubts.pop(name, None)
        self._silent.pop(name, None)
        self._heard.pop(name, None)


def _nobody_listens() -> None:
    """Where nothing is made of it."""
