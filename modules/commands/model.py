"""Commands and their answers, in our own form (mod_commands)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import CiString36, DateTime, DisplayText, Id36, Many, OcpiModel, Url, Whole
from hub.core.types.markers import Closed, OpenEnum
from modules.tokens.model import Token

CommandType = Annotated[
    str,
    OpenEnum(
        "CommandType",
        ("CANCEL_RESERVATION", "RESERVE_NOW", "START_SESSION", "STOP_SESSION", "UNLOCK_CONNECTOR"),
    ),
]
"""mod_commands_commandtype_enum"""
CommandResponseType = Annotated[
    Literal["NOT_SUPPORTED", "REJECTED", "ACCEPTED", "UNKNOWN_SESSION"], Closed("CommandResponseType")
]
"""mod_commands_commandresponsetype_enum"""
CommandResultType = Annotated[
    Literal[
        "ACCEPTED",
        "CANCELED_RESERVATION",
        "EVSE_OCCUPIED",
        "EVSE_INOPERATIVE",
        "FAILED",
        "NOT_SUPPORTED",
        "REJECTED",
        "TIMEOUT",
        "UNKNOWN_RESERVATION",
    ],
    Closed("CommandResultType"),
]
"""mod_commands_commandresulttype_enum"""


class CancelReservation(OcpiModel):
    """mod_commands_cancelreservation_object"""

    response_url: Url
    reservation_id: Id36


class ReserveNow(OcpiModel):
    """mod_commands_reservenow_object"""

    response_url: Url
    token: Token
    expiry_date: DateTime
    reservation_id: Id36
    location_id: Id36
    evse_uid: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StartSession(OcpiModel):
    """mod_commands_startsession_object"""

    response_url: Url
    token: Token
    location_id: Id36
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StopSession(OcpiModel):
    """mod_commands_stopsession_object"""

    response_url: Url
    session_id: Id36


class UnlockConnector(OcpiModel):
    """mod_commands_unlockconnector_object"""

    response_url: Url
    location_id: Id36
    evse_uid: Id36
    connector_id: Id36


class CommandResponse(OcpiModel):
    """Whether the command is passed on; `timeout` in s. mod_commands_commandresponse_object."""

    result: CommandResponseType
    timeout: Whole
    message: Many[DisplayText] = Field(default_factory=list)


class CommandResult(OcpiModel):
    """What the charge point did. mod_commands_commandresult_object."""

    result: CommandResultType
    message: Many[DisplayText] = Field(default_factory=list)
