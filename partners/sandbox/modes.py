"""The tempers of a partner, by the names that testers know, as one table.

A mode bends every answer on the OCPI routes; the admin routes stay reliable. Chance comes from a seeded
generator.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """How answers are bent. Shares are of 1, delays in seconds."""

    delay_s: tuple[float, float] = (0.0, 0.0)
    refused_share: float = 0.0
    refused_status: int = 500
    retry_after_s: int | None = None
    html: bool = False
    cut: tuple[float, float] | None = None
    page_limit: int | None = None
    rejects: bool = False
    silent: bool = False
    loses_reply: bool = False


MODES: Mapping[str, Mode] = {
    "happy": Mode(),
    "reject": Mode(rejects=True),
    "slow": Mode(delay_s=(3.0, 8.0)),
    "rate-limit": Mode(refused_share=0.5, refused_status=429, retry_after_s=2),
    "random-500": Mode(refused_share=0.2, refused_status=500),
    "unavailable": Mode(refused_share=1.0, refused_status=503),
    "html-error": Mode(refused_share=1.0, refused_status=403, html=True),
    "partial": Mode(cut=(0.6, 0.8)),
    "auth-fail": Mode(refused_share=1.0, refused_status=401),
    "pagination-stress": Mode(page_limit=1),
    "silent": Mode(silent=True),
    "lost-reply": Mode(loses_reply=True),
}


class Temper:
    """The present mode of one partner and its dice."""

    def __init__(self, name: str = "happy", *, seed: int = 0, slow_s: tuple[float, float] | None = None) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - repeatable chance is the purpose
        self._slow_s = slow_s
        self.switch(name)

    def switch(
        self,
        name: str,
        *,
        seed: int | None = None,
        only: Callable[[str], bool] | None = None,
        times: int | None = None,
    ) -> None:
        """Take on another mode, for requests to some paths `only`, and so many `times`. Raises KeyError for no name."""
        self.mode = MODES[name]
        self.name = name
        self._only, self._times = only, times
        if seed is not None:
            self._rng.seed(seed)

    def towards(self, path: str) -> Temper:
        """The temper that one request meets."""
        if self._only is not None and not self._only(path):
            return Temper()
        met = copy(self)
        if self._times is not None:
            self._times -= 1
            if self._times == 0:
                self.switch("happy")
        return met

    def delay_s(self) -> float:
        """Seconds to let pass before this answer."""
        if self.mode.delay_s == (0.0, 0.0):
            return 0.0
        return self._rng.uniform(*(self._slow_s or self.mode.delay_s))

    def refuses(self) -> bool:
        """Is this request turned away unread?"""
        return self.mode.refused_share > 0 and self._rng.random() < self.mode.refused_share

    def bend(self, body: bytes) -> bytes:
        """The body as far as it gets through."""
        if self.mode.cut is None:
            return body
        return body[: int(len(body) * self._rng.uniform(*self.mode.cut))]
