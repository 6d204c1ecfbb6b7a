"""What the changes of tariffs are called, and what that means for a partner of a version."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hub.core.renditions import up_to
from hub.core.units import Document, Put
from modules.tariffs.validity import UNDATED

TURNED: Final = "turned"
"""The change word that says: a tariff began to hold, or ended."""
_WAS: Final = "was/"
"""Prefix of the change words that say: partners from this version on could have the tariff, and some now cannot."""


def word_for(known: Document | None, put: Put) -> str:
    """What the change from `known` to `put` is called: who had the tariff and cannot have it now is to lose it."""
    if known is None or put.columns[0] in up_to(known.columns["lowest"]):
        return ""
    return f"{_WAS}{known.columns['lowest']}"


def may_be_there(what: Collection[str], version: str) -> bool:
    """Do these words say that a partner of `version` could have the tariff before?"""
    if TURNED in what and version == UNDATED:
        return True
    return any(word.startswith(_WAS) and word.removeprefix(_WAS) in up_to(version) for word in what)


def concerns(what: Collection[str], version: str) -> bool:
    """Is there anything in these words for a partner of `version`?"""
    return version == UNDATED or set(what) != {TURNED}
