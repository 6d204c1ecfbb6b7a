"""One case to be priced, read out of JSON: a CDR or a timeline, its tariffs, and how to read them.

    {"name", "kind": "cdr" | "session" | "timeline", "ocpi_version", "timezone", "tariffs": [...],
     "cdr": {...} | "session": {...} | "timeline": {...}, "reservation_expired", "policy": {...}, "expected": {...}}

Tariffs, CDR and session are in the form of `ocpi_version`; of a CDR or session only its times, its periods and what it
claims are looked at, so it need not be whole. Unknown fields are passed over. What cannot be read is a `CaseFault` with
a code, and so is what cannot be true: an end before the start, a period outside, periods that overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, get_args
from zoneinfo import ZoneInfo

from hub.control.parts import CaseFault, listed_in, moment_in, object_in
from hub.control.timeline import read_timeline
from hub.core.jsontypes import Json, Tree
from modules.cdrs.build.place import place_of
from modules.cdrs.build.timeline import Timeline
from modules.cdrs.check.claim import TIMED
from modules.cdrs.check.placing import Span, misplaced
from modules.cdrs.check.stated import COSTS, Stated, number_or_none, stated_by
from modules.cdrs.model import CdrDimensionType

VERSIONS: Final = ("2.1.1", "2.2.1", "2.3.0")
_STARTS: Final = {"cdr": ("start_date_time",), "session": ("start_date_time", "start_datetime"), "timeline": ("start",)}
_ENDS: Final = {
    "cdr": ("end_date_time", "stop_date_time"),
    "session": ("end_date_time", "end_datetime", "last_updated"),
    "timeline": ("end",),
}
"""Kind of a case -> the names of its ends in all versions. A session that still runs ends with the last word on it."""
_DIMENSIONS: Final = (*get_args(get_args(CdrDimensionType)[0]), "FLAT")
"""2.1.1 has a FLAT too, which states nothing."""
_NO_CLAIMS: Final = Stated({}, ())


@dataclass(frozen=True, slots=True)
class Asked:
    """A case whose parts have the right shape. Either `periods` or `timeline` is what happened.

    place: of the charge, in words. stated: what the CDR or session claims. expected: what the case says its result
    should be. expired: did the reservation; None where the case does not say.
    """

    name: str | None
    version: str
    zone: str | None
    tariffs: Sequence[Tree]
    policy: Mapping[str, Json]
    start: datetime
    end: datetime
    periods: Sequence[Tree]
    timeline: Timeline | None
    place: dict[str, str] | None
    stated: Stated
    expected: Tree
    expired: bool | None


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
    kind = tree.get("kind") or next((name for name in ("timeline", "session") if name in tree), "cdr")
    if kind not in _STARTS:
        raise CaseFault(f"/kind: is none of {', '.join(_STARTS)}")
    what = object_in(tree, kind)
    start, end = (_either(what, names[kind], f"/{kind}") for names in (_STARTS, _ENDS))
    if end < start:
        raise CaseFault(f"/{kind}: ends before it starts", code="end_before_start")
    return Asked(
        name=name_of(tree),
        version=version,
        zone=_zone(tree, what, kind),
        tariffs=_tariffs(tree, what, kind),
        policy=_optional(tree, "policy"),
        start=start,
        end=end,
        periods=() if kind == "timeline" else _periods(what, f"/{kind}", start, end),
        timeline=read_timeline(what) if kind == "timeline" else None,
        place=place_of(what.get("cdr_location") or what.get("location") or what),
        stated=_claims(what, kind),
        expected=_optional(tree, "expected"),
        expired=_flag(tree, "reservation_expired"),
    )


def _either(tree: Tree, names: Sequence[str], pointer: str) -> datetime:
    return moment_in(tree, next((name for name in names if tree.get(name) is not None), names[0]), pointer)


def _claims(what: Tree, kind: str) -> Stated:
    """A session claims less than a CDR; a timeline claims nothing."""
    return _NO_CLAIMS if kind == "timeline" else stated_by(what, COSTS if kind == "session" else None)


def _optional(tree: Tree, name: str) -> Tree:
    return {} if tree.get(name) is None else object_in(tree, name)


def _flag(tree: Tree, name: str) -> bool | None:
    value = tree.get(name)
    if value is not None and not isinstance(value, bool):
        raise CaseFault(f"/{name}: must be true or false")
    return value


def _tariffs(tree: Tree, what: Tree, kind: str) -> list[Tree]:
    listed = listed_in(tree, "tariffs", "") or listed_in(what, "tariffs", f"/{kind}")
    if not listed:
        raise CaseFault("/tariffs: at least one is needed, or a CDR that holds them")
    return listed


def _zone(tree: Tree, what: Tree, kind: str) -> str | None:
    """As stated; else that of the location which a CDR or session of 2.1.1 holds."""
    location = what.get("location")
    inside = location.get("time_zone") if isinstance(location, dict) else None
    places = (("/timezone", tree.get("timezone")), ("/time_zone", tree.get("time_zone")))
    for pointer, zone in (*places, (f"/{kind}/location/time_zone", inside)):
        if zone is not None:
            return _known_zone(zone, pointer)
    return None


def _known_zone(zone: Json, pointer: str) -> str:
    """Also where no price needs it: the receipt tells local times."""
    if not isinstance(zone, str):
        raise CaseFault(f"{pointer}: must be a text")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise CaseFault(f"{pointer}: {zone[:40]!r} is not an IANA time zone", code="unknown_time_zone") from None
    return zone


def _periods(what: Tree, pointer: str, start: datetime, end: datetime) -> list[Tree]:
    """The charging periods. Refused are those that cannot lie where they are: nobody can say what they cost."""
    periods = listed_in(what, "charging_periods", pointer)
    if not periods:
        raise CaseFault(f"{pointer}/charging_periods: needs one", code="unfit_session")
    spans = [_span(period, f"{pointer}/charging_periods/{at}") for at, period in enumerate(periods)]
    for found in misplaced(spans, start, end):
        raise CaseFault(f"{pointer}/charging_periods/{found.at}: {found.why}", code=found.what.value)
    return periods


def _span(period: Tree, pointer: str) -> Span:
    start = moment_in(period, "start_date_time", pointer)
    if not isinstance(period.get("tariff_id"), str | None):
        raise CaseFault(f"{pointer}/tariff_id: must be a text")
    dimensions = listed_in(period, "dimensions", pointer)
    for at, each in enumerate(dimensions):
        if each.get("type") not in _DIMENSIONS:
            raise CaseFault(f"{pointer}/dimensions/{at}/type: is no dimension of OCPI")
    hours = (number_or_none(each.get("volume")) for each in dimensions if each["type"] in TIMED)
    return Span(start, sum((volume for volume in hours if volume is not None), Decimal(0)))
