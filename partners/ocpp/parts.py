"""When a transaction of 2.x is to be decided on: a charge may begin long before a token is shown.

nobody's token yet                       on record, no session
a token that is to pay                   decided on, once; the session begins as of the charge's own start
the same, but no EVSE is known           allowed or refused; the session begins when the EVSE is known
another token after one that was refused  decided on anew
"""

from __future__ import annotations

from dataclasses import replace

from partners.ocpp import journal
from partners.ocpp.events import Event, same_tag
from partners.ocpp.journal import Record
from partners.ocpp.matching import Start


def is_to_be_decided(start: Start, record: Record | None) -> bool:
    """Is there a token that pays, about which nobody was asked?"""
    payer = start.event.id_tag
    if not payer or (record is not None and (record.session or record.state == journal.DROPPED)):
        return False
    if record is None or not record.allowed or same_tag(record.id_tag) != same_tag(payer):
        return True
    return not record.is_refused and bool(start.connector) and not record.connector


def judged(event: Event, record: Record | None, *, refused: bool = False) -> Event:
    """`event` with what was answered to its token: one that was refused does not keep another from paying."""
    if record is not None and record.is_refused:
        refused = same_tag(record.id_tag) == same_tag(event.id_tag)
    if event.part is None or not refused or not event.id_tag:
        return event
    return replace(event, part=replace(event.part, refused=True))
