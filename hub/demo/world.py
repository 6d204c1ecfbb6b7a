"""What the demo is about: three providers, three tariffs, five locations with twenty chargers, and four drives.

Nobody but the demo knows these cards, places and parties; prices are before VAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from hub.core.inbound import parse
from hub.core.jsontypes import Tree

OWN_PARTY: Final = "DE*BSB"
TIME_ZONE: Final = "Europe/Berlin"
CHARGERS_PER_LOCATION: Final = 4
SPARE_STATION: Final = "MY-CHARGER"
SPARE_EVSE: Final = "E0505"

OCPP: Final = {"LOC2": "2.0.1", "LOC3": "2.1"}
"""What the chargers of a location speak; those of the others 1.6."""

AuthorizedBy = Literal["whitelist", "real_time", "refused", "command"]


@dataclass(frozen=True, slots=True)
class Card:
    """A driver's token at the provider. `pushed`: told to the hub one by one; else the hub pulls the list."""

    uid: str
    whitelist: str
    valid: bool = True
    pushed: bool = False
    kind: str = "RFID"


@dataclass(frozen=True, slots=True)
class Provider:
    """An eMSP, and the version that it speaks."""

    name: str
    version: str
    party: str
    cards: tuple[Card, ...]

    @property
    def label(self) -> str:
        """For eyes: `NL*EEE (2.2.1)`."""
        return f"{self.party} ({self.version})"

    @property
    def role(self) -> dict[str, str]:
        """As an invitation names it."""
        country_code, party_id = self.party.split("*")
        return {"role": "EMSP", "country_code": country_code, "party_id": party_id}


KNOWN: Final = Card("04A1B2C3D4E580", "ALLOWED", pushed=True)
LOST: Final = Card("04DEAD00C0FFEE", "ALLOWED", valid=False)
ASKED: Final = Card("04F1E2D3C4B590", "NEVER")
APP: Final = Card("APP-7Q2K9M", "NEVER", kind="OTHER")

PROVIDERS: Final = (
    Provider("emsp-ddd", "2.1.1", "BE*DDD", (APP,)),
    Provider("emsp-eee", "2.2.1", "NL*EEE", (KNOWN, LOST)),
    Provider("emsp-fff", "2.3.0", "AT*FFF", (ASKED,)),
)


@dataclass(frozen=True, slots=True)
class Drive:
    """One driver at one charger, and how the charge must come about. `idle_minutes`: full, and still plugged in."""

    number: int
    name: str
    title: str
    provider: str
    card: Card
    station: str
    evse_uid: str
    location: str
    authorized_by: AuthorizedBy
    kwh: float = 0.0
    minutes: float = 0.0
    idle_minutes: float = 0.0

    @property
    def is_refused(self) -> bool:
        return self.authorized_by == "refused"


DRIVES: Final = (
    Drive(1, "known_card", "card on the list", "emsp-eee", KNOWN, "CP01", "E0101", "LOC1", "whitelist", 18.4, 48, 21),
    Drive(2, "asked_card", "card asked for", "emsp-fff", ASKED, "CP06", "E0202", "LOC2", "real_time", 27.25, 62),
    Drive(3, "lost_card", "card reported lost", "emsp-eee", LOST, "CP15", "E0403", "LOC4", "refused"),
    Drive(4, "app", "app, no card", "emsp-ddd", APP, "CP09", "E0301", "LOC3", "command", 9.6, 31),
)

OICP_DRIVE: Final = Drive(
    *(5, "oicp_card", "card asked for over OICP", "emp-dcb", Card("04C0FFEE11D380", "NEVER"), "CP18", "E0502", "LOC5"),
    *("real_time", 12.5, 40),
)
"""The driver of the partner that speaks OICP."""

_SITES: Final = (
    ("LOC1", "Speicherstadt", "Am Sandtorkai 30", "Hamburg", "20457", "53.54430", "9.99320", "T-PARK"),
    ("LOC2", "Ostkreuz", "Marktstrasse 14", "Berlin", "10245", "52.50420", "13.46710", "T-DAY"),
    ("LOC3", "Alte Messe", "Deutscher Platz 4", "Leipzig", "04103", "51.32080", "12.39610", "T-ENERGY"),
    ("LOC4", "Hafenviertel", "Speicherstrasse 12", "Dortmund", "44147", "51.52800", "7.44600", "T-ENERGY"),
    ("LOC5", "Marktplatz", "Am Markt 2", "Bremen", "28195", "53.07600", "8.80720", "T-PARK"),
)


def tariffs(now: datetime) -> list[Tree]:
    """Energy; energy and parking; and one whose price changed half an hour before `now`, for ten hours."""
    changed = now.astimezone(ZoneInfo(TIME_ZONE)) - timedelta(minutes=30)
    begin = changed.replace(minute=changed.minute // 5 * 5)
    hours = f"{begin:%H:%M}", f"{begin + timedelta(hours=10):%H:%M}"
    text = _TARIFFS.replace("BEGIN", hours[0]).replace("END", hours[1])
    trees: list[Tree] = parse(text.encode(), limit=len(text) * 2)
    return trees


def locations() -> list[Tree]:
    """With their EVSEs, which have one connector each."""
    return [_location(number, *site) for number, site in enumerate(_SITES, 1)]


def stations() -> dict[str, tuple[str, str]]:
    """By identity: the location and the EVSE. CP01 to CP20; the spare one is not among them."""
    uids = [
        (site[0], evse_uid(number, place))
        for number, site in enumerate(_SITES, 1)
        for place in range(1, CHARGERS_PER_LOCATION + 1)
    ]
    return {f"CP{number:02d}": place for number, place in enumerate(uids, 1)}


def ocpp_at(location_id: str) -> str:
    """The version of OCPP of a location's chargers."""
    return OCPP.get(location_id, "1.6")


def evse_uid(site: int, place: int) -> str:
    return f"E{site:02d}{place:02d}"


def number_at(uid: str) -> int | None:
    """Of the drive that takes place at an EVSE."""
    return next((drive.number for drive in DRIVES if drive.evse_uid == uid), None)


def number_with(provider: str, card_uid: str | None = None) -> int | None:
    """Of the drive with a card; without one, of the drive by a provider's app."""
    mine = [drive for drive in DRIVES if drive.provider == provider]
    if card_uid is None:
        return next((drive.number for drive in mine if drive.authorized_by == "command"), None)
    return next((drive.number for drive in mine if drive.card.uid == card_uid), None)


def _location(
    number: int, location_id: str, name: str, address: str, city: str, code: str, north: str, east: str, tariff: str
) -> Tree:
    uids = [evse_uid(number, place) for place in range(1, CHARGERS_PER_LOCATION + 1)]
    if number == len(_SITES):
        uids.append(SPARE_EVSE)
    return {
        "id": location_id,
        "publish": True,
        "name": name,
        "address": address,
        "city": city,
        "postal_code": code,
        "country": "DEU",
        "coordinates": {"latitude": north, "longitude": east},
        "parking_type": "ON_STREET",
        "time_zone": TIME_ZONE,
        "evses": [_evse(uid, tariff) for uid in uids],
    }


def _evse(uid: str, tariff: str) -> Tree:
    return {
        "uid": uid,
        "evse_id": f"{OWN_PARTY}*{uid}",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [
            {
                "id": "1",
                "standard": "IEC_62196_T2",
                "format": "SOCKET",
                "power_type": "AC_3_PHASE",
                "max_voltage": 230,
                "max_amperage": 63,
                "max_electric_power": 43000,
                "tariff_ids": [tariff],
            }
        ],
    }


_TARIFFS: Final = """[
  {"id": "T-ENERGY", "currency": "EUR", "type": "REGULAR", "tax_included": "NO",
   "tariff_alt_text": [{"language": "en", "text": "0.45 a kWh"}],
   "elements": [{"price_components": [{"type": "ENERGY", "price": 0.45, "vat": 19, "step_size": 1}]}]},
  {"id": "T-PARK", "currency": "EUR", "type": "REGULAR", "tax_included": "NO",
   "tariff_alt_text": [{"language": "en", "text": "0.42 a kWh, and 6.00 an hour when the car is full"}],
   "elements": [{"price_components": [{"type": "ENERGY", "price": 0.42, "vat": 19, "step_size": 1},
                                      {"type": "PARKING_TIME", "price": 6.00, "vat": 19, "step_size": 60}]}]},
  {"id": "T-DAY", "currency": "EUR", "type": "REGULAR", "tax_included": "NO",
   "tariff_alt_text": [{"language": "en", "text": "0.39 a kWh from BEGIN to END, else 0.52"}],
   "elements": [{"price_components": [{"type": "ENERGY", "price": 0.39, "vat": 19, "step_size": 1}],
                 "restrictions": {"start_time": "BEGIN", "end_time": "END"}},
                {"price_components": [{"type": "ENERGY", "price": 0.52, "vat": 19, "step_size": 1}]}]}
]"""
