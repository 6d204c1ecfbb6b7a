"""Bookings 1.0, told as its differences from 1.1, which is our own form.

Both editions call themselves 2.3.0, so what comes is told apart by its field names: where one stands that only 1.0 has,
it is read as 1.0. We write 1.1, and `OLD` to partners that are marked so.

In 1.0 the EVSE, the connector and the parking space stand beside the option, a booking location lists its options, and
a request names no booking location (`NOT_NAMED`: it is found by its location and option).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hub.core.dialect import ABSENT, Convert, Dialect, Dialects, Loss, NotExpressible, Only, Trip, What, Wire, wires
from hub.core.jsontypes import Tree
from hub.core.types import CiString36, Flag, Many, OcpiModel
from modules.bookings.model import (
    AccessInformation,
    Booking,
    BookingLocation,
    BookingOption,
    BookingRequest,
    BookingTerms,
    Calendar,
    Period,
    Policy,
    Timeslot,
)
from modules.locations.model import ConnectorFormat, EVSEPosition, VehicleType

M = TypeVar("M", bound=OcpiModel)

VERSIONS: Final = ("2.3.0",)
"""The versions that have the module."""
OLD: Final = "bookings 1.0"
NOT_NAMED: Final = "#NA"

_BESIDE: Final = ("evse_uid", "connector_id", "parking_id")
_OPTIONS: Final = ("bookable_parking_option", "bookable_parking_options")
_ONLY_1_0: Final = frozenset(
    {*_OPTIONS, "bookable", "tariff_id", "access_methods"}
    | {"location_access", "RFID_auth_required", "start_from", "step_size", "restricted_to_type"}
)
"""Field names of 1.0 that 1.1 has nowhere."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_LONGEST_TABLE: Final = 32


def speaks_old(tree: Any, depth: int = 0) -> bool:
    """Is this an object, or a part of one, as 1.0 has it?"""
    if isinstance(tree, list):
        return any(speaks_old(item, depth + 1) for item in tree)
    if not isinstance(tree, dict) or depth > _LONGEST_TABLE:
        return False
    if not _ONLY_1_0.isdisjoint(tree) or (depth == 0 and not tree.keys().isdisjoint(_BESIDE)):
        return True
    return any(speaks_old(value, depth + 1) for value in tree.values())


def _first_of(value: Any, path: str, trip: Trip) -> Any:
    for at in range(1, len(value)):
        trip.lose(f"{path}/{at}", "our form has room for one")
    return value[0] if value else None


def _as_list(value: Any, path: str, trip: Trip) -> Any:
    return [value]


def _position(value: Any, path: str, trip: Trip) -> Any:
    """1.0 has room for one position, and asks for one format."""
    for at in range(1, len(value)):
        trip.lose(f"{path}/{at}", f"{OLD} has room for one")
    if not value:
        raise NotExpressible(f"{OLD} asks for one")
    return value[0]


_OPTION_DIALECT: Final = Dialect(
    called="BookableParkingOption",
    rename={
        "connector_format": "format",
        "min_parking_space_length": "parking_space_length",
        "min_parking_space_width": "parking_space_width",
    },
    by_hand=frozenset(_BESIDE),
    drop=frozenset({"connector_types", "power_types"}),
    add={"restricted_to_type": Flag | None},
    types={
        "evse_position": EVSEPosition | None,
        "vehicle_types": Many[VehicleType],
        "connector_format": ConnectorFormat | None,
    },
    convert={
        "evse_position": Convert(up=_as_list, down=_position),
        "connector_format": Convert(up=_as_list, down=_position),
    },
)
_OPTION: Final = wires(BookingOption, {BookingOption: {OLD: _OPTION_DIALECT}}, (OLD,))[OLD]


def _option_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    """The option and what stands beside it become one; of several options the first counts.

    Raises: NotExpressible, for a PATCH that removes some of it: what stays would be told as well.
    """
    if trip.part and any(theirs.get(name, ABSENT) in (None, []) for name in (*_BESIDE, *_OPTIONS)):
        raise NotExpressible("what goes of an option is told with the whole object")
    listed = theirs.get("bookable_parking_options")
    at = f"{path}/bookable_parking_options/0" if listed else f"{path}/bookable_parking_option"
    chosen = _first_of(listed or [theirs.get("bookable_parking_option")], f"{path}/bookable_parking_options", trip)
    losses: list[Loss] = []
    option = _OPTION.read(chosen, losses=losses).tree() if chosen else {}
    for pointer, reason in losses:
        trip.lose(f"{at}{pointer}", reason)
    option |= {name: theirs[name] for name in _BESIDE if theirs.get(name) is not None}
    if option:
        ours["booking_option"] = option
    elif chosen is not None:
        trip.lose(at, "it says nothing")


def _option_down(field: str) -> Any:
    def down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
        option = ours.get("booking_option")
        if not option:
            return
        theirs |= {name: option[name] for name in _BESIDE if name in option}
        rest = {name: value for name, value in option.items() if name not in _BESIDE}
        if rest:
            written, losses = _OPTION.write(rest)
            for pointer, reason in losses:
                trip.lose(f"{path}/booking_option{pointer}", reason)
            if written:
                theirs[field] = [written] if field.endswith("s") else written

    return down


_ACCESS: Final = Only(
    ("OPEN", "TOKEN", "LICENSE_PLATE", "ACCESS_CODE", "INTERCOM", "PARKING_TICKET"), called="LocationAccess"
)
_TERMS_DIALECT: Final = Dialect(
    rename={"rfid_auth_required": "RFID_auth_required"},
    drop=frozenset({"min_booking_duration", "max_booking_duration"}),
    values={"supported_access_methods": _ACCESS},
)
_TERMS: Final = wires(BookingTerms, {BookingTerms: {OLD: _TERMS_DIALECT}}, (OLD,))[OLD]


def _place_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    """1.0 has a list of terms; the first counts."""
    _option_up(theirs, ours, path, trip)
    chosen = _first_of(theirs.get("booking_terms") or [], f"{path}/booking_terms", trip)
    if chosen:
        losses: list[Loss] = []
        ours["booking_terms"] = _TERMS.read(chosen, losses=losses).tree()
        for pointer, reason in losses:
            trip.lose(f"{path}/booking_terms{pointer}", reason)


def _place_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    _option_down("bookable_parking_options")(ours, theirs, path, trip)
    if ours.get("booking_terms"):
        written, losses = _TERMS.write(ours["booking_terms"])
        for pointer, reason in losses:
            trip.lose(f"{path}/booking_terms{pointer}", reason)
        theirs["booking_terms"] = [written]


def _request_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    _option_up(theirs, ours, path, trip)
    if not trip.part:
        ours.setdefault("booking_location_id", NOT_NAMED)


_BESIDE_FORMS: Final[Mapping[str, Any]] = dict.fromkeys(_BESIDE, CiString36 | None)
_ONE_OPTION: Final = {**_BESIDE_FORMS, "bookable_parking_option": BookingOption | None}
_ONE: Final = (What.LOST, "bookings 1.1 has room for one")
_TOLD: Final = {
    "bookable_parking_option": (What.REWRITTEN, "without what only bookings 1.0 has"),
    "bookable_parking_options": _ONE,
}
_SLOT: Final = {"start_date_time": "start_from", "end_date_time": "end_before"}

DIALECTS: Final[Dialects] = {
    BookingOption: {OLD: _OPTION_DIALECT},
    AccessInformation: {
        OLD: Dialect(called="AccessMethod", rename={"method": "location_access"}, values={"method": _ACCESS})
    },
    Policy: {OLD: Dialect(called="Bookable")},
    Period: {OLD: Dialect(rename=_SLOT)},
    Timeslot: {OLD: Dialect(rename=_SLOT)},
    Calendar: {OLD: Dialect(rename={"timeslot_increment": "step_size"})},
    BookingTerms: {OLD: _TERMS_DIALECT},
    BookingRequest: {
        OLD: Dialect(
            by_hand=frozenset({"booking_option"}),
            drop=frozenset({"booking_location_id", "access_information"}),
            add=_ONE_OPTION,
            up=_request_up,
            told_up=_TOLD,
            down=_option_down("bookable_parking_option"),
        )
    },
    BookingLocation: {
        OLD: Dialect(
            rename={"policy": "bookable", "tariff_ids": "tariff_id"},
            by_hand=frozenset({"booking_option", "booking_terms"}),
            add={
                **_BESIDE_FORMS,
                "bookable_parking_options": Many[BookingOption],
                "booking_terms": Many[BookingTerms],
            },
            up=_place_up,
            told_up={**_TOLD, "booking_terms": _ONE},
            down=_place_down,
        )
    },
    Booking: {
        OLD: Dialect(
            rename={"tariff_ids": "tariff_id", "access_information": "access_methods"},
            by_hand=frozenset({"booking_option"}),
            add=_ONE_OPTION,
            up=_option_up,
            told_up=_TOLD,
            down=_option_down("bookable_parking_option"),
        )
    },
}


class EitherEdition(Wire[M]):
    """Reads both editions, and writes 1.1."""

    def __init__(self, model: type[M]) -> None:
        super().__init__(model, VERSIONS[0], DIALECTS)
        self.old = Wire(model, OLD, DIALECTS)
        """Of 1.0 alone."""

    def read(self, tree: Any, *, given: Mapping[str, Any] = _NOTHING, losses: list[Loss] | None = None) -> M:
        """See `Wire.read`."""
        if speaks_old(tree):
            return self.old.read(tree, given=given, losses=losses)
        return super().read(tree, given=given, losses=losses)

    def read_patch(self, tree: Any, *, losses: list[Loss] | None = None) -> Tree:
        """See `Wire.read_patch`. Parts of `booking_option` and `booking_terms` are parts: the examples send such."""
        if speaks_old(tree):
            return self.old.read_patch(tree, losses=losses)
        inner = {name: tree[name] for name in PARTS if isinstance(tree, dict) and isinstance(tree.get(name), dict)}
        if not inner:
            return super().read_patch(tree, losses=losses)
        part = super().read_patch({name: value for name, value in tree.items() if name not in inner}, losses=losses)
        return {**part, **{name: PARTS[name].read_patch(value) for name, value in inner.items()}}


PARTS: Final[Mapping[str, Wire[Any]]] = {
    "booking_option": Wire(BookingOption, VERSIONS[0], {}),
    "booking_terms": Wire(BookingTerms, VERSIONS[0], {}),
}
"""Fields of which a PATCH may change a part."""


def _both(model: type[M]) -> Mapping[str, EitherEdition[M]]:
    return MappingProxyType({VERSIONS[0]: EitherEdition(model)})


BOOKING: Final = _both(Booking)
BOOKING_REQUEST: Final = _both(BookingRequest)
BOOKING_LOCATION: Final = _both(BookingLocation)
CALENDAR: Final = _both(Calendar)
