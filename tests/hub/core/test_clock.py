"""How moments are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.core.clock import exact_timestamp


@pytest.mark.parametrize("microsecond", [0, 1, 120_000, 999_999])
def test_an_exact_moment_is_written_as_isoformat_writes_it_in_full(microsecond: int) -> None:
    moment = datetime(2026, 1, 12, 6, 30, 15, microsecond, tzinfo=UTC)
    assert exact_timestamp(moment) == moment.isoformat(timespec="microseconds")
    assert datetime.fromisoformat(exact_timestamp(moment)) == moment
