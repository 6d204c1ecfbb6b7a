"""What a credit CDR copies beside its amounts: session, times, place, periods. OCPI mod_cdrs_credit_cdrs.

It names what it takes back by an id alone. If it tells of another session, place or time, one of the two is a mistake,
and whoever was billed cannot say which of its charges it gets back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.core.types import parse_datetime
from modules.cdrs.check.claim import CONSUMED, Tree, volume_of
from modules.cdrs.check.itself import HUNDREDTH
from modules.cdrs.check.result import Cause, Deviation

_QUANTITIES: Final = ("total_energy", "total_time", "total_parking_time")
_TIMES: Final = ("start_date_time", "end_date_time")
_PLACE: Final = ("id", "evse_uid", "connector_id")
_A_SECOND: Final = timedelta(seconds=1)
"""Not every version and partner has fractions of one."""
_NOBODY: Final = "#NA"
_WHY: Final = "it is another than in the CDR that it takes back"


def not_as_it_was(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    """What a credit CDR states otherwise than the CDR `original`. What one of them does not state is not compared."""
    yield from _name("session_id", cdr.get("session_id"), original.get("session_id"))
    yield from _times(cdr, original)
    here, there = cdr.get("cdr_location") or {}, original.get("cdr_location") or {}
    for field in _PLACE:
        yield from _name(f"cdr_location.{field}", here.get(field), there.get(field))
    yield from _quantities(cdr, original)
    yield from _periods(cdr, original)


def _name(figure: str, ours: Any, stood: Any) -> Iterator[Deviation]:
    """Of ids, which compare without case."""
    names = [str(name or "").upper() for name in (ours, stood)]
    if all(name and not name.startswith(_NOBODY) for name in names) and names[0] != names[1]:
        yield Deviation(figure, str(ours), str(stood), Cause.CREDIT, _WHY)


def _times(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    for field in _TIMES:
        ours, stood = cdr.get(field), original.get(field)
        if ours is not None and stood is not None and not _is_one_moment(ours, stood):
            yield Deviation(field, str(ours), str(stood), Cause.CREDIT, _WHY)


def _quantities(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    for field in _QUANTITIES:
        if cdr.get(field) is None or original.get(field) is None:
            continue
        ours, stood = Decimal(cdr[field]), Decimal(original[field])
        if abs(ours - stood) > HUNDREDTH:
            yield Deviation(field, ours, stood, Cause.CREDIT, _WHY)


def _periods(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    """In whichever order they stand; told once, with the first that differs."""
    ours, stood = _in_order(cdr), _in_order(original)
    if not ours or not stood:
        return
    differing = (start for (start, one), (_, other) in zip(ours, stood, strict=False) if not _is_alike(one, other))
    first = next(differing, None)
    if first is not None:
        why = f"the period from {first} is another than in the CDR that it takes back"
        yield Deviation("charging_periods", None, None, Cause.CREDIT, why)
    elif len(ours) != len(stood):
        why = "it has more or fewer periods than the CDR that it takes back"
        yield Deviation("charging_periods", Decimal(len(ours)), Decimal(len(stood)), Cause.CREDIT, why)


def _in_order(cdr: Tree) -> list[tuple[str, Mapping[str, Any]]]:
    periods = cdr.get("charging_periods") or ()
    return sorted(((str(period["start_date_time"]), period) for period in periods), key=lambda entry: _moment(entry[0]))


def _is_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Do two periods begin together, and state the same energy and times?"""
    same = (abs(volume_of(one, kind) - volume_of(other, kind)) <= HUNDREDTH for kind in CONSUMED)
    return _is_one_moment(one["start_date_time"], other["start_date_time"]) and all(same)


def _is_one_moment(one: Any, other: Any) -> bool:
    return one == other or abs(_moment(one) - _moment(other)) < _A_SECOND


def _moment(stated: Any) -> datetime:
    return stated if isinstance(stated, datetime) else parse_datetime(str(stated))
