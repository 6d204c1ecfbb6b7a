"""Liberal in what is read, strict in what is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from hub.core.clock import timestamp
from hub.core.types import (
    CiString36,
    Country,
    DateTime,
    DisplayText,
    Flag,
    Id36,
    Language,
    Latitude,
    Longitude,
    Number,
    OcpiModel,
    Price,
    Whole,
    key_of,
    moment_text,
    parse_datetime,
    timestamp_of,
)
from hub.core.types.markers import string, verbatim
from hub.core.types.reading import as_moment_text
from modules.locations.model import EVSE, EnvironmentalImpact, RegularHours


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refused(kind: Any, value: object) -> bool:
    try:
        read(kind, value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-06-29T20:39:09Z", "2015-06-29T20:39:09Z"),
        ("2015-06-29T20:39:09", "2015-06-29T20:39:09Z"),
        ("2015-06-29 20:39:09z", "2015-06-29T20:39:09Z"),
        ("2015-06-29T22:39:09+02:00", "2015-06-29T20:39:09Z"),
        ("2015-06-29T20:39:09 00:00", "2015-06-29T20:39:09Z"),
        ("2015-06-29T15:09:09-0530", "2015-06-29T20:39:09Z"),
        ("2015-06-29T20:39Z", "2015-06-29T20:39:00Z"),
        ("2015-06-29T20:39:09.5Z", "2015-06-29T20:39:09.500Z"),
        ("2015-06-29T20:39:09.123456789Z", "2015-06-29T20:39:09.123Z"),
        ("2015-06-29T20:39:09.000Z", "2015-06-29T20:39:09Z"),
        ("1970-1-1T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_every_form_of_timestamp_met_in_the_field_is_read(text: str, moment: str) -> None:
    assert moment_text(read(DateTime, text)) == moment
    assert parse_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2015-06-29",
        "2015-02-30T00:00:00Z",
        "2015-06-29T20:39.09Z",
        "2024-W01-1T00:00:00Z",
        "٢٠١٥-06-29T20:39:09Z",
        1435610349,
        None,
    ],
)
def test_what_is_no_timestamp_is_refused(value: object) -> None:
    assert refused(DateTime, value)


_EDITS = st.lists(st.tuples(st.integers(0, 23), st.sampled_from("0123456789-+:.,TtZz W٣")), max_size=3)


@given(st.sampled_from(["2015-06-29T20:39:09Z", "2015-06-29T20:39:09.120Z", "2015-06-29T20:39:09.000Z"]), _EDITS)
def test_texts_of_moments_are_read_and_written_alike_with_and_without_the_moment_between(
    text: str, edits: list[tuple[int, str]]
) -> None:
    for at, letter in edits:
        text = text[:at] + letter + text[at + 1 :]
    if refused(DateTime, text):
        with pytest.raises((ValueError, OverflowError)):
            timestamp_of(text)
        with pytest.raises(PydanticCustomError):
            as_moment_text(text)
    else:
        assert timestamp_of(text) == timestamp(parse_datetime(text))
        assert as_moment_text(text) == moment_text(parse_datetime(text))


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    assert moment_text(datetime(2024, 7, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2024-07-01T00:00:00Z"


def test_a_naive_time_is_refused() -> None:
    assert refused(DateTime, datetime(2024, 1, 1))  # noqa: DTZ001 - the very thing


@pytest.mark.parametrize(
    ("value", "number"),
    [("2.00", "2.00"), (3, "3"), ("1e2", "100"), (Decimal("0.30000000000000004"), None), ("-4", "-4")],
)
def test_numbers_are_read_from_text_and_stay_exact(value: object, number: str | None) -> None:
    assert read(Number, value) == Decimal(number or str(value))


@pytest.mark.parametrize("value", [True, 1.5, "NaN", Decimal("Infinity"), "1e99", "1_000", "", "½", "9" * 21, [], None])
def test_what_is_no_number_is_refused(value: object) -> None:
    assert refused(Number, value)


@pytest.mark.parametrize(("value", "number"), [(16, 16), ("16", 16), (Decimal("16.0"), 16)])
def test_whole_numbers_are_read_from_text(value: object, number: int) -> None:
    assert read(Whole, value) == number


@pytest.mark.parametrize("value", [True, "1.5", 2**63, "x"])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    assert refused(Whole, value)


@pytest.mark.parametrize("value", [1, 0, "true", "yes"])
def test_only_booleans_are_booleans(value: object) -> None:
    assert refused(Flag, value)


def test_a_number_sent_for_an_id_is_its_text() -> None:
    assert read(Id36, 22314) == "22314"


@pytest.mark.parametrize("value", ["", "é", "a\n", "a\x00", "x" * 37, True, None])
def test_an_id_is_exact(value: object) -> None:
    assert refused(Id36, value)


def test_an_optional_id_may_be_empty() -> None:
    assert read(CiString36, "") == ""


def test_display_text_is_read_up_to_twice_its_limit() -> None:
    assert read(Annotated[str, string(45)], "ü" * 90) == "ü" * 90
    assert refused(Annotated[str, string(45)], "ü" * 91)
    assert refused(Annotated[str, string(45)], "tab\there")


def test_a_signed_text_keeps_every_character() -> None:
    signed = "<xml>\r\n\t<value/>\n</xml>"
    assert read(Annotated[str, verbatim(512)], signed) == signed


@pytest.mark.parametrize(("code", "language"), [("en-GB", "en"), ("de_AT", "de"), ("deu", "de"), ("nl", "nl")])
def test_language_codes_are_cut_to_two_letters(code: str, language: str) -> None:
    assert read(Language, code) == language


@pytest.mark.parametrize(("code", "country"), [("BE", "BEL"), ("de", "DEU"), ("NLD", "NLD")])
def test_countries_have_three_letters(code: str, country: str) -> None:
    assert read(Country, code) == country


@pytest.mark.parametrize(
    ("value", "latitude"),
    [
        ("51.047599", "51.047599"),
        ("51.04759", "51.04759"),
        (Decimal("51.0475"), "51.047500"),
        ("51,0475991", "51.0475991"),
        ("-51.0475991", "-51.047599"),
        (51, "51.000000"),
    ],
)
def test_coordinates_of_any_precision_become_those_of_the_spec(value: object, latitude: str) -> None:
    assert read(Latitude, value) == latitude


def test_a_point_is_on_the_globe() -> None:
    assert refused(Latitude, "91.000000")
    assert refused(Longitude, "-180.100000")
    assert not refused(Longitude, "-179.123456")


def test_a_week_has_seven_days() -> None:
    hours = {"weekday": 8, "period_begin": "08:00", "period_end": "20:00"}
    assert refused(RegularHours, hours)
    assert not refused(RegularHours, {**hours, "weekday": "7"})


@pytest.mark.parametrize("name", ["source", "category"])
def test_an_environmental_impact_is_read_under_both_names(name: str) -> None:
    impact = EnvironmentalImpact.model_validate({name: "CARBON_DIOXIDE", "amount": 372})
    assert impact.tree() == {"category": "CARBON_DIOXIDE", "amount": 372}


def test_null_an_empty_list_and_nothing_are_the_same() -> None:
    ways: list[dict[str, Any]] = [{}, {"taxes": []}, {"taxes": None}]
    prices = [Price.model_validate({"before_taxes": 1, **way}) for way in ways]
    assert [price.tree() for price in prices] == [{"before_taxes": 1}] * 3


def test_unknown_fields_and_unknown_values_of_open_enums_are_kept() -> None:
    connector = {
        "id": "1",
        "standard": "PLUG_OF_2030",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 1000,
        "max_amperage": 500,
        "last_updated": "2024-01-01T00:00:00Z",
        "acme": {"cooled": True},
    }
    evse = {"uid": "E1", "status": "AVAILABLE", "connectors": [connector], "last_updated": "2024-01-01T00:00:00Z"}
    assert EVSE.model_validate(evse).tree() == evse


def test_a_closed_enum_refuses_what_it_has_not() -> None:
    assert refused(EVSE, {"uid": "E1", "status": "BROKEN", "connectors": [], "last_updated": "2024-01-01T00:00:00Z"})


def test_an_object_becomes_json_with_plain_numbers() -> None:
    price = Price(before_taxes=Decimal("1E+1"))
    assert price.json_bytes() == b'{"before_taxes":10}'
    assert DisplayText(language="de", text="für").json_bytes() == '{"language":"de","text":"für"}'.encode()


def test_an_object_does_not_change() -> None:
    text = DisplayText(language="de", text="a")
    with pytest.raises(ValidationError, match="frozen"):
        text.text = "b"  # type: ignore[misc]


def test_a_field_named_like_a_method_is_data() -> None:
    class Thing(OcpiModel):
        id: Id36

    assert Thing.model_validate({"id": "1", "tree": 2, "json_bytes": "x"}).tree() == {
        "id": "1",
        "tree": 2,
        "json_bytes": "x",
    }


def test_keys_of_equal_ids_are_equal_and_parts_cannot_run_together() -> None:
    assert key_of("de", "abc", "LOC1") == key_of("DE", "ABC", "loc1") == "DE*ABC/loc1"
    assert key_of("DE", "ABC", "a/b", "c") != key_of("DE", "ABC", "a", "b/c")
