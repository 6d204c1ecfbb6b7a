"""Where charging periods cannot lie, and what is let pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modules.cdrs.check.placing import Misplacement, Span, misplaced

TEN = datetime(2026, 5, 4, 10, tzinfo=UTC)
OVERLAP, OUTSIDE = Misplacement.OVERLAP, Misplacement.OUTSIDE


def found(*periods: tuple[float, str], minutes: int = 60) -> list[tuple[int, Misplacement]]:
    """Of periods that start so many minutes after ten and state so many hours, in a CDR of an hour."""
    spans = [Span(TEN + timedelta(minutes=start), Decimal(hours)) for start, hours in periods]
    return [(each.at, each.what) for each in misplaced(spans, TEN, TEN + timedelta(minutes=minutes))]


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ([], []),
        ([(0, "1")], []),
        ([(0, "0.5"), (30, "0.5")], []),
        ([(30, "0.5"), (0, "0.5")], []),
        ([(0, "1"), (30, "0.5")], [(0, OVERLAP)]),
        ([(0, "0.5"), (30, "1")], [(1, OVERLAP)]),
        ([(0, "0.5"), (0, "0.5")], [(1, OVERLAP)]),
        ([(-30, "0.5"), (0, "1")], [(0, OUTSIDE)]),
        ([(0, "1"), (90, "0")], [(1, OUTSIDE)]),
        ([(0, "0"), (0, "1"), (60, "0")], []),
    ],
)
def test_what_overlaps_or_lies_outside_is_found(
    periods: list[tuple[float, str]], expected: list[tuple[int, Misplacement]]
) -> None:
    assert found(*periods) == expected


def test_hours_may_be_rounded_and_clocks_may_differ() -> None:
    assert found((0, "0.51"), (30, "0.51")) == []
    assert found((0, "0.52"), (30, "0.5")) == [(0, OVERLAP)]
    assert found((0, "0.5"), (30, "0.526")) == []
    assert found((-1, "0.5"), (30, "0.5"), (61, "0")) == []


@pytest.mark.parametrize(("stated", "hint"), [(60, "minutes"), (3600, "seconds"), (1800, ""), (7, "")])
def test_a_time_that_is_just_what_there_is_in_another_unit_is_told_with_it(stated: int, hint: str) -> None:
    (first,) = misplaced([Span(TEN, Decimal(stated))], TEN, TEN + timedelta(hours=1))
    assert first.why.endswith(f"it seems to be in {hint}, not in hours" if hint else "the next one or the end")
