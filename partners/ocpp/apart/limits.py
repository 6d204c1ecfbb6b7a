"""Limits of a charge as they go between processes, in the content of an errand."""

from __future__ import annotations

from decimal import Decimal

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.ports import Limits, ProfileOutcome
from hub.core.types import parse_datetime


def tree_of(limits: Limits) -> Tree:
    """The limits as JSON."""
    return {
        "unit": limits.unit,
        "periods": [[start, str(limit)] for start, limit in limits.periods],
        "start": None if limits.start is None else timestamp(limits.start),
        "duration_s": limits.duration_s,
        "least": None if limits.least is None else str(limits.least),
        "is_for_now": limits.is_for_now,
    }


def limits_in(tree: Tree) -> Limits:
    """What `tree_of` wrote."""
    return Limits(
        unit=tree["unit"],
        periods=tuple((start, Decimal(limit)) for start, limit in tree["periods"]),
        start=None if tree["start"] is None else parse_datetime(tree["start"]),
        duration_s=tree["duration_s"],
        least=None if tree["least"] is None else Decimal(tree["least"]),
        is_for_now=tree["is_for_now"],
    )


def answer_of(shown: Limits | ProfileOutcome) -> Tree:
    """How a charger answered the question for its limits, as JSON."""
    return {"limits": tree_of(shown)} if isinstance(shown, Limits) else {"outcome": shown}


def answer_in(tree: Tree) -> Limits | ProfileOutcome:
    """What `answer_of` wrote."""
    return limits_in(tree["limits"]) if "limits" in tree else ProfileOutcome(tree["outcome"])
