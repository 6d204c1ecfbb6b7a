"""A receipt as a page of plain text, for the driver who asks what was charged, when, and why.

Everything on it comes from the receipt. Amounts have the digits that were billed, and at least those that
the currency has coins for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from textwrap import wrap
from typing import Any, Final

from hub.core.jsontypes import Tree
from modules.tariffs.pricing.numbers import rounded

_WIDTH: Final = 78
_DETAILS: Final = 18
"""Where the details of a line begin."""
_COINS: Final = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of a currency, where these are not two. ISO 4217."""
_NAMES: Final = {
    "ENERGY": "Energy",
    "TIME": "Charging time",
    "PARKING_TIME": "Parking time",
    "FLAT": "Fixed fee",
    "RESERVATION_TIME": "Reserved time",
    "RESERVATION_FLAT": "Fixed fee of the reservation",
}
_FIGURES: Final = {
    "energy": "Energy",
    "time": "Charging time",
    "parking": "Parking time",
    "fixed": "Fixed fees",
    "reservation": "Reservation",
}
_PER: Final = {"kWh": " per kWh", "s": " per hour", "1": ""}
_LIMITS: Final = {"min_price": "at least", "max_price": "at most"}
_ROUNDED: Final = "Lines are shown rounded; what they come to is reckoned from exact amounts."
NOTES: Final = {
    "no_tariff": "There is no tariff for this charge: it is free.",
    "several_tariffs_fit": "Several tariffs fit this charge equally: the first of them was taken.",
    "period_spans_a_price_change": "The price changed within a period; the price at its start was taken.",
    "unpriced_quantity": "The tariff has no price for a part of this: it is free.",
    "missing_measurement": "A price depends on power or current that was not measured: it was not taken.",
    "missing_dimension": "The tariff has a price for something that was not stated: it is not charged.",
    "period_outside_the_session": "A period lies outside of the time of the charge.",
    "periods_out_of_order": "The periods were not in order of time: they were sorted.",
    "periods_start_together": "Two periods start at the same time: each was taken as it is stated.",
    "tariff_outside_its_validity": "A tariff was used outside of its validity, because the period names it.",
    "period_without_tariff": "A period names no tariff although others do: it is free.",
    "price_limit_applied": "The total was moved to a price limit of the tariff.",
    "after_tax_limit_missing": "The limit says nothing on taxes: they were moved in proportion.",
    "tax_included_missing": "The tariff does not say whether taxes are included: they were added.",
    "tax_rate_unknown": "The tariff names no tax rate: only the amount before taxes is known.",
    "tax_not_splittable": "Taxes are included, but the tariff does not say at which rate.",
    "tax_rate_ignored": "The tariff says that taxes do not apply: its rates were ignored.",
    "volume_disagrees_with_timestamps": "A stated time differs from the length of its period; as stated it counts.",
    "reserved_and_consumed_together": "A period states reserved and used quantities together.",
    "negative_energy": "Energy was given back: it is credited.",
    "restriction_not_understood": "A part of the tariff has a condition that is not known: it was not taken.",
    "duplicate_component": "A part of the tariff states a price twice: the first was taken.",
    "meter_runs_backwards": "The meter showed less than before: what was charged is not certain.",
    "single_meter_reading": "The meter was read only once in the charge: what was charged is not known, nor billed.",
    "meter_read_outside": "The meter was read outside of the charge: that says at most what it showed at the edge.",
    "reservation_taken_for_cancelled": "The reservation is billed as one that was cancelled, not as one that expired.",
}

_NAMING: Final = frozenset({"several_tariffs_fit"})
"""Notes that are of no use without the names of what they are about."""


def page_of(receipt: Tree, *, title: str = "Receipt") -> str:
    """The page of a receipt in format 1."""
    return "\n".join([title, "=" * len(title), "", *_Page(receipt).lines(), ""])


class _Page:
    """One receipt, being written. The points of all amounts stand below each other."""

    def __init__(self, receipt: Tree) -> None:
        self._receipt = receipt
        self._currency: str = receipt["currency"] or ""
        self._coins = _COINS.get(self._currency, 2)
        self._most = max(int(receipt["policy"]["decimals"]), self._coins)
        self._places = max(len(self._number(amount).partition(".")[2]) for amount in _amounts(receipt))

    def lines(self) -> Iterator[str]:
        """The page from its top to its end."""
        yield from _credited(self._receipt.get("credit_reference_id"))
        yield from _place(self._receipt.get("place") or {})
        yield f"Times are those of {self._receipt['time_zone'] or 'UTC'}."
        yield ""
        yield from self._charged()
        yield from self._steps()
        yield from self._sums()
        yield from self._notes()

    def _charged(self) -> Iterator[str]:
        """What was charged, when, and how the amount comes about."""
        begun = ""
        for line in self._receipt["lines"]:
            if line["local_time"] != begun:
                begun = line["local_time"]
                yield f"From {datetime.fromisoformat(begun):%Y-%m-%d %H:%M:%S}"
            name = f"  {_NAMES[line['dimension']]} "
            yield _both(f"{name.ljust(_DETAILS)}{_detail(line)}", self._amount(line))
            yield from _billed_as(line)

    def _amount(self, line: Tree) -> str:
        return "free" if line["price"] is None else self._column(_quoted(line))

    def _is_shown_rounded(self, line: Tree) -> bool:
        return line["price"] is not None and Fraction(self._number(_quoted(line))) != _quoted(line)

    def _steps(self) -> Iterator[str]:
        for step in self._receipt["steps"]:
            name, unit = _NAMES[step["dimension"]], step["unit"]
            size, total, raised = (_quantity(step[field], unit) for field in ("step_size", "sum", "raised_to"))
            yield ""
            yield f"{name} is sold in steps of {size}: {total} became {raised}."
            yield f"The {_quantity(step['surplus'], unit)} between cost what the last part costs."

    def _sums(self) -> Iterator[str]:
        *parts, total = self._receipt["figures"]
        yield ""
        if any(self._is_shown_rounded(line) for line in self._receipt["lines"]):
            yield _ROUNDED
            yield ""
        amounts = [_both(_FIGURES[part["name"]], self._column(part["before_taxes"]["rounded"])) for part in parts]
        limits = [line for limit in self._receipt["limits"] for line in self._limit(limit)]
        if "credit_reference_id" in self._receipt:  # the limits moved what was billed, not what is given back
            yield from [*limits, *([""] if limits else []), "Given back:", *amounts]
        else:
            yield from [*amounts, *limits]
        yield "-" * _WIDTH
        yield _both("Total before taxes", self._column(total["before_taxes"]["rounded"]))
        for tax in total["taxes"]:
            rate = "" if tax["percentage"] is None else f" {tax['percentage']} %"
            yield _both(f"{tax['name']}{rate}", self._column(tax["amount"]))
        known = total["after_taxes"]
        yield _both("Total", self._column(known["rounded"]) if known else "taxes are not known")

    def _limit(self, limit: Tree) -> Iterator[str]:
        figure = "before taxes" if limit["figure"] == "before_taxes" else "after taxes"
        if limit["bound"] is not None:
            yield _both(f"A charge costs {_LIMITS[limit['limit']]}, {figure}", self._column(limit["bound"]))
        yield _both(f"  {figure}: {self._money(limit['from'])} becomes", self._column(limit["to"]))

    def _notes(self) -> Iterator[str]:
        warnings = self._receipt["warnings"]
        notes = dict.fromkeys((each["code"], each["subject"] if each["code"] in _NAMING else "") for each in warnings)
        if notes:
            yield ""
            yield "Notes"
        for code, subject in notes:
            yield f"  {NOTES.get(code, code)}"
            if subject:
                yield f"    {subject}"

    def _money(self, exact: str | Fraction) -> str:
        """An exact amount as it was billed, without zeros behind what there are coins for."""
        return f"{self._number(exact)} {self._currency}".rstrip()

    def _column(self, exact: str | Fraction) -> str:
        """The same with room for the decimals that others on the page have."""
        number = self._number(exact)
        missing = self._places - len(number.partition(".")[2]) + (self._places > 0 and "." not in number)
        return f"{number}{' ' * missing} {self._currency}".removesuffix(" ")

    def _number(self, exact: str | Fraction) -> str:
        whole, _, places = _rounded(Fraction(exact), self._most).partition(".")
        places = places.rstrip("0").ljust(self._coins, "0")
        return f"{whole}{'.' if places else ''}{places}"


def _amounts(receipt: Tree) -> Iterator[Fraction]:
    """All amounts that stand in a column."""
    yield from (_quoted(line) for line in receipt["lines"] if line["price"] is not None)
    for limit in receipt["limits"]:
        yield from (Fraction(limit[name]) for name in ("bound", "to") if limit[name] is not None)
    yield from (Fraction(figure["before_taxes"]["rounded"]) for figure in receipt["figures"])
    total = receipt["figures"][-1]
    yield from (Fraction(tax["amount"]) for tax in total["taxes"])
    if total["after_taxes"]:
        yield Fraction(total["after_taxes"]["rounded"])


def _rounded(amount: Fraction, places: int) -> str:
    return f"{rounded(amount.numerator, amount.denominator, places):f}"


def _credited(reference: str | None) -> Iterator[str]:
    if reference is not None:
        yield f"This is a credit. It takes back CDR {reference}, which came about like this."
        yield ""


def _place(place: Tree) -> Iterator[str]:
    if "location" in place:
        yield from wrap(place["location"], _WIDTH)
    if "evse" in place:
        yield f"EVSE {place['evse']}"


def _quoted(line: Tree) -> Fraction:
    """What a line costs at the price as it is quoted, which may hold the tax or not."""
    return Fraction(line["billed"]) * Fraction(line["price"]) / (3600 if line["unit"] == "s" else 1)


def _detail(line: Tree) -> str:
    """How much, at which price, and the tax."""
    if line["price"] is None:
        return _quantity(line["billed"], line["unit"])
    holds_no_tax = Fraction(line["before_taxes"]) == _quoted(line)
    rate = "" if line["vat"] is None else f"{'+' if holds_no_tax else 'with '}{line['vat']} %"
    if line["unit"] == "1":
        return rate
    priced = f"{_quantity(line['billed'], line['unit'])} x {line['price']}{_PER[line['unit']]}"
    return f"{priced}, {rate}" if rate else priced


def _billed_as(line: Tree) -> Iterator[str]:
    if line["billed"] != line["quantity"]:
        yield f"    measured: {_quantity(line['quantity'], line['unit'])}"


def _quantity(exact: Any, unit: str) -> str:
    """A quantity in its unit; a time in hours, minutes and seconds."""
    if unit != "s":
        return f"{exact} {unit}"
    value = Fraction(exact)
    minutes, seconds = divmod(value, 60)
    hours, minutes = divmod(minutes, 60)
    counted = ((hours, "h"), (minutes, "min"))
    parts = [f"{count} {name}" for count, name in counted if count]
    if seconds or not parts:
        parts.append(f"{_trimmed(seconds)} s")
    return " ".join(parts)


def _trimmed(seconds: Fraction) -> str:
    text = f"{rounded(seconds.numerator, seconds.denominator, 3):f}"
    return text.rstrip("0").rstrip(".")


def _both(left: str, right: str) -> str:
    """Left and right on one line, or on two where they are too long."""
    if len(left) + len(right) + 2 > _WIDTH:
        return f"{left}\n{right.rjust(_WIDTH)}"
    return f"{left}{right.rjust(_WIDTH - len(left))}"
