"""Is a received CDR one too many? A second credit of the same CDR, or a second bill of the same charge.

The one that came first is taken for the good one. A bill that was taken back may be made again: that is how OCPI
corrects a CDR (mod_cdrs_credit_cdrs). A credit that is wrong takes nothing back, passed on or not, unless an operator
has released it: it makes no room for another bill, and is in the way of no other credit. One that waits for its check
is waited for. When a credit turns out to be sound or wrong, or is released, what was called wrong for want of it, or
because of it, is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.dialect import VERSIONS
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs import store as cdrs
from modules.cdrs.bills import Bill, bill_in, bill_of, is_same_charge, stands_in_for
from modules.cdrs.check import TAKEN_BACK_BEFORE, Claim, Verdict, is_anothers
from modules.cdrs.store import Passing, Standing

_LOOKED_AT: Final = 50
"""The newest bills under each mark."""
_HAS_CREDITS: Final = VERSIONS[VERSIONS.index(cdrs.CREDITS_SINCE) :]
_LIMIT: Final = 8 * 1024 * 1024
_SOUND: Final = (Verdict.RIGHT.value, Verdict.WITHIN_TOLERANCE.value)


async def credited_before(store: Store, original: str, *, key: str, seq: int | None) -> str:
    """The id of the credit CDR that took `original` back before the CDR `key` did; "" for none.

    seq: the place of that CDR in the order of coming; None for one that is only just coming. An earlier one that was
    not checked yet is taken for one that will be sound.
    """
    taken_back = await cdrs.find_received(store, original)
    for other in await cdrs.credits_of(store, original):
        if other.key == key:
            continue
        is_open = not other.columns["verdict"] and (seq is None or other.seq < seq)
        if is_open or _has_taken_back(other, taken_back):
            return other.columns["id"]
    return ""


async def waits_for_a_credit(store: Store, credit: Tree, key: str) -> bool:
    """Is the check of another credit CDR of the same still to come? That tells whether this one is one too many."""
    original = cdrs.credited_key(credit)
    found = await cdrs.credits_of(store, original) if original else []
    return any(other.key != key and not other.columns["verdict"] for other in found)


async def credits_beside(store: Store, credit: Tree, standing: Standing, key: str) -> list[Document]:
    """The other credit CDRs of what `credit` takes back, whose check says otherwise than is so with this `standing`.

    Those that are held without a word of this one, if it takes that back; those that were called one too many because
    of this one, if it does not.
    """
    original = cdrs.credited_key(credit)
    if not original:
        return []
    takes_back = _takes_back(credit, standing, await cdrs.find_received(store, original))
    found = []
    for other in await cdrs.credits_of(store, original):
        if other.key != key and _may_be_looked_at_again(other):
            before = await _said_to_be_before(store, other)
            is_untold = takes_back and not before and other.columns["state"] == Passing.HELD
            if is_untold or (not takes_back and before == credit["id"]):
                found.append(other)
    return found


async def _said_to_be_before(store: Store, credit: Document) -> str:
    """The id of the credit CDR that took the same back before this one, as its check has it; "" for none."""
    kept = await store.get(cdrs.CHECKS, credit.key)
    deviations = parse(kept.body, limit=_LIMIT)["deviations"] if kept is not None else []
    named = (each["computed"] for each in deviations if each["figure"] == TAKEN_BACK_BEFORE)
    return next((str(name) for name in named if name), "")


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
    """The CDRs that are wrong for as long as what `credit` takes back is billed, if it does take that back."""
    credited = cdrs.credited_key(credit)
    original = await cdrs.find_received(store, credited) if credited else None
    if original is None or not _takes_back(credit, standing, original):
        return []
    return [
        twin
        for twin in await _of_the_charge(store, bill_in(original.body))
        if twin.seq > original.seq and _may_be_looked_at_again(twin)
    ]


def _may_be_looked_at_again(document: Document) -> bool:
    """What an operator has released stays so."""
    return document.columns["verdict"] == Verdict.WRONG and document.columns["state"] != Passing.RELEASED


async def is_billed_to(store: Store, tree: Tree, audience: str) -> bool:
    """Has `audience`, which no credit CDR can be told, another bill of this charge? Then it must not have this one.

    A CPO that has credit CDRs bills a charge anew only after one, also where the credit is still on its way. One of
    2.1.1 has none: there only a bill counts that was taken back all the same.
    """
    bill = bill_of(tree)
    if bill is None:
        return False
    key = cdrs.key_of(bill.owner, tree["id"])
    others = [each for each in await _marked_like(store, bill) if each.key != key]
    was_credited = bool(await cdrs.credits_of(store, key))
    for other in others:
        is_anew = await _is_billed_anew_by(store, other, bill, was_credited=was_credited)
        told = await cdrs.find(store, other.key) if is_anew else None
        if told is not None and told.audience == audience and told.columns["lowest"] not in _HAS_CREDITS:
            return True
    return False


async def _is_billed_anew_by(store: Store, kept: Document, bill: Bill, *, was_credited: bool) -> bool:
    """`was_credited`: is there a credit of `bill`? Then the other one may be what was billed instead of it."""
    if was_credited or await cdrs.credits_of(store, kept.key):
        return stands_in_for(bill, bill_in(kept.body))
    return kept.columns["ocpi"] in _HAS_CREDITS and is_same_charge(bill, bill_in(kept.body))


async def _of_the_charge(store: Store, bill: Bill) -> list[Document]:
    """The kept bills of a charge, in the order of coming."""
    same = [each for each in await _marked_like(store, bill) if is_same_charge(bill_in(each.body), bill)]
    return sorted(same, key=lambda document: document.seq)


async def _marked_like(store: Store, bill: Bill) -> list[Document]:
    """The kept bills that share a mark with this one."""
    found: dict[str, Document] = {}
    for column, mark in bill.places:
        found |= {each.key: each for each in await cdrs.marked(store, column, mark, newest=_LOOKED_AT)}
    return list(found.values())


async def _is_taken_back(store: Store, document: Document) -> bool:
    return any(_has_taken_back(each, document) for each in await cdrs.credits_of(store, document.key))


def _has_taken_back(credit: Document, original: Document | None) -> bool:
    return _takes_back(parse(credit.body, limit=_LIMIT), cdrs.standing_of(credit), original)


def _takes_back(credit: Tree, standing: Standing, original: Document | None) -> bool:
    """Is the driver not billed `original` any longer? What is given back to another party takes nothing from that.

    One that cannot be checked counts once it is passed on, for nothing in it is wrong.
    """
    if standing.state == Passing.RELEASED:
        billed = None if original is None else parse(original.body, limit=_LIMIT)
        return not is_anothers(Claim(cdr=credit, original=billed))
    is_unchecked = standing.verdict == Verdict.CANNOT_BE_CHECKED and standing.state == Passing.FREE
    return standing.verdict in _SOUND or is_unchecked


def _earlier(documents: Sequence[Document], *, key: str, seq: int | None) -> list[Document]:
    return [each for each in documents if each.key != key and (seq is None or each.seq < seq)]
