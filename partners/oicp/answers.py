"""Every OICP status code that we send, and what is said to a partner whose request ended in an error: in tables.

Business results travel with HTTP 200. To CPOs and EMPs we are the hub: what cannot be served at all is answered with
HTTP 4xx as hubs do it, and with the StatusCode and `Result: false` besides, so that clients of either kind understand
it. A hub that passes an order or a question on to us asks a CPO or an EMP: those answer always with HTTP 200 and the
message of the operation. Nothing is ever 5xx.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from hub.core import errors
from hub.core.dialect import NotExpressible
from hub.core.jsontypes import Tree
from partners.oicp.operations import AnswerKind, PartnerKind
from partners.oicp.wire.faults import Unfit

LONGEST_DESCRIPTION: Final = 200
LONGEST_INFO: Final = 1000
_INDEX: Final = re.compile(r"/(\d+)(?=/|$)")


class Code(StrEnum):
    """The codes of OICP 2.3. What partners send may be any other: those are read as text."""

    SUCCESS = "000"
    HUB_ERROR = "001"
    DATABASE_ERROR = "002"
    DATA_TRANSACTION = "009"
    UNAUTHORIZED = "017"
    FOREIGN_EVSE = "018"
    FOREIGN_CONTRACT = "019"
    SYSTEM_ERROR = "021"
    DATA_ERROR = "022"
    WRONG_PIN = "101"
    UNKNOWN_CARD = "102"
    UNREADABLE_CARD = "103"
    UNKNOWN_CONTRACT = "105"
    NOBODY_POSITIVE = "106"
    APP_TIMEOUT = "110"
    PLUG_CONTRACT = "120"
    PLUG_CERTIFICATE = "121"
    PLUG_TIMEOUT = "122"
    CONTRACT_LOCKED = "200"
    NO_CONTRACT = "210"
    PARTNER_UNKNOWN = "300"
    PARTNER_SILENT = "310"
    NOT_OFFERED = "320"
    SESSION_INVALID = "400"
    EVSE_UNREACHABLE = "501"
    NO_CAR = "510"
    EVSE_RESERVED = "601"
    EVSE_IN_USE = "602"
    UNKNOWN_EVSE = "603"
    EVSE_NOT_COMPATIBLE = "604"
    EVSE_OUT_OF_SERVICE = "700"


DESCRIPTIONS: Final[Mapping[Code, str]] = MappingProxyType(
    {
        Code.SUCCESS: "Success",
        Code.HUB_ERROR: "The hub could not serve this",
        Code.DATABASE_ERROR: "The hub cannot write just now",
        Code.DATA_TRANSACTION: "The data do not fit what is stored, or another transfer is under way",
        Code.UNAUTHORIZED: "Not authorized",
        Code.FOREIGN_EVSE: "An EvseID is not one of the sender's",
        Code.FOREIGN_CONTRACT: "An EvcoID is not one of the sender's",
        Code.SYSTEM_ERROR: "System error",
        Code.DATA_ERROR: "The data cannot be right",
        Code.WRONG_PIN: "EvcoID or PIN is wrong",
        Code.UNKNOWN_CARD: "The UID is not known",
        Code.UNREADABLE_CARD: "The card cannot be read",
        Code.UNKNOWN_CONTRACT: "The EvcoID is not known",
        Code.NOBODY_POSITIVE: "No provider authorized this",
        Code.APP_TIMEOUT: "The app did not answer in time",
        Code.PLUG_CONTRACT: "The EvcoID of the vehicle is not valid",
        Code.PLUG_CERTIFICATE: "The certificate of the vehicle is not valid",
        Code.PLUG_TIMEOUT: "The vehicle did not answer in time",
        Code.CONTRACT_LOCKED: "The contract is locked",
        Code.NO_CONTRACT: "There is no contract between the parties",
        Code.PARTNER_UNKNOWN: "The partner is not known",
        Code.PARTNER_SILENT: "The partner did not answer",
        Code.NOT_OFFERED: "The service is not offered",
        Code.SESSION_INVALID: "The session is not valid",
        Code.EVSE_UNREACHABLE: "The EVSE cannot be reached",
        Code.NO_CAR: "No vehicle is connected",
        Code.EVSE_RESERVED: "The EVSE is reserved",
        Code.EVSE_IN_USE: "The EVSE is in use",
        Code.UNKNOWN_EVSE: "The EvseID is not known",
        Code.EVSE_NOT_COMPATIBLE: "The EVSE cannot be used by roaming partners",
        Code.EVSE_OUT_OF_SERVICE: "The EVSE is out of service",
    }
)


class Refused(Exception):
    """A handler's no, as a code. The texts may reach the partner: no secret, no card number."""

    def __init__(self, code: Code | str, description: str = "", info: str = "", *, http: int = 200) -> None:
        super().__init__(code)
        self.code = Code(code)
        self.description = description
        self.info = info
        self.http = http


class Row(NamedTuple):
    """HTTP status and code of an error."""

    http: int
    code: Code


TABLE: Final[Mapping[type[Exception], Row]] = MappingProxyType(
    {
        errors.BusbarError: Row(200, Code.HUB_ERROR),
        errors.RequestFault: Row(400, Code.DATA_ERROR),
        errors.Unauthorized: Row(401, Code.UNAUTHORIZED),
        errors.RoleLacksInterface: Row(401, Code.UNAUTHORIZED),
        errors.Unreadable: Row(400, Code.DATA_ERROR),
        errors.HeaderFault: Row(400, Code.DATA_ERROR),
        errors.TooLarge: Row(413, Code.DATA_ERROR),
        errors.WrongMediaType: Row(415, Code.DATA_ERROR),
        errors.TooManyRequests: Row(429, Code.SYSTEM_ERROR),
        errors.TooSlow: Row(408, Code.SYSTEM_ERROR),
        errors.MethodNotAllowed: Row(405, Code.NOT_OFFERED),
        errors.RegistrationState: Row(405, Code.NOT_OFFERED),
        Unfit: Row(400, Code.DATA_ERROR),
        errors.InvalidRequest: Row(200, Code.DATA_ERROR),
        errors.NotEnoughInformation: Row(200, Code.DATA_ERROR),
        NotExpressible: Row(200, Code.DATA_ERROR),
        errors.NotFound: Row(200, Code.DATA_ERROR),
        errors.UnknownLocation: Row(200, Code.UNKNOWN_EVSE),
        errors.CommandForUnknownLocation: Row(200, Code.UNKNOWN_EVSE),
        errors.UnknownToken: Row(200, Code.UNKNOWN_CARD),
        errors.CommandForForeignToken: Row(200, Code.FOREIGN_CONTRACT),
        errors.NotCapable: Row(200, Code.NOT_OFFERED),
        errors.NotInTheirVersion: Row(200, Code.NOT_OFFERED),
        errors.NotYours: Row(200, Code.UNAUTHORIZED),
        errors.UnknownReceiver: Row(200, Code.PARTNER_UNKNOWN),
        errors.PeerFault: Row(200, Code.SYSTEM_ERROR),
        errors.PeerTimeout: Row(200, Code.PARTNER_SILENT),
        errors.PeerUnreachable: Row(200, Code.PARTNER_SILENT),
        errors.PartyAway: Row(200, Code.PARTNER_SILENT),
        errors.PeerRefused: Row(200, Code.SYSTEM_ERROR),
        errors.PeerNonsense: Row(200, Code.SYSTEM_ERROR),
        errors.PassedOn: Row(200, Code.SYSTEM_ERROR),
        errors.RoutingLoop: Row(200, Code.HUB_ERROR),
        errors.ClientApiUnusable: Row(200, Code.SYSTEM_ERROR),
        errors.VersionNotOffered: Row(200, Code.NOT_OFFERED),
        errors.EndpointsMissing: Row(200, Code.NOT_OFFERED),
        errors.Conflict: Row(200, Code.DATA_TRANSACTION),
        errors.NotReady: Row(200, Code.DATABASE_ERROR),
    }
)
"""The code of every error of `hub/core/errors.py`."""
UNEXPECTED: Final = Row(200, Code.HUB_ERROR)
"""What is in no row is our own fault, and says nothing about itself."""

SAID_WITH_200: Final[Mapping[PartnerKind, frozenset[int]]] = MappingProxyType(
    {"cpo": frozenset(), "emp": frozenset(), "hub": frozenset({400, 401, 404})}
)
"""By who asks, the HTTP statuses of `TABLE` and `Refused` in whose place 200 is said.

What is no answer to a message stays as it is for all: who shows no certificate that we know, or asks by another method,
too often, too slowly, too much at once, or not in JSON.
"""

_NEGATIVE: Final[Mapping[AnswerKind, Tree]] = MappingProxyType(
    {
        AnswerKind.AUTHORIZATION_START: {"AuthorizationStatus": "NotAuthorized"},
        AnswerKind.AUTHORIZATION_STOP: {"AuthorizationStatus": "NotAuthorized"},
    }
)
"""What a message holds beside its StatusCode when it says no, where that is not `Result: false`.

Lists are left out: an empty one could be taken for all there is.
"""
_NO: Final[Tree] = {"Result": False}


def code_of(answer: Mapping[str, Any], unsaid: str = "") -> str:
    """The code of what a partner answered, whatever it is; `unsaid` where it has none."""
    status = answer.get("StatusCode")
    code = status.get("Code") if isinstance(status, Mapping) else None
    return unsaid if code is None else str(code)


def says_yes(answer: Mapping[str, Any]) -> bool:
    """Is it a positive Acknowledgement? Some partners leave the Result out, and give the code alone."""
    result = answer.get("Result")
    return result is True or (result is None and code_of(answer) == Code.SUCCESS)


def outcome_of(answer: Mapping[str, Any]) -> str:
    """The code that counts: 000 of a yes that has none, and none of a no that says 000."""
    code = code_of(answer)
    if code in ("", Code.SUCCESS):
        return Code.SUCCESS.value if says_yes(answer) else ""
    return code


def is_nonsense(answer: Mapping[str, Any]) -> bool:
    """Does it say neither yes nor no?"""
    return not code_of(answer) and not isinstance(answer.get("Result"), bool) and "AuthorizationStatus" not in answer


def status(code: Code, description: str = "", info: str = "") -> Tree:
    """A StatusCode."""
    tree = {"Code": code.value, "Description": (description or DESCRIPTIONS[code])[:LONGEST_DESCRIPTION]}
    return {**tree, "AdditionalInfo": info[:LONGEST_INFO]} if info else tree


def acknowledged(**ids: str) -> Tree:
    """A positive Acknowledgement; `ids` (SessionID, CPOPartnerSessionID...) that are empty are left out."""
    return {"Result": True, "StatusCode": status(Code.SUCCESS), **{name: value for name, value in ids.items() if value}}


def refused(kind: AnswerKind, code: Code, description: str = "", info: str = "") -> Tree:
    """The message `kind` as a no."""
    return {**_NEGATIVE.get(kind, _NO), "StatusCode": status(code, description, info)}


def refusal(error: Exception, kind: AnswerKind | None, asker: PartnerKind | None = None) -> tuple[int, Tree]:
    """HTTP status and body for a request that ended in `error`.

    `kind` is None where it named no operation, `asker` where nobody knows who asks.
    """
    if isinstance(error, Refused):
        http, tree = error.http, refused(kind or AnswerKind.ACKNOWLEDGEMENT, error.code, error.description, error.info)
    else:
        row = row_of(error)
        http = row.http
        tree = refused(kind or AnswerKind.ACKNOWLEDGEMENT, row.code, info=_words(error))
    if asker is not None and http in SAID_WITH_200[asker]:
        return 200, tree
    if http >= 400:
        tree = {**_NO, **tree}
    if isinstance(error, Unfit):
        tree |= _observed(error)
    return http, tree


def row_of(error: BaseException) -> Row:
    """The row of the nearest class."""
    return next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), UNEXPECTED)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, errors.BusbarError) else ""


def _observed(error: Unfit) -> Tree:
    """What hubs answer to a message that is not well formed, as seen on the wire."""
    found = [{"fieldReference": _field(fault.pointer), "errorMessage": fault.problem} for fault in error.faults]
    return {"message": "The message does not fit its schema", "validationErrors": found}


def _field(pointer: str) -> str:
    """`/EvseDataRecord/0/Address` as hubs write it: `EvseDataRecord[0].Address`."""
    return _INDEX.sub(r"[\1]", pointer).removeprefix("/").replace("/", ".")


def unreadable(why: str) -> Tree:
    """For what is no request at all, and so names no operation."""
    return {**_NO, "StatusCode": status(Code.DATA_ERROR, info=why)}
