"""What the version details of 2.1.1 do not have: the role of an endpoint (version_information_endpoint).

There it follows from what the party does, so reading takes `given={"party_role": "CPO"}` (or EMSP), or
`given={"role": "SENDER"}` where the caller knows better. Lists of versions are the same in all versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.dialect import Dialect, Dialects, Trip, wires
from hub.core.jsontypes import Tree
from modules.versions.model import Endpoint, Version, VersionDetails

_SENT_BY_EMSP: Final = frozenset({"tokens", "commands"})


def _role_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    if "role" in ours:
        return
    module = theirs["identifier"]
    party_role = trip.given.get("party_role", "CPO")
    owns = module == "credentials" or (module in _SENT_BY_EMSP) == (party_role != "CPO")
    ours["role"] = "SENDER" if owns else "RECEIVER"


DIALECTS: Final[Dialects] = {
    Endpoint: {"2.1.1": Dialect(supply=frozenset({"role"}), up=_role_up)},
}

VERSION: Final = wires(Version, DIALECTS)
VERSION_DETAILS: Final = wires(VersionDetails, DIALECTS)
