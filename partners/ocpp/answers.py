"""Every code that we send to a charger, and what a charger's answer means for an OCPI command: three tables.

`CODES` spells each `Fault` as the CALLERROR code of a version: 1.6 has its two famous misspellings, 2.x has
the corrected words and two codes for frames that are no message at all. `FAULTS` gives the fault of every
error of `hub/core/errors.py`. `COMMAND_RESULTS` is OCPI's CommandResultType for each status a charger can
answer with (mod_commands_commandresulttype_enum).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub.core import errors
from hub.core.ports import Outcome, ProfileOutcome

VERSIONS: Final = ("1.6", "2.0.1", "2.1")


class Fault(StrEnum):
    """What is wrong with a frame, or with what it asks. OCPP-J 4.2.3 (1.6), part 4 section 4.3 (2.x)."""

    NOT_IMPLEMENTED = "the action is not known here"
    NOT_SUPPORTED = "the action is known, but not supported"
    INTERNAL = "an internal error kept us from answering"
    PROTOCOL = "the message does not belong here now"
    SECURITY = "a security rule forbids this"
    FORMAT = "the message is not well formed"
    PROPERTY = "a field holds a value that is not allowed"
    OCCURRENCE = "a field is missing or occurs too often"
    TYPE = "a field has the wrong type"
    GENERIC = "the message cannot be served"
    MESSAGE_TYPE = "this message type is not supported"
    FRAMEWORK = "the frame is not an OCPP message"


_SINCE_16: Final = {
    Fault.NOT_IMPLEMENTED: "NotImplemented",
    Fault.NOT_SUPPORTED: "NotSupported",
    Fault.INTERNAL: "InternalError",
    Fault.PROTOCOL: "ProtocolError",
    Fault.SECURITY: "SecurityError",
    Fault.PROPERTY: "PropertyConstraintViolation",
    Fault.TYPE: "TypeConstraintViolation",
    Fault.GENERIC: "GenericError",
}
_IN_16: Final = {
    **_SINCE_16,
    Fault.FORMAT: "FormationViolation",
    Fault.OCCURRENCE: "OccurenceConstraintViolation",
    Fault.MESSAGE_TYPE: "FormationViolation",
    Fault.FRAMEWORK: "FormationViolation",
}
_IN_2X: Final = {
    **_SINCE_16,
    Fault.FORMAT: "FormatViolation",
    Fault.OCCURRENCE: "OccurrenceConstraintViolation",
    Fault.MESSAGE_TYPE: "MessageTypeNotSupported",
    Fault.FRAMEWORK: "RpcFrameworkError",
}
CODES: Final[Mapping[str, Mapping[Fault, str]]] = {"1.6": _IN_16, "2.0.1": _IN_2X, "2.1": _IN_2X}

UNNAMED: Final = _SINCE_16[Fault.GENERIC]
"""What a CALLERROR of the charger counts as when it names no code."""

FAULTS: Final[Mapping[type, Fault]] = {
    errors.BusbarError: Fault.INTERNAL,
    errors.RequestFault: Fault.GENERIC,
    errors.Unauthorized: Fault.SECURITY,
    errors.Unreadable: Fault.FORMAT,
    errors.TooLarge: Fault.FORMAT,
    errors.WrongMediaType: Fault.FORMAT,
    errors.HeaderFault: Fault.FORMAT,
    errors.TooManyRequests: Fault.GENERIC,
    errors.InvalidRequest: Fault.PROPERTY,
    errors.NotEnoughInformation: Fault.OCCURRENCE,
    errors.NotFound: Fault.PROPERTY,
    errors.UnknownLocation: Fault.PROPERTY,
    errors.UnknownToken: Fault.PROPERTY,
    errors.CommandForUnknownLocation: Fault.PROPERTY,
    errors.CommandForForeignToken: Fault.SECURITY,
    errors.NotCapable: Fault.NOT_SUPPORTED,
    errors.NotInTheirVersion: Fault.NOT_SUPPORTED,
    errors.TooSlow: Fault.GENERIC,
    errors.NotYours: Fault.SECURITY,
    errors.RoleLacksInterface: Fault.SECURITY,
    errors.MethodNotAllowed: Fault.NOT_SUPPORTED,
    errors.RegistrationState: Fault.PROTOCOL,
    errors.PeerFault: Fault.INTERNAL,
    errors.PeerTimeout: Fault.INTERNAL,
    errors.PeerUnreachable: Fault.INTERNAL,
    errors.PartyAway: Fault.INTERNAL,
    errors.PeerRefused: Fault.INTERNAL,
    errors.PeerNonsense: Fault.INTERNAL,
    errors.PassedOn: Fault.INTERNAL,
    errors.UnknownReceiver: Fault.INTERNAL,
    errors.RoutingLoop: Fault.INTERNAL,
    errors.ClientApiUnusable: Fault.INTERNAL,
    errors.VersionNotOffered: Fault.INTERNAL,
    errors.EndpointsMissing: Fault.INTERNAL,
    errors.Conflict: Fault.INTERNAL,
    errors.NotReady: Fault.INTERNAL,
}

COMMAND_RESULTS: Final[Mapping[str, Mapping[str, Outcome]]] = {
    "START_SESSION": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED},
    "STOP_SESSION": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED},
    "RESERVE_NOW": {
        "Accepted": Outcome.ACCEPTED,
        "Occupied": Outcome.EVSE_OCCUPIED,
        "Faulted": Outcome.EVSE_INOPERATIVE,
        "Unavailable": Outcome.EVSE_INOPERATIVE,
        "Rejected": Outcome.REJECTED,
    },
    "CANCEL_RESERVATION": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.UNKNOWN_RESERVATION},
    "UNLOCK_CONNECTOR": {
        "Unlocked": Outcome.ACCEPTED,
        "UnlockFailed": Outcome.FAILED,
        "NotSupported": Outcome.NOT_SUPPORTED,
        "UnknownConnector": Outcome.REJECTED,
        "OngoingAuthorizedTransaction": Outcome.EVSE_OCCUPIED,
    },
}
REFUSED_START: Final[Mapping[str, Outcome]] = {
    "AVAILABLE": Outcome.REJECTED,
    "BLOCKED": Outcome.EVSE_OCCUPIED,
    "CHARGING": Outcome.EVSE_OCCUPIED,
    "RESERVED": Outcome.EVSE_OCCUPIED,
    "INOPERATIVE": Outcome.EVSE_INOPERATIVE,
    "OUTOFORDER": Outcome.EVSE_INOPERATIVE,
    "PLANNED": Outcome.EVSE_INOPERATIVE,
    "REMOVED": Outcome.EVSE_INOPERATIVE,
    "UNKNOWN": Outcome.REJECTED,
}
"""Why a RemoteStart was rejected, judged by the EVSE status (OCPI) that we know."""

CALLERROR_RESULTS: Final[Mapping[str, Outcome]] = {
    "NotSupported": Outcome.NOT_SUPPORTED,
    "NotImplemented": Outcome.NOT_SUPPORTED,
}
"""Every other code, ours or the vendor's own, is FAILED."""

NO_ANSWER: Final = Outcome.TIMEOUT
SOCKET_LOST: Final = Outcome.FAILED
NEVER_SENT: Final = Outcome.FAILED


def code(fault: Fault, version: str) -> str:
    """The CALLERROR code of `fault` as `version` spells it."""
    return CODES[version][fault]


def fault_of(error: BaseException) -> Fault:
    """The fault of the nearest kind of `error` that has a row; what is not of our tree is an internal error."""
    return next((FAULTS[kind] for kind in type(error).__mro__ if kind in FAULTS), Fault.INTERNAL)


def command_result(command: str, status: str, *, evse_status: str = "UNKNOWN", session_ended: bool = False) -> Outcome:
    """OCPI's result of `command` when the charger answered `status`.

    `evse_status` is what we knew of the EVSE, `session_ended` whether the session to stop is over meanwhile.
    Raises: PeerNonsense, when the charger's word is not one of the protocol.
    """
    if command == "START_SESSION" and status == "Rejected":
        return REFUSED_START[evse_status]
    if command == "STOP_SESSION" and status == "Rejected" and session_ended:
        return Outcome.ACCEPTED
    try:
        return COMMAND_RESULTS[command][status]
    except KeyError:
        raise errors.PeerNonsense(f"the charger answered {command} with an unknown status") from None


def callerror_result(error_code: str) -> Outcome:
    """OCPI's result of a command that the charger answered with a CALLERROR."""
    return CALLERROR_RESULTS.get(error_code, Outcome.FAILED)


PROFILE_RESULTS: Final[Mapping[str, Mapping[str, ProfileOutcome]]] = {
    "SetChargingProfile": {
        "Accepted": ProfileOutcome.ACCEPTED,
        "Rejected": ProfileOutcome.REJECTED,
        "NotSupported": ProfileOutcome.REJECTED,
    },
    "ClearChargingProfile": {"Accepted": ProfileOutcome.ACCEPTED, "Unknown": ProfileOutcome.UNKNOWN},
    "GetCompositeSchedule": {"Accepted": ProfileOutcome.ACCEPTED, "Rejected": ProfileOutcome.REJECTED},
}
"""OCPI's ChargingProfileResultType for each status of 1.6 (mod_charging_profiles_result_type_enum)."""


def profile_result(action: str, status: str) -> ProfileOutcome:
    """OCPI's result of what a charger was told of limits; a word that is not the protocol's is no yes."""
    return PROFILE_RESULTS[action].get(status, ProfileOutcome.REJECTED)


ID_TAG_STATUS: Final[Mapping[str, str]] = {
    "ALLOWED": "Accepted",
    "BLOCKED": "Blocked",
    "EXPIRED": "Expired",
    "NO_CREDIT": "Blocked",
    "NOT_ALLOWED": "Invalid",
}
"""AllowedType (mod_tokens_allowed_enum) to AuthorizationStatus of 1.6."""

CONCURRENT_TX: Final = "ConcurrentTx"


def id_tag_status(allowed: str) -> str:
    """The AuthorizationStatus of 1.6 for what a token was answered; what no table knows is Invalid."""
    return ID_TAG_STATUS.get(allowed, "Invalid")


TOKEN_STATUS_2: Final[Mapping[str, str]] = {
    "ALLOWED": "Accepted",
    "BLOCKED": "Blocked",
    "EXPIRED": "Expired",
    "NO_CREDIT": "NoCredit",
    "NOT_ALLOWED": "Invalid",
    CONCURRENT_TX: "ConcurrentTx",
}
"""AllowedType (mod_tokens_allowed_enum) to AuthorizationStatus of 2.x."""


def token_status(allowed: str) -> str:
    """The AuthorizationStatus of 2.x for what a token was answered; what no table knows is Invalid."""
    return TOKEN_STATUS_2.get(allowed, "Invalid")


class Contract(StrEnum):
    """What we found out about the certificate of a contract; the value is AuthorizeCertificateStatus of 2.x (C07).

    We hold no root of any contract: one is called good only when its issuers' responders were asked, and said so.
    """

    GOOD = "Accepted"
    REVOKED = "CertificateRevoked"
    UNCHECKED = "NoCertificateAvailable"
    EXPIRED = "CertificateExpired"
    UNREADABLE = "CertChainError"
    OTHER_CONTRACT = "SignatureError"
