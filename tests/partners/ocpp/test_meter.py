"""MeterValues as they were seen on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partners.ocpp.events import Flag
from partners.ocpp.meter import MAX_SAMPLES, Metered, counts_kwh_as_wh, read, rising
from partners.ocpp.readings import Reading, SignedValue, parse_time
from tests.partners.ocpp.said import at

TIME = "2026-05-01T12:00:00Z"


def metered(*samples: Any, timestamp: Any = TIME) -> Metered:
    return read([{"timestamp": timestamp, "sampledValue": list(samples)}])


def one(*samples: Any) -> Reading:
    (reading,) = metered(*samples).readings
    return reading


@pytest.mark.parametrize(
    ("sample", "kwh"),
    [
        ({"value": "1500"}, "1.5"),
        ({"value": "1500", "unit": "Wh"}, "1.5"),
        ({"value": "1.5", "unit": "kWh"}, "1.5"),
        ({"value": "1.5", "unit": "KWH"}, "1.5"),
        ({"value": 1500, "measurand": "Energy.Active.Import.Register"}, "1.5"),
        ({"value": Decimal("1.5"), "unitOfMeasure": {"unit": "kWh"}}, "1.5"),
        ({"value": Decimal(15), "unitOfMeasure": {"unit": "Wh", "multiplier": 2}}, "1.5"),
        ({"value": "-3", "unit": "kWh"}, "-3"),
    ],
)
def test_energy_is_in_kwh_whatever_it_came_in(sample: dict[str, Any], kwh: str) -> None:
    assert one(sample) == Reading(parse_time(TIME), energy_kwh=Decimal(kwh))


def test_all_that_one_moment_tells_is_one_reading() -> None:
    reading = one(
        {"value": "1500", "measurand": "Energy.Active.Import.Register"},
        {"value": "11", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "16.1", "measurand": "Current.Import", "unit": "A"},
        {"value": "231", "measurand": "Voltage", "unit": "V"},
        {"value": "57", "measurand": "SoC", "unit": "Percent", "location": "EV"},
        {"value": "40", "measurand": "Temperature", "unit": "Celsius"},
    )
    assert reading == Reading(
        parse_time(TIME), Decimal("1.5"), None, Decimal(11), Decimal("16.1"), Decimal(231), Decimal(57)
    )


def phases(measurand: str, *values: tuple[str, str]) -> list[dict[str, str]]:
    return [{"measurand": measurand, "phase": phase, "value": value} for phase, value in values]


def test_phases_are_summed_or_averaged_and_n_is_left_out() -> None:
    reading = one(
        *phases("Current.Import", ("L1", "16"), ("L2", "15.5"), ("L3", "16"), ("N", "1")),
        *phases("Voltage", ("L1-N", "230"), ("L2-N", "231"), ("L3-N", "233"), ("L1-L2", "400")),
        *phases("Power.Active.Import", ("L1", "3000"), ("L2", "3500")),
    )
    assert (reading.current_a, reading.voltage, reading.power_kw) == (
        Decimal("47.5"),
        Decimal("231.333"),
        Decimal("6.5"),
    )


def test_a_total_counts_more_than_its_phases() -> None:
    total = {"measurand": "Power.Active.Import", "value": "9000"}
    assert one(total, *phases("Power.Active.Import", ("L1", "3100"), ("L2", "3100"))).power_kw == 9


def test_the_outlet_counts_more_than_the_inlet_and_the_car_not_at_all() -> None:
    assert one({"value": "9000", "location": "Inlet"}, {"value": "1000", "location": "Outlet"}).energy_kwh == 1
    assert one({"value": "9000", "location": "Body"}).energy_kwh == 9
    assert metered({"value": "9000", "location": "EV"}).readings == ()


def test_an_interval_is_a_step() -> None:
    assert one({"value": "250", "measurand": "Energy.Active.Import.Interval"}).step_kwh == Decimal("0.25")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "٣", "1_0", "string", None, True, {}, [], "1e5"])
def test_poison_is_flagged_and_never_becomes_energy(value: Any) -> None:
    result = metered({"value": value}, {"value": "230", "measurand": "Voltage"})
    assert result.flags == {Flag.VALUE_UNREADABLE}
    assert result.readings[0].energy_kwh is None
    assert result.readings[0].voltage == 230


@pytest.mark.parametrize("unit", ["Hz", "BTU", 7, ["Wh"], {"unit": "Wh"}])
def test_an_unknown_unit_is_flagged_not_guessed(unit: Any) -> None:
    result = metered({"value": "5", "unit": unit})
    assert (result.readings, result.flags) == ((), frozenset({Flag.UNIT_UNKNOWN}))


def test_a_time_that_cannot_be_read_leaves_the_values() -> None:
    result = metered({"value": "1000"}, timestamp="yesterday")
    assert result.readings == (Reading(None, energy_kwh=Decimal(1)),)
    assert result.flags == {Flag.TIME_UNREADABLE}


def test_signed_values_come_out_byte_for_byte() -> None:
    ocmf = 'OCMF|{"FV":"1.0","RD":[{"RV":"1.0"}]}|{"SD":"30\\u00e9"}'
    result = metered({"value": ocmf, "format": "SignedData", "context": "Transaction.End"})
    assert result.readings == ()
    assert result.signed == (SignedValue(parse_time(TIME), "Transaction.End", ocmf),)


def test_a_signed_block_of_2x_comes_with_its_method_and_key() -> None:
    block = {"signedMeterData": "b64==", "encodingMethod": "OCMF", "publicKey": "k", "signingMethod": ""}
    result = metered({"value": Decimal(1000), "context": "Transaction.Begin", "signedMeterValue": block})
    assert result.signed == (SignedValue(parse_time(TIME), "Transaction.Begin", "b64==", "OCMF", "k"),)
    assert result.readings[0].energy_kwh == 1


def test_a_message_of_absurd_length_is_cut() -> None:
    result = metered(*[{"value": "1"}] * (MAX_SAMPLES + 1))
    assert Flag.SAMPLES_CUT in result.flags


def test_a_register_that_falls_begins_a_new_segment() -> None:
    values = [Decimal(kwh) for kwh in (5, 7, 1, 2, 4)]
    assert rising(values) == (Decimal(5), True)
    assert rising(values[:2]) == (Decimal(2), False)
    assert rising([]) == (Decimal(0), False)


@pytest.mark.parametrize(("kwh_per_hour", "suspect"), [("22", False), ("0.022", True), ("0", False), ("11", False)])
def test_kwh_under_the_label_wh_shows_against_power_and_time(kwh_per_hour: str, suspect: bool) -> None:
    readings = [
        Reading(at(minute), energy_kwh=Decimal(kwh_per_hour) * minute / 60, power_kw=Decimal(22))
        for minute in (0, 10, 20, 30)
    ]
    assert counts_kwh_as_wh(readings) is suspect


FIELDS = (
    *("timestamp", "sampledValue", "value", "unit", "phase", "format", "measurand", "location", "context"),
    *("unitOfMeasure", "multiplier", "signedMeterValue", "signedMeterData"),
)
trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["L1", "Wh", "SignedData", TIME]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None, database=None, derandomize=True)
@given(trees, st.lists(trees, max_size=3))
def test_nothing_makes_it_raise(anything: Any, samples: list[Any]) -> None:
    read(anything)
    read([{"timestamp": TIME, "sampledValue": samples}])
