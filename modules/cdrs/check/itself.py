"""A CDR against itself: what must hold whatever a tariff says. OCPI mod_cdrs_cdr_object.

What it does not state is not looked at: whoever asks for a price may have less than a whole CDR. Parties state hours
and energy with two to four decimals, so a hundredth is let pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from hub.core.types import parse_datetime
from modules.cdrs.check.amounts import NOTHING, PARTS, amount_of, claimed_by, scale_of, sign_of
from modules.cdrs.check.claim import CONSUMED, TIMED, Claim, hours_in, is_only_reserved, kinds_of, volume_of
from modules.cdrs.check.credits import of_credit
from modules.cdrs.check.placing import IN_AN_HOUR, Span, hours_of, misplaced
from modules.cdrs.check.rates import Lines, by_rate, is_unnamed, lines_at, places_of, rates_in
from modules.cdrs.check.result import Cause, Deviation

HUNDREDTH: Final = Decimal("0.01")
"""In kWh, and in hours: 36 s."""
TAKEN_BACK_BEFORE: Final = "credit_reference_id"
"""The figure that deviates in a second credit CDR; `computed` is then the id of the first."""
_MOST_TOLD: Final = 20
"""Deviating periods that are named one by one."""


def against_itself(claim: Claim) -> list[Deviation]:
    """Everything that does not hold, in the order of the fields."""
    found = [*claim.unreadable, *_energy(claim), *_end(claim), *_total_time(claim), *_parking_time(claim)]
    found += [*_taxes(claim), *_untaxed_total(claim), *of_credit(claim)]
    found += [*_currency(claim), *_doubled(claim)]
    return [*found, *islice(_periods(claim), _MOST_TOLD)]


def _energy(claim: Claim) -> Iterator[Deviation]:
    """total_energy is the sum of ENERGY, where the periods state any."""
    if claim.cdr.get("total_energy") is None or not any("ENERGY" in kinds_of(period) for period in claim.periods):
        return
    total, stated = Decimal(claim.cdr["total_energy"]), _sum(claim, "ENERGY")
    if abs(total - stated) <= HUNDREDTH:
        return
    why = "it is not the sum of the ENERGY of the periods"
    if total and (abs(stated / 1000 - total) <= HUNDREDTH or abs(total / 1000 - stated) <= HUNDREDTH):
        why = "it and the periods differ by a factor of 1000: one of them is in Wh"
    yield Deviation("total_energy", total, stated, Cause.ENERGY, why)


def _sum(claim: Claim, kind: str) -> Decimal:
    return sum((volume_of(period, kind) for period in claim.periods), NOTHING)


def _ends(claim: Claim) -> tuple[datetime, datetime]:
    return _moment(claim.cdr["start_date_time"]), _moment(claim.cdr["end_date_time"])


def _end(claim: Claim) -> Iterator[Deviation]:
    begin, end = _ends(claim)
    if end < begin:
        yield Deviation("end_date_time", str(claim.cdr["end_date_time"]), None, Cause.TOTAL_TIME, "before the start")


def _total_time(claim: Claim) -> Iterator[Deviation]:
    """total_time lasts from the start to the end; a reservation before the session may be left out."""
    begin, end = _ends(claim)
    if claim.cdr.get("total_time") is None or end < begin:
        return
    total, lasted = Decimal(claim.cdr["total_time"]), hours_of(end - begin)
    starts = [_moment(p["start_date_time"]) for p in claim.periods if not is_only_reserved(p)]
    session = hours_of(end - min(starts)) if starts else lasted
    if min(abs(total - lasted), abs(total - session)) <= HUNDREDTH:
        return
    why = "it is not the time from the start to the end"
    for unit, in_one in IN_AN_HOUR.items():
        if lasted and abs(total / in_one - lasted) <= HUNDREDTH:
            why = f"it is in {unit}, not in hours"
    yield Deviation("total_time", total, lasted, Cause.TOTAL_TIME, why)


def _parking_time(claim: Claim) -> Iterator[Deviation]:
    """total_parking_time is the sum of PARKING_TIME, free of charge or not."""
    stated = claim.cdr.get("total_parking_time")
    if stated is None:
        return
    total, parked = Decimal(stated), _sum(claim, "PARKING_TIME")
    if abs(total - parked) > HUNDREDTH:
        why = "it is not the sum of the PARKING_TIME of the periods"
        yield Deviation("total_parking_time", total, parked, Cause.PARKING_TIME, why)


def _taxes(claim: Claim) -> Iterator[Deviation]:
    """One rate of tax is that part of the amount before it, and 0 % are nothing; none has another sign than the amount.

    A limit of the tariff bounds the total before and after taxes each on its own, and may leave anything between. Where
    prices have several rates, or some have none, a tax is that part of a part of it, which only its price tells. Where
    no tariff names a rate nobody knows it; but none is more than half.
    """
    rates = {c.get("vat") for t in claim.embedded for element in t["elements"] for c in element["price_components"]}
    known, limited = rates_in(claim.at_hand), any(_limits(claim))
    tolerance = scale_of(claim.currency, max(claim.tolerance, HUNDREDTH)).tolerance
    for field, price in claim.cdr.items():
        if not field.endswith("_cost") or not isinstance(price, dict):
            continue
        before, taxes = Decimal(price["before_taxes"]), price.get("taxes") or ()
        yield from _untaxed(field, taxes)
        if limited and field == "total_cost":
            continue
        turned = [at for at, tax in enumerate(taxes) if Decimal(tax["amount"]) * before < 0]
        turned = [] if field == "total_cost" and claim.cdr.get("credit") else turned
        for at in turned:
            why = "it has another sign than the amount before taxes"
            yield Deviation(f"{field}.taxes/{at}", Decimal(taxes[at]["amount"]), None, Cause.TAX, why)
        amount = abs(sum((Decimal(tax["amount"]) for tax in taxes), NOTHING))
        if not turned and not known and amount > abs(before) / 2 + tolerance:
            why = "it is more than half of the amount before taxes, and no rate is known"
            yield Deviation(f"{field}.taxes/0", amount, None, Cause.TAX, why)
        elif not turned and len(rates) == 1:
            yield from _of_one_rate(field, before, taxes, known, tolerance)


def _untaxed(field: str, taxes: Lines) -> Iterator[Deviation]:
    """Taxes at 0 % that are anything."""
    amount = by_rate(taxes).get(NOTHING)
    if amount is not None:
        figure = f"{field}.taxes/{places_of(taxes)[NOTHING]}"
        yield Deviation(figure, amount, NOTHING, Cause.TAX, "a tax at 0 % is nothing")


def _of_one_rate(
    field: str, before: Decimal, taxes: Lines, known: Collection[Decimal], tolerance: Decimal
) -> Iterator[Deviation]:
    """The taxes of the only rate that any names; those that are cut into several lines are one amount.

    Or they are as many taxes as make up a rate that is `known`, as twice 9 % do 18 %: then no line is more than one of
    them. Beside a tax that names no rate there may be less.
    """
    stated = [tax for tax in taxes if tax["amount"]] or taxes
    named = {Decimal(tax["percentage"]) for tax in stated if tax.get("percentage") is not None}
    rate, may_hide = next(iter(named), NOTHING), any(map(is_unnamed, stated))
    if len(named) != 1 or not rate:
        return
    lines, due = lines_at(taxes, rate), before * rate / 100
    amount, most = sum(lines, NOTHING), abs(due) + tolerance
    times = [1]
    if all(abs(line) <= most for line in lines):
        least = max(known, default=NOTHING) if may_hide else NOTHING
        times += [n for n in range(2, len(lines) + 1) if rate * n in known or rate * n < least]
    if not any(_is_tax(amount, due * n, tolerance, may_be_less=may_hide) for n in times):
        why = f"it is {'more than' if may_hide else 'not'} {rate} % of the amount before taxes"
        yield Deviation(f"{field}.taxes/{places_of(taxes).get(rate, 0)}", amount, due, Cause.TAX, why)


def _is_tax(amount: Decimal, due: Decimal, tolerance: Decimal, *, may_be_less: bool) -> bool:
    least, most = (min(due, NOTHING), max(due, NOTHING)) if may_be_less else (due, due)
    return least - tolerance <= amount <= most + tolerance


def _limits(claim: Claim) -> Iterator[Mapping[str, Any]]:
    """Each min_price and max_price of its tariffs."""
    stated = (tariff.get(limit) for tariff in claim.embedded for limit in ("min_price", "max_price"))
    yield from (limit for limit in stated if limit is not None)


def _untaxed_total(claim: Claim) -> Iterator[Deviation]:
    """A Price of 2.3.0 without taxes has none (types_price_class); older ones may be silent on the amount after taxes.

    A total that a limit has moved away from its parts may be without, where the limit says nothing of taxes.
    """
    total = claim.cdr.get("total_cost")
    if claim.version != "2.3.0" or total is None or amount_of(total).incl is not None or not amount_of(total).excl:
        return
    parts = [amount for name, amount in claimed_by(claim.cdr).items() if name in PARTS]
    taxes = sum((part.incl - part.excl for part in parts if part.incl is not None), NOTHING)
    moved = abs(sum((part.excl for part in parts), NOTHING) - abs(amount_of(total).excl)) > HUNDREDTH
    if taxes and not (moved and any(limit.get("after_taxes") is None for limit in _limits(claim))):
        why = "the parts state taxes, and the total has none"
        yield Deviation("total_cost.taxes", NOTHING, sign_of(claim.cdr, "total") * taxes, Cause.TAX, why)


def _doubled(claim: Claim) -> Iterator[Deviation]:
    """A second credit of the same CDR is wrong, and so is a second bill of the same charge."""
    if claim.credited_by:
        reference = str(claim.cdr["credit_reference_id"])
        why = f"the credit CDR {claim.credited_by} took it back already"
        yield Deviation(TAKEN_BACK_BEFORE, reference, claim.credited_by, Cause.CREDIT, why)
    if claim.billed_by:
        why = f"the same charge was billed before, by the CDR {claim.billed_by}, which nobody took back"
        yield Deviation("id", str(claim.cdr["id"]), claim.billed_by, Cause.DUPLICATE, why)


def _currency(claim: Claim) -> Iterator[Deviation]:
    """The amounts are in the currency of the tariffs that price them; those of other tariffs do not matter."""
    currency = claim.currency
    for tariff in claim.pricing:
        if str(tariff["currency"]).upper() != currency.upper():
            why = "the tariff is in another currency"
            yield Deviation("currency", currency, str(tariff["currency"]), Cause.CURRENCY, why)
            return


def _periods(claim: Claim) -> Iterator[Deviation]:
    """Periods lie between the start and the end, do not overlap, and state no negative time.

    Energy may be negative from 2.2 on: the vehicle fed the grid.
    """
    begin, end = _ends(claim)
    spans = [Span(_moment(period["start_date_time"]), hours_in(period)) for period in claim.periods]
    elsewhere = {found.at: found.why for found in misplaced(spans, begin, end)}
    stated: dict[datetime, set[str]] = {}
    for at, (period, (start, _)) in enumerate(zip(claim.periods, spans, strict=True)):
        kinds = {kind for kind in CONSUMED if volume_of(period, kind)}
        why = elsewhere.get(at) or _negative(claim, period)
        if not why and kinds & stated.get(start, set()):
            why = "another period states the same of the same time"
        stated[start] = kinds | stated.get(start, set())
        if why:
            yield Deviation(f"charging_periods/{at}", str(period["start_date_time"]), None, Cause.PERIODS, why)


def _negative(claim: Claim, period: Mapping[str, Any]) -> str:
    if min(volume_of(period, kind) for kind in TIMED) < 0:
        return "it states a negative time"
    if claim.version == "2.1.1" and volume_of(period, "ENERGY") < 0:
        return "it states a negative energy"
    return ""


def _moment(text: Any) -> datetime:
    return text if isinstance(text, datetime) else parse_datetime(str(text))
