"""The dialects of the objects that several modules use (types, mod_locations_image_class)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from hub.core.dialect.tables import Convert, Dialect, Dialects, Only, Trip, What
from hub.core.jsontypes import Tree
from hub.core.types import Image, Number, Price, PriceLimit
from hub.core.types.markers import ASCII, Text

VAT: Final = "VAT"

_CATEGORIES: Final = Only(
    ("CHARGER", "ENTRANCE", "LOCATION", "NETWORK", "OPERATOR", "OTHER", "OWNER"), otherwise="OTHER"
)


def _price_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    """A price with VAT has one tax. It is kept when it is zero: zero-rated is not the same as not said."""
    incl = theirs.get("incl_vat")
    if incl is not None:
        ours["taxes"] = [{"name": VAT, "amount": incl - theirs["excl_vat"]}]


def _price_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    taxes = ours.get("taxes")
    if taxes:
        theirs["incl_vat"] = ours["before_taxes"] + sum(tax["amount"] for tax in taxes)
        if len(taxes) > 1 or taxes[0].keys() != {"name", "amount"} or taxes[0]["name"] != VAT:
            trip.lose(f"{path}/taxes", "only the sum of the taxes is sent")


SHARED: Final[Dialects] = {
    Image: {
        "2.1.1": Dialect(
            types={"type": Annotated[str, Text("string", 4, "display", accept=32, pattern=ASCII)]},
            values={"category": _CATEGORIES},
        ),
        "2.2.1": Dialect(values={"category": _CATEGORIES}),
    },
    Price: {
        "2.2.1": Dialect(
            rename={"before_taxes": "excl_vat"},
            by_hand=frozenset({"taxes"}),
            add={"incl_vat": Number | None},
            up=_price_up,
            down=_price_down,
            told_down={"taxes": (What.REWRITTEN, "only the sum of the taxes is sent")},
        ),
    },
    PriceLimit: {
        "2.2.1": Dialect(rename={"before_taxes": "excl_vat", "after_taxes": "incl_vat"}),
    },
}


def _to_number(value: Any, path: str, trip: Trip) -> Any:
    for name in value:
        if name != "before_taxes":
            trip.lose(f"{path}/{name}", "OCPI 2.1.1 has prices without tax only")
    return value["before_taxes"]


def _from_number(value: Any, path: str, trip: Trip) -> Any:
    return {"before_taxes": value}


PRICE_AS_NUMBER: Final = Convert(up=_from_number, down=_to_number)
"""A Price of ours is a number without tax in 2.1.1."""
