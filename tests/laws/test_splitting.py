"""Splitting a period where nothing changes changes nothing.

Exactly: a period is split at an instant within it; what it measured goes to both parts, and each quantity is divided
so that the parts add up to it, neither being zero. If then

* both parts are priced by the same components, and no FLAT falls due at the second, and
* the times of the whole and of both parts are taken from the same source, all from the timestamps or all from the
  volumes (four decimals of an hour are 0.36 s: a part may agree with its timestamps where the whole does not),

every figure, every limit and every step is what it was. Without the second condition the difference is at most that
of the rounded hours.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple

import pytest

from tests.laws.dealt import Dealt, receipt

SEEDS: Final = 400
PILES: Final = 2
_TIMES: Final = ("TIME", "PARKING_TIME", "RESERVATION_TIME", "RESERVATION_EXPIRES")
Tree = dict[str, Any]


class Split(NamedTuple):
    """A case with one period in two parts, at `place` and behind it."""

    case: Tree
    place: int


def split(dealt: Dealt) -> Split | None:
    """A period of a case, split at random; None where it cannot be split fairly."""
    random = Random(dealt.seed)
    periods = sorted(dealt.case["periods"], key=lambda period: instant(period["start_date_time"]))
    if not periods:
        return None
    place = random.randrange(len(periods))
    starts = [*(instant(period["start_date_time"]) for period in periods), instant(dealt.case["end"])]
    start, length = starts[place], starts[place + 1] - starts[place]
    cut = start + timedelta(milliseconds=random.randint(0, max(0, length // timedelta(milliseconds=1))))
    if not start < cut < starts[place + 1]:
        return None
    lengths = (cut - start, starts[place + 1] - cut)
    shares = [share(dimension, periods[place], lengths, dealt.policy) for dimension in periods[place]["dimensions"]]
    if None in shares:
        return None
    parts = [
        {**periods[place], "start_date_time": at.isoformat(), "dimensions": [each[part] for each in shares if each]}
        for part, at in enumerate((start, cut))
    ]
    return Split({**dealt.case, "periods": [*periods[:place], *parts, *periods[place + 1 :]]}, place)


def instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}Z")


def share(
    dimension: Tree, period: Tree, lengths: tuple[timedelta, timedelta], policy: Tree
) -> tuple[Tree, Tree] | None:
    """A dimension in two parts; None where they would not be told apart from what the timestamps say."""
    kind, volume = dimension["type"], Decimal(dimension["volume"])
    if kind not in (*_TIMES, "ENERGY") or not volume:
        return dimension, dimension
    hours = [Decimal(length // timedelta(microseconds=1)) / 3_600_000_000 for length in lengths]
    first = round(volume * hours[0] / sum(hours), 6)
    times = [each for each in period["dimensions"] if each["type"] in _TIMES and Decimal(each["volume"])]
    if kind in _TIMES and len(times) == 1 and policy["timestamps_over_volumes"]:
        if abs(volume - sum(hours)) > Decimal("0.0001"):
            return None
        rounded = [round(part, 4) for part in hours]
        return None if 0 in rounded else ({**dimension, "volume": rounded[0]}, {**dimension, "volume": rounded[1]})
    if first in (0, volume):
        return None
    return {**dimension, "volume": first}, {**dimension, "volume": volume - first}


def choices(found: Tree, place: int) -> list[tuple[str, ...]]:
    """What prices each quantity of the period at `place`, FLATs left out."""
    names = ("dimension", "tariff_id", "element", "component")
    lines = [line for line in found["lines"] if line["period"] == place and not line["dimension"].endswith("FLAT")]
    return [tuple(str(line[name]) for name in names) for line in lines]


def flats(found: Tree) -> int:
    return sum(line["dimension"].endswith("FLAT") for line in found["lines"])


def costs(found: Tree) -> Tree:
    """A receipt without its lines, which are more, and its warnings."""
    steps = [{**step, "line": None} for step in found["steps"]]
    return {"figures": found["figures"], "limits": found["limits"], "steps": steps}


@pytest.mark.parametrize("pile", range(PILES))
def test_splitting_a_period_where_nothing_changes_changes_nothing(pile: int) -> None:
    compared = 0
    for seed in range(pile * SEEDS, (pile + 1) * SEEDS):
        dealt = Dealt.of(seed)
        whole, parted = dealt.receipt(), split(dealt)
        if whole is None or parted is None:
            continue
        found = receipt(parted.case, dealt.policy)
        assert found is not None
        if choices(found, parted.place) == choices(found, parted.place + 1) and flats(found) == flats(whole):
            compared += 1
            assert costs(found) == costs(whole), seed
    assert compared > SEEDS // 5
