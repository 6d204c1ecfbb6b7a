"""Rarer mistakes with the zone of the clock, which give the amounts of many another mistake too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import instant, moment_of

ZONES = Suppositions()


@ZONES(Cause.TIME_ZONE)
def offset_twice(bill: Bill) -> Iterator[Figures]:
    """Times of day were shifted by the offset of the time zone twice, or the wrong way."""
    zone = bill.case.time_zone
    if zone is None:
        return
    offset = moment_of(instant(bill.case.start, "the start")).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    hours, rest = divmod(offset, timedelta(hours=1))
    for shifted in (2 * hours, -hours):
        if hours and not rest and -14 <= -shifted <= 12:
            yield bill.again(time_zone=f"Etc/GMT{-shifted:+d}")
