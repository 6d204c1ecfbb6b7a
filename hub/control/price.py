"""What a session or CDR costs, with the receipt; and whether what a CDR claims is so. Needs no hub."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from hub.control.asks import Ask
from hub.control.case import read_case
from hub.control.outcome import TOLERANCE, check_tree, outcome_of
from hub.control.ready import CompiledTariffs
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from modules.tariffs.pricing import BY_THE_TEXT, Money, Priced

_NEWEST: Final = "2.3.0"


class PriceAsked(Ask):
    """A CDR or a session, and the tariffs; without tariffs, those in the CDR. All in the form of `version`.

    tolerance: by how much a figure that a CDR claims may be off.
    """

    tariffs: tuple[dict[str, Any], ...] = ()
    cdr: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    time_zone: Annotated[str, Field(max_length=255)] | None = None
    version: Literal["2.1.1", "2.2.1", "2.3.0"] = _NEWEST
    tolerance: Annotated[Decimal, Field(ge=0, le=1_000_000)] = TOLERANCE

    def case(self) -> Tree:
        """The same as a case. Raises: InvalidRequest."""
        if (self.cdr is None) == (self.session is None):
            raise InvalidRequest("either a cdr or a session is needed")
        return {
            "kind": "cdr" if self.cdr is not None else "session",
            "cdr": self.cdr,
            "session": self.session,
            "ocpi_version": self.version,
            "timezone": self.time_zone,
            "tariffs": list(self.tariffs),
            "policy": {"decimals": BY_THE_TEXT.decimals},
        }


def quote(asked: PriceAsked) -> Tree:
    """The price, in parts, with its receipt, and the check of what the CDR claims.

    Raises: InvalidRequest, PricingFault.
    """
    outcome = outcome_of(read_case(asked.case()), CompiledTariffs(), asked.tolerance)
    receipt = outcome.receipt()
    checked = check_tree(outcome.check, asked.tolerance, as_text=False) if outcome.check is not None else None
    return {
        "currency": outcome.currency,
        **_figures(outcome.priced),
        "receipt": receipt,
        "warnings": receipt["warnings"],
        **({"check": checked} if checked is not None else {}),
    }


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
