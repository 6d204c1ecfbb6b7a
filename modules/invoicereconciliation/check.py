"""Does a record of an invoice agree with the CDRs that we have? For whoever is to pay it, or has sent it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Document
from modules.cdrs import service as cdrs

FOUND: Final = "found"
UNKNOWN: Final = "unknown"
FOREIGN: Final = "foreign"
"""We have it, and it is between other parties."""
REPEATED: Final = "repeated"
_LIMIT: Final = 8 * 1024 * 1024


async def check(hub: Hub, document: Document) -> Tree:
    """Each CDR of a record with what we know of it, and what all of them come to, by currency.

    `agrees` says that we have every one of them, once, between these two parties: then the totals are what the invoice
    must come to. Amounts are exact.
    """
    record: Tree = parse(document.body, limit=_LIMIT)
    lines, seen = [], set[str]()
    for cdr_id in record["cdrs"]:
        line = {"id": cdr_id, "state": REPEATED} if cdr_id.upper() in seen else await _line(hub, document, cdr_id)
        seen.add(cdr_id.upper())
        lines.append(line)
    return {
        "audience": document.audience,
        "cdrs": lines,
        "totals": _totals(lines),
        "agrees": all(line["state"] == FOUND for line in lines),
    }


async def _line(hub: Hub, record: Document, cdr_id: str) -> Tree:
    """With direct billing the CDR is of the record's owner, with reverse billing of its audience."""
    owner = record.owner
    found = await cdrs.find(hub.store, Party.parse(owner), cdr_id)
    if found is None and record.audience:
        owner = record.audience
        found = await cdrs.find(hub.store, Party.parse(owner), cdr_id)
    if found is None:
        return {"id": cdr_id, "state": UNKNOWN}
    if {found.owner, cdrs.payer(found)} != {record.owner, record.audience}:
        return {"id": cdr_id, "state": FOREIGN}
    cdr: Tree = parse(found.body, limit=_LIMIT)
    cost = cdr["total_cost"]
    before = Decimal(cost["before_taxes"])
    taxes = sum((Decimal(tax["amount"]) for tax in cost.get("taxes") or ()), Decimal(0))
    line = {"id": cdr_id, "state": FOUND, "owner": owner, "currency": cdr["currency"]}
    return {**line, "before_taxes": before, "after_taxes": before + taxes}


def _totals(lines: list[Tree]) -> list[Tree]:
    sums: dict[str, list[Tree]] = defaultdict(list)
    for line in lines:
        if line["state"] == FOUND:
            sums[line["currency"]].append(line)
    return [
        {
            "currency": currency,
            "cdrs": len(found),
            **{name: sum((line[name] for line in found), Decimal(0)) for name in ("before_taxes", "after_taxes")},
        }
        for currency, found in sorted(sums.items())
    ]
