"""Which tariff prices which period. OCPI mod_cdrs_chargingperiod_class (`tariff_id`),
mod_tariffs_tariff_object.

A period that names its tariff gets that one. If none does, the first tariff in force at the start of the
session prices the whole session. If only some do, the others have no tariff by the letter, and are free.
"""

from __future__ import annotations

from collections.abc import Sequence

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.faults import NoTariffInForce, UnknownTariff
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.periods import Case, Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.times import instant


def in_force(tariffs: Sequence[Compiled], at: int, tariff_type: str | None) -> Compiled:
    """The first tariff whose validity holds the instant `at` and whose type fits. Raises: NoTariffInForce."""
    for tariff in tariffs:
        fits = tariff_type is None or tariff.type in (None, tariff_type)
        if fits and tariff.valid_from <= at < tariff.valid_until:
            return tariff
    raise NoTariffInForce


def tariffs_of(
    periods: Sequence[Period], tariffs: Sequence[Compiled], case: Case, policy: Policy, warned: list[Warned]
) -> list[Compiled | None]:
    """The tariff of each period. Raises: UnknownTariff, NoTariffInForce."""
    start = instant(case.start, "the start")
    if all(period.tariff_key is None for period in periods):
        return [in_force(tariffs, start, case.tariff_type)] * len(periods)
    known: dict[str, Compiled] = {}
    for tariff in tariffs:
        known.setdefault(tariff.key, tariff)
    found: list[Compiled | None] = []
    for period in periods:
        if period.tariff_key is None:
            warned.append(Warned(Code.PERIOD_WITHOUT_TARIFF, period.index))
            free = policy.period_without_tariff == "free"
            found.append(None if free else in_force(tariffs, start, case.tariff_type))
        elif period.tariff_key not in known:
            raise UnknownTariff(f"period {period.index} names a tariff that is not at hand")
        else:
            found.append(known[period.tariff_key])
    _warn_of_validity(found, start, warned)
    return found


def _warn_of_validity(chosen: Sequence[Compiled | None], start: int, warned: list[Warned]) -> None:
    used = {id(tariff): tariff for tariff in chosen if tariff}
    warned.extend(
        Warned(Code.TARIFF_OUTSIDE_ITS_VALIDITY, subject=tariff.id)
        for tariff in used.values()
        if not tariff.valid_from <= start < tariff.valid_until
    )
