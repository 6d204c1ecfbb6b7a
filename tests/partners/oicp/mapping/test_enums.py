"""No word of either protocol is without a row, and every row says a word of the other one."""

from __future__ import annotations

from typing import get_args

import pytest

from modules.locations.model import (
    Capability,
    ConnectorFormat,
    ConnectorType,
    EnergySourceCategory,
    EnvironmentalImpactCategory,
    ParkingType,
    PowerType,
    Status,
)
from partners.oicp.mapping import enums as tables
from partners.oicp.mapping.connectors import plug_of
from partners.oicp.mapping.evse_status import ocpi_status
from partners.oicp.mapping.terms import Terms
from partners.oicp.wire import enums as oicp


def words(annotation: object) -> set[str]:
    """The values of one of OCPI's enums."""
    kind, marker = get_args(annotation)
    return set(marker.values) if kind is str else set(get_args(kind))


TOTAL = [
    ("plugs", tables.OUTLETS, set(oicp.PLUGS)),
    ("power types", tables.POWER_TYPES, words(PowerType)),
    ("phases", tables.PHASES, words(PowerType)),
    ("status to OCPI", tables.STATUS_TO_OCPI, set(oicp.EVSE_STATUS)),
    ("status to OICP", tables.STATUS_TO_OICP, words(Status)),
    ("places to OCPI", tables.PARKING_TYPES, set(oicp.ACCESSIBILITY_LOCATION)),
    ("places to OICP", tables.ACCESSIBILITY_LOCATIONS, words(ParkingType)),
    ("energy to OCPI", tables.ENERGY_TO_OCPI, set(oicp.ENERGY)),
    ("energy to OICP", tables.ENERGY_TO_OICP, words(EnergySourceCategory)),
    ("modes", tables.MODES_TO_OCPI, set(oicp.AUTHENTICATION_MODES)),
    ("services", tables.SERVICES_TO_OCPI, set(oicp.VALUE_ADDED_SERVICES)),
    ("days", tables.DAYS, set(oicp.DAYS)),
]
MEANT = [
    ("plugs", tables.PLUGS.values(), set(oicp.PLUGS)),
    ("power types", tables.POWER_TYPES.values(), set(oicp.POWER_TYPES)),
    ("status to OCPI", tables.STATUS_TO_OCPI.values(), words(Status)),
    ("status to OICP", tables.STATUS_TO_OICP.values(), set(oicp.EVSE_STATUS)),
    ("places to OCPI", tables.PARKING_TYPES.values(), words(ParkingType)),
    ("places to OICP", tables.ACCESSIBILITY_LOCATIONS.values(), set(oicp.ACCESSIBILITY_LOCATION)),
    ("energy to OCPI", tables.ENERGY_TO_OCPI.values(), words(EnergySourceCategory)),
    ("energy to OICP", tables.ENERGY_TO_OICP.values(), set(oicp.ENERGY)),
    ("impacts", tables.IMPACTS.values(), words(EnvironmentalImpactCategory)),
    ("modes", tables.MODES_TO_OCPI.values(), words(Capability)),
    ("services", tables.SERVICES_TO_OCPI.values(), words(Capability)),
    ("payable", tables.PAYABLE, words(Capability)),
]


@pytest.mark.parametrize(("table", "wanted"), [row[1:] for row in TOTAL], ids=[row[0] for row in TOTAL])
def test_every_word_has_a_row(table: dict[str, object], wanted: set[str]) -> None:
    assert set(table) == wanted


@pytest.mark.parametrize(("said", "known"), [row[1:] for row in MEANT], ids=[row[0] for row in MEANT])
def test_every_row_says_a_word_that_there_is(said: list[str | None], known: set[str]) -> None:
    assert {word for word in said if word is not None} <= known


def test_every_outlet_is_one_of_ocpi() -> None:
    for outlet in filter(None, tables.OUTLETS.values()):
        assert outlet.standard in words(ConnectorType)
        assert outlet.format in words(ConnectorFormat)


@pytest.mark.parametrize("standard", sorted(words(ConnectorType)))
@pytest.mark.parametrize("form", sorted(words(ConnectorFormat)))
def test_every_connector_has_a_plug_or_none(standard: str, form: str) -> None:
    plug = plug_of(standard, form)
    assert plug is None or plug in oicp.PLUGS


@pytest.mark.parametrize("plug", [plug for plug, outlet in tables.OUTLETS.items() if outlet])
def test_a_plug_that_ocpi_knows_comes_back(plug: str) -> None:
    outlet = tables.OUTLETS[plug]
    assert outlet is not None
    assert plug_of(outlet.standard, outlet.format) == plug


@pytest.mark.parametrize("status", sorted(words(Status) - {"BLOCKED", "INOPERATIVE", "PLANNED", "REMOVED"}))
def test_a_status_comes_back(status: str) -> None:
    said = tables.STATUS_TO_OICP[status]
    assert said is not None
    assert ocpi_status(said, Terms()) == status


def test_a_status_that_nobody_lists_is_unknown() -> None:
    assert ocpi_status("Exploded", Terms()) == "UNKNOWN"
    assert ocpi_status("OutOfService", Terms(out_of_service="INOPERATIVE")) == "INOPERATIVE"


def test_we_never_say_that_an_evse_is_not_found() -> None:
    assert "EvseNotFound" not in tables.STATUS_TO_OICP.values()
