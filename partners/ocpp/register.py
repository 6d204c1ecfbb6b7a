"""The register of stations: what the operator says of each (`Station`), and what we learn from it (`Learned`).

Two documents a station, since two processes write them: the API the first, the gateway the second. OCPP 1.6 knows
connectors and no EVSEs; `places` says which EVSE and connector of OCPI each of its connectors is:

    evses: {"1": {"evse_uid": "E1", "connectors": {"1": "A"}}}              OCPP connector 1 is E1, connector A
    evses: {"1": {"evse_uid": "E1", "connectors": {"1": "A", "2": "B"}}}    OCPP connectors 1 and 2 are both E1

With one connector its OCPP number is that of the EVSE entry, with several the numbers are those of the connectors. A
station of 2.x (`protocol`) has EVSEs of its own: the entries are numbered as its EVSEs, the connectors as it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.ports import Place
from hub.core.settings import Settings
from hub.core.store import Store
from hub.core.units import ANY, Kind, Put
from partners.ocpp.numbering import number_of
from partners.ocpp.status import Switches as StatusSwitches

STATIONS: Final = Kind("stations", columns=("location",))
LEARNED: Final = Kind("stations_learned")

PROTOCOLS: Final = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}
"""Subprotocol -> version that we speak over it."""
MOST_STATIONS: Final = 1_000_000
_IDENTITY: Final = re.compile(r"[^\x00-\x1f\x7f/:]{1,48}")


class Password(msgspec.Struct, frozen=True):
    """What is kept of a password; see `passwords.py`."""

    scheme: Literal["keyed", "argon2"]
    value: str


class EvseEntry(msgspec.Struct, frozen=True):
    """One EVSE of a station: its uid in OCPI, and OCPI's connector id for each OCPP connector."""

    evse_uid: str
    connectors: dict[str, str]


class Switches(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one station differs. `compression`: None is the setting's; `assume_protocol`: it sends no such header."""

    preparing_is_available: bool = False
    finishing_is_blocked: bool = False
    unavailable_is_outoforder: bool = False
    assume_protocol: str = ""
    compression: bool | None = None
    local_list: bool = False
    """Its local authorization list is kept in step with the tokens of eMSPs."""

    @property
    def of_status(self) -> StatusSwitches:
        return StatusSwitches(
            preparing_is_available=self.preparing_is_available,
            finishing_is_blocked=self.finishing_is_blocked,
            unavailable_is_outoforder=self.unavailable_is_outoforder,
        )


class Maintenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Out of service to partners since then; `evses` are uids, none for all. See `maintenance.py`."""

    since: datetime
    note: str = ""
    evses: tuple[str, ...] = ()
    by: str = ""


class Commissioning(msgspec.Struct, frozen=True, omit_defaults=True):
    """It is put into service since then. `evses`: uids that partners are not shown before that is `done`.

    `skipped`: steps that its operator does without. See `commissioning.py`.
    """

    since: datetime
    by: str = ""
    evses: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    done: datetime | None = None


class Station(msgspec.Struct, frozen=True, omit_defaults=True):
    """A charger as its operator registered it. `location` is the key of one of our locations (`DE*BSB/LOC1`)."""

    identity: str
    location: str = ""
    evses: dict[str, EvseEntry] = {}
    protocol: str = "ocpp1.6"
    security_profile: int = 1
    password: Password | None = None
    previous_password: Password | None = None
    """Valid until the first login with `password`."""
    switches: Switches = Switches()
    maintenance: Maintenance | None = None
    commissioning: Commissioning | None = None

    @property
    def is_configured(self) -> bool:
        """Does it know where it stands? Until then it is told to wait (BootNotification: Pending)."""
        return bool(self.location and self.evses)

    @property
    def has_evses(self) -> bool:
        """Does it speak of EVSEs and their connectors (2.x), or of connectors alone?"""
        return self.protocol != "ocpp1.6"

    @property
    def is_for_everybody(self) -> bool:
        """May partners' drivers charge at each of its EVSEs?"""
        now = self.commissioning
        return self.maintenance is None and (now is None or now.done is not None or not now.evses)

    def places(self) -> dict[int, Place]:
        """The place of each OCPP connector, by its number (`numbering.py`)."""
        found: dict[int, Place] = {}
        for number, evse in self.evses.items():
            alone = len(evse.connectors) == 1
            for own, connector_id in evse.connectors.items():
                connector = number_of(int(number), int(own)) if self.has_evses else int(number if alone else own)
                found[connector] = Place(self.identity, connector, self.location, evse.evse_uid, connector_id)
        return found


class Learned(msgspec.Struct, omit_defaults=True):
    """What a station told of itself, and what we found out. `progress`: last word of firmware, logs, diagnostics.

    `behind_maintenance`: by uid, the OCPI status that each EVSE in maintenance would have without; `evse_display.py`.
    """

    identity: str
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    booted_at: datetime | None = None
    features: tuple[str, ...] | None = None
    not_supported: tuple[str, ...] = ()
    configuration: dict[str, str] = {}
    progress: dict[str, str] = {}
    inventory_of: str | None = None
    """The firmware whose device model (2.x) is on record."""
    behind_maintenance: dict[str, str] = {}


def folded(identity: str) -> str:
    """The form in which two spellings of one identity are equal (rule R16)."""
    return identity.casefold()


def url_of(station: Station, settings: Settings) -> str:
    """What is to be entered in the charger as the address of its back end."""
    return f"{settings.chargers_url(secure=station.security_profile >= 2)}/{quote(station.identity, safe='')}"


def parsed(identity: str, tree: Tree, *, party: str, profile: int) -> Station:
    """A station from the operator's JSON; passwords are not read here. Raises: InvalidRequest."""
    if not _IDENTITY.fullmatch(identity):
        raise InvalidRequest("a station's identity has 1 to 48 characters, no slash and no colon")
    known = {"location", "evses", "protocol", "security_profile", "switches"}
    _no_other(tree, {*known, "password"}, "")
    _no_other(tree.get("switches"), Switches.__struct_fields__, "switches/")
    entries = tree.get("evses")
    for number, entry in entries.items() if isinstance(entries, dict) else ():
        _no_other(entry, EvseEntry.__struct_fields__, f"evses/{number}/")
    given = {name: value for name, value in tree.items() if name in known and value is not None}
    try:
        station = msgspec.convert({"security_profile": profile, **given, "identity": identity}, Station)
        places = station.places()
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidRequest(f"not a station: {error}") from None
    if station.protocol not in PROTOCOLS:
        raise InvalidRequest(f"/protocol: is one of {', '.join(PROTOCOLS)}")
    if station.switches.assume_protocol not in ("", *PROTOCOLS):
        raise InvalidRequest(f"/switches/assume_protocol: is one of {', '.join(PROTOCOLS)}, or empty")
    if station.security_profile not in (0, 1, 2, 3):
        raise InvalidRequest("security_profile is 0, 1, 2 or 3")
    if any(number < 1 for number in places) or len(places) != sum(len(e.connectors) for e in station.evses.values()):
        raise InvalidRequest("each OCPP connector has a number of its own, from 1 on")
    if len({(place.evse_uid.upper(), place.connector_id.upper()) for place in places.values()}) != len(places):
        raise InvalidRequest("two OCPP connectors cannot be the same connector of one EVSE")
    if station.location and "/" not in station.location:
        station = msgspec.structs.replace(station, location=f"{party}/{station.location.upper()}")
    return station


def must_serve_alone(station: Station, places_of: Callable[[str], Sequence[Place]]) -> None:
    """An EVSE has one charger: two would report over one another. Raises: InvalidRequest.

    `places_of` answers the places of an EVSE uid that are taken.
    """
    for number, entry in station.evses.items():
        for place in places_of(entry.evse_uid):
            if place.location == station.location and folded(place.station) != folded(station.identity):
                raise InvalidRequest(
                    f"/evses/{number}/evse_uid: {entry.evse_uid} of {station.location} is served by charger "
                    f"{place.station}; to move it, first give {place.station} other evses, or delete it "
                    f"(busbar station delete {place.station})"
                )


def _no_other(tree: object, known: Collection[str], where: str) -> None:
    """A field that nobody reads is a slip, and is told. Raises: InvalidRequest."""
    unknown = next((name for name in tree if name not in known), None) if isinstance(tree, dict) else None
    if unknown is not None:
        raise InvalidRequest(f"/{where}{unknown}: a station has no such field; there are {', '.join(sorted(known))}")


def put_of(station: Station, *, expect: int = ANY) -> Put:
    """The write of a registration."""
    body = msgspec.json.encode(station)
    return Put(STATIONS, folded(station.identity), body, columns=(station.location,), expect=expect)


def learned_put(learned: Learned) -> Put:
    """The write of what was learned."""
    return Put(LEARNED, folded(learned.identity), msgspec.json.encode(learned))


async def learned_of(store: Store, identity: str) -> Learned:
    """What one station told, as it is on record."""
    document = await store.get(LEARNED, folded(identity))
    return msgspec.json.decode(document.body, type=Learned) if document is not None else Learned(identity)


async def without_password(store: Store) -> list[str]:
    """The identities of all stations of security profile 0: over plain websockets, and without a password."""
    documents = await store.select(STATIONS, limit=MOST_STATIONS)
    stations = [msgspec.json.decode(document.body, type=Station) for document in documents]
    return sorted(station.identity for station in stations if station.security_profile == 0)


async def load(store: Store) -> tuple[list[Station], dict[str, Learned]]:
    """All registrations, and what was learned, by folded identity."""
    stations = await store.select(STATIONS, limit=MOST_STATIONS)
    learned = await store.select(LEARNED, limit=MOST_STATIONS)
    return (
        [msgspec.json.decode(document.body, type=Station) for document in stations],
        {document.key: msgspec.json.decode(document.body, type=Learned) for document in learned},
    )
