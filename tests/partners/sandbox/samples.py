"""Objects as the specification describes them, for each version, and a hub reduced to a few requests."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx

from partners.sandbox.emsp import Emsp
from partners.sandbox.registration import Registration
from partners.sandbox.wire import encode

AT = "2026-05-04T10:00:00Z"
LATER = "2026-05-04T11:00:00Z"
OWNER = {"country_code": "BE", "party_id": "BEC"}
VERSIONS = ("2.1.1", "2.2.1", "2.3.0")


def connector(version: str) -> dict[str, Any]:
    power = {"voltage": 230, "amperage": 32} if version == "2.1.1" else {"max_voltage": 230, "max_amperage": 32}
    kind = {"standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE"}
    return {"id": "1", **kind, **power, "last_updated": AT}


def evse(version: str) -> dict[str, Any]:
    return {"uid": "3256", "status": "AVAILABLE", "connectors": [connector(version)], "last_updated": AT}


def location(version: str) -> dict[str, Any]:
    own = {"type": "ON_STREET"} if version == "2.1.1" else {**OWNER, "publish": True, "time_zone": "Europe/Brussels"}
    return {
        **own,
        "id": "LOC1",
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "postal_code": "9000",
        "country": "BEL",
        "coordinates": {"latitude": "51.047590", "longitude": "3.729940"},
        "evses": [evse(version)],
        "last_updated": AT,
    }


def tariff(version: str) -> dict[str, Any]:
    own: dict[str, Any] = {} if version == "2.1.1" else dict(OWNER)
    if version == "2.3.0":
        own["tax_included"] = "NO"
    component = {"type": "ENERGY", "price": Decimal("0.25"), "step_size": 1}
    elements = [{"price_components": [component]}]
    return {**own, "id": "T1", "currency": "EUR", "elements": elements, "last_updated": AT}


def period(energy: str, at: str = AT) -> dict[str, Any]:
    return {"start_date_time": at, "dimensions": [{"type": "ENERGY", "volume": Decimal(energy)}]}


def price(version: str, amount: str) -> Any:
    if version == "2.1.1":
        return Decimal(amount)
    return {"excl_vat" if version == "2.2.1" else "before_taxes": Decimal(amount)}


def bearer(version: str, token: Mapping[str, Any]) -> dict[str, Any]:
    if version == "2.1.1":
        return {"auth_id": token["auth_id"]}
    names = ("country_code", "party_id", "uid", "type", "contract_id")
    return {"cdr_token": {name: token[name] for name in names}}


def session(version: str, token: Mapping[str, Any]) -> dict[str, Any]:
    shared = {
        "id": "S1",
        "kwh": Decimal("1.5"),
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "status": "ACTIVE",
    }
    if version == "2.1.1":
        place = {"start_datetime": AT, "location": location(version)}
    else:
        place = {
            **OWNER,
            "start_date_time": AT,
            "location_id": "LOC1",
            "evse_uid": "3256",
            "connector_id": "1",
        }
    return {
        **shared,
        **place,
        **bearer(version, token),
        "charging_periods": [period("1.5")],
        "last_updated": AT,
    }


def cdr(version: str, token: Mapping[str, Any]) -> dict[str, Any]:
    shared = {
        "id": "CDR1",
        "start_date_time": AT,
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "charging_periods": [period("10")],
        "total_cost": price(version, "2.5"),
        "total_energy": Decimal(10),
        "total_time": Decimal(1),
        "last_updated": LATER,
    }
    if version == "2.1.1":
        return {**shared, **bearer(version, token), "stop_date_time": LATER, "location": location(version)}
    place = location(version)
    cdr_location = {
        **{name: place[name] for name in ("id", "address", "city", "postal_code", "country", "coordinates")},
        "evse_uid": "3256",
        "evse_id": "BE*BEC*E041503001",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    }
    return {**shared, **OWNER, **bearer(version, token), "end_date_time": LATER, "cdr_location": cdr_location}


class Peer:
    """A hub that is registered with the eMSP and keeps the manners of the version."""

    def __init__(self, emsp: Emsp, client: httpx.AsyncClient) -> None:
        self.emsp = emsp
        self.version = emsp.rules.version
        self._client = client
        self._ids = itertools.count(1)

    def headers(self) -> dict[str, str]:
        token = "hub-token"
        if self.version == "2.1.1":
            return {"Authorization": f"Token {token}"}
        return {
            "Authorization": f"Token {base64.b64encode(token.encode()).decode()}",
            "X-Request-ID": f"r{next(self._ids)}",
            "X-Correlation-ID": "c1",
            "OCPI-to-country-code": "NL",
            "OCPI-to-party-id": "EEE",
            "OCPI-from-country-code": "BE",
            "OCPI-from-party-id": "BEC",
        }

    async def send(
        self, method: str, path: str, tree: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request below our version; `headers` replaces the good ones."""
        given = dict(self.headers() if headers is None else headers)
        if tree is not None:
            given["Content-Type"] = "application/json"
        content = None if tree is None else tree if isinstance(tree, bytes) else encode(tree)
        url = f"/ocpi/{self.version}/{path}"
        return await self._client.request(method, url, headers=given, content=content)

    async def code(self, method: str, path: str, tree: Any = None) -> tuple[int, int]:
        """HTTP status and OCPI status code of the answer."""
        response = await self.send(method, path, tree)
        return response.status_code, response.json()["status_code"]


def agreed(emsp: Emsp, hub_url: str = "http://127.0.0.1:9") -> None:
    """As if a hub had registered. Its endpoints are below `hub_url`."""
    hub = {"role": "CPO", "country_code": "BE", "party_id": "BEC", "business_details": {"name": "Hub"}}
    modules = ("credentials", "locations", "tariffs", "sessions", "cdrs", "tokens", "commands")
    endpoints = {f"{module} ": f"{hub_url}/{module}" for module in modules}
    credentials = {"token": "our-token", "url": f"{hub_url}/versions", "roles": [hub]}
    accounts = emsp._accounts
    accounts.agree(Registration(credentials["url"], "hub-token", "our-token", credentials, endpoints))  # type: ignore[arg-type]


@asynccontextmanager
async def peer(version: str, **options: Any) -> AsyncIterator[Peer]:
    """An eMSP that runs inside the test, without sockets, and its hub."""
    emsp = Emsp(version, **options)
    agreed(emsp)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(emsp.app), base_url=emsp.url) as client:
            yield Peer(emsp, client)
    finally:
        await emsp.__aexit__(None, None, None)
