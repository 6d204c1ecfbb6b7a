"""Is a received CDR one too many? A second credit of the same CDR, or a second bill of the same charge.

The one that came first is taken for the good one. A bill that was taken back may be made again: that is how OCPI
corrects a CDR (mod_cdrs_credit_cdrs). A credit that is wrong, or of which nobody knows yet, takes nothing back; when
it turns out to be sound, what was held for want of it is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs import store as cdrs
from modules.cdrs.bills import Bill, bill_in, bill_of, is_same_charge
from modules.cdrs.check import Verdict
from modules.cdrs.store import Passing, Standing

_LOOKED_AT: Final = 50
"""The newest bills under each mark."""
_TAKES_NOTHING_BACK: Final = ("", Verdict.WRONG.value)


async def credited_before(store: Store, original: str, *, key: str, seq: int | None) -> str:
    """The id of the credit CDR that took `original` back before the CDR `key` did; "" for none.

    seq: the place of that CDR in the order of coming; None for one that is only just coming.
    """
    earlier = _earlier(await cdrs.credits_of(store, original), key=key, seq=seq)
    return earlier[0].columns["id"] if earlier else ""


async def billed_before(store: Store, tree: Tree, *, key: str, seq: int | None) -> str:
    """The id of an older CDR of the same charge that nobody took back; "" for none."""
    bill = bill_of(tree)
    if bill is None:
        return ""
    for twin in _earlier(await _of_the_charge(store, bill), key=key, seq=seq):
        if not await _is_taken_back(store, twin):
            return twin.columns["id"]
    return ""


async def waiting_for(store: Store, credit: Tree, standing: Standing) -> list[Document]:
    """The CDRs that are wrong for as long as what `credit` takes back is billed, if the credit is sound."""
    if not credit.get("credit") or standing.verdict in _TAKES_NOTHING_BACK or not credit.get("credit_reference_id"):
        return []
    owner = f"{credit['country_code']}*{credit['party_id']}".upper()
    original = await cdrs.find_received(store, cdrs.key_of(owner, credit["credit_reference_id"]))
    if original is None:
        return []
    return [
        twin
        for twin in await _of_the_charge(store, bill_in(original.body))
        if twin.seq > original.seq and _may_be_looked_at_again(twin)
    ]


def _may_be_looked_at_again(document: Document) -> bool:
    """What an operator has released stays so."""
    return document.columns["verdict"] == Verdict.WRONG and document.columns["state"] != Passing.RELEASED


async def _of_the_charge(store: Store, bill: Bill) -> list[Document]:
    """The kept bills of a charge, in the order of coming."""
    found: dict[str, Document] = {}
    for column, mark in bill.places:
        found |= {each.key: each for each in await cdrs.marked(store, column, mark, newest=_LOOKED_AT)}
    same = [each for each in found.values() if is_same_charge(bill_in(each.body), bill)]
    return sorted(same, key=lambda document: document.seq)


async def _is_taken_back(store: Store, document: Document) -> bool:
    found = await cdrs.credits_of(store, document.key)
    return any(credit.columns["verdict"] not in _TAKES_NOTHING_BACK for credit in found)


def _earlier(documents: Sequence[Document], *, key: str, seq: int | None) -> list[Document]:
    return [each for each in documents if each.key != key and (seq is None or each.seq < seq)]
