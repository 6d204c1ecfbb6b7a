"""What keeps EVSEs, tokens and prices from going to partners of OICP, for people to read and mend.

A finding is kept with what it is about, and goes when that is mended. They are shown by owner and reason, with how
many things have it and one of them by name: an operator without a hotline is one line, not ten thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Delete, Kind, Put

OICP_FINDINGS: Final = Kind("oicp_findings")
_READ: Final = 1000
_MOST: Final = 200_000


def finding(key: str, owner: str, reasons: Mapping[str, str]) -> Put | Delete:
    """The write of what there is to find at `key`: by name of a thing, the reason. None left: it goes."""
    if not reasons:
        return Delete(OICP_FINDINGS, key)
    return Put(OICP_FINDINGS, key, msgspec.json.encode(dict(sorted(reasons.items()))), owner)


async def shown(store: Store) -> list[Tree]:
    """All, by owner and reason; those with the most things first."""
    found: dict[tuple[str, str], Tree] = {}
    after = 0
    while after < _MOST and (documents := await store.select(OICP_FINDINGS, limit=_READ, after_seq=after)):
        after = documents[-1].seq
        for document in documents:
            reasons: dict[str, str] = msgspec.json.decode(document.body)
            for name, reason in reasons.items():
                line = found.setdefault(
                    (document.owner, reason), {"owner": document.owner, "reason": reason, "things": 0, "example": name}
                )
                line["things"] += 1
    return sorted(found.values(), key=lambda line: (-line["things"], line["owner"], line["reason"]))
