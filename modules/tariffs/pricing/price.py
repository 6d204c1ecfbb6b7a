"""The price of a session or CDR. OCPI mod_tariffs, all versions.

In order: choose the tariff of each period, walk the periods, raise to steps, sum, hold against the limits,
round once. Pure: the same case gives the same price, and nothing outside the case is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from modules.tariffs.pricing.at_hand import at_hand
from modules.tariffs.pricing.choice import tariffs_of
from modules.tariffs.pricing.compile import Compiled, Dimension, Phase
from modules.tariffs.pricing.faults import SeveralCurrencies
from modules.tariffs.pricing.limits import Bounded, bounded
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import KWH, SECOND, Exact, rounded
from modules.tariffs.pricing.periods import (
    ENERGY,
    ONLY_RESERVED,
    PARKING,
    TIME,
    Case,
    Period,
    has_expired,
    read_periods,
)
from modules.tariffs.pricing.policy import BY_THE_TEXT, Policy
from modules.tariffs.pricing.steps import Raised, Segment, raise_to_steps
from modules.tariffs.pricing.times import instant
from modules.tariffs.pricing.totals import (
    RESERVATION,
    Money,
    Tally,
    TaxLine,
    exact_amounts,
    joined,
    money,
    moved_money,
    tally,
    to_add_up,
)
from modules.tariffs.pricing.walk import Ground, Walk

_PLACES: Final = 6
_ENOUGH: Final = ((Dimension.ENERGY, 1 << ENERGY), (Dimension.TIME, 1 << TIME | 1 << PARKING))
"""Dimension -> the bits of the quantities of which one at least is stated where it has a price."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The quantities that were billed, after step_size: those that have a component, at most six places."""

    energy_kwh: Decimal
    time_s: Decimal
    parking_s: Decimal
    reservation_s: Decimal


class Priced(NamedTuple):
    """A price with all that led to it. A sub-total is None where nothing of its kind had a component.

    counted: the exact sums. raised: where a step added something. within: the exact total, if a limit moved it.
    """

    total: Money
    energy: Money | None
    time: Money | None
    parking: Money | None
    fixed: Money | None
    reservation: Money | None
    warnings: tuple[Warned, ...]
    segments: tuple[Segment, ...]
    time_zone: str | None
    policy: Policy
    counted: Tally
    raised: tuple[Raised, ...]
    within: Bounded | None

    @property
    def taxes(self) -> tuple[TaxLine, ...]:
        """The taxes in the total, one a rate."""
        return self.total.taxes

    @property
    def billed(self) -> Billed:
        """The billed quantities of the whole session."""
        sums: list[Exact] = [0] * (RESERVATION + 1)
        for segment in self.segments:
            if segment.component and segment.dimension != Dimension.FLAT:
                sums[RESERVATION if segment.reserved else segment.dimension] += segment.billed
        time_s, parking_s, reservation_s = (
            rounded(sums[bucket], SECOND, _PLACES) for bucket in (Dimension.TIME, Dimension.PARKING_TIME, RESERVATION)
        )
        return Billed(rounded(sums[Dimension.ENERGY], KWH, _PLACES), time_s, parking_s, reservation_s)


def price(case: Case, policy: Policy = BY_THE_TEXT) -> Priced:
    """Price a case.

    Raises: PricingFault (UnknownTariff, NoTariffInForce, SeveralCurrencies, UnfitTariff, UnfitSession).
    """
    compiled = [t if isinstance(t, Compiled) else at_hand(t, case.version) for t in case.tariffs]
    warned: list[Warned] = []
    periods = read_periods(case, policy, warned)
    chosen = tariffs_of(periods, compiled, case, policy, warned)
    return _priced(case, periods, chosen, policy, warned)


def free(case: Case, policy: Policy = BY_THE_TEXT) -> Priced:
    """A case for which there is no tariff at all: it costs nothing, and that is said. Raises: UnfitSession."""
    warned = [Warned(Code.NO_TARIFF)]
    periods = read_periods(case, policy, warned)
    return _priced(case, periods, [None] * len(periods), policy, warned)


def _priced(
    case: Case, periods: Sequence[Period], chosen: Sequence[Compiled | None], policy: Policy, warned: list[Warned]
) -> Priced:
    used = _each(chosen)
    if len(used) > 1:
        _in_one_currency(used)
    for tariff in used:
        warned += tariff.warned
    segments = _segments(case, periods, chosen, policy, warned)
    _warn_of_dimensions(periods, chosen, warned)
    raised = raise_to_steps(segments, policy)
    if policy.step_counts_zero:
        segments = [segment for segment in segments if segment.quantity or segment.billed]
    counted = tally(segments, used, policy)
    energy, time, parking, fixed, reservation = (
        money(sums, counted.denominator, policy, known=bucket not in counted.untold) if sums else None
        for bucket, sums in enumerate(counted.buckets)
    )
    total, within = _total(to_add_up(counted, policy), _ruling(periods, chosen), policy, warned)
    return Priced(
        total=total,
        energy=energy,
        time=time,
        parking=parking,
        fixed=fixed,
        reservation=reservation,
        warnings=tuple(warned),
        segments=tuple(segments),
        time_zone=case.time_zone,
        policy=policy,
        counted=counted,
        raised=raised,
        within=within,
    )


def _each(chosen: Sequence[Compiled | None]) -> list[Compiled]:
    """The tariffs of a session, each once."""
    used: list[Compiled] = []
    for tariff in chosen:
        if tariff is not None and tariff not in used:
            used.append(tariff)
    return used


def _in_one_currency(used: Sequence[Compiled]) -> None:
    """Raises: SeveralCurrencies. A tariff that names none is taken for one in that of the others."""
    found = sorted({tariff.currency for tariff in used if tariff.currency})
    if len(found) > 1:
        raise SeveralCurrencies(f"the tariffs of the periods are in {' and '.join(found)}")


def _segments(
    case: Case, periods: Sequence[Period], chosen: Sequence[Compiled | None], policy: Policy, warned: list[Warned]
) -> list[Segment]:
    reserved = Phase.EXPIRED if _has_expired(case, periods) else Phase.RESERVED
    ground = Ground(case.time_zone, instant(case.start, "the start"), reserved, policy)
    return Walk(ground, warned).over(periods, chosen)


def _has_expired(case: Case, periods: Sequence[Period]) -> bool:
    """As it is said; else as the periods tell."""
    if case.reservation_expired is not None:
        return case.reservation_expired
    for period in periods:
        if period.stated & ONLY_RESERVED:
            return has_expired(case.periods)
    return False


def _ruling(periods: Sequence[Period], chosen: Sequence[Compiled | None]) -> tuple[Compiled | None, bool]:
    """Whose limits hold: those of the first tariff of the session; and was there a session at all?"""
    for period, tariff in zip(periods, chosen, strict=True):
        if period.in_session:
            return tariff, True
    return (chosen[0] if chosen else None), False


def _total(
    counted: Tally, ruling: tuple[Compiled | None, bool], policy: Policy, warned: list[Warned]
) -> tuple[Money, Bounded | None]:
    """The sum of all buckets, and if a limit moved it, how. An expired reservation is no session: it has no minimum."""
    sums, known = joined(counted.buckets), not counted.untold
    tariff, in_session = ruling
    has_minimum = in_session or policy.minimum_without_session
    minimum, maximum = (tariff.minimum if has_minimum else None, tariff.maximum) if tariff else (None, None)
    if tariff is None or (minimum is None and maximum is None):
        return money(sums, counted.denominator, policy, known=known), None
    before, after = exact_amounts(sums, known=known)
    start = Bounded(Fraction(before) / counted.denominator, None)
    if after is not None:
        start = start._replace(after=Fraction(after) / counted.denominator)
    unstated = policy.limit_without_after_taxes
    if unstated == "proportion" and not tariff.taxes_known:
        unstated = "unknown"
    within = bounded(start, minimum, maximum, gross_only=counted.gross_only, unstated=unstated)
    if not within.moves:
        return money(sums, counted.denominator, policy, known=known), None
    warned.append(Warned(Code.PRICE_LIMIT_APPLIED))
    if within.guessed:
        warned.append(Warned(Code.AFTER_TAX_LIMIT_MISSING))
    return moved_money(within.before, within.after, sums, policy), within


def _warn_of_dimensions(periods: Sequence[Period], chosen: Sequence[Compiled | None], warned: list[Warned]) -> None:
    """A price for energy or time, and no period of the session that states any."""
    stated = 0
    for period in periods:
        if period.stated != ONLY_RESERVED:
            stated |= period.stated
    for dimension, enough in _ENOUGH:
        if not stated & enough and _has_a_price(dimension, periods, chosen):
            warned.append(Warned(Code.MISSING_DIMENSION, subject=dimension.name))


def _has_a_price(dimension: Dimension, periods: Sequence[Period], chosen: Sequence[Compiled | None]) -> bool:
    """Does a tariff of the session name a price for a dimension, under whatever condition?"""
    in_session = (tariff for period, tariff in zip(periods, chosen, strict=True) if period.in_session)
    return any(tariff is not None and tariff.phases[Phase.SESSION][dimension] for tariff in in_session)
