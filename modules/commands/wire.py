"""What the commands of 2.1.1 and 2.2.1 do not have (mod_commands).

2.1.1 numbers its reservations: writing ReserveNow needs `context={"reservation_id": <int>}` unless ours is a number.
It has no CancelReservation, and its asynchronous result is a CommandResponse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from hub.core.dialect import Convert, Dialect, Dialects, NotExpressible, Only, Trip, What, wires
from hub.core.jsontypes import Tree
from hub.core.types import Whole
from hub.core.types.markers import exact
from modules.commands.model import (
    CancelReservation,
    CommandResponse,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from modules.tokens.wire import DIALECTS as TOKEN_DIALECTS

_ID_211 = Annotated[str, exact(36, least=1)]
_PLACE_211 = Annotated[str, exact(39, least=1)]
_PLACES: Final = {"location_id": "location_id", "evse_uid": "evse_uid"}
_RESULTS_211: Final = ("NOT_SUPPORTED", "REJECTED", "ACCEPTED", "TIMEOUT", "UNKNOWN_SESSION")
_INT32: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)

DEFAULT_TIMEOUT_S: Final = 30
"""How long we wait for the result of a command whose 2.1.1 answer names no timeout."""
NO_ANSWER: Final = {"language": "en", "text": "The charge point did not answer in time."}


def _number_of(value: Any, path: str, trip: Trip) -> Any:
    number = trip.given.get("reservation_id")
    if number is not None:
        return number
    if _INT32.fullmatch(value):
        return int(value)
    raise NotExpressible("OCPI 2.1.1 numbers its reservations")


def _text_of(value: Any, path: str, trip: Trip) -> Any:
    return str(value)


def _response_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    if theirs.get("result") == "TIMEOUT":
        ours["message"] = [NO_ANSWER]


DIALECTS: Final[Dialects] = {
    **TOKEN_DIALECTS,
    ReserveNow: {
        "2.1.1": Dialect(
            drop=frozenset({"authorization_reference"}),
            types={"reservation_id": Whole, "location_id": _PLACE_211, "evse_uid": _PLACE_211 | None},
            refers=_PLACES,
            convert={"reservation_id": Convert(up=_text_of, down=_number_of)},
            told_down={"reservation_id": (What.WITHHELD, "OCPI 2.1.1 numbers its reservations")},
        ),
    },
    StartSession: {
        "2.1.1": Dialect(
            drop=frozenset({"connector_id", "authorization_reference"}),
            types={"location_id": _PLACE_211, "evse_uid": _PLACE_211 | None},
            refers=_PLACES,
        ),
    },
    StopSession: {"2.1.1": Dialect(types={"session_id": _ID_211}, refers={"session_id": "session_id"})},
    UnlockConnector: {
        "2.1.1": Dialect(
            types={"location_id": _PLACE_211, "evse_uid": _PLACE_211, "connector_id": _ID_211},
            refers={**_PLACES, "connector_id": "connector_id"},
        ),
    },
    CommandResponse: {
        "2.1.1": Dialect(
            supply=frozenset({"timeout"}),
            fill={"timeout": DEFAULT_TIMEOUT_S},
            drop=frozenset({"message"}),
            values={"result": Only(_RESULTS_211, back={"TIMEOUT": "REJECTED"})},
            up=_response_up,
        ),
    },
    CommandResult: {
        "2.1.1": Dialect(
            called="CommandResponse",
            drop=frozenset({"message"}),
            values={
                "result": Only(
                    _RESULTS_211,
                    otherwise="REJECTED",
                    back={"UNKNOWN_SESSION": "FAILED"},
                    called="CommandResponseType",
                )
            },
        ),
    },
}

START_SESSION: Final = wires(StartSession, DIALECTS)
STOP_SESSION: Final = wires(StopSession, DIALECTS)
RESERVE_NOW: Final = wires(ReserveNow, DIALECTS)
CANCEL_RESERVATION: Final = wires(CancelReservation, DIALECTS, ("2.2.1", "2.3.0"))
UNLOCK_CONNECTOR: Final = wires(UnlockConnector, DIALECTS)
COMMAND_RESPONSE: Final = wires(CommandResponse, DIALECTS)
COMMAND_RESULT: Final = wires(CommandResult, DIALECTS)
