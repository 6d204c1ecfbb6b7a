"""Every kind of object that has a wire: what it is called, its wires, and the dialects it is made with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from hub.core.dialect import Dialects, Wire
from modules.bookings import wire as bookings
from modules.cdrs import wire as cdrs
from modules.chargingprofiles import wire as chargingprofiles
from modules.commands import wire as commands
from modules.credentials import wire as credentials
from modules.hubclientinfo import wire as clients
from modules.invoicereconciliation import wire as invoices
from modules.locations import wire as locations
from modules.payments import wire as payments
from modules.sessions import wire as sessions
from modules.tariffs import wire as tariffs
from modules.tokens import wire as tokens
from modules.versions import wire as versions

Wires = Mapping[str, Wire[Any]]

ALL_DIALECTS: Dialects = {
    **sessions.DIALECTS,
    **tokens.DIALECTS,
    **commands.DIALECTS,
    **credentials.DIALECTS,
    **versions.DIALECTS,
    **clients.DIALECTS,
}


@dataclass(frozen=True)
class Kind:
    """`patched`: the object may be PATCHed, and then translations of parts obey the law."""

    name: str
    wires: Wires
    patched: bool = False

    def __str__(self) -> str:
        return self.name


KINDS = (
    Kind("Token", tokens.TOKEN, patched=True),
    Kind("LocationReferences", tokens.LOCATION_REFERENCES),
    Kind("AuthorizationInfo", tokens.AUTHORIZATION_INFO),
    Kind("Location", locations.LOCATION, patched=True),
    Kind("EVSE", locations.EVSE, patched=True),
    Kind("Connector", locations.CONNECTOR, patched=True),
    Kind("Session", sessions.SESSION, patched=True),
    Kind("ChargingPreferences", sessions.CHARGING_PREFERENCES),
    Kind("CDR", cdrs.CDR),
    Kind("Tariff", tariffs.TARIFF, patched=True),
    Kind("StartSession", commands.START_SESSION),
    Kind("StopSession", commands.STOP_SESSION),
    Kind("ReserveNow", commands.RESERVE_NOW),
    Kind("CancelReservation", commands.CANCEL_RESERVATION),
    Kind("UnlockConnector", commands.UNLOCK_CONNECTOR),
    Kind("CommandResponse", commands.COMMAND_RESPONSE),
    Kind("CommandResult", commands.COMMAND_RESULT),
    Kind("SetChargingProfile", chargingprofiles.SET_CHARGING_PROFILE),
    Kind("ActiveChargingProfile", chargingprofiles.ACTIVE_CHARGING_PROFILE),
    Kind("ChargingProfileResponse", chargingprofiles.CHARGING_PROFILE_RESPONSE),
    Kind("ActiveChargingProfileResult", chargingprofiles.ACTIVE_CHARGING_PROFILE_RESULT),
    Kind("ChargingProfileResult", chargingprofiles.CHARGING_PROFILE_RESULT),
    Kind("ClearProfileResult", chargingprofiles.CLEAR_PROFILE_RESULT),
    Kind("ClientInfo", clients.CLIENT_INFO),
    Kind("InvoiceReconciliationRecord", invoices.RECORD),
    Kind("Terminal", payments.TERMINAL, patched=True),
    Kind("FinancialAdviceConfirmation", payments.CONFIRMATION),
    Kind("Booking", bookings.BOOKING, patched=True),
    Kind("BookingLocation", bookings.BOOKING_LOCATION, patched=True),
    Kind("BookingRequest", bookings.BOOKING_REQUEST),
    Kind("Calendar", bookings.CALENDAR, patched=True),
    Kind("Credentials", credentials.CREDENTIALS),
    Kind("Version", versions.VERSION),
    Kind("VersionDetails", versions.VERSION_DETAILS),
)


UNTABLED = (Kind("TerminalAsked", payments.TERMINAL_ASKED), Kind("ClientInfoTold", clients.CLIENT_INFO_TOLD))
"""Objects that no table of the specification has: a terminal that is asked for may lack its id and its time, and what a
hub tells of a client its time."""

EDITIONS = tuple(
    Kind(f"{kind.name} 1.0", {bookings.OLD: newest.old, "2.3.0": newest})
    for kind in KINDS
    if isinstance(newest := kind.wires.get("2.3.0"), bookings.EitherEdition)
)
"""Editions of one version, which differ as versions do. A PATCH changes parts of parts there: another law."""

ALL = (*KINDS, *UNTABLED, *EDITIONS)


def kinds_and_versions(*, patched: bool = False) -> Iterator[tuple[Kind, str]]:
    for kind in ALL:
        for version in kind.wires:
            if kind.patched or not patched:
                yield kind, version


def kinds_and_pairs(*, patched: bool = False) -> Iterator[tuple[Kind, str, str]]:
    """All kinds, from each version to each other one."""
    for kind in ALL:
        for one, other in permutations(kind.wires, 2):
            if kind.patched or not patched:
                yield kind, one, other
