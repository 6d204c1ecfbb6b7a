"""Sessions of other CPOs, as they come over the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from modules.sessions.wire import SESSION
from tests.world import location, stored_token

AT = "2026-05-04T10:00:00Z"


def a_session(version: str, owner: str = "BE*AAA", driver: str = "NL*EEE", **changes: Any) -> dict[str, Any]:
    """A session of `owner` by a driver of `driver`, as a CPO of `version` writes it."""
    return SESSION[version].write(in_our_form(owner, driver, **changes), context={"location": their_place(owner)})[0]


def in_our_form(owner: str = "BE*AAA", driver: str = "NL*EEE", **changes: Any) -> dict[str, Any]:
    card = stored_token(driver)
    return {
        **_party(owner),
        "id": "S1",
        "start_date_time": AT,
        "kwh": Decimal(1),
        "cdr_token": {name: card[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")},
        "auth_method": "WHITELIST",
        "location_id": "PLACE1",
        "evse_uid": "E1",
        "connector_id": "1",
        "currency": "EUR",
        "charging_periods": [a_period(0)],
        "status": "ACTIVE",
        "last_updated": AT,
        **changes,
    }


def a_period(minute: int, kwh: str = "1") -> dict[str, Any]:
    """A charging period that begins `minute` minutes after ten."""
    return {
        "start_date_time": f"2026-05-04T10:{minute:02}:00Z",
        "dimensions": [{"type": "ENERGY", "volume": Decimal(kwh)}],
    }


def their_place(owner: str) -> dict[str, Any]:
    """PLACE1 of a CPO, with one EVSE."""
    now = {"last_updated": AT}
    place = location("PLACE1", evses=("E1",))
    for evse in place["evses"]:
        evse.update(now)
        for connector in evse["connectors"]:
            connector.update(now)
    return {**_party(owner), **place, **now}


def _party(owner: str) -> dict[str, Any]:
    country_code, party_id = owner.split("*")
    return {"country_code": country_code, "party_id": party_id}
