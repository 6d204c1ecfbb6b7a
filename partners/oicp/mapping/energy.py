"""Where the energy comes from: OCPI's energy mix, OICP's sources and impact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.enums import ENERGY_TO_OCPI, ENERGY_TO_OICP, IMPACTS
from partners.oicp.mapping.terms import Notes

_ALL: Final = 100
"""Percent: one more than OICP has figures for."""
_PATH: Final = "/energy_mix"


def said_energy(mix: Mapping[str, Any] | None, notes: Notes) -> Tree:
    """RenewableEnergy, EnergySource and EnvironmentalImpact."""
    if mix is None:
        return {"RenewableEnergy": False}
    notes.lose_all(mix, ("supplier_name", "energy_product_name"), _PATH)
    tree: Tree = {"RenewableEnergy": mix["is_green_energy"]}
    sources = _sources(mix.get("energy_sources") or (), notes)
    impacts = _impacts(mix.get("environ_impact") or (), notes)
    return {
        **tree,
        **({"EnergySource": sources} if sources else {}),
        **({"EnvironmentalImpact": impacts} if impacts else {}),
    }


def _sources(sources: Any, notes: Notes) -> list[Tree]:
    said: list[Tree] = []
    for at, source in enumerate(sources):
        energy, percentage = ENERGY_TO_OICP[source["source"]], Decimal(source["percentage"])
        if energy is None or any(each["Energy"] == energy for each in said):
            notes.lose(f"{_PATH}/energy_sources/{at}")
            continue
        whole = int(percentage.to_integral_value(ROUND_HALF_UP))
        tree: Tree = {"Energy": energy}
        if 0 <= whole < _ALL:
            tree["Percentage"] = whole
        if whole != percentage or not ("Percentage" in tree or (whole == _ALL and len(sources) == 1)):
            notes.lose(f"{_PATH}/energy_sources/{at}/percentage")
        said.append(tree)
    return said


def _impacts(impacts: Any, notes: Notes) -> Tree:
    said: Tree = {}
    words = {category: name for name, category in IMPACTS.items()}
    for at, impact in enumerate(impacts):
        name = words.get(impact["category"])
        if name is None or name in said:
            notes.lose(f"{_PATH}/environ_impact/{at}")
        else:
            said[name] = impact["amount"]
    return said


def read_energy(record: Mapping[str, Any], notes: Notes) -> Tree | None:
    """OCPI's energy mix; None where nothing is told of it."""
    sources = _read_sources(record.get("EnergySource") or (), notes)
    impact = record.get("EnvironmentalImpact") or {}
    impacts = [{"category": category, "amount": impact[name]} for name, category in IMPACTS.items() if name in impact]
    if "RenewableEnergy" not in record and not sources and not impacts:
        return None
    tree: Tree = {"is_green_energy": record.get("RenewableEnergy", False)}
    return {
        **tree,
        **({"energy_sources": sources} if sources else {}),
        **({"environ_impact": impacts} if impacts else {}),
    }


def _read_sources(sources: Any, notes: Notes) -> list[Tree]:
    """Sources of one kind are summed up; one without its part is all, where it stands alone."""
    parts: dict[str, int | Decimal] = {}
    for at, source in enumerate(sources):
        kind = ENERGY_TO_OCPI.get(source.get("Energy", ""))
        percentage = source.get("Percentage", _ALL if len(sources) == 1 else None)
        if kind is None or percentage is None:
            notes.lose(f"/EnergySource/{at}")
        else:
            if kind not in ENERGY_TO_OICP or ENERGY_TO_OICP[kind] is None:
                notes.lose(f"/EnergySource/{at}/Energy")
            parts[kind] = parts.get(kind, 0) + percentage
    return [{"source": kind, "percentage": percentage} for kind, percentage in parts.items()]
