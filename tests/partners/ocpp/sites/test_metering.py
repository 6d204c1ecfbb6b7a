"""What connectors draw, out of what chargers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partners.ocpp.sites.metering import Arrived, Metered, Meters

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def heard(*samples: dict[str, Any]) -> Metered | None:
    meters = Meters()
    meters.heard("cp1", 1, [{"timestamp": "yesterday", "sampledValue": list(samples)}], Arrived(NOW), mv=230_000)
    return meters.of("cp1", 1)


def sample(value: Any, measurand: str = "Current.Import", **more: Any) -> dict[str, Any]:
    return {"value": value, "measurand": measurand, **more}


def test_currents_by_phase_are_taken_as_they_are() -> None:
    found = heard(*(sample(f"{n}.5", phase=f"L{n}", unit="A") for n in (1, 2, 3)))
    assert found is not None
    assert found.ma == (1500, 2500, 3500)


def test_a_phase_that_is_not_named_among_others_carries_nothing() -> None:
    found = heard(sample("16", phase="L2"))
    assert found is not None
    assert found.ma == (0, 16_000, 0)


def test_powers_by_phase_are_currents_at_the_sites_voltage() -> None:
    found = heard(sample("2.3", "Power.Active.Import", phase="L1-N", unit="kW"))
    assert found is not None
    assert (found.ma, found.mw) == ((10_000, 0, 0), 2_300_000)


def test_a_total_says_nothing_of_phases_and_a_current_without_one_nothing_at_all() -> None:
    found = heard(sample("11040", "Power.Active.Import", unit="W"), sample("48", unit="A"))
    assert found is not None
    assert (found.ma, found.mw) == (None, 11_040_000)
    assert heard(sample("48", unit="A")) is None


def test_the_words_of_2x_are_understood_too() -> None:
    measure = {"unit": "W", "multiplier": 3}
    found = heard(sample(11, "Power.Active.Import", unitOfMeasure=measure))
    assert found is not None
    assert found.mw == 11_000_000
    assert heard({"value": 5}) == Metered(NOW, None, None, 5)


def test_where_only_the_register_is_told_its_rise_is_the_power() -> None:
    meters = Meters()
    for seconds, wh in ((0, 1000), (10, 1030), (60, 1185), (120, 1185)):
        at = Arrived(NOW + timedelta(seconds=seconds))
        assert meters.heard("cp1", 1, [{"sampledValue": [{"value": str(wh)}]}], at, mv=230_000)
        found = meters.of("cp1", 1)
        assert found is not None
        assert (found.mw, found.wh) == ({60: 11_040_000, 120: 0}.get(seconds), wh)


def test_what_a_charger_queued_is_dated_by_its_clock_as_far_as_that_is_known() -> None:
    said = "2026-05-04T09:00:00Z"
    assert Arrived(NOW).dated(said) == NOW - timedelta(hours=1)
    assert Arrived(NOW, timedelta(minutes=59)).dated(said) == NOW - timedelta(minutes=1)
    assert Arrived(NOW, timedelta(hours=9)).dated(said) == NOW
    assert Arrived(NOW).dated("1970-01-01T00:00:00Z") == NOW


@pytest.mark.parametrize(
    "odd",
    [sample("-3", phase="L1"), sample("many", phase="L1"), sample("1", phase="L1", unit="Hz"), {}, sample(None),
     sample("1", phase=["L1"]), sample("1", phase="L1", location="EV"), sample("9" * 13, phase="L1")],
)  # fmt: skip
def test_what_cannot_be_read_is_not_there(odd: dict[str, Any]) -> None:
    assert heard(odd) is None
    for whole in (None, "x", [None], [{"sampledValue": "x"}]):
        assert not Meters().heard("cp1", 1, whole, Arrived(NOW), mv=230_000)
