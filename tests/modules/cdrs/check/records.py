"""CDRs of other networks, as they come over the wire: true ones, which the mistakes are then made in.

The amounts are written out, not priced: who reads a test can follow them with a pencil.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from hub.core.types import parse_datetime
from modules.cdrs.check import Claim, Result, check
from modules.cdrs.wire import CDR
from tests.world import VERSIONS

BERLIN = "Europe/Berlin"
OWNER = {"country_code": "BE", "party_id": "AAA"}
LATER = VERSIONS[1:]
"""The versions with parts of the total, taxes, limits and reservations."""


def component(kind: str, price: str, step: int = 1, vat: str | None = "19") -> dict[str, Any]:
    tree = {"type": kind, "price": Decimal(price), "step_size": step}
    return tree if vat is None else {**tree, "vat": Decimal(vat)}


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {"price_components": list(components)}
    return {**tree, "restrictions": restrictions} if restrictions else tree


def tariff(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A tariff in our form."""
    return {
        **OWNER,
        "id": "T1",
        "currency": "EUR",
        "tax_included": "NO",
        "elements": list(elements),
        "last_updated": "2026-05-01T00:00:00Z",
        **more,
    }


def period(start: str, tariff_id: str | None = None, **volumes: str) -> dict[str, Any]:
    """A period from `start`, HH:MM[:SS] UTC on Monday 2026-05-04 or a whole timestamp; `energy="10"` and so on."""
    dimensions = [{"type": name.upper(), "volume": Decimal(volume)} for name, volume in volumes.items()]
    tree = {"start_date_time": moment(start), "dimensions": dimensions}
    return tree if tariff_id is None else {**tree, "tariff_id": tariff_id}


def moment(text: str) -> str:
    if "T" in text:
        return text
    return f"2026-05-04T{text if text.count(':') == 2 else text + ':00'}Z"


def price(excl: str, incl: str | None = None) -> dict[str, Any]:
    """A Price in our form, with one tax between the two amounts."""
    if incl is None:
        return {"before_taxes": Decimal(excl)}
    return {"before_taxes": Decimal(excl), "taxes": [{"name": "VAT", "amount": Decimal(incl) - Decimal(excl)}]}


def cdr(tariffs: list[dict[str, Any]], periods: list[dict[str, Any]], end: str, **fields: Any) -> dict[str, Any]:
    """A CDR in our form. Costs are given as `energy=("10.00", "11.90")`; hours and kWh follow from the periods."""
    start = periods[0]["start_date_time"]
    costs = {name: price(*fields.pop(name)) for name in list(fields) if isinstance(fields[name], tuple)}
    total = costs.pop("total")
    return {
        **OWNER,
        "id": "CDR1",
        "start_date_time": start,
        "end_date_time": moment(end),
        "session_id": "S1",
        "cdr_token": {"country_code": "NL", "party_id": "EEE", "uid": "CARD1", "type": "RFID", "contract_id": "C1"},
        "auth_method": "WHITELIST",
        "cdr_location": PLACE,
        "currency": "EUR",
        "tariffs": tariffs,
        "charging_periods": periods,
        "total_cost": total,
        **{f"total_{name}_cost": cost for name, cost in costs.items()},
        "total_energy": volume(periods, "ENERGY"),
        "total_time": hours(start, moment(end)),
        "total_parking_time": volume(periods, "PARKING_TIME"),
        "last_updated": moment(end),
        **fields,
    }


PLACE = {
    "id": "PLACE1",
    "name": "Gent Zuid",
    "address": "F.Rooseveltlaan 3A",
    "city": "Gent",
    "postal_code": "9000",
    "country": "BEL",
    "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
    "evse_uid": "3256",
    "evse_id": "BE*AAA*E041503003",
    "connector_id": "1",
    "connector_standard": "IEC_62196_T2",
    "connector_format": "SOCKET",
    "connector_power_type": "AC_3_PHASE",
}


def volume(periods: list[dict[str, Any]], kind: str) -> Decimal:
    found = [d["volume"] for p in periods for d in p["dimensions"] if d["type"] == kind]
    return sum(found, Decimal(0))


def hours(start: str, end: str) -> Decimal:
    seconds = (parse_datetime(end) - parse_datetime(start)).total_seconds()
    return (Decimal(int(seconds)) / 3600).quantize(Decimal("0.0001"))


def wired(tree: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The CDR as a partner of `version` writes it."""
    return CDR[version].write(tree)[0]


def read(tree: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The CDR as we have it, after it came over the wire of `version`."""
    return CDR[version].read(wired(tree, version), given=OWNER).tree()


def checked(tree: Mapping[str, Any], version: str = "2.2.1", *, zone: str | None = BERLIN, **more: Any) -> Result:
    return check(Claim(cdr=read(tree, version), version=version, time_zone=zone, **more))


def but(tree: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with other fields; costs as in `cdr`."""
    copy = deepcopy(dict(tree))
    for name, value in changes.items():
        is_cost = isinstance(value, tuple)
        copy["total_cost" if name == "total" else f"total_{name}_cost" if is_cost else name] = (
            price(*value) if is_cost else value
        )
    return copy
