"""What a version cannot say of a location, and what is told to those who could have it before.

OCPI 2.1.1 has no word for a location that is not to be published. Where a partner had it, the EVSEs that it had are
REMOVED there, by name; nothing else of the location leaves any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.dialect import NotExpressible
from hub.core.jsontypes import Tree
from hub.core.renditions import is_stored_form, up_to
from hub.core.units import Document, Put
from modules.locations.wire import EVSE

HIDDEN: Final = "hidden/"
"""Prefix of the change words that say: some versions had this EVSE until now, and cannot say its location any more."""


def words_for(known: Document | None, old: Tree | None, put: Put, what: str) -> list[str]:
    """What the change from `known`, which is `old`, to `put` is called: `what`, or each EVSE that is hidden by it."""
    if known is None or old is None or put.columns[0] in up_to(known.columns["lowest"]):
        return [what]
    version = known.columns["lowest"]
    living = [evse for evse in old.get("evses") or () if evse["status"] != "REMOVED"]
    return [f"{HIDDEN}{evse['uid']}" for evse in living if can_say(version, evse)] or [what]


def hidden_in(what: frozenset[str]) -> list[str]:
    """The uids of the EVSEs that these words say are hidden."""
    return sorted(word.removeprefix(HIDDEN) for word in what if word.startswith(HIDDEN))


def can_say(version: str, evse: Mapping[str, Any]) -> bool:
    """Is the EVSE in the location as `version` has it? One whose connectors all have no word there is not."""
    if is_stored_form(version):
        return True
    try:
        EVSE[version].write(evse)
    except NotExpressible:
        return False
    return True
