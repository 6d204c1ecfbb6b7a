"""Windows of lists: what a query asks for."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import InvalidRequest
from hub.core.paging import Window, window


@given(offset=st.integers(0, 10**15), limit=st.integers(1, 10**40 - 1))
def test_whole_numbers_are_taken_and_the_limit_is_ours_at_most(offset: int, limit: int) -> None:
    asked = window({"offset": str(offset), "limit": str(limit)}, default=50, most=500)
    assert asked == Window(None, None, offset, min(limit, 500))


@given(text=st.text(max_size=20))
def test_anything_else_is_refused_and_never_a_fault(text: str) -> None:
    for name in ("offset", "limit", "date_from", "date_to"):
        with suppress(InvalidRequest):
            window({name: text}, default=50, most=500)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2026-05-04T10:00:00Z", "2026-05-04T10:00:00.000Z"),
        ("2026-05-04T10:00:00", "2026-05-04T10:00:00.000Z"),
        ("2026-05-04T10:00:00.5Z", "2026-05-04T10:00:00.500Z"),
        ("2026-05-04T10:00:00+02:00", "2026-05-04T08:00:00.000Z"),
        ("2026-05-04t10:00:00z", "2026-05-04T10:00:00.000Z"),
    ],
)
def test_dates_become_the_stored_form(text: str, stored: str) -> None:
    assert window({"date_from": text}, default=50, most=500).date_from == stored
