"""Points on earth: OCPI's two texts, and OICP's three forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from hub.core.jsontypes import Tree

_SIX: Final = Decimal("0.000001")
_FIGURE: Final = re.compile(r"-?\d{1,3}(\.\d{1,15})?", re.ASCII)
_PAIR: Final = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*", re.ASCII)
_SEXAGESIMAL: Final = re.compile(
    r"(-?)(\d{1,3})\s*°\s*(\d{1,2})\s*['’′]\s*(\d{1,2}(?:\.\d{1,15})?)\s*(?:''|\"|″|”)?", re.ASCII
)


class Point(NamedTuple):
    """In degrees, WGS 84, to six decimals: a tenth of a metre."""

    latitude: Decimal
    longitude: Decimal

    @classmethod
    def of(cls, location: Mapping[str, Any]) -> Point:
        """From OCPI's GeoLocation."""
        return cls(_rounded(Decimal(location["latitude"])), _rounded(Decimal(location["longitude"])))

    def tree(self) -> Tree:
        """OCPI's GeoLocation."""
        return {"latitude": f"{self.latitude:.6f}", "longitude": f"{self.longitude:.6f}"}

    def said(self, form: str) -> Tree:
        """OICP's GeoCoordinates in one of its three forms."""
        if form == "DegreeMinuteSeconds":
            latitude, longitude = _in_sixtieths(self.latitude), _in_sixtieths(self.longitude)
        else:
            latitude, longitude = f"{self.latitude:.6f}", f"{self.longitude:.6f}"
        if form == "Google":
            return {form: {"Coordinates": f"{latitude} {longitude}"}}
        return {form: {"Longitude": longitude, "Latitude": latitude}}


def point_of(coordinates: Mapping[str, Any] | None) -> Point | None:
    """The point that GeoCoordinates tell in any of their forms; None where they tell none on earth."""
    for form, values in (coordinates or {}).items():
        if not isinstance(values, Mapping):
            continue
        pair = _google(values) if form == "Google" else _degrees(values)
        if pair is not None and abs(pair[0]) <= 90 and abs(pair[1]) <= 180:
            return Point(_rounded(pair[0]), _rounded(pair[1]))
    return None


def _google(values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    match = _PAIR.fullmatch(str(values.get("Coordinates", "")))
    return (Decimal(match[1]), Decimal(match[2])) if match else None


def _degrees(values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    latitude, longitude = (_degree(str(values.get(name, "")).strip()) for name in ("Latitude", "Longitude"))
    return (latitude, longitude) if latitude is not None and longitude is not None else None


def _degree(text: str) -> Decimal | None:
    if _FIGURE.fullmatch(text):
        return Decimal(text)
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        return None
    degrees = Decimal(match[2]) + Decimal(match[3]) / 60 + Decimal(match[4]) / 3600
    return -degrees if match[1] else degrees


def _in_sixtieths(degrees: Decimal) -> str:
    seconds = (abs(degrees) * 3600).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    return f"{'-' if degrees < 0 else ''}{whole:.0f}°{minutes:.0f}'{seconds:.4f}''"


def _rounded(degrees: Decimal) -> Decimal:
    return degrees.quantize(_SIX, ROUND_HALF_UP)
