"""What the eMSPs have received, read from their receipt logs while these grow.

An eMSP writes each request, and what it answered, into its log before the answer leaves. So what is read here has
happened at the far end of the wire; the hub itself is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.demo.world import Provider

_LIMIT: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request that an eMSP has answered. `path` begins behind the version: `("sessions", "DE", "BSB", ID)`."""

    provider: Provider
    method: str
    path: tuple[str, ...]
    body: Any
    data: Any
    status: int | None

    @property
    def module(self) -> str:
        return self.path[0] if self.path else ""


@dataclass(slots=True)
class Charged:
    """What one eMSP knows of the charge at one EVSE: the updates of its session in order, and the CDR."""

    updates: list[Tree] = field(default_factory=list)
    cdr: Tree | None = None
    cdr_at_s: float = 0.0


@dataclass(slots=True)
class Known:
    """All that one eMSP was told and asked. `asked`: by uid, what it said to real-time authorization."""

    charges: dict[str, Charged] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    statuses: int = 0

    def charge(self, uid: str) -> Charged:
        """At an EVSE; empty if it was told of none."""
        return self.charges.setdefault(uid, Charged())


class Mailbox:
    """The log of one eMSP."""

    def __init__(self, provider: Provider, path: Path) -> None:
        self.provider = provider
        self.known = Known()
        self._path = path
        self._offset = 0

    def news(self, now_s: float) -> list[Receipt]:
        """What arrived since the last look; `known` is up to date with it."""
        found = list(self._read())
        for receipt in found:
            self._enter(receipt, now_s)
        return found

    def _read(self) -> Iterator[Receipt]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        self._offset += whole
        for written in text[:whole].splitlines():
            yield self._receipt(parse(written, limit=_LIMIT))

    def _receipt(self, tree: Tree) -> Receipt:
        answer = _parsed(tree["answer"])
        parts = [part for part in tree["path"].split("/") if part]
        return Receipt(
            self.provider,
            tree["method"],
            tuple(parts[2:]),
            _parsed(tree["body"]),
            answer.get("data") if isinstance(answer, dict) else None,
            tree["status"],
        )

    def _enter(self, receipt: Receipt, now_s: float) -> None:
        match (receipt.module, receipt.method):
            case ("sessions", "PUT"):
                self.known.charge(evse_of(receipt.body)).updates.append(receipt.body)
            case ("cdrs", "POST") if receipt.status in (200, 201):
                charge = self.known.charge(evse_of(receipt.body))
                charge.cdr, charge.cdr_at_s = receipt.body, now_s
            case ("tokens", "POST"):
                self.known.asked.setdefault(receipt.path[1], []).append(verdict(receipt))
            case ("commands", "POST"):
                self.known.results[receipt.path[1]] = str(receipt.body.get("result"))
            case ("locations", "PATCH"):
                self.known.statuses += 1


def verdict(receipt: Receipt) -> str:
    """The AllowedType that an eMSP answered, or `no answer`."""
    return str(receipt.data["allowed"]) if isinstance(receipt.data, dict) else "no answer"


def evse_of(tree: Tree) -> str:
    """The EVSE of a Session or CDR; until 2.1.1 it is in the location that they carry."""
    if "location" in tree:
        return str(tree["location"]["evses"][0]["uid"])
    return str(tree["cdr_location"]["evse_uid"] if "cdr_location" in tree else tree.get("evse_uid"))


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount before VAT and, where the version can say it, with VAT."""

    excl: Decimal
    incl: Decimal | None

    def shown(self, currency: str) -> str:
        """For eyes."""
        with_vat = f" ({self.incl:.2f} with VAT)" if self.incl is not None else ""
        return f"{self.excl:.2f} {currency}{with_vat}"


def amount(price: Any) -> Amount:
    """Of a price in any version's form: a number; excl_vat and incl_vat; before_taxes and taxes."""
    if not isinstance(price, dict):
        return Amount(Decimal(price or 0), None)
    if "before_taxes" in price:
        before, taxes = Decimal(price["before_taxes"]), price.get("taxes")
        return Amount(before, before + sum((Decimal(tax["amount"]) for tax in taxes), Decimal(0)) if taxes else None)
    incl = price.get("incl_vat")
    return Amount(Decimal(price["excl_vat"]), None if incl is None else Decimal(incl))


def _parsed(text: str | None) -> Any:
    return parse(text.encode(), limit=_LIMIT) if text else None
