"""Bookings in the operator's hands: what is open for booking, and who has booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.units import Audit, Document
from modules.bookings import received
from modules.bookings import service as bookings
from modules.bookings.editions import QUIRK
from modules.bookings.model import CanceledReason
from modules.bookings.store import key_of

if TYPE_CHECKING:
    from hub.app import Program

REASONS: Final[tuple[str, ...]] = get_args(get_args(CanceledReason)[0])
EDITIONS: Final = ("1.0", "1.1")


async def open_place(program: Program, place_id: str, tree: Tree, *, actor: str) -> bool:
    """Open something of ours for booking. Returns: True if it is new. Raises: InvalidRequest."""
    return await bookings.open_place(program.hub, place_id, {"id": place_id, **tree}, actor=actor)


async def place(program: Program, owner: Party, place_id: str) -> Document:
    """What is left to book. Raises: NotFound."""
    return await received.get_place(program.hub, key_of(owner, place_id))


async def booking(program: Program, owner: Party, booking_id: str) -> Document:
    """Raises: NotFound."""
    return await received.get_booking(program.hub, key_of(owner, booking_id))


async def cancel(program: Program, booking_id: str, reason: str, *, actor: str) -> Tree:
    """Take a booking of ours back; who booked is told. Raises: NotFound, InvalidRequest."""
    if reason not in REASONS:
        raise InvalidRequest(f"/reason: one of {', '.join(REASONS)}")
    return await bookings.cancel(program.hub, booking_id, reason, actor=actor)


async def set_edition(program: Program, name: str, edition: str, *, actor: str) -> None:
    """Say which edition of the module we write to a partner. Raises: NotFound, InvalidRequest."""
    if edition not in EDITIONS:
        raise InvalidRequest(f"/edition: one of {', '.join(EDITIONS)}")

    def marked(partner: Partner) -> Partner:
        others = tuple(quirk for quirk in partner.quirks if quirk != QUIRK)
        quirks = (*others, QUIRK) if edition == "1.0" else others
        return partner if quirks == partner.quirks else partner.model_copy(update={"quirks": quirks})

    audit = Audit(actor, "partner.bookings_edition", name, edition)
    await program.hub.registry.change(name, marked, lambda unit: unit.audited(audit))
