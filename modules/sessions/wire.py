"""What the sessions of 2.1.1 and 2.2.1 do not have (mod_sessions).

A 2.1.1 session carries its location whole, so writing one needs `context={"location": <our Location>}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from hub.core.dialect import Dialect, Dialects, NotExpressible, Only, Trip, What, wires
from hub.core.dialect.shared import PRICE_AS_NUMBER
from hub.core.jsontypes import Tree
from hub.core.types import Number
from hub.core.types.markers import exact
from modules.cdrs.wire import AUTH_METHODS_211, CONTRACT_ONLY, auth_id_of, token_of
from modules.cdrs.wire import DIALECTS as CDR_DIALECTS
from modules.locations.model import Location
from modules.locations.wire import embedded, evse_and_connector
from modules.sessions.model import ChargingPreferences, Session

_ID_211 = Annotated[str, exact(36, least=1)]
_PLACE: Final = ("location_id", "evse_uid", "connector_id")
_WHOLE_PLACE: Final = (What.REWRITTEN, "sent as the whole location, which the hub must know")


def _session_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    if "auth_id" in theirs:
        ours["cdr_token"] = token_of(theirs["auth_id"], trip)
    if "location" in theirs:
        evse, connector = evse_and_connector(theirs["location"])
        ours.update(zip(_PLACE, (theirs["location"]["id"], evse["uid"], connector["id"]), strict=True))


def _session_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if "cdr_token" in ours:
        theirs["auth_id"] = auth_id_of(ours["cdr_token"], path, trip)
    named = [name for name in _PLACE if name in ours]
    if not named:
        return
    location = trip.given.get("location")
    if location is None or len(named) < len(_PLACE):
        raise NotExpressible("OCPI 2.1.1 wants the whole location of a session")
    theirs["location"] = embedded(location, ours["evse_uid"], ours["connector_id"], path, trip)


DIALECTS: Final[Dialects] = {
    **CDR_DIALECTS,
    Session: {
        "2.1.1": Dialect(
            rename={"start_date_time": "start_datetime", "end_date_time": "end_datetime"},
            supply=frozenset({"country_code", "party_id"}),
            drop=frozenset({"authorization_reference"}),
            by_hand=frozenset({"cdr_token", *_PLACE}),
            add={"auth_id": _ID_211, "location": Location},
            types={"id": _ID_211, "total_cost": Number | None},
            ids={"id": "session_id"},
            copies=frozenset({"location"}),
            values={
                "auth_method": AUTH_METHODS_211,
                "status": Only(("ACTIVE", "COMPLETED", "INVALID", "PENDING"), turns={"RESERVATION": "PENDING"}),
            },
            convert={"total_cost": PRICE_AS_NUMBER},
            up=_session_up,
            down=_session_down,
            told_down={"cdr_token": CONTRACT_ONLY, **dict.fromkeys(_PLACE, _WHOLE_PLACE)},
        ),
    },
}

SESSION: Final = wires(Session, DIALECTS)
CHARGING_PREFERENCES: Final = wires(ChargingPreferences, DIALECTS, ("2.2.1", "2.3.0"))
