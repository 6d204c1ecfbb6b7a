"""Addresses and time zones: OCPI's one line and IANA names, OICP's street with its number and offsets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.countries import ALPHA_2, ALPHA_3
from hub.core.dialect.zones import zone_near
from hub.core.jsontypes import Tree
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.points import Point
from partners.oicp.mapping.terms import Notes, Terms

_BEHIND: Final = re.compile(r"(?P<street>.*[^\s,])[\s,]+(?P<number>\d[\w/.-]{0,9})")
_BEFORE: Final = re.compile(r"(?P<number>\d[\w/.-]{0,9})[\s,]+(?P<street>\S.*)")
_NO_NUMBER: Final = frozenset({"", "-", ".", "0", "n/a", "na", "null"})
_STREET: Final = (2, 100)
_CITY: Final = 45
_POSTAL_CODE: Final = 10
_REGION: Final = 45
_ADDRESS: Final = 255
_SEASONS: Final = (datetime(2025, 1, 1), datetime(2025, 7, 1))  # noqa: DTZ001 - local time, wherever that is
_OFFSET: Final = re.compile(r"UTC([+-])(\d{2}):(\d{2})", re.ASCII)


def said_address(location: Mapping[str, Any], evse: Mapping[str, Any], terms: Terms, notes: Notes) -> Tree:
    """OICP's Address."""
    street, number = _split(location["address"])
    tree: Tree = {
        "Country": location["country"],
        "City": location["city"],
        "Street": notes.cut(street, _STREET[1], "/address").ljust(_STREET[0], "_"),
        "PostalCode": _postal_code(location, terms, notes),
        "HouseNum": number or terms.house_number,
        "Floor": evse.get("floor_level"),
        "Region": location.get("state"),
        "TimeZone": standard_offset(location["time_zone"]),
    }
    if joined(tree, terms) != location["address"]:
        notes.lose("/address")
    notes.lose(*(f"/{name}" for name in ("city", "state") if location.get(name, "").strip() != location.get(name, "")))
    if zone_of(location["country"], Point.of(location["coordinates"]), terms) != location["time_zone"]:
        notes.lose("/time_zone")
    return {name: value for name, value in tree.items() if value}


def _postal_code(location: Mapping[str, Any], terms: Terms, notes: Notes) -> str:
    code = location.get("postal_code")
    if code and _read_postal_code(code, terms) != code:
        notes.lose("/postal_code")
    if not code:
        notes.warn("the location has no postal code: a placeholder is told")
    return code or terms.postal_code


def _read_postal_code(code: str, terms: Terms) -> str | None:
    code = code.strip()
    return code if 0 < len(code) <= _POSTAL_CODE and code != terms.postal_code else None


def _split(address: str) -> tuple[str, str]:
    """Street and number, which stands behind it in most countries, and before it in some."""
    match = _BEHIND.fullmatch(address.strip()) or _BEFORE.fullmatch(address.strip())
    return (match["street"], match["number"]) if match else (address.strip(), "")


def joined(address: Mapping[str, Any], terms: Terms) -> str:
    """OCPI's line for an Address."""
    number = str(address.get("HouseNum", "")).strip()
    has_number = number.lower() not in _NO_NUMBER and number != terms.house_number
    return f"{address.get('Street', '')} {number if has_number else ''}".strip(" _")


def read_address(record: Mapping[str, Any], point: Point, terms: Terms, notes: Notes) -> Tree:
    """The fields of a Location that tell its address. Raises: NotSayable, when the country is not known."""
    address = record.get("Address") or {}
    country = _country(str(address.get("Country", "")))
    tree: Tree = {
        "address": notes.cut(joined(address, terms), _ADDRESS, "/Address/Street") or "-",
        "city": notes.cut(str(address.get("City", "")).strip(), _CITY, "/Address/City") or "-",
        "postal_code": _read_postal_code(str(address.get("PostalCode", "")), terms),
        "state": notes.cut(str(address.get("Region", "")), _REGION, "/Address/Region") or None,
        "country": country,
        "time_zone": zone_of(country, point, terms),
    }
    notes.lose_all(address, ("ParkingFacility", "ParkingSpot"), "/Address")
    _compare_offsets(address.get("TimeZone"), tree["time_zone"], notes)
    if "-" in (tree["address"], tree["city"]):
        notes.warn("the address is not complete")
    return {name: value for name, value in tree.items() if value is not None}


def _country(code: str) -> str:
    folded = code.strip().upper()
    if folded in ALPHA_2:
        return folded
    if folded in ALPHA_3:
        return ALPHA_3[folded]
    raise NotSayable("the country of the place is not told")


def _compare_offsets(told: str | None, zone: str, notes: Notes) -> None:
    """An offset knows no summer: it says less than the name of a zone, and must agree with it."""
    if told and _OFFSET.fullmatch(told) and told != standard_offset(zone):
        notes.lose("/Address/TimeZone", warn=f"the offset that is told is not that of {zone}")


def zone_of(country: str, point: Point, terms: Terms) -> str:
    """IANA name of the zone of a place: as agreed, else that of the nearest town."""
    return terms.time_zone or _near(country, point)


@lru_cache(maxsize=65_536)
def _near(country: str, point: Point) -> str:
    return zone_near(country, point.latitude, point.longitude)


@lru_cache(maxsize=1024)
def standard_offset(zone: str) -> str:
    """`UTC+01:00`: how far the clocks of a zone are ahead when it is not summer there; "" for no zone."""
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    offsets = [found.utcoffset(moment) or timedelta() for moment in _SEASONS]
    minutes = int(min(offsets) / timedelta(minutes=1))
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
