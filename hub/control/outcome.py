"""One case priced, and what its CDR claims held against that: for every face that prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from hub.control.case import Asked
from hub.control.parts import CaseFault
from hub.control.ready import CompiledTariffs, Ready, policy_of
from hub.core.errors import BusbarError
from hub.core.jsontypes import Json, Tree
from hub.core.types import moment_text
from modules.cdrs.build.timeline import cut, doubts_of
from modules.cdrs.check import TOLERANCE, Claim, Result, check
from modules.tariffs.pricing import (
    Case,
    Code,
    Compiled,
    NoTariffInForce,
    Policy,
    Priced,
    PricingFault,
    SeveralCurrencies,
    UnfitSession,
    UnfitTariff,
    UnknownTariff,
    Warned,
    instant,
    moment_of,
    price,
    receipt_of,
    rivals,
)
from modules.tariffs.pricing.numbers import decimal_text

__all__ = ["TOLERANCE", "Outcome", "check_tree", "code_of", "outcome_of"]

_CODES: Final[Mapping[type[PricingFault], str]] = {
    UnknownTariff: "unknown_tariff",
    NoTariffInForce: "no_tariff_in_force",
    SeveralCurrencies: "several_currencies",
    UnfitTariff: "unfit_tariff",
    UnfitSession: "unfit_session",
}


def code_of(fault: BusbarError) -> str:
    """The word for programs of a fault that a case has."""
    if isinstance(fault, CaseFault):
        return fault.code
    return next((code for kind, code in _CODES.items() if isinstance(fault, kind)), "cannot_be_priced")


@dataclass(frozen=True, slots=True)
class Outcome:
    """boundaries: where a timeline was cut. check: of what the CDR claims; None where it claims nothing."""

    priced: Priced
    currency: str
    boundaries: Sequence[str]
    check: Result | None
    place: Mapping[str, str] | None

    def receipt(self) -> Tree:
        return receipt_of(self.priced, currency=self.currency, place=self.place)


def outcome_of(asked: Asked, tariffs: CompiledTariffs, tolerance: Decimal) -> Outcome:
    """Raises: CaseFault, PricingFault; `code_of` names either."""
    ready = tariffs.all_of(asked.tariffs, asked.version)
    policy = policy_of(asked.policy)
    case, boundaries = _case(asked, [each.compiled for each in ready])
    checked = check(_claim(asked, ready, policy, tolerance)) if asked.stated.says_anything else None
    told = list(_told(asked, ready))
    if checked is not None and Code.RESERVATION_TAKEN_FOR_CANCELLED in checked.warnings:
        told.append(Warned(Code.RESERVATION_TAKEN_FOR_CANCELLED))
        case = replace(case, reservation_expired=False)
    priced = price(case, policy)
    priced = priced._replace(warnings=(*told, *priced.warnings))
    return Outcome(priced, _currency(asked, ready, priced), boundaries, checked, asked.place)


def _told(asked: Asked, ready: Sequence[Ready]) -> Iterator[Warned]:
    """What is odd in a timeline, and no longer shows once it is cut, and its tariff chosen."""
    if asked.timeline is not None:
        yield from doubts_of(asked.timeline)
        yield from rivals([each.compiled for each in ready], instant(asked.start, "the start"), None)


def _claim(asked: Asked, ready: Sequence[Ready], policy: Policy, tolerance: Decimal) -> Claim:
    return Claim(
        cdr=_record(asked, ready),
        version=asked.version,
        time_zone=asked.zone,
        policy=policy,
        tolerance=tolerance,
        unreadable=asked.stated.unreadable,
        reservation_expired=asked.expired,
    )


def _record(asked: Asked, ready: Sequence[Ready]) -> Tree:
    """The CDR in our form, as far as there is one."""
    return {
        **asked.stated.claims,
        "start_date_time": asked.start,
        "end_date_time": asked.end,
        "charging_periods": asked.periods,
        "tariffs": [each.tree for each in ready],
    }


def _case(asked: Asked, tariffs: list[Compiled]) -> tuple[Case, list[str]]:
    """What the engine takes, and where a timeline was cut."""
    if asked.timeline is None:
        case = Case(
            asked.version, asked.zone, tariffs, asked.start, asked.end, asked.periods, reservation_expired=asked.expired
        )
        return case, []
    pieces = cut(asked.timeline, tariffs, asked.zone, expired=asked.expired)
    starts = [period["start_date_time"] for period in pieces.periods]
    boundaries = [moment_text(moment_of(instant(start, "a period"))) for start in starts[1:]]
    case = Case(
        asked.version,
        asked.zone,
        [pieces.tariff],
        asked.start,
        asked.end,
        pieces.periods,
        reservation_expired=asked.expired,
    )
    return case, boundaries


def _currency(asked: Asked, ready: Sequence[Ready], priced: Priced) -> str:
    """That of the CDR if it states one, else of the first tariff that priced anything."""
    stated = asked.stated.claims.get("currency")
    if stated is not None:
        return str(stated)
    used = next((segment.tariff for segment in priced.segments if segment.tariff), None)
    return next((each.currency for each in ready if each.compiled is used), ready[0].currency)


def check_tree(result: Result, tolerance: Decimal, *, as_text: bool) -> Tree:
    """A check as JSON: its numbers as they are published, or as text with all their digits."""
    tree = result.tree(decimal_text) if as_text else result.tree()
    allowed: Json = decimal_text(tolerance) if as_text else tolerance
    return {"ok": result.is_sound, "tolerance": allowed, **tree}
