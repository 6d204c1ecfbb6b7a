"""Charges that are over and have no session for want of something: which of them an operator must look at, and why.

lacks      when                                              until
EVSE       2.x, a token that pays, no EVSE was ever named     the charger names it, or an operator
LOCATION   its connector is on no location                    it is put on one, and an operator releases it
BEGIN      2.x, nothing but the end was reported              what came before is, or an operator releases it
TOKEN      2.x, nobody's token was told before its end        one is, or an operator says whose pays
CONSENT    its token was refused, and energy went out         2.x: another one is shown, or an operator says whose pays
START      1.6, nothing but the stop was reported             its start is; nothing else says what it took

Charges that gave nothing are not looked at, but for an end that came alone: it may have been somebody's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from partners.ocpp import journal
from partners.ocpp.events import Flag, Transaction
from partners.ocpp.journal import Lack, Record
from partners.ocpp.numbering import socketed

_WHY: Final = {
    Lack.EVSE: "the charger never said at which EVSE; the charge is not billed",
    Lack.BEGIN: "only its end was reported; the charge is not billed",
    Lack.TOKEN: "nobody's token was told with it before its end; the charge is not billed",
    Lack.CONSENT: "its token was refused, and the charger gave energy all the same; the charge is not billed",
}


def hold(record: Record, charge: Transaction, *, now: datetime) -> None:
    """Let an operator look at a charge that is over, if it must not be forgotten."""
    if record.session or record.state == journal.DROPPED:
        return
    lack = _lack_of(record, charge)
    if lack is not None:
        record.state, record.lacks, record.held_since = journal.UNPLACED, lack, record.held_since or now
        record.trouble = record.trouble or _WHY.get(lack, nowhere(charge))


def hold_stop(record: Record, *, now: datetime) -> None:
    """Let an operator look at a stop without a start, if it can be that of somebody's charge."""
    if record.id_tag and record.meter_stop_wh:
        record.state, record.lacks, record.held_since = journal.UNPLACED, Lack.START, now


def nowhere(charge: Transaction) -> str:
    """Why a charge at a connector that is on no location has no session."""
    return f"{named(charge)} is on no location; the charge is not billed"


def named(charge: Transaction) -> str:
    """Its connector, as its charger calls it."""
    if not charge.key.named:
        return f"connector {charge.connector}"
    evse, connector = socketed(charge.connector)
    return f"EVSE {evse}, connector {connector}"


def _lack_of(record: Record, charge: Transaction) -> Lack | None:
    if Flag.END_ALONE in charge.flags:
        return Lack.BEGIN
    if record.is_refused or not record.allowed:
        of_token = Lack.CONSENT if record.is_refused else Lack.TOKEN
        return (record.lacks or of_token) if charge.energy_kwh else None
    if not (charge.energy_kwh or Flag.NOT_MEASURED in charge.flags):
        return None
    return Lack.EVSE if charge.key.named and not charge.connector else record.lacks
