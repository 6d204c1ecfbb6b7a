"""Does a charger that accepted a profile go by it? Its composite schedule must not deny what it said.

A profile that asks for less than the connector gives must hold back at one moment at least of those that the charger
shows. Less than was asked is an effect too: a limit of the site goes before a partner's. Whoever shows more all along
has taken the profile and done nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hub.core.ports import Limits
from modules.chargingprofiles.plan import most, of_amperes
from modules.sessions.charge import Charge

_LEAST_A: Final = Decimal(6)
"""IEC 61851 knows no current below it but none: a charger that is asked for less may give this."""
_TOLERANCE: Final = Decimal("1.05")
"""Chargers round, and reckon with a voltage of their own."""


def is_denied(wanted: Limits, shown: Limits, charge: Charge, *, began: datetime) -> bool:
    """Does `shown`, a composite schedule, hold back nothing of what `wanted` asks for? `began`: the charge did."""
    assert shown.start is not None  # noqa: S101 - what a charger will do has a begin
    start, full = wanted.start or began, most(charge, wanted.unit)
    until = shown.start + timedelta(seconds=shown.duration_s or 0)
    steps = [start + timedelta(seconds=second) for second, _ in wanted.periods]
    steps += [shown.start + timedelta(seconds=second) for second, _ in shown.periods]
    asked = [
        (moment, limit)
        for moment in {shown.start, *steps}
        if shown.start <= moment <= until and (limit := _at(wanted, start, moment)) is not None and limit < full
    ]
    return bool(asked) and not any(
        _is_heeded(limit, wanted.unit, _at(shown, shown.start, moment), shown.unit, charge) for moment, limit in asked
    )


def _is_heeded(asked: Decimal, unit: str, given: Decimal | None, given_unit: str, charge: Charge) -> bool:
    if given is None:
        return False
    if given_unit != unit:  # by which voltage and phases the charger reckons is its own affair
        return given < most(charge, given_unit)
    return given <= max(asked, of_amperes(charge, _LEAST_A, unit) if asked else asked) * _TOLERANCE


def _at(limits: Limits, start: datetime, moment: datetime) -> Decimal | None:
    """What limits at `moment`; None, where nothing does."""
    passed = (moment - start).total_seconds()
    if passed < 0 or (limits.duration_s is not None and passed >= limits.duration_s):
        return None
    return next((limit for second, limit in reversed(limits.periods) if second <= passed), None)
