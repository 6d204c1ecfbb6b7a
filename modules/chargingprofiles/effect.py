"""Does a charger that accepted a profile go by it? Its composite schedule must not deny what it said.

A profile that asks for less than the connector gives must hold back at one moment at least of those that the charger
shows. Less than was asked is an effect too: a limit of the site goes before a partner's. Whoever shows more all along
has taken the profile and done nothing. Where the hub itself tells a charger its limits as time goes by, at a site, the
charger cannot show what it will be told later: there only what is asked for now can be denied.
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


def is_denied(wanted: Limits, shown: Limits, charge: Charge, *, began: datetime, now: datetime) -> bool:
    """Does `shown`, a composite schedule, hold back nothing of what `wanted` asks for? `began`: the charge did.

    A schedule that is for now alone denies nothing that `wanted` asks for later.
    """
    assert shown.start is not None  # noqa: S101 - what a charger will do has a begin
    start, shown_from, full = wanted.start or began, shown.start, most(charge, wanted.unit)
    if shown.is_for_now:  # whatever its charger's clock says
        shown_from, moments = now, {now}
    else:
        until = shown_from + timedelta(seconds=shown.duration_s or 0)
        steps = [*_steps(wanted, start), *_steps(shown, shown_from)]
        moments = {shown_from, *(moment for moment in steps if shown_from <= moment <= until)}
    asked = [
        (moment, limit) for moment in moments if (limit := _at(wanted, start, moment)) is not None and limit < full
    ]
    return bool(asked) and not any(
        _is_heeded(limit, wanted.unit, _at(shown, shown_from, moment), shown.unit, charge) for moment, limit in asked
    )


def first_restraint(wanted: Limits, charge: Charge, *, began: datetime, now: datetime) -> datetime | None:
    """When `wanted` first holds back, from `now` on; None, if never."""
    start, full = wanted.start or began, most(charge, wanted.unit)
    moments = sorted({now, *(moment for moment in _steps(wanted, start) if moment > now)})
    limits = ((moment, _at(wanted, start, moment)) for moment in moments)
    return next((moment for moment, limit in limits if limit is not None and limit < full), None)


def _steps(limits: Limits, start: datetime) -> list[datetime]:
    return [start + timedelta(seconds=second) for second, _ in limits.periods]


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
