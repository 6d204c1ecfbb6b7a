"""The specification as data: what each OCPI version says an object looks like.

The tables in `v211`, `v221` and `v230` are flat and separate on purpose. The hub derives versions from
differences; whoever checks the hub must not repeat its derivation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from partners.sandbox.spec import v211, v221, v230

_FIELD = re.compile(r"(?P<name>\w+):(?P<kind>\w+)(?:\((?P<length>\d+)\))?(?P<card>[?*+]?)")


@dataclass(frozen=True)
class Field:
    """One row of an object's table. `length` is in characters, for `int` in digits; None when not stated."""

    name: str
    kind: str
    length: int | None
    required: bool
    many: bool


@dataclass(frozen=True)
class Edition:
    """What one version of OCPI defines."""

    version: str
    objects: Mapping[str, Mapping[str, Field]]
    enums: Mapping[str, frozenset[str]]
    open_enums: frozenset[str]


def fields(table: str) -> Mapping[str, Field]:
    """An object's table from its words. Raises: ValueError."""
    rows = {}
    for word in table.split():
        row = _FIELD.fullmatch(word)
        if row is None:
            raise ValueError(f"not a field: {word}")
        rows[row["name"]] = Field(
            name=row["name"],
            kind=row["kind"],
            length=int(row["length"]) if row["length"] else None,
            required=row["card"] in ("", "+"),
            many=row["card"] in ("*", "+"),
        )
    return MappingProxyType(rows)


_ENVELOPE = "status_code:int(4) status_message:string? timestamp:DateTime"
"""The response format of every version; `data` is checked where it is known what it must be."""


@cache
def edition(version: str) -> Edition:
    """The tables of `version`. Raises KeyError for a version the sandbox does not speak."""
    tables = {"2.1.1": v211, "2.2.1": v221, "2.3.0": v230}[version]
    return Edition(
        version=version,
        objects={name: fields(table) for name, table in tables.OBJECTS.items()} | {"Envelope": fields(_ENVELOPE)},
        enums={name: frozenset(values.split()) for name, values in tables.ENUMS.items()},
        open_enums=tables.OPEN,
    )
