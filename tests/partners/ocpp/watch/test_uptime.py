"""The formula of uptime, by hand and by law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.ocpp.watch.uptime import Span, merged, together, uptime

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
UNTIL = SINCE + YEAR


def span(start: float, end: float | None) -> Span:
    """In hours from the beginning."""
    return Span(SINCE + timedelta(hours=start), None if end is None else SINCE + timedelta(hours=end))


spans = st.lists(
    st.tuples(st.integers(-100, 10_000), st.integers(0, 500)).map(lambda pair: span(pair[0], pair[0] + pair[1])),
    max_size=12,
)


def test_a_year_of_525_600_minutes_with_an_outage_of_15_768_is_97_percent() -> None:
    found = uptime([span(0, 262.8)], [], SINCE, UNTIL)
    assert [found.minutes, found.outage, found.percent] == [525_600, 15_768, 97]


def test_maintenance_does_not_count_as_far_as_it_was_an_outage() -> None:
    found = uptime([span(0, 10)], [span(8, 24)], SINCE, UNTIL)
    assert [found.outage, found.excluded] == [600, 120]
    assert found.percent == Decimal("99.909")


def test_what_is_wrong_twice_counts_once() -> None:
    assert uptime([span(0, 10), span(5, 15), span(15, 20)], [], SINCE, UNTIL).outage == 1200


def test_an_outage_that_goes_on_counts_until_the_end() -> None:
    assert uptime([span(8759, None)], [], SINCE, UNTIL).outage == 60


def test_what_lies_outside_of_the_span_does_not_count() -> None:
    assert uptime([span(-100, 1), span(9000, 9001)], [], SINCE, UNTIL).outage == 60


def test_several_are_weighed_by_their_minutes() -> None:
    whole = uptime([], [], SINCE, UNTIL)
    half = uptime([span(0, 8760)], [], SINCE, UNTIL)
    assert together([whole, half]) == 50


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        uptime([], [], UNTIL, SINCE)


@given(spans, spans)
def test_uptime_is_a_share_and_no_exclusion_lowers_it(outages: list[Span], excluded: list[Span]) -> None:
    plain, forgiven = uptime(outages, [], SINCE, UNTIL), uptime(outages, excluded, SINCE, UNTIL)
    assert 0 <= plain.percent <= forgiven.percent <= 100
    assert forgiven.excluded <= forgiven.outage == plain.outage


@given(spans)
def test_merged_spans_are_in_order_and_apart(outages: list[Span]) -> None:
    found = merged(outages, SINCE, UNTIL)
    edges = [moment for start, end in found for moment in (start, end)]
    assert edges == sorted(set(edges), key=lambda moment: moment or UNTIL)
