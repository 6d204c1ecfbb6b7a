"""How laws are tried out here: the same examples every time, none kept."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, Phase, settings

BOUNDED: Final = settings(
    max_examples=80,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
FEW: Final = settings(BOUNDED, max_examples=30)
"""For laws about large things."""
BOUNDED_EACH: Final = settings(BOUNDED, max_examples=15)
"""For laws that are tried out for many kinds of things."""
