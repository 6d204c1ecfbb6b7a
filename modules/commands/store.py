"""Commands and reservations as they are kept.

A *command* is kept from the moment we say ACCEPTED until its sender has the result, so that a restart loses none:

    queued -> sent -> answered -> reported | undelivered

A *reservation* is one document per reservation id of a party. The number that the charger knows it by is the document's
`seq`: ours alone, never given twice, and the same when the reservation is replaced (REQ-201).

    asked -> held -> used | expired | ended | canceled          asked -> refused | canceled

Where the charger does not answer it stays *asked*: it may have it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put
from modules.sessions.charge import CHARGES, Charge

COMMANDS: Final = Kind("commands", columns=("partner", "state", "station"), indexed=("state",))
RESERVATIONS: Final = Kind("reservations", columns=("station", "state", "session"), indexed=("station", "state"))

QUEUED: Final = "queued"
SENT: Final = "sent"
ANSWERED: Final = "answered"
REPORTED: Final = "reported"
UNDELIVERED: Final = "undelivered"
UNFINISHED: Final = (QUEUED, SENT, ANSWERED)

ASKED: Final = "asked"
HELD: Final = "held"
REFUSED: Final = "refused"
USED: Final = "used"
EXPIRED: Final = "expired"
ENDED: Final = "ended"
CANCELED: Final = "canceled"

_MOST: Final = 100_000
_LIMIT: Final = 64 * 1024


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that we accepted. `answer_by` bounds the charger, `report_by` is what the sender was told to wait."""

    id: str
    command: str
    partner: str
    version: str
    response_url: str
    station: str
    asked_at: datetime
    answer_by: datetime
    report_by: datetime
    state: str = QUEUED
    result: str = ""
    late: str = ""
    """What the charger said after the sender was told TIMEOUT."""
    reservation: str = ""
    """The key of the reservation that is made or given up."""
    correlation_id: str = ""


class Reservation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A connector that is kept free for a token until `expires`. `since` is when the charger agreed."""

    key: str
    partner: str
    version: str
    response_url: str
    owner: str
    station: str
    connector: int
    location: str
    evse_uid: str
    connector_id: str
    token: msgspec.Raw
    id_tag: str
    expires: datetime
    parent_tag: str | None = None
    reference: str | None = None
    since: datetime | None = None
    state: str = ASKED
    session: str = ""

    def tree_of_token(self) -> Tree:
        tree: Tree = parse(bytes(self.token), limit=_LIMIT)
        return tree


def raw(tree: Tree) -> msgspec.Raw:
    """A tree as it is kept in a `Reservation`."""
    return msgspec.Raw(encode(tree))


def command_put(command: Command, *, expect: int = ANY) -> Put:
    """The write of one command."""
    columns = (command.partner, command.state, command.station)
    return Put(COMMANDS, command.id, msgspec.json.encode(command), columns=columns, expect=expect)


def command_in(document: Document) -> Command:
    return msgspec.json.decode(document.body, type=Command)


async def find_command(store: Store, command_id: str) -> Document | None:
    return await store.get(COMMANDS, command_id)


async def unfinished(store: Store) -> list[Command]:
    """Commands whose sender has no result yet."""
    found: list[Command] = []
    for state in UNFINISHED:
        documents = await store.select(COMMANDS, equal={"state": state}, limit=_MOST)
        found += (command_in(document) for document in documents)
    return found


async def timed_out(store: Store, station: str, command: str) -> Command | None:
    """The last such command that this charger left unanswered."""
    documents = await store.select(COMMANDS, equal={"station": station}, descending=True, limit=50)
    commands = (command_in(document) for document in documents)
    return next((c for c in commands if c.command == command and c.result == "TIMEOUT" and not c.late), None)


def reservation_key(owner: Party | str, reservation_id: str) -> str:
    """`NL*EEE/R1`: ids are the sender's, and compare without case (CiString)."""
    return f"{owner}/{reservation_id.upper()}"


def reservation_put(reservation: Reservation, *, expect: int = ANY) -> Put:
    """The write of one reservation."""
    columns = (reservation.station, reservation.state, reservation.session)
    body = msgspec.json.encode(reservation)
    return Put(RESERVATIONS, reservation.key, body, owner=reservation.owner, columns=columns, expect=expect)


def reservation_in(document: Document) -> Reservation:
    return msgspec.json.decode(document.body, type=Reservation)


async def find_reservation(store: Store, key: str) -> Document | None:
    return await store.get(RESERVATIONS, key)


async def held_at(store: Store, station: str) -> list[Document]:
    """The reservations that stand at a charger."""
    return await store.select(RESERVATIONS, equal={"station": station, "state": HELD}, limit=_MOST)


async def held(store: Store) -> list[Document]:
    """All reservations that stand."""
    return await store.select(RESERVATIONS, equal={"state": HELD}, limit=_MOST)


async def open_charges(store: Store, station: str) -> list[Charge]:
    """The charges and reservations at a charger that have not ended, without their readings."""
    documents = await store.select(CHARGES, equal={"station": station, "state": "open"}, limit=_MOST)
    return [msgspec.json.decode(document.body, type=Charge) for document in documents]
