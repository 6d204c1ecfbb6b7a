"""One case to be priced, read out of JSON: a CDR or a timeline, its tariffs, and how to read them.

    {"name", "kind": "cdr" | "timeline", "ocpi_version", "timezone", "tariffs": [...], "cdr": {...} | "timeline": {...},
     "reservation_expired", "policy": {...}, "expected": {...}}

Tariffs and CDR are in the form of `ocpi_version`; of a CDR only its times, its periods and what it claims are looked
at, so it need not be whole. Unknown fields are passed over. What cannot be read is a `CaseFault` with a code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Json, Tree
from hub.core.types import parse_datetime
from modules.cdrs.build.facts import Sample, State
from modules.cdrs.build.timeline import Timeline

VERSIONS: Final = ("2.1.1", "2.2.1", "2.3.0")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_LONGEST: Final = timedelta(days=366)
"""Of a timeline, which is cut at every time of day that its tariff names."""
_TIMED: Final = frozenset({"TIME", "PARKING_TIME", "RESERVATION_TIME"})


class CaseFault(InvalidRequest):
    """A case cannot be priced; `code` is the word for programs."""

    def __init__(self, message: str, *, code: str = "unfit_case") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """A case whose parts have the right shape. Either `periods` or `timeline` is what happened."""

    name: str | None
    version: str
    zone: str | None
    tariffs: Sequence[Tree]
    policy: Mapping[str, Json]
    start: datetime
    end: datetime
    periods: Sequence[Tree]
    timeline: Timeline | None
    cdr: Tree
    expected: Tree
    expired: bool


def name_of(tree: Json) -> str | None:
    """The name of a case, whatever else is wrong with it."""
    name = tree.get("name") if isinstance(tree, dict) else None
    return name[:200] if isinstance(name, str) else None


def read_case(tree: Json) -> Asked:
    """Raises: CaseFault."""
    if not isinstance(tree, dict):
        raise CaseFault("a case is a JSON object")
    version = tree.get("ocpi_version")
    if version not in VERSIONS:
        raise CaseFault(f"/ocpi_version: is none of {', '.join(VERSIONS)}")
    kind = tree.get("kind") or ("timeline" if "timeline" in tree else "cdr")
    if kind not in ("cdr", "timeline"):
        raise CaseFault("/kind: is neither cdr nor timeline")
    what = _object(tree, kind)
    cdr = what if kind == "cdr" else {}
    timeline = _timeline(what) if kind == "timeline" else None
    ends = ("end_date_time", "stop_date_time") if kind == "cdr" else ("end",)
    return Asked(
        name=name_of(tree),
        version=version,
        zone=_zone(tree, cdr),
        tariffs=_tariffs(tree, cdr),
        policy=_optional(tree, "policy"),
        start=_moment(what, "start_date_time" if kind == "cdr" else "start", f"/{kind}"),
        end=_moment(what, next((name for name in ends if what.get(name) is not None), ends[0]), f"/{kind}"),
        periods=_periods(cdr) if kind == "cdr" else (),
        timeline=timeline,
        cdr=cdr,
        expected=_optional(tree, "expected"),
        expired=_flag(tree, "reservation_expired"),
    )


def _object(tree: Tree, name: str) -> Tree:
    value = tree.get(name)
    if not isinstance(value, dict):
        raise CaseFault(f"/{name}: must be an object")
    return value


def _optional(tree: Tree, name: str) -> Tree:
    return {} if tree.get(name) is None else _object(tree, name)


def _flag(tree: Tree, name: str) -> bool:
    value = tree.get(name)
    if value is not None and not isinstance(value, bool):
        raise CaseFault(f"/{name}: must be true or false")
    return bool(value)


def _list(tree: Tree, name: str, pointer: str) -> list[Tree]:
    listed = tree.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise CaseFault(f"{pointer}/{name}: must be a list")
    for at, each in enumerate(listed):
        if not isinstance(each, dict):
            raise CaseFault(f"{pointer}/{name}/{at}: must be an object")
    return listed


def _tariffs(tree: Tree, cdr: Tree) -> list[Tree]:
    listed = _list(tree, "tariffs", "") or _list(cdr, "tariffs", "/cdr")
    if not listed:
        raise CaseFault("/tariffs: at least one is needed, or a CDR that holds them")
    return listed


def _zone(tree: Tree, cdr: Tree) -> str | None:
    """As stated; else that of the location which a CDR of 2.1.1 holds."""
    location = cdr.get("location")
    inside = location.get("time_zone") if isinstance(location, dict) else None
    zone = next((value for value in (tree.get("timezone"), tree.get("time_zone"), inside) if value is not None), None)
    if zone is not None and not isinstance(zone, str):
        raise CaseFault("/timezone: must be a text")
    return zone


def decimal_or_none(value: Json) -> Decimal | None:
    """A number, or one that is written as a text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 60 else None


def _moment(tree: Tree, name: str, pointer: str) -> datetime:
    value = tree.get(name)
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not _EARLIEST <= moment < _LATEST:
        raise CaseFault(f"{pointer}/{name}: is not a time", code="unfit_session")
    return moment


def _periods(cdr: Tree) -> list[Tree]:
    """The charging periods. Refused are two that both state time and begin together, as they overlap for certain."""
    periods = _list(cdr, "charging_periods", "/cdr")
    timed: set[datetime] = set()
    for at, period in enumerate(periods):
        pointer = f"/cdr/charging_periods/{at}"
        start = _moment(period, "start_date_time", pointer)
        if not isinstance(period.get("tariff_id"), str | None):
            raise CaseFault(f"{pointer}/tariff_id: must be a text")
        dimensions = _list(period, "dimensions", pointer)
        if not all(isinstance(each.get("type"), str) for each in dimensions):
            raise CaseFault(f"{pointer}/dimensions: each must have a type")
        if any(_is_time(each) for each in dimensions):
            if start in timed:
                raise CaseFault(f"{pointer}: overlaps another, which begins at the same time", code="unfit_session")
            timed.add(start)
    return periods


def _is_time(dimension: Tree) -> bool:
    return dimension["type"] in _TIMED and bool(decimal_or_none(dimension.get("volume")))


def _timeline(tree: Tree) -> Timeline:
    start, end = _moment(tree, "start", "/timeline"), _moment(tree, "end", "/timeline")
    if end - start > _LONGEST:
        raise CaseFault(f"/timeline: is longer than {_LONGEST.days} days", code="unfit_session")
    return Timeline(
        start=start,
        end=end,
        states=_each(tree, "states", lambda entry, at: State(at, str(entry.get("state"))[:40])),
        register=_samples(tree, "meter", "kwh"),
        power=_samples(tree, "power", "kw"),
        current=_samples(tree, "current", "a"),
    )


def _each(tree: Tree, name: str, read: Callable[[Tree, datetime], Any]) -> list[Any]:
    entries = enumerate(_list(tree, name, "/timeline"))
    return [read(entry, _moment(entry, "at", f"/timeline/{name}/{n}")) for n, entry in entries]


def _samples(tree: Tree, name: str, unit: str) -> list[Sample]:
    def read(entry: Tree, at: datetime) -> Sample:
        value = decimal_or_none(entry.get(unit))
        if value is None:
            raise CaseFault(f"/timeline/{name}: {unit} is not a number", code="unfit_session")
        return Sample(at, value)

    return _each(tree, name, read)
