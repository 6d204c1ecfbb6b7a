"""Making a reservation: its number, the order to the charger, and what the answer changes (REQ-201, REQ-206)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.parties import Party
from hub.core.ports import Hub, Outcome, Place
from hub.core.units import ABSENT, Unit
from modules.commands import store as commands
from modules.commands.consent import Consent, settle
from modules.commands.model import ReserveNow
from modules.commands.reservations import decision_of, document_of, ended_session, place_of
from modules.commands.store import ASKED, HELD, REFUSED, Reservation
from modules.sessions import service as sessions
from modules.tokens.aliases import LONGEST_TAG

_ATTEMPTS: Final = 8


def wished(partner: str, version: str, order: ReserveNow, owner: Party, place: Place, id_tag: str) -> Reservation:
    """The reservation as it will be when the charger agrees."""
    parent = order.token.group_id
    return Reservation(
        key=commands.reservation_key(owner, order.reservation_id),
        partner=partner,
        version=version,
        response_url=order.response_url,
        owner=str(owner),
        station=place.station,
        connector=place.connector,
        location=place.location,
        evse_uid=place.evse_uid,
        connector_id=place.connector_id,
        token=commands.raw(order.token.tree()),
        id_tag=id_tag,
        parent_tag=parent if parent is not None and len(parent) <= LONGEST_TAG else None,
        reference=order.authorization_reference,
        expires=order.expiry_date,
    )


async def ask(hub: Hub, wish: Reservation) -> None:
    """Give the reservation its number, before a charger hears of it. One that is held stays until it is replaced."""
    for _ in range(_ATTEMPTS):
        document = await commands.find_reservation(hub.store, wish.key)
        if document is not None and commands.reservation_in(document).state == HELD:
            return
        put = commands.reservation_put(wish, expect=document.version if document else ABSENT)
        try:
            await hub.store.commit(Unit().put(put))
        except Conflict:
            continue
        return
    raise Conflict


async def reserve(hub: Hub, wish: Reservation) -> Outcome:
    """Ask the charger to hold it. A reservation of the same id at another charger is given back there."""
    document = await document_of(hub, wish.key)
    before = commands.reservation_in(document)
    outcome = await hub.chargers.reserve(
        place_of(wish),
        reservation=document.seq,
        id_tag=wish.id_tag,
        token_type=str(wish.tree_of_token().get("type", "")),
        parent_tag=wish.parent_tag,
        expiry=timestamp(wish.expires),
        timeout_s=hub.settings.command_timeout_s,
    )
    if outcome is Outcome.ACCEPTED and before.state == HELD and before.station != wish.station:
        hub.background.start(_give_back(hub, before.station, document.seq), name="reservation given back")
    return outcome


async def settle_reserve(hub: Hub, wish: Reservation, given: Consent, outcome: Outcome) -> Unit:
    """What the charger's answer to `reserve` changes."""
    document = await document_of(hub, wish.key)
    known = commands.reservation_in(document)
    if outcome is not Outcome.ACCEPTED:
        unit = await settle(hub, given, outcome)
        if known.state == ASKED and outcome is not Outcome.TIMEOUT:
            unit.put(commands.reservation_put(replace(known, state=REFUSED), expect=document.version))
        return unit
    now, place = hub.clock.now(), place_of(wish)
    if known.state == HELD and (place_of(known), known.id_tag) == (place, wish.id_tag):
        session, since, unit = known.session, known.since, Unit()
    else:
        unit = await ended_session(hub, known, at=now, expired=False) if known.state == HELD else Unit()
        charge, begun = await sessions.reserve(hub, place, decision_of(wish), at=now)
        session, since, unit = charge.session_id, now, _joined(unit, begun)
    kept = replace(wish, state=HELD, session=session, since=since)
    return unit.put(commands.reservation_put(kept, expect=document.version))


def _joined(*units: Unit) -> Unit:
    """One unit of several."""
    whole = Unit()
    for unit in units:
        whole.joins(unit)
    return whole


async def _give_back(hub: Hub, station: str, number: int) -> None:
    timeout_s = hub.settings.command_timeout_s
    await hub.chargers.cancel_reservation(station, reservation=number, timeout_s=timeout_s)
