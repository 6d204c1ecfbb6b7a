"""Which EVSEs an EMP asks for: the filters of PullEvseData and the circle of PullEvseStatus.

Filters of one message are joined by "and", the values of one by "or"; a list of a record fits if any of it does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from partners.oicp import ids
from partners.oicp.answers import Code, Refused
from partners.oicp.mapping.points import point_of

Record = Mapping[str, Any]
Test = Callable[[Record], bool]

_EXCLUDED: Final = ("SearchCenter", "CountryCodes", "OperatorIds")
"""What LastCall is not asked together with: of what left the choice nothing could be told."""
_EARTH_KM: Final = 6371.0088
_LISTS: Final = ("AuthenticationModes",)
_WORDS: Final = ("Accessibility", "CalibrationLawDataAvailability")
_FLAGS: Final = ("RenewableEnergy", "IsHubjectCompatible", "IsOpen24Hours")


def tests_of(message: Record) -> list[Test]:
    """What a record must stand. Raises: Refused, for filters that exclude each other or that cannot be followed."""
    excluded = [name for name in _EXCLUDED if message.get(name)]
    if message.get("LastCall") and excluded:
        raise Refused(Code.DATA_ERROR, info=f"LastCall is asked without {', '.join(excluded)}")
    tests: list[Test] = []
    if message.get("SearchCenter"):
        tests.append(within(message["SearchCenter"]))
    if message.get("CountryCodes"):
        tests.append(_in_countries(frozenset(message["CountryCodes"])))
    if message.get("OperatorIds"):
        tests.append(_of_operators(message["OperatorIds"]))
    tests += [_has_any(name, frozenset(message[name])) for name in _LISTS if message.get(name)]
    tests += [_is_one_of(name, frozenset(message[name])) for name in _WORDS if message.get(name)]
    tests += [_is(name, message[name]) for name in _FLAGS if message.get(name) is not None]
    return tests


def within(circle: Record) -> Test:
    """Raises: Refused."""
    center = point_of(circle.get("GeoCoordinates"))
    if center is None:
        raise Refused(Code.DATA_ERROR, info="SearchCenter is no place on earth")
    radius_km = float(circle["Radius"])
    if radius_km < 0:
        raise Refused(Code.DATA_ERROR, info="SearchCenter: the Radius is below 0")

    def test(record: Record) -> bool:
        point = point_of(record.get("GeoCoordinates"))
        return point is not None and _distance_km(*map(float, (*center, *point))) <= radius_km

    return test


def _distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Along the great circle (haversine)."""
    one, other = math.radians(latitude), math.radians(other_latitude)
    across = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    chord = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * across
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, chord)))


def _in_countries(countries: frozenset[str]) -> Test:
    return lambda record: (record.get("Address") or {}).get("Country") in countries


def _of_operators(operators: list[str]) -> Test:
    wanted = {ids.OperatorID.parse(each).canonical for each in operators}

    def test(record: Record) -> bool:
        told = ids.OperatorID.parse(record["OperatorID"]).canonical
        return told in wanted or ids.EvseID.parse(record["EvseID"]).operator.canonical in wanted

    return test


def _has_any(name: str, wanted: frozenset[str]) -> Test:
    return lambda record: not wanted.isdisjoint(record.get(name) or ())


def _is_one_of(name: str, wanted: frozenset[str]) -> Test:
    return lambda record: record.get(name) in wanted


def _is(name: str, wanted: bool) -> Test:
    return lambda record: record.get(name) is wanted
