"""What can be found in a tariff: one table of codes, each with its severity, whom it concerns and its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Severity(StrEnum):
    """error: it will not do what it says. warning: probably not meant. hint: worth a look."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class LintCode(StrEnum):
    """The kinds of finding."""

    UNREADABLE = "unreadable"
    UNKNOWN_DIMENSION = "unknown_dimension"
    UNKNOWN_RESTRICTION = "unknown_restriction"
    UNUSABLE_RESTRICTION = "unusable_restriction"
    CANNOT_BE_PRICED = "cannot_be_priced"
    UNREACHABLE_ELEMENT = "unreachable_element"
    UNREACHABLE_COMPONENT = "unreachable_component"
    DUPLICATE_COMPONENT = "duplicate_component"
    IMPOSSIBLE_RESTRICTION = "impossible_restriction"
    RESERVATION_DIMENSION = "reservation_dimension"
    VAT_OUT_OF_RANGE = "vat_out_of_range"
    NEGATIVE_STEP = "negative_step"
    MIN_ABOVE_MAX_PRICE = "min_above_max_price"
    EMPTY_VALIDITY = "empty_validity"
    OTHER_PRICE = "other_price"
    GAP = "gap"
    NO_FALLBACK = "no_fallback"
    EQUAL_TIMES = "equal_times"
    WRAPPING_WINDOW = "wrapping_window"
    STEP_ON_FLAT = "step_on_flat"
    NEGATIVE_PRICE = "negative_price"
    VAT_IGNORED = "vat_ignored"
    TAX_INCLUDED_MISSING = "tax_included_missing"
    RATE_UNKNOWN = "rate_unknown"
    NOT_SENT = "not_sent"
    ELEMENT_LEFT_OUT = "element_left_out"
    LIMIT_LOST = "limit_lost"
    PRICE_ROUNDED = "price_rounded"
    PRICE_TOO_FINE = "price_too_fine"
    THRESHOLD_TOO_FINE = "threshold_too_fine"
    VALIDITY_LOST = "validity_lost"
    PARKING_GAP = "parking_gap"
    EMPTY_RESTRICTION = "empty_restriction"
    TIME_STEP_GIVES_WAY = "time_step_gives_way"
    NOTHING_BY_USE = "nothing_by_use"
    STEP_ZERO = "step_zero"
    STEP_ABOVE_ONE = "step_above_one"
    COMPONENT_WITHOUT_RATE = "component_without_rate"
    NOT_CHECKED = "not_checked"
    POWER_NOT_IN_CDRS = "power_not_in_cdrs"
    TAX_LOST = "tax_lost"
    FIELD_LOST = "field_lost"
    NO_OICP_FORM = "no_oicp_form"
    OICP_LOSES = "oicp_loses"


class _Kind(NamedTuple):
    severity: Severity
    versions: tuple[str, ...]
    sentence: str


_OCPI: Final = ("2.1.1", "2.2.1", "2.3.0")
_SINCE_22: Final = ("2.2.1", "2.3.0")
_E, _W, _H = Severity

KINDS: Final[Mapping[LintCode, _Kind]] = {
    LintCode.UNREADABLE: _Kind(_E, _OCPI, "This is not a tariff: {why}."),
    LintCode.UNKNOWN_DIMENSION: _Kind(_E, _OCPI, "There is no such dimension, so nobody takes this tariff."),
    LintCode.UNKNOWN_RESTRICTION: _Kind(
        _E, _OCPI, "{field} is no restriction that OCPI knows: this element is never used."
    ),
    LintCode.UNUSABLE_RESTRICTION: _Kind(_E, _OCPI, "Nothing can be priced with this tariff: {why}."),
    LintCode.CANNOT_BE_PRICED: _Kind(_E, _OCPI, "Nothing can be priced with this tariff: {why}."),
    LintCode.UNREACHABLE_ELEMENT: _Kind(_E, _OCPI, "This element never prices anything: {why}."),
    LintCode.UNREACHABLE_COMPONENT: _Kind(_E, _OCPI, "This {dimension} price is never used: {why}."),
    LintCode.DUPLICATE_COMPONENT: _Kind(_E, _OCPI, "The element prices {dimension} twice; only the first one counts."),
    LintCode.IMPOSSIBLE_RESTRICTION: _Kind(_E, _OCPI, "This can never hold: {why}."),
    LintCode.RESERVATION_DIMENSION: _Kind(_E, _SINCE_22, "A reservation has no {dimension}: this price is never used."),
    LintCode.VAT_OUT_OF_RANGE: _Kind(_E, _SINCE_22, "A VAT is a percentage between 0 and 100."),
    LintCode.NEGATIVE_STEP: _Kind(_E, _OCPI, "A step_size is a whole number from 0 up."),
    LintCode.MIN_ABOVE_MAX_PRICE: _Kind(
        _E, _SINCE_22, "min_price is above max_price ({figure}): every session costs max_price."
    ),
    LintCode.TAX_INCLUDED_MISSING: _Kind(
        _E,
        ("2.3.0",),
        "A tariff has to say whether its prices hold the tax; this one is read as NO, so that it is added.",
    ),
    LintCode.EMPTY_VALIDITY: _Kind(_E, _SINCE_22, "The tariff ends before it starts, so it is never in force."),
    LintCode.OTHER_PRICE: _Kind(
        _E,
        ("2.1.1", "2.2.1"),
        "OCPI {version} cannot say this condition, so the element is left out there and {instead}.",
    ),
    LintCode.GAP: _Kind(_W, _OCPI, "Nothing prices {dimension} {phase}{where}: it is free there."),
    LintCode.NO_FALLBACK: _Kind(
        _W, _OCPI, "Where no {measure} is measured, nothing prices {dimension} {phase}: it is free there."
    ),
    LintCode.EQUAL_TIMES: _Kind(_W, _OCPI, "start_time and end_time are the same, which is read as the whole day."),
    LintCode.WRAPPING_WINDOW: _Kind(_W, _OCPI, "{day} is asked of each moment: after midnight it is another day."),
    LintCode.STEP_ON_FLAT: _Kind(_W, _OCPI, "A FLAT has no quantity: its step_size does nothing."),
    LintCode.NEGATIVE_PRICE: _Kind(_W, _OCPI, "The price is negative: the driver is paid."),
    LintCode.VAT_IGNORED: _Kind(_W, ("2.3.0",), "tax_included is N/A, so this VAT is ignored."),
    LintCode.RATE_UNKNOWN: _Kind(_W, ("2.3.0",), "tax_included is {reading} and no price names its VAT: {so}."),
    LintCode.NOT_SENT: _Kind(_W, ("2.1.1", "2.2.1"), "Partners of OCPI {version} do not get this tariff: {why}."),
    LintCode.ELEMENT_LEFT_OUT: _Kind(
        _W, ("2.1.1", "2.2.1"), "OCPI {version} cannot say this condition, so the element is left out there: {why}."
    ),
    LintCode.LIMIT_LOST: _Kind(
        _W, ("2.1.1",), "OCPI {version} has no {field}: bills there look higher or lower than they are."
    ),
    LintCode.PRICE_ROUNDED: _Kind(
        _W, ("2.1.1", "2.2.1"), "OCPI {version}: {why}. Whoever prices a bill with it may find another last digit."
    ),
    LintCode.PRICE_TOO_FINE: _Kind(_W, _OCPI, "OCPI has four decimals: partners may refuse this price, and its bills."),
    LintCode.THRESHOLD_TOO_FINE: _Kind(
        _W,
        _OCPI,
        "OCPI has four decimals: {field} is read as {read}. Partners who read more of it may find another price.",
    ),
    LintCode.VALIDITY_LOST: _Kind(
        _W,
        ("2.1.1",),
        "OCPI {version} has no {field}: partners get the tariff only while it holds, and do not see until when.",
    ),
    LintCode.PARKING_GAP: _Kind(_H, _OCPI, "Nothing prices PARKING_TIME {phase}{where}: it is free there."),
    LintCode.EMPTY_RESTRICTION: _Kind(_H, _OCPI, "These restrictions restrict nothing."),
    LintCode.TIME_STEP_GIVES_WAY: _Kind(
        _H, _OCPI, "In a session with priced parking only PARKING_TIME is rounded, and not this."
    ),
    LintCode.NOTHING_BY_USE: _Kind(_H, _OCPI, "Nothing is priced by use: a minute costs as much as a night."),
    LintCode.STEP_ZERO: _Kind(_H, _OCPI, "step_size is 0, which is read as no rounding; 1 says the same to everybody."),
    LintCode.STEP_ABOVE_ONE: _Kind(_H, _OCPI, "step_size bills more than was used; 1 is what OCPI advises."),
    LintCode.COMPONENT_WITHOUT_RATE: _Kind(
        _H, _SINCE_22, "Other prices name a VAT and this one does not: it is billed without."
    ),
    LintCode.NOT_CHECKED: _Kind(
        _H, _OCPI, "The restrictions are too many to say whether {dimension} is always priced."
    ),
    LintCode.POWER_NOT_IN_CDRS: _Kind(
        _H,
        ("2.1.1",),
        "A CDR of OCPI {version} states no power: where it is priced again, {field} counts as not fulfilled.",
    ),
    LintCode.TAX_LOST: _Kind(_H, ("2.1.1", "2.2.1"), "OCPI {version}: {why}."),
    LintCode.FIELD_LOST: _Kind(_H, ("2.1.1", "2.2.1"), "OCPI {version}: {why}."),
    LintCode.NO_OICP_FORM: _Kind(_H, ("OICP",), "OICP pricing cannot say this: {why}."),
    LintCode.OICP_LOSES: _Kind(_H, ("OICP",), "OICP pricing leaves this out: {why}."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `pointer` is a JSON pointer into the tariff; `example` a moment, where one shows it."""

    code: LintCode
    pointer: str
    message: str
    versions: tuple[str, ...]
    example: Mapping[str, Any] | None = None

    @property
    def severity(self) -> Severity:
        return KINDS[self.code].severity

    def tree(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "pointer": self.pointer,
            "message": self.message,
            "versions": list(self.versions),
            "example": dict(self.example) if self.example else None,
        }


def finding(code: LintCode, pointer: str, example: Mapping[str, Any] | None = None, /, **words: object) -> Finding:
    """A finding in the sentence of its code. `version`, if given, is the only one it concerns."""
    kind = KINDS[code]
    versions = (str(words["version"]),) if "version" in words else kind.versions
    return Finding(code, pointer, kind.sentence.format(**words), versions, example)


def unreadable(refusal: str) -> Finding:
    """The finding for what the wire has refused with "<pointer>: <why>"."""
    pointer, _, why = refusal.partition(": ")
    steps = pointer.split("/")
    if "price_components" in steps and steps[-1] == "type" and "FLAT" in why:
        return finding(LintCode.UNKNOWN_DIMENSION, pointer)
    return finding(LintCode.UNREADABLE, pointer if pointer != "/" else "", why=why)
