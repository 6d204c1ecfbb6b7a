"""The receipt of a case, from nothing but the case and the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.verifier import active, notices
from tests.verifier.case import BY_THE_TEXT, Refused, periods, tariff
from tests.verifier.choice import choose
from tests.verifier.clock import instant, local_text, utc_text
from tests.verifier.figures import figure, round_sum
from tests.verifier.limits import Moved, Ruling, limit
from tests.verifier.numbers import exact, maybe_exact
from tests.verifier.place import place_in_words
from tests.verifier.steps import Step, raise_to_steps
from tests.verifier.taxes import added, amount, rate, subtotals
from tests.verifier.walk import Line, Stop, walk

Tree = dict[str, Any]
_UNITS = {"ENERGY": "kWh", "FLAT": "1", "RESERVATION_FLAT": "1"}


def recompute(case: Mapping[str, Any], policy: Mapping[str, Any] = BY_THE_TEXT) -> Tree:
    """The receipt as it must be. Raises: Refused."""
    tariffs = [tariff(tree) for tree in case["tariffs"]]
    given = periods(case["periods"], instant(case["end"]))
    choice = choose(tariffs, given, case, policy)
    chosen = [each for each in choice.values() if each is not None]
    if case.get("time_zone") is None and any(map(active.asks_for_local_time, chosen)):
        raise Refused("a price depends on local time, and nobody knows the zone")
    stops = walk(given, choice, case, policy)
    lines, steps = raise_to_steps([line for stop in stops for line in stop.lines], policy)
    figures, moved, unsaid = _figures(lines, stops, case["version"], policy)
    return {
        "format": 1,
        "currency": case.get("currency") or next((tree["currency"] for tree in case["tariffs"]), None),
        **({"place": place} if (place := place_in_words(case.get("cdr_location") or {})) else {}),
        "time_zone": case.get("time_zone"),
        "policy": dict(policy),
        "lines": [_line(line, case, policy) for line in lines],
        "steps": [_step(step) for step in steps],
        "limits": [_moved(each) for each in moved],
        "figures": figures,
        "warnings": [each._asdict() for each in notices.all_of(stops, moved, unsaid, case, policy)],
    }


def _figures(
    lines: Sequence[Line], stops: Sequence[Stop], version: str, policy: Mapping[str, Any]
) -> tuple[list[Tree], list[Moved], bool]:
    parts = subtotals(lines, version, policy)
    whole = added(round_sum(part, policy) if policy["round_parts_first"] else part for part in parts.values())
    begun = [stop for stop in stops if stop.period.in_session]
    ruling = Ruling(
        tariff=next((stop.tariff for stop in begun or stops), None),
        used=notices.used(stops),
        version=version,
        in_session=bool(begun),
        policy=policy,
    )
    limited, moved, unsaid = limit(whole, ruling)
    return [figure(name, value, policy) for name, value in {**parts, "total": limited}.items()], moved, unsaid


def _line(line: Line, case: Mapping[str, Any], policy: Mapping[str, Any]) -> Tree:
    now, tariff, found = line.moment, line.tariff, line.active
    cost = amount(line, case["version"], policy)
    vat = rate(tariff, found.component, case["version"]) if tariff and found else None
    asked = active.asked(tariff) if tariff else set()
    return {
        "period": now.period.index,
        "start": utc_text(now.at),
        "local_time": local_text(now.at, case.get("time_zone")),
        "dimension": line.dimension,
        "tariff_id": tariff.id if tariff else None,
        "element": found.element.place if found else None,
        "component": found.component.place if found else None,
        "unit": _UNITS.get(line.dimension, "s"),
        "quantity": exact(line.quantity),
        "billed": exact(line.billed),
        "price": exact(found.component.price) if found else None,
        "vat": maybe_exact(vat),
        "before_taxes": exact(cost.before),
        "tax": exact(sum(cost.taxes.values(), Fraction(0))),
        "energy_before_kwh": exact(now.kwh) if "kwh" in asked else None,
        "elapsed_s": exact(now.elapsed) if "duration" in asked else None,
        "power_kw": [*map(maybe_exact, now.period.range("POWER"))] if "power" in asked else None,
        "current_a": [*map(maybe_exact, now.period.range("CURRENT"))] if "current" in asked else None,
    }


def _step(step: Step) -> Tree:
    return {
        "dimension": step.dimension,
        "line": step.line,
        "step_size": step.size,
        "unit": "Wh" if step.dimension == "ENERGY" else "s",
        "sum": exact(step.total),
        "raised_to": exact(step.raised),
        "surplus": exact(step.raised - step.total),
    }


def _moved(moved: Moved) -> Tree:
    return {
        "limit": moved.limit,
        "figure": moved.figure,
        "bound": maybe_exact(moved.bound),
        "from": exact(moved.before),
        "to": exact(moved.after),
    }
