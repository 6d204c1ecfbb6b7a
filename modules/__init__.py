"""The table of contents: every module, what it serves, keeps and pushes.

`hub/core` knows no module by name; `hub/app.py` hands it this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.core.delivery import Publication
from hub.core.operations import Operation, Operations
from hub.core.units import Kind
from modules.bookings import routes as bookings
from modules.bookings.publication import BookingPublication
from modules.bookings.store import BOOKING_CALENDARS, BOOKING_LOCATIONS, BOOKING_OPENINGS, BOOKING_STARTS, BOOKINGS
from modules.cdrs import routes as cdrs
from modules.cdrs.owed import OWED
from modules.cdrs.publication import CdrPublication
from modules.cdrs.store import CDRS, CHECKS, DELIVERIES, ORIGINALS, RECEIPTS, RECEIVED
from modules.chargingprofiles import routes as chargingprofiles
from modules.chargingprofiles.publication import ChargingProfilePublication
from modules.chargingprofiles.store import PROFILES
from modules.commands import routes as commands
from modules.commands.passed_on import PASSED_ON
from modules.commands.references import REFERENCES
from modules.commands.store import COMMANDS, RESERVATIONS
from modules.credentials import routes as credentials
from modules.hubclientinfo import routes as hubclientinfo
from modules.hubclientinfo.publication import ClientInfoPublication
from modules.hubclientinfo.store import CLIENTS, SIGHTS
from modules.invoicereconciliation import routes as invoices
from modules.invoicereconciliation.publication import InvoicePublication
from modules.invoicereconciliation.store import INVOICED, RECORDS
from modules.locations import routes as locations
from modules.locations.publication import LocationPublication
from modules.locations.store import EVSES, LOCATIONS
from modules.locations.withheld import WITHHELD
from modules.payments import routes as payments
from modules.payments.publication import PaymentPublication
from modules.payments.store import CONFIRMATIONS, TERMINALS
from modules.sessions import routes as sessions
from modules.sessions.charge import CHARGES
from modules.sessions.publication import SessionPublication
from modules.sessions.store import PLACES, SESSIONS
from modules.tariffs import routes as tariffs
from modules.tariffs.former import FORMER
from modules.tariffs.publication import TariffPublication
from modules.tariffs.store import SHIFTED, TARIFFS, TURNS
from modules.tokens import routes as tokens
from modules.tokens.aliases import TAG_ALIASES
from modules.tokens.ordered import ORDERED
from modules.tokens.publication import TokenPublication
from modules.tokens.store import AUTHORIZATIONS, LEARNED, TOKENS
from modules.versions import routes as versions


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its OCPI id, its operations, the kinds it keeps, and how its objects are pushed, if they are."""

    id: str
    operations: tuple[Operations, ...]
    kinds: tuple[Kind, ...] = ()
    publication: Publication | None = None


MODULES: Final = (
    Module("versions", (versions.versions, versions.details)),
    Module("credentials", (credentials.operations,)),
    Module("locations", (locations.operations,), (LOCATIONS, EVSES, WITHHELD), LocationPublication()),
    Module("tariffs", (tariffs.operations,), (TARIFFS, TURNS, SHIFTED, FORMER), TariffPublication()),
    Module("tokens", (tokens.operations,), (TOKENS, LEARNED, ORDERED, AUTHORIZATIONS, TAG_ALIASES), TokenPublication()),
    Module("sessions", (sessions.operations,), (SESSIONS, PLACES, CHARGES), SessionPublication()),
    Module(
        "cdrs", (cdrs.operations,), (CDRS, RECEIPTS, DELIVERIES, OWED, RECEIVED, ORIGINALS, CHECKS), CdrPublication()
    ),
    Module("commands", (commands.operations,), (COMMANDS, RESERVATIONS, PASSED_ON, REFERENCES)),
    Module("chargingprofiles", (chargingprofiles.operations,), (PROFILES,), ChargingProfilePublication()),
    Module("hubclientinfo", (hubclientinfo.operations,), (CLIENTS, SIGHTS), ClientInfoPublication()),
    Module("invoicereconciliation", (invoices.operations,), (RECORDS, INVOICED), InvoicePublication()),
    Module("payments", (payments.operations,), (TERMINALS, CONFIRMATIONS), PaymentPublication()),
    Module(
        "bookings",
        (bookings.operations,),
        (BOOKING_LOCATIONS, BOOKING_OPENINGS, BOOKINGS, BOOKING_CALENDARS, BOOKING_STARTS),
        BookingPublication(),
    ),
)


def all_operations() -> tuple[Operation, ...]:
    """Every operation of every module, in the order of the table."""
    return tuple(operation for module in MODULES for operations in module.operations for operation in operations.table)


def all_kinds() -> tuple[Kind, ...]:
    """Every kind that the modules keep."""
    return tuple(kind for module in MODULES for kind in module.kinds)


def publications() -> tuple[Publication, ...]:
    """How each pushed module gets to partners."""
    return tuple(module.publication for module in MODULES if module.publication is not None)
