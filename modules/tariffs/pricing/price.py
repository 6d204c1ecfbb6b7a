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
from modules.tariffs.pricing.choice import each_once, tariffs_of
from modules.tariffs.pricing.compile import Compiled, Dimension, Phase
from modules.tariffs.pricing.course import Course
from modules.tariffs.pricing.faults import SeveralCurrencies
from modules.tariffs.pricing.limits import Bounded, bounded
from modules.tariffs.pricing.money import Amounts, Money, TaxLine, exact_amounts, money, moved_money
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import KWH, SECOND, Exact, rounded
from modules.tariffs.pricing.ordinary import summed
from modules.tariffs.pricing.periods import (
    ENERGY,
    ONLY_RESERVED,
    PARKING,
    TIME,
    Case,
    Period,
    Session,
    has_expired,
    read_session,
)
from modules.tariffs.pricing.policy import BY_THE_TEXT, Policy
from modules.tariffs.pricing.steps import Raised, Segment
from modules.tariffs.pricing.totals import RESERVATION, Tally, joined, to_add_up

_new: Final = tuple.__new__
"""A named tuple, made without a look at the names of its fields; half of the time."""
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

    within: the exact total, if a limit moved it.
    """

    total: Money
    energy: Money | None
    time: Money | None
    parking: Money | None
    fixed: Money | None
    reservation: Money | None
    warnings: tuple[Warned, ...]
    time_zone: str | None
    policy: Policy
    within: Bounded | None
    course: Course

    @property
    def segments(self) -> Sequence[Segment]:
        """What was priced, piece by piece."""
        return self.course.told.segments

    @property
    def counted(self) -> Tally:
        """The exact sums."""
        return self.course.told.counted

    @property
    def raised(self) -> tuple[Raised, ...]:
        """Where a step added something."""
        return self.course.told.raised

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
    session = read_session(case, policy, warned)
    chosen = tariffs_of(session, compiled, case, policy, warned)
    return _priced(case, session, chosen, policy, warned)


def free(case: Case, policy: Policy = BY_THE_TEXT) -> Priced:
    """A case for which there is no tariff at all: it costs nothing, and that is said. Raises: UnfitSession."""
    warned = [Warned(Code.NO_TARIFF)]
    session = read_session(case, policy, warned)
    return _priced(case, session, [None] * len(session.periods), policy, warned)


def _priced(
    case: Case, session: Session, chosen: Sequence[Compiled | None], policy: Policy, warned: list[Warned]
) -> Priced:
    used = each_once(chosen)
    if len(used) > 1:
        _in_one_currency(used)
    for tariff in used:
        warned += tariff.warned
    zone, reserved = case.time_zone, _reserved(case, session)
    within = None
    ordinary = summed(session, chosen, policy)
    if ordinary:
        amounts = ordinary.amounts
        course = Course(session, chosen, zone, reserved, policy, ordinary.pairs)
        _warn_of_dimensions(session, chosen, warned)
    else:
        course = Course(session, chosen, zone, reserved, policy, None)
        counted = course.tell(warned).counted
        _warn_of_dimensions(session, chosen, warned)
        total, within = _total(to_add_up(counted, policy), _ruling(session.periods, chosen), policy, warned)
        amounts = _amounts(total, counted, policy)
    return _new(Priced, (*amounts, tuple(warned), zone, policy, within, course))


def _amounts(total: Money, counted: Tally, policy: Policy) -> Amounts:
    """The total with the sub-totals."""
    energy, time, parking, fixed, reservation = (
        money(sums, counted.denominator, policy, known=bucket not in counted.untold) if sums else None
        for bucket, sums in enumerate(counted.buckets)
    )
    return total, energy, time, parking, fixed, reservation


def _in_one_currency(used: Sequence[Compiled]) -> None:
    """Raises: SeveralCurrencies. A tariff that names none is taken for one in that of the others."""
    found = sorted({tariff.currency for tariff in used if tariff.currency})
    if len(found) > 1:
        raise SeveralCurrencies(f"the tariffs of the periods are in {' and '.join(found)}")


def _reserved(case: Case, session: Session) -> Phase:
    """Which elements a reservation is priced by: as it is said whether it has expired; else as the periods tell."""
    expired = case.reservation_expired
    if expired is None:
        expired = bool(session.stated & ONLY_RESERVED) and has_expired(case.periods)
    return Phase.EXPIRED if expired else Phase.RESERVED


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


def _warn_of_dimensions(session: Session, chosen: Sequence[Compiled | None], warned: list[Warned]) -> None:
    """A price for energy or time, and no period of the session that states any."""
    for dimension, enough in _ENOUGH:
        if not session.stated & enough and _has_a_price(dimension, session.periods, chosen):
            warned.append(Warned(Code.MISSING_DIMENSION, subject=dimension.name))


def _has_a_price(dimension: Dimension, periods: Sequence[Period], chosen: Sequence[Compiled | None]) -> bool:
    """Does a tariff of the session name a price for a dimension, under whatever condition?"""
    in_session = (tariff for period, tariff in zip(periods, chosen, strict=True) if period.in_session)
    return any(tariff is not None and tariff.phases[Phase.SESSION][dimension] for tariff in in_session)
