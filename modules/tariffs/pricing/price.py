"""The price of a session or CDR. OCPI mod_tariffs, all versions.

In order: choose the tariff of each period, walk the periods, raise to steps, sum, hold against the limits,
round once. Pure: the same case gives the same price, and nothing outside the case is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from modules.tariffs.pricing.choice import tariffs_of
from modules.tariffs.pricing.compile import Compiled, Dimension, Phase, compile_tariff
from modules.tariffs.pricing.limits import Bounded, bounded
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import KWH, SECOND, Exact, rounded
from modules.tariffs.pricing.periods import Case, Period, read_periods
from modules.tariffs.pricing.policy import BY_THE_TEXT, Policy
from modules.tariffs.pricing.steps import Raised, Segment, raise_to_steps
from modules.tariffs.pricing.times import instant
from modules.tariffs.pricing.totals import (
    RESERVATION,
    Money,
    Tally,
    TaxLine,
    joined,
    money,
    moved_money,
    tally,
    to_add_up,
)
from modules.tariffs.pricing.walk import Walk

_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Billed:
    """The quantities that were billed, after step_size: those that have a component, at most six places."""

    energy_kwh: Decimal
    time_s: Decimal
    parking_s: Decimal
    reservation_s: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
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
    """Price a case. Raises: PricingFault (UnknownTariff, NoTariffInForce, UnfitTariff, UnfitSession)."""
    compiled = [t if isinstance(t, Compiled) else compile_tariff(t, case.version) for t in case.tariffs]
    warned: list[Warned] = []
    periods = read_periods(case, policy, warned)
    chosen = tariffs_of(periods, compiled, instant(case.start, "the start"), case.tariff_type, warned)
    return _priced(case, periods, chosen, policy, warned)


def free(case: Case, policy: Policy = BY_THE_TEXT) -> Priced:
    """A case for which there is no tariff at all: it costs nothing, and that is said. Raises: UnfitSession."""
    warned = [Warned(Code.NO_TARIFF)]
    periods = read_periods(case, policy, warned)
    return _priced(case, periods, [None] * len(periods), policy, warned)


def _priced(
    case: Case, periods: Sequence[Period], chosen: Sequence[Compiled | None], policy: Policy, warned: list[Warned]
) -> Priced:
    used = list({id(tariff): tariff for tariff in chosen if tariff}.values())
    for tariff in used:
        warned.extend(tariff.warned)
    reserved_phase = Phase.EXPIRED if case.reservation_expired else Phase.RESERVED
    segments = Walk(case.time_zone, reserved_phase, policy, warned).over(periods, chosen)
    _warn_of_dimensions(periods, used, warned)
    raised = raise_to_steps(segments, policy)
    counted = tally(segments, used)
    parts = {bucket: money(sums, counted, policy) for bucket, sums in counted.buckets.items()}
    total, within = _total(to_add_up(counted, policy), _ruling(periods, chosen), policy, warned)
    return Priced(
        total=total,
        energy=parts.get(Dimension.ENERGY),
        time=parts.get(Dimension.TIME),
        parking=parts.get(Dimension.PARKING_TIME),
        fixed=parts.get(Dimension.FLAT),
        reservation=parts.get(RESERVATION),
        warnings=tuple(warned),
        segments=tuple(segments),
        time_zone=case.time_zone,
        policy=policy,
        counted=counted,
        raised=raised,
        within=within,
    )


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
    sums = joined(counted.buckets.values())
    tariff, in_session = ruling
    minimum, maximum = (tariff.minimum if in_session else None, tariff.maximum) if tariff else (None, None)
    if minimum is None and maximum is None:
        return money(sums, counted, policy), None
    before = Fraction(sum(pair[0] for pair in sums.values())) / counted.denominator
    tax = Fraction(sum(pair[1] for pair in sums.values())) / counted.denominator
    start = Bounded(before, before + tax if counted.known else None)
    within = bounded(start, minimum, maximum, gross_only=counted.gross_only)
    if not within.moves:
        return money(sums, counted, policy), None
    warned.append(Warned(Code.PRICE_LIMIT_APPLIED))
    if within.is_guessed:
        warned.append(Warned(Code.AFTER_TAX_LIMIT_MISSING))
    return moved_money(within.before, within.after, sums, policy), within


def _warn_of_dimensions(periods: Sequence[Period], used: Sequence[Compiled], warned: list[Warned]) -> None:
    """A price for energy or time, and no period of the session that states any."""
    in_session = [period for period in periods if period.in_session]
    stated = frozenset().union(*(period.stated for period in in_session))
    for dimension, enough in ((Dimension.ENERGY, {0}), (Dimension.TIME, {1, 2})):
        priced = any(tariff.phases[Phase.SESSION][dimension] for tariff in used)
        if in_session and priced and stated.isdisjoint(enough):
            warned.append(Warned(Code.MISSING_DIMENSION, subject=dimension.name))
