"""What the credentials of 2.1.1 and 2.2.1 do not have (credentials).

A hub is a role (HUB, and no other) in 2.2.1, and a field (`hub_party_id`) beside the roles of those it reaches in ours.
2.1.1 is flat: it holds one party, the first, or the one that `context={"party": "DE*ABC"}` names; what it does
is known by the URL, so reading it takes `given={"role": "CPO"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from hub.core.dialect import Dialect, Dialects, Only, Trip, What, wires
from hub.core.dialect.shared import SHARED
from hub.core.jsontypes import Tree
from hub.core.types import BusinessDetails
from hub.core.types.markers import exact
from modules.credentials.model import Credentials, CredentialsRole

_FLAT: Final = ("business_details", "party_id", "country_code")
_HUB: Final = "HUB"
_DETAILS: Final = wires(BusinessDetails, SHARED)["2.1.1"]


def _party(role: Mapping[str, Any]) -> str:
    return f"{role['country_code']}{role['party_id']}"


def _roles_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    """A hub without clients of its own still needs a role: OTHER stands for it."""
    roles = ours.get("roles") or []
    hubs = [role for role in roles if role["role"] == _HUB]
    if hubs:
        ours["hub_party_id"] = _party(hubs[0])
        ours["roles"] = [{**role, "role": "OTHER"} if role["role"] == _HUB else role for role in roles]


def _roles_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    """A hub shows itself as HUB and as nothing else (credentials, 2.2.1); its clients go by HubClientInfo."""
    hub = ours.get("hub_party_id")
    if hub is None:
        return
    roles = theirs["roles"]
    own: Mapping[str, Any] | None = next((role for role in roles if _party(role).upper() == hub.upper()), None)
    for at, role in enumerate(roles):
        if own is None or role is not own or role["role"] != "OTHER":
            trip.lose(f"{path}/roles/{at}", "a hub shows only itself in OCPI 2.2.1")
    shown = own or {**roles[0], "country_code": hub[:2], "party_id": hub[2:]}
    theirs["roles"] = [{**shown, "role": _HUB}]


def _flat_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    ours["roles"] = [
        {"role": trip.given.get("role", "OTHER"), **{name: theirs[name] for name in _FLAT if name in theirs}}
    ]


def _flat_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    roles = ours["roles"]
    wanted = str(trip.given.get("party", "")).replace("*", "").upper()
    chosen = next((role for role in roles if _party(role).upper() == wanted), roles[0])
    for at, role in enumerate(roles):
        if role is not chosen:
            trip.lose(f"{path}/roles/{at}", "OCPI 2.1.1 credentials hold one party")
            continue
        for name in role.keys() - {"role", *_FLAT}:
            trip.lose(f"{path}/roles/{at}/{name}", "unknown fields of a role have no place in OCPI 2.1.1")
        details, losses = _DETAILS.write(role["business_details"])
        theirs.update({**{name: role[name] for name in _FLAT}, "business_details": details})
        for pointer, reason in losses:
            trip.lose(f"{path}/roles/{at}/business_details{pointer}", reason)


DIALECTS: Final[Dialects] = {
    **SHARED,
    Credentials: {
        "2.1.1": Dialect(
            drop=frozenset({"hub_party_id"}),
            by_hand=frozenset({"roles"}),
            add={
                "business_details": BusinessDetails,
                "party_id": Annotated[str, exact(3, least=3)],
                "country_code": Annotated[str, exact(2, least=2)],
            },
            up=_flat_up,
            down=_flat_down,
            told_down={"roles": (What.REWRITTEN, "OCPI 2.1.1 credentials hold one party")},
        ),
        "2.2.1": Dialect(
            by_hand=frozenset({"hub_party_id"}),
            up=_roles_up,
            down=_roles_down,
            told_down={
                "hub_party_id": (What.REWRITTEN, "said by the role HUB"),
                "roles": (What.REWRITTEN, "a hub shows only itself in OCPI 2.2.1"),
            },
        ),
    },
    CredentialsRole: {
        "2.2.1": Dialect(
            values={"role": Only(("CPO", "EMSP", "HUB", "NAP", "NSP", "OTHER", "SCSP"), turns={"PTP": "OTHER"})}
        ),
    },
}

CREDENTIALS: Final = wires(Credentials, DIALECTS)
