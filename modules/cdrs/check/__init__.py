"""The check of anybody's CDR: is it what its periods and tariffs come to? A published decision of the cdrs module.

    check(Claim(cdr=tree, version="2.2.1", time_zone="Europe/Berlin")) -> Result

In order: the CDR against itself (`itself`), which needs no tariff; then it is priced again with the engine, and every
amount that it states is held against the result (`amounts`). Where they differ by more than the tolerance, the cause is
sought by supposing mistakes, one after the other, until one gives just the claimed amounts (`suppose`, `diagnose`).
The work is bounded (`size`), whatever the CDR holds. A credit CDR is held against what it takes back, where that is at
hand, and not against its price (`taken_back`).

Pure: nothing but the claim is looked at, and the same claim gives the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from modules.cdrs.check.amounts import (
    FIELDS,
    NOTHING,
    PARTS,
    Pair,
    claimed_by,
    is_copy,
    is_near,
    pairs,
    scale_of,
    sign_of,
)
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import BELIEVED, TOLERANCE, Age, Claim, Tree, without_validity
from modules.cdrs.check.clock_units import read_as_hours, told_once
from modules.cdrs.check.credits import is_anothers
from modules.cdrs.check.diagnose import Reason, reasons
from modules.cdrs.check.itself import HUNDREDTH, TAKEN_BACK_BEFORE, against_itself
from modules.cdrs.check.placing import CLOCKS
from modules.cdrs.check.result import Cause, Deviation, Result, Verdict
from modules.cdrs.check.size import MOST, is_quick, size_of
from modules.cdrs.check.taken_back import against_original, not_copied, tells_no_more
from modules.cdrs.check.tax_lines import odd_lines
from modules.cdrs.check.told import UNTOLD, note_of
from modules.cdrs.check.watt_hours import read_as_kwh
from modules.tariffs.pricing import Code, NoTariffInForce, PricingFault, UnknownTariff

__all__ = [
    "CLOCKS",
    "HUNDREDTH",
    "TAKEN_BACK_BEFORE",
    "TOLERANCE",
    "UNTOLD",
    "Cause",
    "Claim",
    "Deviation",
    "Result",
    "Verdict",
    "check",
    "glance",
    "is_anothers",
]

_ODD_ZONE = "unknown_time_zone"
_FLAT: Final = "2.1.1"
_MOST_TRIED: Final = 5
"""Tariffs of a CDR that does not say which of them is its own."""
_LATER = "tariff_of_after_the_start"
_GUESSED = "its tariff is known here only as it was after the start, and it is not what that comes to"
_TWO_TEXTS = "the tariff that it holds was told with other prices, and as of the same time"
_OF_THE_TARIFF = (Cause.CURRENCY, Cause.STALE_TARIFF)
"""What is found by holding a CDR against the tariff, apart from its amounts."""
_SOUND = "every amount is what the periods and tariffs come to"
_TAKES_BACK = "it takes back what was billed"


def check(claim: Claim) -> Result:
    """Hold a CDR against itself and against its price. Never raises for what a CDR may hold."""
    examined = _examined(claim)
    if isinstance(examined, Result):
        return examined
    return _result(examined, reasons(examined.bill, examined.far) if examined.far else {})


def glance(claim: Claim) -> Result | None:
    """The same in a millisecond or two, where that is enough: None for a CDR whose amounts need a diagnosis."""
    if not is_quick(claim.cdr):
        return None
    examined = _examined(claim)
    return examined if isinstance(examined, Result) else None if examined.far else _result(examined, {})


class _Examined(NamedTuple):
    """What deviates, apart from amounts; the right price; and the amounts that differ beyond the tolerance."""

    found: list[Deviation]
    bill: Bill
    far: list[Pair]

    @property
    def is_sound(self) -> bool:
        return not self.far and all(deviation.tolerable for deviation in self.found)


def _examined(claim: Claim) -> _Examined | Result:
    """All but the diagnosis; the result where nothing can be priced.

    What names its tariff alone may be right by what was told by the start, or else by what was told of that since.
    """
    examined, late = _examined_as_told(claim), claim.as_told_late()
    if late is None or examined.is_sound:
        return examined
    other = _examined_as_told(late)
    return other if other.is_sound else examined


def _examined_as_told(claim: Claim) -> _Examined | Result:
    if claim.cdr.get("credit") and claim.original is not None:
        return _of_credit(claim, claim.original)
    read, unit = read_as_hours(claim)
    found = against_itself(read)
    return _priced(read, told_once(found, claim, read, unit) if unit else found)


def _of_credit(claim: Claim, original: Tree) -> _Examined | Result:
    """A credit CDR against what it takes back; priced only where it states an amount that this does not."""
    told = against_original(claim, original)
    figures = {deviation.figure for deviation in told}
    billed = replace(claim, cdr=original, original=None, credited_by="", billed_by="", unreadable=())
    itself = not_copied(against_itself(claim), against_itself(billed))
    found = [*(deviation for deviation in itself if deviation.figure not in figures), *told]
    return _verdict(found, _TAKES_BACK) if tells_no_more(claim.cdr, original) else _priced(claim, found)


def _priced(claim: Claim, found: list[Deviation]) -> _Examined | Result:
    """A CDR with what was found in it already, and with its price."""
    if size_of(claim.cdr, claim.tariffs) > MOST:
        return _unpriced(found, "it is too long, or has too many periods and prices, to be priced here")
    if any(deviation.cause is Cause.CURRENCY for deviation in found):
        why = "its tariffs are in another currency"
        return _guessed(found) if claim.is_guessed else _unpriced(found, why)
    if not claim.embedded and not claim.tariffs:
        return _without_tariff(claim, found)
    try:
        bill = _bill(claim, found)
    except UnknownTariff:
        why = "a period names a tariff that the CDR does not hold"
        names = ", ".join(claim.missing_tariffs())[:100]
        return _unpriced([*found, Deviation("tariffs", None, names, Cause.MISSING_TARIFF, why, tolerable=True)], why)
    except PricingFault as fault:
        result = _unpriced(found, fault.message)
        return replace(result, warnings=(_ODD_ZONE,)) if claim.has_odd_zone else result
    far = list(_far(bill))
    if far and (other := _right_by_another(bill)) is not None:
        bill, far = other, []
    told = {deviation.figure for deviation in found}
    doubted = {figure.split(".")[0] for figure in (*told, *(pair.figure for pair in far))}
    odd = list(odd_lines(bill, doubted))
    if claim.is_guessed and (far or odd or any(deviation.cause in _OF_THE_TARIFF for deviation in found)):
        return _guessed(found)
    if (far or odd) and _is_right_as_held(bill):
        return _of_two_texts(bill, found)
    found += odd
    return _Examined(found, bill, [pair for pair in far if pair.figure not in told])


def _guessed(found: list[Deviation]) -> Result:
    """Not what a later version of the tariff comes to: that says nothing of the one that was in force."""
    kept = [deviation for deviation in found if deviation.cause not in _OF_THE_TARIFF]
    missing = Deviation("tariffs", None, None, Cause.MISSING_TARIFF, _GUESSED, tolerable=True)
    return _unpriced([*kept, missing], _GUESSED)


def _right_by_another(bill: Bill) -> Bill | None:
    """Of several tariffs in a CDR of 2.1.1, which cannot say which of them is its own, one by which it is right."""
    claim = bill.claim
    if claim.version != _FLAT or any(period.get("tariff_id") for period in claim.periods):
        return None
    for tariff in claim.at_hand[: _MOST_TRIED if len(claim.at_hand) > 1 else 0]:
        try:
            other = Bill(claim, replace(bill.case, tariffs=[tariff]))
        except PricingFault:
            continue
        if not any(_far(other)):
            return other
    return None


def _is_right_as_held(bill: Bill) -> bool:
    """Is it right by a tariff that it holds in another text than it was told, as the same version?"""
    claim = bill.claim
    same = [otherwise for otherwise in claim.told_otherwise if otherwise.age is Age.SAME]
    if not same or any(otherwise.is_exchanged for otherwise in same):
        return False
    try:
        held = Bill(claim, replace(bill.case, tariffs=claim.believing(Age.SAME, *BELIEVED)))
    except PricingFault:
        return False
    return not any(_far(held)) and not any(odd_lines(held, ()))


def _of_two_texts(bill: Bill, found: list[Deviation]) -> Result:
    """Its party says two things of one version of a tariff: which of them held at the start cannot be known."""
    note = note_of(bill)
    if note is None:
        return _unpriced(found, _TWO_TEXTS)
    return replace(_unpriced([*found, note.deviation()], note.why), warnings=(note.code,))


def _bill(claim: Claim, found: list[Deviation]) -> Bill:
    """The right price. A tariff that was not in force is told in `found`, and priced with. Raises: PricingFault."""
    case = claim.case()
    try:
        bill = Bill(claim, case)
    except NoTariffInForce:
        bill = Bill(claim, replace(case, tariffs=[without_validity(t) for t in case.tariffs if isinstance(t, Mapping)]))
        found.append(_stale(claim))
    if Code.TARIFF_OUTSIDE_ITS_VALIDITY in bill.codes:
        found.append(_stale(claim))
    if claim.expiry_is_a_guess and any(_far(bill)):
        other = Bill(claim, replace(bill.case, reservation_expired=False))
        bill = bill if any(_far(other)) else other
    return read_as_kwh(bill, found)


def _stale(claim: Claim) -> Deviation:
    start = str(claim.cdr["start_date_time"])
    return Deviation("tariffs", start, None, Cause.STALE_TARIFF, "its tariff was not in force at the start")


def _without_tariff(claim: Claim, found: list[Deviation]) -> Result:
    """What has no tariff is free (mod_cdrs_cdr_object, tariffs)."""
    claimed = claimed_by(claim.cdr)
    if not any(amount.excl for amount in claimed.values()):
        return _verdict(found, _SOUND)
    why = "it costs something, and neither it nor we have a tariff for it"
    parts = [claimed[part].excl for part in PARTS if part in claimed]
    total = claimed["total"].excl if "total" in claimed else sum(parts, NOTHING)
    tolerance = scale_of(claim.currency, claim.tolerance).tolerance
    if sum(parts, NOTHING) - total > tolerance * len(parts):
        more = "its parts are more than the total"
        found.append(Deviation("total_cost.before_taxes", total, sum(parts, NOTHING), Cause.ARITHMETIC, more))
    missing = Deviation("tariffs", None, None, Cause.MISSING_TARIFF, why, tolerable=True)
    return _unpriced([*found, missing], why)


def _far(bill: Bill) -> Iterator[Pair]:
    """The amounts that differ by more than the tolerance, and not because each party rounds in its own way."""
    beyond = [pair for pair in pairs(bill.claimed, bill.figures) if not _is_right(bill, pair)]
    beyond = [pair for pair in beyond if not is_near(pair, bill.scale.tolerance)]
    if {pair.name for pair in beyond} == {"total"} and _is_sum_of_rounded_parts(bill):
        return
    yield from beyond


def _is_right(bill: Bill, pair: Pair) -> bool:
    return is_copy(pair, bill.scale)


def _is_sum_of_rounded_parts(bill: Bill) -> bool:
    """A total may be the sum of parts that were each rounded: the text leaves that to the parties."""
    parts = [pair for pair in pairs(bill.claimed, bill.figures) if pair.name != "total"]
    if not bill.states_all_parts or not all(_is_right(bill, pair) for pair in parts):
        return False
    for total in (pair for pair in pairs(bill.claimed, bill.figures) if pair.name == "total"):
        summed = sum((pair.claimed for pair in parts if pair.side == total.side), NOTHING)
        if not is_near(total._replace(computed=summed), bill.scale.tolerance):
            return False
    return Code.PRICE_LIMIT_APPLIED not in bill.codes


def _amounts(examined: _Examined, why: Mapping[str, Reason]) -> Iterator[Deviation]:
    """Each amount that is not the right one, with its cause; not those of which something was told already."""
    bill, far = examined.bill, examined.far
    told = {deviation.figure: (deviation.cause, deviation.why) for deviation in examined.found}
    taxed = _taxed_wrongly(examined.found)
    for pair in pairs(bill.claimed, bill.figures):
        is_explained = pair.side != "before_taxes" and pair not in far and FIELDS[pair.name] in taxed
        if pair.figure in told or is_explained or _is_right(bill, pair):
            continue
        turned = sign_of(bill.claim.cdr, pair.name)
        before = f"{FIELDS[pair.name]}.before_taxes"
        cause, words = why.get(pair.figure, (Cause.ROUNDING, "the parties round differently"))
        if pair.side != "before_taxes" and before not in why:
            cause, words = taxed.get(FIELDS[pair.name], (cause, words))
        if pair in far:  # what is wrong before taxes is wrong after them for the same reason
            cause, words = told.get(before, (cause, words))
        elif pair.side == "taxes":  # and a little of it is
            cause, words = why.get(before, (cause, words))
        yield Deviation(
            pair.figure, turned * pair.claimed, turned * pair.computed, cause, words, tolerable=pair not in far
        )


def _taxed_wrongly(found: list[Deviation]) -> dict[str, Reason]:
    """The fields of which a tax is told to be wrong, and how the first of these is."""
    wrong = (deviation for deviation in reversed(found) if deviation.cause is Cause.TAX)
    return {
        field: (deviation.cause, deviation.why)
        for deviation in wrong
        for field, _, side in [deviation.figure.partition(".")]
        if side.startswith("taxes/")
    }


def _result(examined: _Examined, why: Mapping[str, Reason]) -> Result:
    bill = examined.bill
    limited = {figure.split(".")[0] for figure, (cause, _) in why.items() if cause is Cause.LIMIT}
    found = [each for each in examined.found if not _is_tax_in(each, limited)]
    result = _verdict([*found, *_amounts(examined._replace(found=found), why)], _SOUND)
    computed = {FIELDS[name]: amount for name, amount in bill.figures.items()}
    told = [_ODD_ZONE] if bill.claim.has_odd_zone else []
    if bill.claim.has_later_tariff:
        told.append(_LATER)
    if bill.claim.expiry_is_a_guess and not bill.case.reservation_expired:
        told.append(Code.RESERVATION_TAKEN_FOR_CANCELLED.value)
    note = note_of(bill)
    if note is not None:
        told.append(note.code)
        result = replace(result, why=f"{result.why}; {note.why}")
    warnings = dict.fromkeys([*told, *(warning.code.value for warning in bill.priced.warnings)])
    return replace(result, computed=computed, warnings=tuple(warnings))


def _is_tax_in(deviation: Deviation, limited: set[str]) -> bool:
    """Is it a tax of an amount that a limit explains? Such a tax is no part of that amount, for the same reason."""
    field, _, side = deviation.figure.partition(".")
    return deviation.cause is Cause.TAX and field in limited and side.startswith("taxes")


def _unpriced(found: list[Deviation], why: str) -> Result:
    """Without a price it may be wrong all the same; right it cannot be called."""
    result = _verdict(found, why)
    return result if result.verdict is Verdict.WRONG else replace(result, verdict=Verdict.CANNOT_BE_CHECKED, why=why)


def _verdict(found: list[Deviation], sound: str) -> Result:
    wrong = [deviation for deviation in found if not deviation.tolerable]
    if wrong:
        return Result(Verdict.WRONG, f"{wrong[0].figure}: {wrong[0].why}", tuple(found))
    return Result(Verdict.WITHIN_TOLERANCE if found else Verdict.RIGHT, sound, tuple(found))
