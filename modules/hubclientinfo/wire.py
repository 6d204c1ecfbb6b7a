"""What the client infos of 2.2.1 do not have; 2.1.1 has none at all (mod_hub_client_info).

HUB is a role of 2.2.1 alone, and OTHER stands for it in our form: `context={"role": "HUB"}` says that it is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.dialect import Dialect, Dialects, Only, Trip, wires
from hub.core.jsontypes import Tree
from modules.hubclientinfo.model import ClientInfo, ClientInfoTold

VERSIONS: Final = ("2.2.1", "2.3.0")


def _role_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if trip.given.get("role") == "HUB":
        theirs["role"] = "HUB"


_WITH_HUB: Final = Dialect(
    values={
        "role": Only(
            ("CPO", "EMSP", "HUB", "NAP", "NSP", "OTHER", "SCSP"),
            turns={"PTP": "OTHER"},
            back={"HUB": "OTHER"},
        )
    },
    down=_role_down,
)
DIALECTS: Final[Dialects] = {ClientInfo: {"2.2.1": _WITH_HUB}, ClientInfoTold: {"2.2.1": _WITH_HUB}}

CLIENT_INFO: Final = wires(ClientInfo, DIALECTS, VERSIONS)
CLIENT_INFO_TOLD: Final = wires(ClientInfoTold, DIALECTS, VERSIONS)
