"""What the tokens of 2.1.1 and 2.2.1 do not have."""

from __future__ import annotations

from typing import Annotated, Final

from hub.core.dialect import Dialect, Dialects, Only, wires
from hub.core.types import Many
from hub.core.types.markers import exact
from modules.tokens.model import AuthorizationInfo, LocationReferences, Token

_ID_211 = Annotated[str, exact(36, least=1)]
_PLACE_211 = Annotated[str, exact(39, least=1)]

TYPES_221: Final = Only(("AD_HOC_USER", "APP_USER", "OTHER", "RFID"), otherwise="OTHER")

DIALECTS: Final[Dialects] = {
    Token: {
        "2.1.1": Dialect(
            rename={"contract_id": "auth_id"},
            supply=frozenset({"country_code", "party_id"}),
            drop=frozenset({"group_id", "default_profile_type", "energy_contract"}),
            types={"uid": _ID_211, "contract_id": _ID_211},
            values={"type": Only(("OTHER", "RFID"), otherwise="OTHER")},
        ),
        "2.2.1": Dialect(values={"type": TYPES_221}),
    },
    LocationReferences: {
        "2.1.1": Dialect(
            types={"location_id": _PLACE_211, "evse_uids": Many[_PLACE_211]},
            add={"connector_ids": Many[_ID_211]},
            refers={"location_id": "location_id", "evse_uids": "evse_uid", "connector_ids": "connector_id"},
        ),
    },
    AuthorizationInfo: {
        "2.1.1": Dialect(
            supply=frozenset({"token"}),
            drop=frozenset({"authorization_reference"}),
            values={"allowed": Only(("ALLOWED", "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"), called="Allowed")},
        ),
    },
}

TOKEN: Final = wires(Token, DIALECTS)
LOCATION_REFERENCES: Final = wires(LocationReferences, DIALECTS)
AUTHORIZATION_INFO: Final = wires(AuthorizationInfo, DIALECTS)
