"""What a session or CDR costs, with the receipt; and whether what a CDR claims is so. Needs no hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from hub.control.asks import Ask
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Json, Tree
from modules.cdrs.model import ChargingPeriod
from modules.cdrs.wire import CDR
from modules.sessions.wire import SESSION
from modules.tariffs.pricing import Case, Money, Priced, price, receipt_of
from modules.tariffs.wire import TARIFF

_NEWEST: Final = "2.3.0"
_LONG_AGO: Final = "2015-01-01T00:00:00Z"
_ABSENT: Final[Mapping[str, Json]] = {"country_code": "XX", "party_id": "XXX", "last_updated": _LONG_AGO}
"""What a tariff or CDR need not say to be priced."""


class PriceAsked(Ask):
    """A CDR or a session, and the tariffs; without tariffs, those in the CDR. All in the form of `version`."""

    tariffs: tuple[dict[str, Any], ...] = ()
    cdr: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    time_zone: Annotated[str, Field(max_length=255)] | None = None
    version: Literal["2.1.1", "2.2.1", "2.3.0"] = _NEWEST


def quote(asked: PriceAsked) -> Tree:
    """The price, in parts, with its receipt, and the difference to what the CDR claims.

    Raises: InvalidRequest, PricingFault.
    """
    if (asked.cdr is None) == (asked.session is None):
        raise InvalidRequest("either a cdr or a session is needed")
    record = _record(asked)
    tariffs = [_tariff(tree, asked.version, at) for at, tree in enumerate(asked.tariffs)] or record.get("tariffs", [])
    if not tariffs:
        raise InvalidRequest("/tariffs: at least one is needed, or a CDR that holds them")
    case = Case(
        version=asked.version,
        time_zone=asked.time_zone or _zone(asked),
        tariffs=tariffs,
        start=record.get("start_date_time", ""),
        end=record.get("end_date_time") or record.get("last_updated", ""),
        periods=_periods(record),
    )
    priced = price(case)
    currency = record.get("currency") or tariffs[0]["currency"]
    receipt = receipt_of(priced, currency=currency)
    return {
        "currency": currency,
        **_figures(priced),
        "receipt": receipt,
        "warnings": receipt["warnings"],
        **_check(record.get("total_cost"), priced.total),
    }


def _record(asked: PriceAsked) -> Tree:
    """The CDR or session in our form. One that is ours already is taken as it is, whole or not."""
    tree: Tree = asked.cdr if asked.cdr is not None else asked.session or {}
    if asked.version == _NEWEST:
        return {**tree, "tariffs": [_tariff(t, _NEWEST, at) for at, t in enumerate(tree.get("tariffs") or ())]}
    wire = CDR[asked.version] if asked.cdr is not None else SESSION[asked.version]
    read: Tree = wire.read(tree, given={**_ABSENT, **tree}).tree()
    return read


def _tariff(tree: Tree, version: str, at: int) -> Tree:
    if not isinstance(tree, dict):
        raise InvalidRequest(f"/tariffs/{at}: must be an object")
    try:
        read: Tree = TARIFF[version].read({"id": "T", **_known(tree, version)}, given=_ABSENT).tree()
    except InvalidRequest as fault:
        raise InvalidRequest(f"/tariffs/{at}{fault.message}") from None
    return read


def _known(tree: Tree, version: str) -> Tree:
    """2.1.1 has no party in a tariff; the later ones have, and here it may be left out."""
    return {"last_updated": _LONG_AGO, **tree} if version == "2.1.1" else {**_ABSENT, **tree}


def _zone(asked: PriceAsked) -> str | None:
    """2.1.1 embeds the location, which says where it is."""
    location = (asked.cdr or asked.session or {}).get("location")
    zone = location.get("time_zone") if isinstance(location, dict) else None
    return zone if isinstance(zone, str) else None


def _periods(record: Tree) -> Sequence[Tree]:
    listed = record.get("charging_periods") or ()
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise InvalidRequest("/charging_periods: must be a list")
    return [_period(each, at) for at, each in enumerate(listed)]


def _period(tree: Json, at: int) -> Tree:
    try:
        return ChargingPeriod.model_validate(tree).tree()
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(step) for step in first["loc"])
        raise InvalidRequest(f"/charging_periods/{at}/{where}: {first['msg']}") from None


def _figures(priced: Priced) -> Tree:
    parts = {
        "energy": priced.energy,
        "time": priced.time,
        "parking": priced.parking,
        "fixed": priced.fixed,
        "reservation": priced.reservation,
    }
    return {
        "total": _money(priced.total),
        **{name: _money(part) for name, part in parts.items() if part is not None},
        "taxes": [{"rate": tax.rate, "amount": tax.amount} for tax in priced.taxes],
        "billed": asdict(priced.billed),
    }


def _money(amount: Money) -> Tree:
    return {"before_taxes": amount.excl, "after_taxes": amount.incl}


def _check(claimed: Json, total: Money) -> Tree:
    """What the CDR says it costs, against what it costs."""
    before = claimed.get("before_taxes") if isinstance(claimed, dict) else None
    if isinstance(before, bool) or not isinstance(before, int | Decimal):
        return {}
    difference = Decimal(before) - total.excl
    return {"check": {"claimed_before_taxes": before, "difference": difference, "agrees": not difference}}
