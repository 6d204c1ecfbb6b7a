"""Reservations that a charger holds, and their four ends. OCPI mod_commands_reservenow_object, rule R25.

What a charger agreed to (`reserving.py`) is *held*, and has a Session of status RESERVATION (REQ-206). It ends

    used       by a transaction: it names our number, or (as many chargers do not) the same tag or its parent on
               that connector
    canceled   by its sender, or by us; when by us, the sender of the RESERVE_NOW is told CANCELED_RESERVATION (REQ-204)
    expired    by the clock; the charger knows it by itself
    ended      because the connector became Unavailable or Faulted, or the charger booted without it, or (2.x) says so;
               told likewise

The chargers' gateway calls `used`, `ended` and `dropped`, a clock calls `expired`, an operator calls `withdraw`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from msgspec.structs import replace

from hub.core.errors import Conflict
from hub.core.ports import Hub, Outcome, Place
from hub.core.units import Audit, Document, Unit
from modules.commands import results
from modules.commands import store as commands
from modules.commands.store import (
    ASKED,
    CANCELED,
    ENDED,
    EXPIRED,
    HELD,
    USED,
    Command,
    Reservation,
)
from modules.sessions import service as sessions
from modules.sessions.charge import Charge, load
from modules.tokens.authorize import By, Decision

log = structlog.get_logger()

_ATTEMPTS: Final = 8
_GONE: Final = frozenset({Outcome.ACCEPTED, Outcome.UNKNOWN_RESERVATION})
"""Answers of a charger after which it holds the reservation no more."""


@dataclass(frozen=True, slots=True)
class Use:
    """A transaction takes up a reservation. Commit `unit` together with the begin of `charge`."""

    reservation: Reservation
    decision: Decision
    charge: Charge | None
    unit: Unit


def decision_of(reservation: Reservation) -> Decision:
    """The owner of the token allowed this charge with its RESERVE_NOW (REQ-148, REQ-198)."""
    token = reservation.tree_of_token()
    return Decision("ALLOWED", By.COMMAND, token, reservation.owner, reservation.reference)


def place_of(reservation: Reservation) -> Place:
    """The connector that is kept free."""
    return Place(
        reservation.station,
        reservation.connector,
        reservation.location,
        reservation.evse_uid,
        reservation.connector_id,
    )


async def standing(hub: Hub, parties: Collection[str], reservation_id: str) -> Reservation | None:
    """The reservation that one of `parties` has under this id, asked for or held."""
    for party in sorted(parties):
        document = await commands.find_reservation(hub.store, commands.reservation_key(party, reservation_id))
        if document is not None and document.columns["state"] in (ASKED, HELD):
            return commands.reservation_in(document)
    return None


async def cancel(hub: Hub, reservation: Reservation) -> Outcome:
    """Ask the charger to give it up."""
    document = await document_of(hub, reservation.key)
    return await hub.chargers.cancel_reservation(
        reservation.station, reservation=document.seq, timeout_s=hub.settings.command_timeout_s
    )


async def settle_cancel(hub: Hub, key: str, outcome: Outcome) -> Unit:
    """What the charger's answer to `cancel` changes."""
    document = await document_of(hub, key)
    if outcome not in _GONE or document.columns["state"] not in (ASKED, HELD):
        return Unit()
    return await _closing(hub, document, CANCELED, at=hub.clock.now())


async def used(
    hub: Hub, station: str, connector: int, *, number: int | None, id_tag: str, parent_tag: str | None = None
) -> Use | None:
    """The reservation that a transaction takes up, if there is one. Nothing is committed here."""
    documents = await commands.held_at(hub.store, station)
    named = [document for document in documents if document.seq == number]
    tags = {_plain(id_tag), _plain(parent_tag)} - {""}
    for document in named or documents:
        reservation = commands.reservation_in(document)
        fits = reservation.connector in (0, connector) and reservation.expires > hub.clock.now()
        if named or (fits and tags & {_plain(reservation.id_tag), _plain(reservation.parent_tag)}):
            charge = await load(hub.store, reservation.session)
            put = commands.reservation_put(replace(reservation, state=USED), expect=document.version)
            return Use(reservation, decision_of(reservation), charge, Unit().put(put))
    return None


async def expired(hub: Hub) -> int:
    """End what was not used in time. Returns: how many. To be called every few seconds."""
    now = hub.clock.now()
    ended_now = 0
    for document in await commands.held(hub.store):
        reservation = commands.reservation_in(document)
        if reservation.expires <= now:
            ended_now += await _close(hub, reservation.key, EXPIRED, at=reservation.expires)
    return ended_now


async def ended(hub: Hub, station: str, connector: int | None = None) -> None:
    """The charger holds no reservation at `connector` any more (None or 0: at none of its connectors)."""
    for document in await commands.held_at(hub.store, station):
        reservation = commands.reservation_in(document)
        if not connector or reservation.connector in (0, connector):
            await _close(hub, reservation.key, ENDED, at=hub.clock.now())


async def dropped(hub: Hub, station: str, number: int, *, expired: bool) -> None:
    """The charger says that it holds this one no more: its time was over, or it was taken away there."""
    now = hub.clock.now()
    for document in await commands.held_at(hub.store, station):
        reservation = commands.reservation_in(document)
        if document.seq == number and expired:
            await _close(hub, reservation.key, EXPIRED, at=min(now, reservation.expires))
        elif document.seq == number:
            await _close(hub, reservation.key, ENDED, at=now)


async def withdraw(hub: Hub, key: str, *, actor: str) -> Outcome:
    """We cancel a reservation: at the charger, unless it is out of reach, and towards the partner.

    Returns: what the charger said; ACCEPTED when it could not be asked. Raises: Conflict, when there is none.
    """
    reservation = commands.reservation_in(await document_of(hub, key))
    outcome = Outcome.ACCEPTED
    if await hub.chargers.reachable(reservation.station):
        outcome = await cancel(hub, reservation)
    if outcome in _GONE:
        await _close(hub, key, CANCELED, at=hub.clock.now(), actor=actor)
    return outcome


async def ended_session(hub: Hub, reservation: Reservation, *, at: datetime, expired: bool) -> Unit:
    """The Session of a reservation that was not used is over. An empty unit, when there is none."""
    charge = await load(hub.store, reservation.session) if reservation.session else None
    if charge is None or not charge.is_open:
        return Unit()
    return sessions.end_reservation(hub, charge, at=at, expired=expired)


async def document_of(hub: Hub, key: str) -> Document:
    """Raises: Conflict, when it is gone."""
    document = await commands.find_reservation(hub.store, key)
    if document is None:
        raise Conflict
    return document


async def _close(hub: Hub, key: str, state: str, *, at: datetime, actor: str = "busbar") -> bool:
    """End a held reservation, and tell its sender unless the sender knows. False: it was over already."""
    for _ in range(_ATTEMPTS):
        document = await document_of(hub, key)
        if document.columns["state"] != HELD:
            return False
        unit = await _closing(hub, document, state, at=at)
        unit.audited(Audit(actor, f"reservation.{state}", key))
        notice = _notice(hub, commands.reservation_in(document)) if state != EXPIRED else None
        if notice is not None:
            unit.put(commands.command_put(notice))
        try:
            await hub.store.commit(unit)
        except Conflict:
            continue
        if notice is not None:
            results.announce(hub, notice)
        return True
    raise Conflict


async def _closing(hub: Hub, document: Document, state: str, *, at: datetime) -> Unit:
    reservation = commands.reservation_in(document)
    unit = await ended_session(hub, reservation, at=at, expired=state == EXPIRED)
    return unit.put(commands.reservation_put(replace(reservation, state=state), expect=document.version))


def _notice(hub: Hub, reservation: Reservation) -> Command | None:
    """CANCELED_RESERVATION to the response_url of the RESERVE_NOW. 2.1.1 has no word for it after an ACCEPTED."""
    if not results.can_say(reservation.version, Outcome.CANCELED_RESERVATION):
        log.warning("reservation ended without a notice", partner=reservation.partner, key=reservation.key)
        return None
    command = results.new(
        hub,
        "RESERVE_NOW",
        reservation.partner,
        reservation.version,
        reservation.response_url,
        reservation.station,
    )
    return replace(command, state=commands.ANSWERED, result=Outcome.CANCELED_RESERVATION.value)


def _plain(tag: str | None) -> str:
    """A tag as it is compared (rule R15)."""
    return "".join(filter(str.isalnum, tag or "")).upper()
