"""A tariff, made ready for pricing.

Per phase and dimension there is one ordered list of candidates; the first whose restrictions hold supplies
the price (OCPI mod_tariffs_tariff_object: per dimension, in list order). A list ends with its first
unrestricted candidate. All prices of a tariff share one denominator, so that an amount is one
multiplication of whole numbers:

    quantity (units) x component.net / compiled.denominator = money before taxes, exactly

A `Compiled` is plain data: it can be cached (by owner, id and last_updated) and pickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from math import gcd, lcm
from typing import Any, Final, NamedTuple, TypeAlias

from hub.core.jsontypes import Tree
from modules.tariffs.pricing.faults import UnfitTariff
from modules.tariffs.pricing.limits import Limit, limit_of
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import HOUR, KWH, SECOND, WH, Exact, decimal_of
from modules.tariffs.pricing.restrictions import AXES, FAR, MEASURED, Range, not_understood, ranges_of
from modules.tariffs.pricing.taxes import TaxRule, split_of, tax_rule
from modules.tariffs.pricing.times import instant

_FAR: Final = 10**30


class Dimension(IntEnum):
    """The dimensions a component may price. OCPI mod_tariffs_tariffdimensiontype_enum."""

    ENERGY = 0
    TIME = 1
    PARKING_TIME = 2
    FLAT = 3


class Phase(IntEnum):
    """Which elements are looked at: those of the session, or of a reservation that was used or expired."""

    SESSION = 0
    RESERVED = 1
    EXPIRED = 2


_PRICED: Final = {
    "ENERGY": (Dimension.ENERGY, KWH, WH),
    "TIME": (Dimension.TIME, HOUR, SECOND),
    "PARKING_TIME": (Dimension.PARKING_TIME, HOUR, SECOND),
    "FLAT": (Dimension.FLAT, 1, 0),
}
"""Type of a component -> its dimension, units of what its price is for, units of one of its steps."""
_RESERVATIONS: Final = {
    None: ((Phase.SESSION, 0),),
    "RESERVATION": ((Phase.RESERVED, 0), (Phase.EXPIRED, 1)),
    "RESERVATION_EXPIRES": ((Phase.EXPIRED, 0),),
}
"""`reservation` -> the phases of the element, and its rank there: expiry comes first wherever it stands."""


class Component(NamedTuple):
    """A price component. `net` and `tax`: money a unit, over the tariff's denominator; `step` is in units."""

    element: int
    place: int
    dimension: Dimension
    price: Decimal
    rate: Decimal | None
    step: int
    net: int
    tax: int


class Candidate(NamedTuple):
    """A component and what must hold for it."""

    ranges: tuple[Range, ...]
    component: Component


Candidates: TypeAlias = tuple[tuple[Candidate, ...], ...]
"""The candidates of a phase, by dimension."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tariff in which nothing is left to look up. `valid_from` <= t < `valid_until` are instants.

    axes: all that some candidate asks for. measured: the power and current axes among them, by phase.
    edges: by axis, the values at which something may change, in order.
    plain: by dimension of a session, the component that always prices it, if any; only where there are no axes.
    has_one_rate: is that so, at one rate of tax, and without a limit?
    blanks: lines of a receipt, with what the tariff says of them, by element and place; whoever writes receipts makes
    them when they are first asked for.
    """

    id: str
    key: str
    currency: str
    type: str | None
    valid_from: int
    valid_until: int
    phases: tuple[Candidates, Candidates, Candidates]
    denominator: int
    axes: frozenset[int]
    measured: tuple[frozenset[int], ...]
    edges: tuple[tuple[Exact, ...], ...]
    plain: tuple[Component | None, ...]
    has_one_rate: bool
    taxes_known: bool
    rates_are_added: bool
    gross_only: bool
    minimum: Limit | None
    maximum: Limit | None
    warned: tuple[Warned, ...]
    blanks: dict[tuple[int, int], Tree] = field(default_factory=dict, init=False, compare=False, repr=False)


def _edges(phases: Sequence[Candidates]) -> tuple[tuple[Exact, ...], ...]:
    """By axis, where it may matter on which side a session stands."""
    found: list[set[Exact]] = [set() for _ in range(AXES)]
    for candidates in phases:
        for axis, low, high, _ in _ranges(candidates):
            found[axis].update((low, high))
    return tuple(tuple(sorted(bounds - {-FAR, FAR})) for bounds in found)


def _plain(candidates: Candidates) -> tuple[Component | None, ...]:
    """Without restrictions the first candidate of a dimension is its only one."""
    return tuple(of_dimension[0].component if of_dimension else None for of_dimension in candidates)


def _measured(phases: Sequence[Candidates], axes: Set[int]) -> tuple[frozenset[int], ...]:
    """The power and current axes, by phase."""
    if axes.isdisjoint(MEASURED):
        return (frozenset(),) * len(phases)
    return tuple(frozenset(found.axis for found in _ranges(candidates)) & MEASURED for candidates in phases)


def _ranges(candidates: Candidates) -> Iterator[Range]:
    for of_dimension in candidates:
        for ranges, _ in of_dimension:
            yield from ranges


class _Draft(NamedTuple):
    """A component before its tariff has a denominator: `net` and `tax` a unit are over one of its own."""

    element: int
    place: int
    dimension: Dimension
    price: Decimal
    rate: Decimal | None
    step: int
    net: int
    tax: int
    denominator: int


def compile_tariff(tariff: Mapping[str, Any], version: str = "2.3.0") -> Compiled:
    """A Tariff tree in our form, written under `version` of OCPI, made ready. Raises: UnfitTariff."""
    elements = tariff.get("elements")
    if not isinstance(elements, list | tuple) or not elements:
        raise UnfitTariff("the tariff has no elements")
    components = [tree for element in elements for tree in element.get("price_components") or ()]
    rule = tax_rule(tariff, version, components)
    warned = list(rule.warned)
    drafts = [_drafts(number, element, rule, warned) for number, element in enumerate(elements)]
    denominator = lcm(*(draft.denominator for of_one in drafts for draft in of_one))
    phases = _phases(elements, [[_over(draft, denominator) for draft in of_one] for of_one in drafts], warned)
    edges = _edges(phases)
    axes = frozenset(axis for axis, bounds in enumerate(edges) if bounds)
    plain = () if axes else _plain(phases[Phase.SESSION])
    minimum, maximum = limit_of(tariff, "min_price"), limit_of(tariff, "max_price")
    return Compiled(
        id=str(tariff.get("id", "")),
        key=str(tariff.get("id", "")).lower(),
        currency=str(tariff.get("currency") or "").upper(),
        type=tariff.get("type"),
        valid_from=_edge(tariff, "start_date_time", -_FAR),
        valid_until=_edge(tariff, "end_date_time", _FAR),
        phases=phases,
        denominator=denominator,
        axes=axes,
        measured=_measured(phases, axes),
        edges=edges,
        plain=plain,
        has_one_rate=minimum is None and maximum is None and len({part.rate for part in plain if part}) == 1,
        taxes_known=rule.known,
        rates_are_added=rule.applies and not rule.inside,
        gross_only=rule.gross_only,
        minimum=minimum,
        maximum=maximum,
        warned=tuple(warned),
    )


def _edge(tariff: Mapping[str, Any], field: str, open_end: int) -> int:
    value = tariff.get(field)
    return open_end if value is None else instant(value, field, fault=UnfitTariff)


def _drafts(number: int, element: Mapping[str, Any], rule: TaxRule, warned: list[Warned]) -> list[_Draft]:
    """The components of an element; the first of each dimension counts."""
    found: dict[str, _Draft] = {}
    for place, tree in enumerate(element.get("price_components") or ()):
        name = tree.get("type")
        if name not in _PRICED:
            raise UnfitTariff(f"element {number} prices a dimension that does not exist")
        if name in found:
            warned.append(Warned(Code.DUPLICATE_COMPONENT, subject=name))
        else:
            found[name] = _draft(number, place, tree, rule)
    return list(found.values())


def _draft(number: int, place: int, tree: Mapping[str, Any], rule: TaxRule) -> _Draft:
    dimension, per_price, per_step = _PRICED[tree["type"]]
    price = decimal_of(tree.get("price"), "price", fault=UnfitTariff)
    step = decimal_of(tree.get("step_size", 0), "step_size", fault=UnfitTariff)
    if step < 0 or step != int(step):
        raise UnfitTariff("step_size is not a whole number from 0 up")
    net, tax, whole, rate = split_of(rule, tree.get("vat"))
    p, q = price.as_integer_ratio()
    net, tax, denominator = p * net, p * tax, q * whole * per_price
    common = gcd(net, tax, denominator)
    steps = int(step) * per_step
    return _Draft(number, place, dimension, price, rate, steps, net // common, tax // common, denominator // common)


def _over(draft: _Draft, denominator: int) -> Component:
    element, place, dimension, price, rate, step, net, tax, own = draft
    scale = denominator // own
    return Component(element, place, dimension, price, rate, step, net * scale, tax * scale)


def _phases(
    elements: Sequence[Mapping[str, Any]], components: list[list[Component]], warned: list[Warned]
) -> tuple[Candidates, Candidates, Candidates]:
    """Which candidates each phase and dimension has, in the order in which they are asked."""
    ranked: list[list[list[tuple[int, Candidate]]]] = [[[] for _ in Dimension] for _ in Phase]
    for element, of_one in zip(elements, components, strict=True):
        restrictions = element.get("restrictions") or {}
        reservation = restrictions.get("reservation")
        strange = not_understood(restrictions) or ([] if reservation in _RESERVATIONS else ["reservation"])
        if strange:
            warned.append(Warned(Code.RESTRICTION_NOT_UNDERSTOOD, subject=strange[0][:40]))
            continue
        ranges = ranges_of(restrictions)
        for phase, rank in _RESERVATIONS[reservation]:
            for component in of_one:
                ranked[phase][component.dimension].append((rank, Candidate(ranges, component)))
    used, reserved, expired = (tuple(_ordered(of_dimension) for of_dimension in of_phase) for of_phase in ranked)
    return used, reserved, expired


def _ordered(ranked: list[tuple[int, Candidate]]) -> tuple[Candidate, ...]:
    in_order = [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]
    for position, candidate in enumerate(in_order):
        if not candidate.ranges:
            return tuple(in_order[: position + 1])
    return tuple(in_order)
