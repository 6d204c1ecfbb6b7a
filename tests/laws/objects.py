"""Strategies: valid objects of every kind and version, made from the annotations of the wire models themselves."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hub.core.dialect.forms import cardinality, fields_of, is_model, leaf_of
from hub.core.types import (
    CalendarDate,
    ClockTime,
    Country,
    Currency,
    Language,
    Latitude,
    Longitude,
    OcpiModel,
    moment_text,
)
from hub.core.types.markers import Closed, OpenEnum, Plain, Text

Objects = SearchStrategy[dict[str, Any]]

_ID_CHARACTERS: Final = "abzAZ09-*_."
_TEXT_CHARACTERS: Final = "aZ 9éß/'-,"
_MONEY: Final = st.integers(0, 999_999).map(lambda number: Decimal(number).scaleb(-3))
_FIRST: Final = datetime(2015, 1, 1, tzinfo=UTC)
_MOMENTS: Final = st.integers(0, 20 * 365 * 24 * 3600 * 1000).map(
    lambda number: moment_text(_FIRST + timedelta(milliseconds=number))
)
"""One number each, not one of years, one of months and so on: most of what a big object costs is its draws."""


def _coordinate(most: int) -> SearchStrategy[str]:
    whole = st.integers(-most + 1, most - 1)
    return st.builds("{:d}.{:06d}".format, whole, st.integers(0, 999_999))


_BY_MARKER: Final[dict[Any, SearchStrategy[Any]]] = {
    leaf_of(ClockTime)[1]: st.sampled_from(["00:00", "08:30", "17:00", "23:59"]),
    leaf_of(CalendarDate)[1]: st.sampled_from(["2024-02-29", "2025-12-24"]),
    leaf_of(Country)[1]: st.sampled_from(["DEU", "NLD", "BEL", "USA"]),
    leaf_of(Currency)[1]: st.sampled_from(["EUR", "SEK"]),
    leaf_of(Language)[1]: st.sampled_from(["de", "en", "nl"]),
    leaf_of(Latitude)[1]: _coordinate(90),
    leaf_of(Longitude)[1]: _coordinate(180),
}
_PLAIN: Final[dict[str, SearchStrategy[Any]]] = {
    "number": _MONEY,
    "DateTime": _MOMENTS,
    "int": st.integers(0, 99_999),
    "int(5)": st.integers(1, 4_096),
    "int(1)": st.integers(1, 7),
}


def _text(marker: Text) -> SearchStrategy[str]:
    if marker.kind == "URL":
        return st.sampled_from(["https://example.com/a", "https://example.org/ocpi/2.2.1/x?y=1"])
    longest = min(marker.limit or 20, 20)
    shortest = max(marker.least, 1)
    if marker.style == "exact" or not re.match(marker.pattern, "ß"):
        return st.text(_ID_CHARACTERS, min_size=shortest, max_size=longest)
    return st.text(_TEXT_CHARACTERS, min_size=shortest, max_size=longest)


def _leaf(annotation: Any) -> SearchStrategy[Any]:
    kind, marker = leaf_of(annotation)
    if is_model(kind):
        return objects(kind)
    if isinstance(marker, OpenEnum):
        return st.sampled_from([*marker.values, *(["X_OWN"] if marker.is_open else [])])
    if isinstance(marker, Closed):
        return st.sampled_from(get_args(kind))
    if isinstance(marker, Plain):
        return _PLAIN[marker.kind]
    if marker in _BY_MARKER:
        return _BY_MARKER[marker]
    return _text(marker) if isinstance(marker, Text) else st.booleans()


def _field(annotation: Any) -> SearchStrategy[Any]:
    kind = cardinality(annotation)
    if kind in "*+":
        _, marker = leaf_of(annotation)
        unique = isinstance(marker, OpenEnum | Closed | Text)
        return st.lists(_leaf(annotation), min_size=1, max_size=2, unique=unique)
    return _leaf(annotation)


@cache
def objects(form: type[OcpiModel]) -> Objects:
    """Objects that `form` writes: within its limits, with its values, some optional fields and some unknown ones."""
    required = {name: _field(kind) for name, kind in fields_of(form).items() if cardinality(kind) in "1+"}
    optional = {name: _field(kind) for name, kind in fields_of(form).items() if cardinality(kind) in "?*"}
    optional["x_vendor"] = st.sampled_from([{"nested": [1, "a"]}, "text", True])
    return st.fixed_dictionaries(required, optional=optional)


@cache
def parts(form: type[OcpiModel]) -> Objects:
    """What a PATCH may carry: some fields of an object, and null for optional ones."""
    fields = {
        name: st.one_of(_field(kind), st.none()) if cardinality(kind) == "?" else _field(kind)
        for name, kind in fields_of(form).items()
    }
    return st.fixed_dictionaries({}, optional=fields)
