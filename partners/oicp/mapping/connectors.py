"""Connectors of OCPI; plugs and charging facilities of OICP, which are two lists that know nothing of each other.

We write both in the order of the connectors, so that a plug's facility stands at its index. Who reads takes for each
plug the facility whose current fits: of several that at its index, else the strongest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.enums import DIRECT_CURRENT, HOUSEHOLD, OUTLETS, PHASES, PLUGS, POWER_TYPES, TYPE_2, Outlet
from partners.oicp.mapping.terms import Notes
from partners.oicp.wire.enums import POWER_TYPES as THEIR_POWER_TYPES

_MOST_KW: Final = 999
_MOST_V: Final = 999
_MOST_A: Final = 99
_NEAR_W: Final = 600
"""Power is told in whole kW; voltage times amperage is nearer to the truth where it lies within this."""
_LINE_TO_LINE: Final = range(380, 481)
_ROOT_3: Final = Decimal(3).sqrt()
_USUAL_V: Final = {"AC": 230, "DC": 400}
_THREE_PHASE: Final = ((20, "IEC_60309_2_three_16"), (40, "IEC_60309_2_three_32"))
_LARGEST_THREE_PHASE: Final = "IEC_60309_2_three_64"
_SAID: Final = (*("standard", "format", "power_type", "max_voltage", "max_amperage", "max_electric_power"), "id")


def plug_of(standard: str, form: str) -> str | None:
    """OICP's plug for a connector; None where it has no word."""
    return TYPE_2.get(form) if standard == "IEC_62196_T2" else PLUGS.get(standard)


def said_connectors(evse: Mapping[str, Any], path: str, notes: Notes) -> Tree:
    """Plugs and ChargingFacilities of an EVSE; both empty where OICP has a word for none of its connectors."""
    told: list[tuple[str, Mapping[str, Any], str]] = []
    for at, connector in enumerate(evse["connectors"]):
        where = f"{path}/connectors/{at}"
        plug = plug_of(connector["standard"], connector["format"])
        if plug is None:
            notes.lose(where, warn=f"OICP has no plug for {connector['standard']}")
        else:
            told.append((plug, connector, where))
            notes.lose_all(connector, ("tariff_ids", "terms_and_conditions"), where)
    plugs = [plug for plug, _, _ in told]
    facilities = [_facility(connector, plug) for plug, connector, _ in told]
    for (plug, connector, where), back in zip(told, _read(plugs, facilities, Notes()), strict=True):
        changed = [name for name in _SAID if connector.get(name) not in (None, back.get(name))]
        notes.lose(*(f"{where}/{name}" for name in changed))
        if {"standard", "format", "power_type"} & set(changed):
            notes.warn(f"{connector['standard']} with {connector['power_type']} is told as {plug}")
    return {"Plugs": plugs, "ChargingFacilities": facilities}


def power_kw(connector: Mapping[str, Any]) -> Decimal:
    """What a connector of OCPI gives at most, kW: as it is told, else by its voltage and amperage."""
    return Decimal(_watts(connector)) / 1000


def _watts(connector: Mapping[str, Any]) -> int:
    told: int | None = connector.get("max_electric_power")
    if told is not None:
        return told
    volts, amperes = int(connector["max_voltage"]), int(connector["max_amperage"])
    return volts * amperes * PHASES[connector["power_type"]]


def _facility(connector: Mapping[str, Any], plug: str) -> Tree:
    power_type = POWER_TYPES[connector["power_type"]]
    volts, amperes = connector["max_voltage"], connector["max_amperage"]
    power = _kilowatts(_watts(connector))
    tree: Tree = {"PowerType": power_type, "Power": power, "ChargingModes": list(_modes(plug, power_type))}
    # More than OICP has figures for is left out: a smaller figure would be wrong.
    if 1 <= volts <= _MOST_V:
        tree["Voltage"] = volts
    if 1 <= amperes <= _MOST_A:
        tree["Amperage"] = amperes
    return tree


def _kilowatts(watts: int) -> int:
    return min(_MOST_KW, max(1, int((Decimal(watts) / 1000).to_integral_value(ROUND_HALF_UP))))


def _modes(plug: str, power_type: str) -> Iterator[str]:
    if power_type == "DC":
        yield "Mode_4"
        if plug == "CHAdeMO":
            yield "CHAdeMO"
    elif plug in HOUSEHOLD:
        yield from ("Mode_1", "Mode_2")
    else:
        yield "Mode_3"


def read_connectors(record: Mapping[str, Any], known: Sequence[Mapping[str, Any]], notes: Notes) -> list[Tree]:
    """Connectors of a record, without their last_updated. Those that were `known` keep their ids."""
    plugs, facilities = record.get("Plugs") or (), record.get("ChargingFacilities") or ()
    found = list(_read(plugs, facilities, notes))
    used = {each["id"] for each in known}
    free = (str(number) for number in range(1, 2 * len(found) + len(used) + 1) if str(number) not in used)
    ids = _known_ids(found, known)
    return [{**connector, "id": ids.get(at) or next(free)} for at, connector in enumerate(found)]


def _known_ids(found: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """By index: first those that are as they were in all, then those of the same plug."""
    ids: dict[int, str] = {}
    left = list(known)
    for names in (_SAID[:-1], _SAID[:2]):
        for at, connector in enumerate(found):
            same = [each for each in left if all(each.get(name) == connector.get(name) for name in names)]
            if at not in ids and same:
                ids[at] = same[0]["id"]
                left.remove(same[0])
    return ids


def _read(plugs: Sequence[str], facilities: Sequence[Mapping[str, Any]], notes: Notes) -> Iterator[Tree]:
    """Ids are 1 to n, in the order of the plugs that OCPI has a word for."""
    number = 0
    used: set[int] = set()
    for at, plug in enumerate(plugs):
        outlet = OUTLETS.get(plug)
        if outlet is None:
            notes.lose(f"/Plugs/{at}", warn="a plug that OCPI has no word for is left out")
            continue
        number += 1
        chosen = _fitting(plug, at, facilities, notes)
        used.add(chosen)
        facility = facilities[chosen] if facilities else {}
        if not all(facility.get(name) for name in ("Power", "Voltage", "Amperage")):
            notes.warn("voltage, amperage or power of a connector is derived from the others")
        connector = _connector(plug, outlet, facility)
        if facility.get("Voltage") not in (None, connector["max_voltage"]):
            notes.lose(f"/ChargingFacilities/{chosen}/Voltage", warn="a voltage between lines is read as to neutral")
        yield {"id": str(number), **connector}
    notes.lose(*(f"/ChargingFacilities/{at}" for at in range(len(facilities)) if at not in used))
    if any(facility.get("ChargingModes") for facility in facilities):
        notes.lose("/ChargingFacilities/0/ChargingModes")


def _fitting(plug: str, at: int, facilities: Sequence[Mapping[str, Any]], notes: Notes) -> int:
    """The index of the facility that belongs to a plug."""
    fitting = [index for index, each in enumerate(facilities) if _fits(plug, each)]
    if at in fitting:
        return at
    if fitting:
        return max(fitting, key=lambda index: (facilities[index].get("Power") or 0, -index))
    if facilities:
        notes.warn("no charging facility has the current of a plug: the first one is taken")
    return 0


def _fits(plug: str, facility: Mapping[str, Any]) -> bool:
    power_type = facility.get("PowerType")
    if power_type not in THEIR_POWER_TYPES:
        return False
    return plug == "Tesla Connector" or (power_type == "DC") == (plug in DIRECT_CURRENT)


def _connector(plug: str, outlet: Outlet, facility: Mapping[str, Any]) -> Tree:
    power_type = str(facility.get("PowerType"))
    if power_type not in PHASES:
        power_type = "DC" if plug in DIRECT_CURRENT else "AC_1_PHASE"
    watts = int(Decimal(facility.get("Power") or 0) * 1000)
    volts = _volts(facility, power_type)
    amperes = int(facility.get("Amperage") or 0) or watts // (volts * PHASES[power_type])
    computed = volts * amperes * PHASES[power_type]
    near = bool(facility.get("Amperage")) and abs(computed - watts) <= _NEAR_W
    tree: Tree = {
        "standard": _standard(outlet.standard, int(facility.get("Amperage") or 0)),
        "format": outlet.format,
        "power_type": power_type,
        "max_voltage": volts,
        "max_amperage": amperes,
    }
    return {**tree, "max_electric_power": computed if near else watts} if watts > 0 else tree


def _volts(facility: Mapping[str, Any], power_type: str) -> int:
    """From line to neutral; some tell the voltage between lines."""
    kind = "DC" if power_type == "DC" else "AC"
    volts = int(facility.get("Voltage") or 0)
    if volts <= 0:
        return _USUAL_V[kind]
    if kind == "AC" and volts in _LINE_TO_LINE:
        return int((volts / _ROOT_3).to_integral_value(ROUND_HALF_UP))
    return volts


def _standard(standard: str, amperes: int) -> str:
    if standard != "IEC_60309_2_three_16" or not amperes:
        return standard
    return next((name for most, name in _THREE_PHASE if amperes <= most), _LARGEST_THREE_PHASE)
