"""How EMPs are told of an EVSE whose record is not OICP's to the letter, and what is wrong with a record.

The record itself stays as it came: OCPI has room for an amperage of three figures. Beside it stands what is told of it
in another way, field by field, and what is left out and why, for its operator to mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from partners.oicp.mapping.points import point_of
from partners.oicp.wire import Finding
from partners.oicp.wire.common import GeoCoordinatesType
from partners.oicp.wire.evse_data import EvseDataRecordType
from partners.oicp.wire.fitting import fit

Record = Mapping[str, Any]

_POINTS: Final = ("GeoCoordinates", "GeoChargingPointEntrance")
_MOST: Final = 20
_NEAR: Final = Decimal("0.001")
"""Degrees by which two forms of one point may differ: they have not the same number of figures."""


class Amends(NamedTuple):
    """What is told in another way."""

    told: Mapping[str, Any]
    """By field of the record, what stands there instead; None: nothing does."""
    left_out: Mapping[str, str]
    """By field, with the index of what it is in it: why EMPs do not get it."""

    def __bool__(self) -> bool:
        return bool(self.told or self.left_out)


AS_IT_CAME: Final = Amends({}, {})


def amended(record: Record, unread: Iterable[Finding], path: str) -> tuple[Amends, Sequence[Finding]]:
    """A record as it was read, without what could not be; and what is at fault. Pointers begin with `path`."""
    fitted = fit(EvseDataRecordType, {**record, **_points_of(record)}, path)
    others = {name: fitted.tree.get(name) for name, value in record.items() if fitted.tree.get(name) != value}
    told = {name: value for name, value in others.items() if name != "EvseID"}  # in capitals, like all that we keep
    left_out = {_inside(each.pointer, path): each.problem for each in (*unread, *fitted.left_out)}
    return Amends(told, dict(list(left_out.items())[:_MOST])), (*fitted.faults, *_contradictions(record, path))


def told_with(record: Record, told: Mapping[str, Any]) -> dict[str, Any]:
    """The record as EMPs get it."""
    return {name: value for name, value in {**record, **told}.items() if value is not None or name not in told}


def _points_of(record: Record) -> dict[str, Any]:
    """Points that are on earth, in a form of OICP: the one they came in, where it is one."""
    found = {}
    for name in _POINTS:
        given, point = record.get(name), point_of(record.get(name))
        if given and point is not None and (len(given) > 1 or fit(GeoCoordinatesType, given).faults):
            form = next(form for form in given if point_of({form: given[form]}) is not None)
            found[name] = point.said(form)
    return found


def _contradictions(record: Record, path: str) -> Iterator[Finding]:
    """A point that is told in two forms is told twice, or is two points: nobody knows which one is meant."""
    for name in _POINTS:
        given = record.get(name)
        told = [point_of({form: values}) for form, values in given.items()] if isinstance(given, Mapping) else []
        points = [point for point in told if point is not None]
        if any(abs(there - here) > _NEAR for point in points for there, here in zip(point, points[0], strict=True)):
            yield Finding(f"{path}/{name}", "tells several places, where one is meant", is_dropped=True)


def _inside(pointer: str, path: str) -> str:
    """The place in the record."""
    steps = pointer.removeprefix("/").split("/")
    return "/".join(steps[path.count("/") :])
