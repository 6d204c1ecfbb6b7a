"""What the tariffs of 2.1.1 and 2.2.1 do not have (mod_tariffs).

No price is told that is another one: an element for reservations goes whole where the version cannot say so, and a
tariff whose price depends on current, or has a tax inside of which nobody knows how much, is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any, Final

from hub.core.dialect import Dialect, Dialects, NotExpressible, Trip, What, wires
from hub.core.jsontypes import Tree
from hub.core.types.markers import exact
from modules.locations.wire import DIALECTS as LOCATION_DIALECTS
from modules.tariffs.model import PriceComponent, Tariff, TariffElement, TariffRestrictions

INCOMPLETE: Final = {
    "language": "en",
    "text": "This tariff has further conditions that cannot be shown here. Ask your provider for the full price.",
}
_WHOLE: Final = frozenset({"elements", "tax_included", "min_price", "max_price", "tariff_alt_text"})
"""What of an approximate tariff depends on the rest of it (`INCOMPLETE`)."""
_Change = Callable[[Mapping[str, Any], str, Trip], Mapping[str, Any]]
_SMALLEST: Final = Decimal("0.0001")
"""OCPI types_number_type. Partners refuse what is finer, and the CDR with it."""
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_UP)
"""Room for any price that is read."""
EXACT: Final = "sent without tax"
ROUNDED: Final = "sent without tax, rounded to the four decimals of OCPI"
_CURRENT: Final = ("min_current", "max_current")
_BOOKING: Final = "booking"
"""The condition that the bookings edition of 2.3.0 adds; it is an unknown field of ours, which would pass."""


def _net(tariff: Mapping[str, Any], path: str, trip: Trip) -> Mapping[str, Any]:
    """Prices of 2.1.1 and 2.2.1 are without tax: take it off, where each price says how much it is."""
    if trip.part and not _WHOLE.isdisjoint(tariff):
        raise NotExpressible("the prices of a tariff, and what is said of them, are sent with the whole tariff")
    if tariff.get("tax_included") == "N/A":
        trip.lose(f"{path}/tax_included", "N/A is sent as prices without tax")
        return _of_components(tariff, path, trip, _untaxed)
    if tariff.get("tax_included") != "YES":
        return tariff
    trip.lose(f"{path}/tax_included", "prices are sent without tax")
    return _of_components(tariff, path, trip, _net_component)


def _of_components(tariff: Mapping[str, Any], path: str, trip: Trip, change: _Change) -> Mapping[str, Any]:
    """The tariff with each of its components changed."""
    elements = [
        {
            **element,
            "price_components": [
                change(component, f"{path}/elements/{at}/price_components/{place}", trip)
                for place, component in enumerate(element["price_components"])
            ],
        }
        for at, element in enumerate(tariff["elements"])
    ]
    return {**tariff, "elements": elements}


def _untaxed(component: Mapping[str, Any], path: str, trip: Trip) -> Mapping[str, Any]:
    """Under N/A a rate counts for nothing, and the versions before would add it."""
    if component.get("vat") is None:
        return component
    trip.lose(f"{path}/vat", "the tariff says that taxes do not apply")
    return {name: value for name, value in component.items() if name != "vat"}


def _net_component(component: Mapping[str, Any], path: str, trip: Trip) -> Mapping[str, Any]:
    price, vat = component["price"], component.get("vat")
    if price == 0:
        return component
    if vat is None or vat < 0:
        raise NotExpressible("the prices hold a tax of unknown height")
    exact_net = _WIDE.divide(price * 100, 100 + Decimal(vat))
    net = exact_net.quantize(_SMALLEST, context=_WIDE)
    trip.lose(f"{path}/price", EXACT if net == exact_net else ROUNDED)
    return {**component, "price": net}


def _regular_only(tariff: Mapping[str, Any], path: str, trip: Trip) -> Mapping[str, Any]:
    if tariff.get("type") not in (None, "REGULAR"):
        raise NotExpressible("OCPI 2.1.1 has regular tariffs only")
    if any(_depends_on_current(element) for element in tariff.get("elements") or ()):
        raise NotExpressible("a price that depends on current")
    return _net(tariff, path, trip)


def _depends_on_current(element: Mapping[str, Any]) -> bool:
    """Another element would price what this one does, or none: its reader would be told a price that is not billed."""
    restrictions = element.get("restrictions") or {}
    bound = any(restrictions.get(name) is not None for name in _CURRENT)
    return bound and not restrictions.get("reservation") and _BOOKING not in restrictions


def _say_incomplete(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    """Whoever reads an approximate tariff must see that it is one."""
    fewer = len(theirs.get("elements", ())) < len(ours.get("elements", ()))
    limits = any(name in ours and name not in theirs for name in ("min_price", "max_price"))
    if not trip.part and (fewer or limits):
        texts = theirs.get("tariff_alt_text") or []
        if INCOMPLETE not in texts:
            theirs["tariff_alt_text"] = [*texts, INCOMPLETE]
            trip.lose(f"{path}/tariff_alt_text", "says that conditions are missing")


def _without_booking(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if _BOOKING in ours:
        raise NotExpressible(f"an element with {_BOOKING}, which the version cannot say")


_TAX_INSIDE: Final = {
    "tax_included": (What.REWRITTEN, "prices are sent without tax, or not at all where nobody knows how much it is"),
    "elements": (What.REWRITTEN, "prices with tax inside are sent without it"),
}
_FEWER: Final = (What.REWRITTEN, "says that conditions are missing, where an element could not be sent")
_FEWER_OR_NO_LIMITS: Final = (What.REWRITTEN, "says that conditions are missing, where an element or a limit went")
_ONLY_NEWER: Final = frozenset({"min_current", "max_current", "reservation"})
_BOOKED: Final = {_BOOKING: (What.WITHHELD, "prices of a booking are told to partners of 2.3.0 only")}

DIALECTS: Final[Dialects] = {
    **LOCATION_DIALECTS,
    Tariff: {
        "2.1.1": Dialect(
            supply=frozenset({"country_code", "party_id"}),
            drop=frozenset(
                {"type", "min_price", "max_price", "preauthorize_amount", "start_date_time", "end_date_time"}
            ),
            by_hand=frozenset({"tax_included"}),
            types={"id": Annotated[str, exact(36, least=1)]},
            ids={"id": "tariff_id"},
            fill={"tax_included": "NO"},
            first=_regular_only,
            down=_say_incomplete,
            told_down={
                **_TAX_INSIDE,
                "type": (What.WITHHELD, "only regular tariffs are sent, and not called so"),
                "start_date_time": (What.WITHHELD, "a tariff is sent from then on, and is not in lists before"),
                "end_date_time": (What.WITHHELD, "a tariff is withdrawn then, and is not in lists any more"),
                "tariff_alt_text": _FEWER_OR_NO_LIMITS,
            },
        ),
        "2.2.1": Dialect(
            drop=frozenset({"preauthorize_amount"}),
            by_hand=frozenset({"tax_included"}),
            fill={"tax_included": "NO"},
            first=_net,
            down=_say_incomplete,
            told_down={**_TAX_INSIDE, "tariff_alt_text": _FEWER},
        ),
    },
    TariffElement: {
        "2.1.1": Dialect(essential=frozenset({"restrictions"})),
        "2.2.1": Dialect(essential=frozenset({"restrictions"})),
    },
    TariffRestrictions: {
        "2.1.1": Dialect(drop=_ONLY_NEWER, essential=_ONLY_NEWER, down=_without_booking, told_down=_BOOKED),
        "2.2.1": Dialect(down=_without_booking, told_down=_BOOKED),
    },
    PriceComponent: {"2.1.1": Dialect(drop=frozenset({"vat"}))},
}

TARIFF: Final = wires(Tariff, DIALECTS)
