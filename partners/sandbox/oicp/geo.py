"""Coordinates in the three forms of OICP."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from partners.sandbox.wire import Json

_PLACES: Final = Decimal("0.000001")
_SIXTY: Final = 60


def read(tree: Json) -> tuple[Decimal, Decimal]:
    """Latitude and longitude. Raises: ValueError."""
    if "Google" in tree:
        latitude, longitude = re.split(r"[\s,]+", tree["Google"]["Coordinates"].strip())
        return Decimal(latitude), Decimal(longitude)
    if "DecimalDegree" in tree:
        return Decimal(tree["DecimalDegree"]["Latitude"]), Decimal(tree["DecimalDegree"]["Longitude"])
    sexagesimal = tree["DegreeMinuteSeconds"]
    return _degrees(sexagesimal["Latitude"]), _degrees(sexagesimal["Longitude"])


def written(tree: Json, form: str) -> Json:
    """The same in another form: Google, DecimalDegree or DegreeMinuteSeconds."""
    latitude, longitude = (value.quantize(_PLACES) for value in read(tree))
    if form == "Google":
        return {form: {"Coordinates": f"{latitude} {longitude}"}}
    if form == "DecimalDegree":
        return {form: {"Latitude": str(latitude), "Longitude": str(longitude)}}
    return {form: {"Latitude": _sexagesimal(latitude), "Longitude": _sexagesimal(longitude)}}


def _degrees(text: str) -> Decimal:
    sign, degrees, minutes, seconds = re.fullmatch(r"(-?)(\d+)°\s?(\d+)'\s?([\d.]+)''", text).groups()  # type: ignore[union-attr]
    size = Decimal(degrees) + Decimal(minutes) / _SIXTY + Decimal(seconds) / (_SIXTY * _SIXTY)
    return -size if sign else size


def _sexagesimal(value: Decimal) -> str:
    whole = abs(value)
    minutes = (whole % 1) * _SIXTY
    seconds = ((minutes % 1) * _SIXTY).quantize(Decimal("0.01"))
    return f"{'-' if value < 0 else ''}{int(whole)}°{int(minutes)}'{seconds}''"
