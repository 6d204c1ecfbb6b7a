"""The time zone of a place for which nobody gave one: that of the nearest town which the tz database names."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from importlib.resources import files
from math import cos, hypot, inf, radians
from typing import Final, NamedTuple

from hub.core.countries import ALPHA_2

_ENCLAVES: Final = {"Europe/Busingen": 0.04}
"""Zones of a single village far from its country's others, and how far it reaches, in degrees of latitude."""
_ROW = re.compile(r"([A-Z]{2})\t([+-]\d{4,7})([+-]\d{5,7})\t(\S+)")


class _Town(NamedTuple):
    latitude: float
    longitude: float
    zone: str


@cache
def _towns() -> dict[str, list[_Town]]:
    towns: dict[str, list[_Town]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        match = _ROW.match(line)
        if match is not None:
            town = _Town(_degrees(match[2], 2), _degrees(match[3], 3), match[4])
            towns.setdefault(match[1], []).append(town)
    return towns


def _degrees(iso_6709: str, digits: int) -> float:
    sign, figures = iso_6709[0], iso_6709[1:]
    degrees = int(figures[:digits]) + int(figures[digits : digits + 2]) / 60
    return -degrees if sign == "-" else degrees


def zone_near(country: str, latitude: Decimal, longitude: Decimal) -> str:
    """IANA name of the time zone at a point of `country` (alpha-3). Good for most places, not at inner borders."""
    towns = _towns().get(ALPHA_2.get(country.upper(), "")) or [t for each in _towns().values() for t in each]
    north, east = float(latitude), float(longitude)

    def distance(town: _Town) -> float:
        across = (town.longitude - east + 180) % 360 - 180
        return hypot(town.latitude - north, across * cos(radians(north)))

    near = [town for town in towns if distance(town) <= _ENCLAVES.get(town.zone, inf)]
    return min(near or towns, key=distance).zone
