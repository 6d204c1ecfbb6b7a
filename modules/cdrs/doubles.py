"""Is a received CDR one too many? A second credit of the same CDR, or a charge that was billed under another id.

The one that came first is taken for the good one. A bill that was taken back may be made again: that is how OCPI
corrects a CDR (mod_cdrs_credit_cdrs).
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs import store as cdrs

_LOOKED_AT = 20
"""Older bills of the same charge."""


async def credited_before(store: Store, original: str, *, key: str, seq: int | None) -> str:
    """The id of the credit CDR that took `original` back before the CDR `key` did; "" for none.

    seq: the place of that CDR in the order of coming; None for one that is only just coming.
    """
    earlier = _earlier(await cdrs.credits_of(store, original), key=key, seq=seq)
    return earlier[0].columns["id"] if earlier else ""


async def billed_before(store: Store, bill: str, *, key: str, seq: int | None) -> str:
    """The id of an older CDR with this fingerprint (`store.bill_of`) that nobody took back; "" for none."""
    if not bill:
        return ""
    for twin in _earlier(await cdrs.of_bill(store, bill, limit=_LOOKED_AT), key=key, seq=seq):
        if not await cdrs.credits_of(store, twin.key):
            return twin.columns["id"]
    return ""


def _earlier(documents: Sequence[Document], *, key: str, seq: int | None) -> list[Document]:
    return [each for each in documents if each.key != key and (seq is None or each.seq < seq)]
