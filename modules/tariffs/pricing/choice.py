"""Which tariff prices which period. OCPI mod_cdrs_chargingperiod_class (`tariff_id`),
mod_tariffs_tariff_object.

A period that names its tariff gets that one. If none does, the first tariff in force at the start of the
session prices the whole session. If only some do, the others have no tariff by the letter, and are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.faults import NoTariffInForce, UnknownTariff
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.periods import Case, Session
from modules.tariffs.pricing.policy import Policy

_NAMED: Final = 5
"""So many are named of those that fit."""


def in_force(tariffs: Sequence[Compiled], at: int, tariff_type: str | None) -> Compiled:
    """The first tariff whose validity holds the instant `at` and whose type fits. Raises: NoTariffInForce."""
    for tariff in tariffs:
        if _fits(tariff, at, tariff_type):
            return tariff
    raise NoTariffInForce


def _fits(tariff: Compiled, at: int, tariff_type: str | None) -> bool:
    return tariff.valid_from <= at < tariff.valid_until and (
        tariff_type is None or tariff.type is None or tariff.type == tariff_type
    )


def rivals(tariffs: Sequence[Compiled], at: int, tariff_type: str | None) -> list[Warned]:
    """A warning, where others would do as well as the tariff in force, so that it may not be the one that was meant."""
    found = [tariff for tariff in tariffs if _fits(tariff, at, tariff_type)]
    names = ", ".join(tariff.id for tariff in found[:_NAMED])
    return [Warned(Code.SEVERAL_TARIFFS_FIT, subject=names)] if len(found) > 1 else []


def tariffs_of(
    session: Session, tariffs: Sequence[Compiled], case: Case, policy: Policy, warned: list[Warned]
) -> list[Compiled | None]:
    """The tariff of each period. Raises: UnknownTariff, NoTariffInForce."""
    start, periods = session.begin, session.periods
    if not session.names_tariffs:
        if len(tariffs) > 1:
            warned.extend(rivals(tariffs, start, case.tariff_type))
        return [in_force(tariffs, start, case.tariff_type)] * len(periods)
    known: dict[str, Compiled] = {}
    for tariff in tariffs:
        known.setdefault(tariff.key, tariff)
    unnamed: Compiled | None = None
    found: list[Compiled | None] = []
    for period in periods:
        if period.tariff_key is None:
            warned.append(Warned(Code.PERIOD_WITHOUT_TARIFF, period.index))
            if unnamed is None and policy.period_without_tariff == "in_force":
                warned.extend(rivals(tariffs, start, case.tariff_type))
                unnamed = in_force(tariffs, start, case.tariff_type)
            found.append(unnamed)
        elif period.tariff_key not in known:
            raise UnknownTariff(f"period {period.index} names a tariff that is not at hand")
        else:
            found.append(known[period.tariff_key])
    _warn_of_validity(found, start, warned)
    return found


def each_once(chosen: Sequence[Compiled | None]) -> list[Compiled]:
    """The tariffs of a session, each once."""
    used: list[Compiled] = []
    if chosen and (first := chosen[0]) and chosen.count(first) == len(chosen):
        return [first]
    for tariff in chosen:
        if tariff is not None and tariff not in used:
            used.append(tariff)
    return used


def _warn_of_validity(chosen: Sequence[Compiled | None], start: int, warned: list[Warned]) -> None:
    used = {id(tariff): tariff for tariff in chosen if tariff}
    warned.extend(
        Warned(Code.TARIFF_OUTSIDE_ITS_VALIDITY, subject=tariff.id)
        for tariff in used.values()
        if not tariff.valid_from <= start < tariff.valid_until
    )
