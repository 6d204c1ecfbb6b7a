"""The objects that are measured with: of ordinary size, nobody's data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

OWNER = "DE*BSB"
PARTY = "NL*EEE"
EVSES_A_LOCATION = 2
_AT = "2026-01-01T00:00:00Z"


def location(number: int) -> dict[str, Any]:
    """A location of two EVSEs with two connectors each: 3.3 KB as OCPI 2.2.1."""
    return {
        "id": f"LOC{number:05d}",
        "publish": True,
        "name": f"Charging hub Musterstrasse {number}",
        "address": f"Musterstrasse {number}",
        "city": "Musterstadt",
        "postal_code": "10115",
        "state": "Berlin",
        "country": "DEU",
        "coordinates": {"latitude": f"52.{number:06d}", "longitude": f"13.{number:06d}"},
        "parking_type": "PARKING_LOT",
        "evses": [_evse(number, at) for at in range(1, EVSES_A_LOCATION + 1)],
        "directions": [
            {"language": "de", "text": "Einfahrt hinter dem Supermarkt, dann links an der Schranke vorbei."},
            {"language": "en", "text": "Enter behind the supermarket, then keep left after the barrier."},
        ],
        "operator": _company("Busbar Operations"),
        "owner": _company("Busbar Real Estate"),
        "facilities": ["SUPERMARKET", "CAFE", "WIFI"],
        "time_zone": "Europe/Berlin",
        "opening_times": {
            "twentyfourseven": False,
            "regular_hours": [{"weekday": day, "period_begin": "06:00", "period_end": "22:00"} for day in range(1, 7)],
        },
        "charging_when_closed": True,
        "images": [_image("location", number)],
        "energy_mix": {
            "is_green_energy": True,
            "energy_sources": [{"source": "WIND", "percentage": 60}, {"source": "SOLAR", "percentage": 40}],
            "supplier_name": "Green Energy Supplier",
            "energy_product_name": "Wind and Sun",
        },
    }


def _company(name: str) -> dict[str, Any]:
    return {"name": name, "website": "https://www.example.com/about", "logo": _image("logo", 1)}


def _image(what: str, number: int) -> dict[str, Any]:
    return {
        "url": f"https://img.example.com/{what}/{number}.png",
        "thumbnail": f"https://img.example.com/{what}/{number}_small.png",
        "category": "OPERATOR",
        "type": "png",
        "width": 512,
        "height": 512,
    }


def _evse(number: int, at: int) -> dict[str, Any]:
    return {
        "uid": f"E{number:05d}-{at}",
        "evse_id": f"DE*BSB*E{number:05d}*{at}",
        "status": "AVAILABLE",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE", "UNLOCK_CAPABLE"],
        "connectors": [_connector("1", "IEC_62196_T2"), _connector("2", "IEC_62196_T2_COMBO")],
        "floor_level": "-1",
        "physical_reference": f"P{at:02d}",
        "coordinates": {"latitude": f"52.{number:06d}", "longitude": f"13.{number:06d}"},
        "parking_restrictions": ["EV_ONLY", "PLUGGED"],
        "last_updated": _AT,
    }


def _connector(name: str, standard: str) -> dict[str, Any]:
    return {
        "id": name,
        "standard": standard,
        "format": "CABLE",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "tariff_ids": ["T1", "T2"],
        "terms_and_conditions": "https://www.example.com/terms",
        "last_updated": _AT,
    }


def token(number: int, second: int) -> bytes:
    """A token of PARTY as OCPI 2.2.1, last changed in that second of a day."""
    return (
        b'{"country_code":"NL","party_id":"EEE","uid":"%s","type":"RFID","contract_id":"NL-EEE-C%08d-X",'
        b'"visual_number":"DF000-2001-%08d-1","issuer":"Example Mobility","group_id":"GROUP%06d","valid":true,'
        b'"whitelist":"ALLOWED","language":"nl","default_profile_type":"GREEN","last_updated":"%s"}'
    ) % (uid(number), number, number, number % 1_000, _moment(second))


def session(number: int, second: int) -> bytes:
    """A session of BE*CPO by a driver of PARTY as OCPI 2.2.1, last changed in that second of a day."""
    return (
        b'{"country_code":"BE","party_id":"CPO","id":"S%d","start_date_time":"2026-01-01T00:00:00Z","kwh":%d.%03d,'
        b'"cdr_token":{"country_code":"NL","party_id":"EEE","uid":"%s","type":"RFID","contract_id":"NL-EEE-C%08d-X"},'
        b'"auth_method":"WHITELIST","location_id":"PLACE%d","evse_uid":"E%d","connector_id":"1","currency":"EUR",'
        b'"charging_periods":[{"start_date_time":"2026-01-01T00:00:00Z","dimensions":[{"type":"ENERGY","volume":%d.%03d}]}],'
        b'"status":"ACTIVE","last_updated":"%s"}'
    ) % (number, second, number % 1_000, uid(number), number, number, number, second, number % 1_000, _moment(second))


def uid(number: int) -> bytes:
    """Fourteen hexadecimal digits, as cards have."""
    return b"%014X" % (0x04A2B3C4000000 + number)


def _moment(second: int) -> bytes:
    days, rest = divmod(second, 86_400)
    hours, rest = divmod(rest, 3_600)
    return b"2026-%02d-%02dT%02d:%02d:%02dZ" % (1 + days // 28, 1 + days % 28, hours, rest // 60, rest % 60)


def newer_tokens(how_many: int) -> Iterator[tuple[int, bytes]]:
    """Tokens one after the other, over and over, each newer than it was the time before."""
    for turn in count():
        for number in range(how_many):
            yield number, token(number, turn)
