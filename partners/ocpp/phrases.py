"""How each order is put: one CALL, by the version of the connection.

    PHRASES["2.0.1"].start(place, card, 7)   ->   Said("RequestStartTransaction", {"evseId": 1, ...})

A difference between versions stands here or in `profiles.py` and nowhere else; what a charger answers is read by the
tables of `answers.py`, which know an action of any version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from hub.core.jsontypes import Tree
from hub.core.ports import Limits, Place
from partners.ocpp import profiles
from partners.ocpp.cards import Card, group_token, id_token
from partners.ocpp.events import TransactionId
from partners.ocpp.numbering import socketed


class Said(NamedTuple):
    """A CALL of ours."""

    action: str
    payload: Tree


class Hold(NamedTuple):
    """A reservation that is to be made. `expiry` is a timestamp."""

    number: int
    place: Place
    card: Card
    parent_tag: str | None
    expiry: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one version. `start` is given a number that the charger's transaction will name, if it can."""

    start: Callable[[Place, Card, int], Said]
    stop: Callable[[TransactionId], Said]
    unlock: Callable[[Place], Said]
    reserve: Callable[[Hold], Said]
    cancel: Callable[[int], Said]
    limit: Callable[[int, TransactionId, int, Limits], Said]
    unlimit: Callable[[int], Said]
    limits: Callable[[int, int, str], Said]


def _start_16(place: Place, card: Card, number: int) -> Said:
    return Said("RemoteStartTransaction", {"connectorId": place.connector, "idTag": card.id_tag})


def _stop_16(transaction: TransactionId) -> Said:
    return Said("RemoteStopTransaction", {"transactionId": transaction})


def _unlock_16(place: Place) -> Said:
    return Said("UnlockConnector", {"connectorId": place.connector})


def _reserve_16(hold: Hold) -> Said:
    parent = {"parentIdTag": hold.parent_tag} if hold.parent_tag else {}
    payload = {
        "connectorId": hold.place.connector,
        "expiryDate": hold.expiry,
        "idTag": hold.card.id_tag,
        **parent,
        "reservationId": hold.number,
    }
    return Said("ReserveNow", payload)


def _cancel(number: int) -> Said:
    return Said("CancelReservation", {"reservationId": number})


def _limit_16(connector: int, transaction: TransactionId, number: int, limits: Limits) -> Said:
    return Said("SetChargingProfile", profiles.tx_profile(connector, transaction, number, limits))


def _unlimit_16(number: int) -> Said:
    return Said("ClearChargingProfile", {"id": number})


def _limits_16(connector: int, duration_s: int, unit: str) -> Said:
    payload = {"connectorId": connector, "duration": duration_s, "chargingRateUnit": unit}
    return Said("GetCompositeSchedule", payload)


def _start_2(version: str, place: Place, card: Card, number: int) -> Said:
    payload = {
        "evseId": socketed(place.connector).evse,
        "remoteStartId": number,
        "idToken": id_token(card, version),
    }
    return Said("RequestStartTransaction", payload)


def _stop_2(transaction: TransactionId) -> Said:
    return Said("RequestStopTransaction", {"transactionId": str(transaction)})


def _unlock_2(place: Place) -> Said:
    evse, connector = socketed(place.connector)
    return Said("UnlockConnector", {"evseId": evse, "connectorId": connector})


def _reserve_2(version: str, hold: Hold) -> Said:
    group = {"groupIdToken": group_token(hold.parent_tag)} if hold.parent_tag else {}
    payload = {
        "id": hold.number,
        "expiryDateTime": hold.expiry,
        "idToken": id_token(hold.card, version),
        "evseId": socketed(hold.place.connector).evse,
        **group,
    }
    return Said("ReserveNow", payload)


def _limit_2(connector: int, transaction: TransactionId, number: int, limits: Limits) -> Said:
    evse = socketed(connector).evse
    return Said("SetChargingProfile", profiles.tx_profile_2(evse, str(transaction), number, limits))


def _unlimit_2(number: int) -> Said:
    return Said("ClearChargingProfile", {"chargingProfileId": number})


def _limits_2(connector: int, duration_s: int, unit: str) -> Said:
    payload = {"duration": duration_s, "chargingRateUnit": unit, "evseId": socketed(connector).evse}
    return Said("GetCompositeSchedule", payload)


def _of_2(version: str) -> Phrases:
    return Phrases(
        start=partial(_start_2, version),
        stop=_stop_2,
        unlock=_unlock_2,
        reserve=partial(_reserve_2, version),
        cancel=_cancel,
        limit=_limit_2,
        unlimit=_unlimit_2,
        limits=_limits_2,
    )


PHRASES: Final[Mapping[str, Phrases]] = {
    "1.6": Phrases(
        start=_start_16,
        stop=_stop_16,
        unlock=_unlock_16,
        reserve=_reserve_16,
        cancel=_cancel,
        limit=_limit_16,
        unlimit=_unlimit_16,
        limits=_limits_16,
    ),
    "2.0.1": _of_2("2.0.1"),
    "2.1": _of_2("2.1"),
}

COMMANDS: Final[Mapping[str, str]] = {
    "RemoteStartTransaction": "START_SESSION",
    "RequestStartTransaction": "START_SESSION",
    "RemoteStopTransaction": "STOP_SESSION",
    "RequestStopTransaction": "STOP_SESSION",
    "ReserveNow": "RESERVE_NOW",
    "CancelReservation": "CANCEL_RESERVATION",
    "UnlockConnector": "UNLOCK_CONNECTOR",
}
"""Action of any version -> the command of OCPI that it carries out."""
