"""Every derived wire model has exactly the fields, cardinalities, lengths and enum values of its edition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.core.dialect import VERSIONS
from hub.core.dialect.forms import cardinality, fields_of, is_model, leaf_of
from hub.core.types import OcpiModel
from hub.core.types.markers import Closed, OpenEnum, Plain, Text
from modules.commands.model import CommandType
from modules.sessions.model import ChargingPreferencesResponse
from tests.laws.census_differences import ENUMS, FIELDS, NOT_OURS, READ_LONGER, UNCOUNTED
from tests.laws.kinds import KINDS

EDITIONS = dict(zip(VERSIONS, ("2.1.1-d2", "2.2.1-d2", "2.3.0-ed2"), strict=True))
CHAPTERS = (
    *("credentials", "mod_cdrs", "mod_charging_profiles", "mod_commands", "mod_hub_client_info"),
    *("mod_locations", "mod_sessions", "mod_tariffs", "mod_tokens"),
    *("transport_and_format", "types", "version_information_endpoint", "mod_invoice_reconciliation"),
)
BESIDE = {"2.3.0-ed2": {"2.3.0-ed2-payments": "mod_payments", "2.3.0-bookings-1.1": "mod_bookings"}}
"""Editions that stand beside one of ours, with a chapter of their own: it is the same version on the wire."""
NAMES = {"VersionDetails": "Data", "FinancialAdviceConfirmation": "Financial Advice Confirmation"}
"""What the tables call an object of ours."""


class Enum(NamedTuple):
    is_open: bool
    values: frozenset[str]


class Tables(NamedTuple):
    """Objects as {name: {field: "type card"}}, and enums."""

    objects: dict[str, dict[str, str]]
    enums: dict[str, Enum]


def _specified(edition: str) -> Tables:
    tables = [_chapters(edition, CHAPTERS), *(_chapters(*pair) for pair in _beside(edition))]
    objects = {name: fields for table in tables for name, fields in table.objects.items()}
    return Tables(objects, {name: enum for table in tables for name, enum in table.enums.items()})


def _beside(edition: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(other, (chapter,)) for other, chapter in BESIDE.get(edition, {}).items()]


def _chapters(edition: str, chapters: tuple[str, ...]) -> Tables:
    census = json.loads((Path(__file__).parents[1] / f"data/census/ocpi-{edition}.json").read_text("utf-8"))
    objects = {
        name: {field: f"{_spelled(row['type'])} {row['card']}" for field, row in fields.items()}
        for chapter in chapters
        for name, fields in census["objects"].get(chapter, {}).items()
        if name not in NOT_OURS
    }
    enums = {
        name: Enum(enum["open"], frozenset(value.split(" ")[0] for value in enum["values"]))
        for chapter in chapters
        for name, enum in census["enums"].get(chapter, {}).items()
    }
    return Tables(objects, enums)


def _spelled(kind: str) -> str:
    """2.3.0 writes `String[12]` for string(12), and CiString for one without a limit."""
    return re.sub(r"^String\b", "string", kind.replace("[", "(").replace("]", ")"))


def _forms(version: str) -> Iterator[type[OcpiModel]]:
    """Every wire model of the version that can be reached from the objects on its wires."""
    waiting = [kind.wires[version].form for kind in KINDS if version in kind.wires]
    seen: set[type[OcpiModel]] = set()
    while waiting:
        form = waiting.pop()
        if form not in seen:
            seen.add(form)
            yield form
            inner = [leaf_of(annotation)[0] for annotation in fields_of(form).values()]
            waiting += [kind for kind in inner if is_model(kind)]


def _derived(version: str) -> Tables:
    objects: dict[str, dict[str, str]] = {}
    enums: dict[str, Enum] = {}
    for form in _forms(version):
        name = NAMES.get(form.__name__, form.__name__)
        fields = {field: _typed(annotation) for field, annotation in fields_of(form).items()}
        assert objects.setdefault(name, fields) == fields, f"two different {name} in {version}"
        enums.update(_enum(annotation) for annotation in fields_of(form).values() if _is_enum(annotation))
    return Tables(objects, enums)


def _is_enum(annotation: Any) -> bool:
    return isinstance(leaf_of(annotation)[1], OpenEnum | Closed)


def _enum(annotation: Any) -> tuple[str, Enum]:
    kind, marker = leaf_of(annotation)
    if isinstance(marker, OpenEnum):
        return marker.name, Enum(marker.is_open, frozenset(marker.values))
    assert isinstance(marker, Closed)
    return marker.name, Enum(False, frozenset(get_args(kind)))


def _typed(annotation: Any) -> str:
    return f"{_kind(annotation)} {cardinality(annotation)}"


def _kind(annotation: Any) -> str:
    kind, marker = leaf_of(annotation)
    match marker:
        case Text(kind="URL"):
            return "URL"
        case Text(limit=None):
            return marker.kind
        case Text():
            return f"{marker.kind}({marker.limit})"
        case Plain():
            return marker.kind
        case OpenEnum() | Closed():
            return marker.name
    return "boolean" if kind is bool else str(kind.__name__)


def _field_differences(version: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    theirs, ours = _specified(EDITIONS[version]).objects, _derived(version).objects
    found = {}
    for name in theirs.keys() | ours.keys():
        specified, derived = theirs.get(name, {}), ours.get(name, {})
        for field in specified.keys() | derived.keys():
            pair = specified.get(field, "-"), derived.get(field, "-")
            if pair[0] != pair[1]:
                found[EDITIONS[version], name, field] = pair
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_is_as_in_the_tables_or_explained(version: str) -> None:
    explained = {key: (row[0], row[1]) for key, row in FIELDS.items() if key[0] == EDITIONS[version]}
    assert _field_differences(version) == explained


@pytest.mark.parametrize("version", VERSIONS)
def test_every_enum_has_the_values_of_the_tables_or_is_explained(version: str) -> None:
    specified, derived = _specified(EDITIONS[version]).enums, _derived(version).enums
    if version == "2.3.0":
        derived |= dict([_enum(CommandType), _enum(ChargingPreferencesResponse)])
    unlike = {(EDITIONS[version], name) for name, enum in derived.items() if specified.get(name) != enum}
    unlike -= {(EDITIONS[version], name) for name in UNCOUNTED}
    assert unlike == {key for key in ENUMS if key[0] == EDITIONS[version]}


def test_no_enum_of_the_newest_edition_is_missing() -> None:
    derived = dict([*_derived("2.3.0").enums.items(), _enum(CommandType), _enum(ChargingPreferencesResponse)])
    assert _specified("2.3.0-ed2").enums.keys() == derived.keys() - UNCOUNTED.keys()


@pytest.mark.parametrize("name", UNCOUNTED)
def test_an_enum_said_to_be_uncounted_is(name: str) -> None:
    assert all(name not in _specified(edition).enums for edition in EDITIONS.values())
    assert name in _derived("2.3.0").enums


@pytest.mark.parametrize("name", NOT_OURS)
def test_an_object_said_to_be_elsewhere_is_in_the_tables(name: str) -> None:
    census = json.loads((Path(__file__).parents[1] / "data/census/ocpi-2.3.0-ed2.json").read_text("utf-8"))
    assert any(name in objects for objects in census["objects"].values())


def test_display_text_is_read_up_to_twice_its_limit_and_ids_are_exact() -> None:
    longer = {}
    for form in (form for version in VERSIONS for form in _forms(version)):
        for field, annotation in fields_of(form).items():
            _, marker = leaf_of(annotation)
            if not isinstance(marker, Text) or marker.limit is None:
                continue
            expected = marker.limit if marker.style == "exact" else 2 * marker.limit
            if marker.readable != expected:
                longer[form.__name__, field] = marker.readable
    assert longer == {key: limit for key, (limit, _) in READ_LONGER.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_enum_that_the_newest_edition_opened_is_read_open_in_all(version: str) -> None:
    opened = {name for name, enum in _specified("2.3.0-ed2").enums.items() if enum.is_open}
    for form in _forms(version):
        for annotation in fields_of(form).values():
            kind, marker = leaf_of(annotation)
            if not isinstance(marker, OpenEnum | Closed):
                continue
            reads = _reads(kind, marker, "NOT_IN_ANY_TABLE")
            assert reads == (marker.name in opened | {"LocationType", "ModuleID"}), marker.name


def _reads(kind: Any, marker: Any, value: str) -> bool:

    try:
        TypeAdapter(Annotated[kind, marker] if isinstance(marker, OpenEnum) else kind).validate_python(value)
    except ValidationError:
        return False
    return True
