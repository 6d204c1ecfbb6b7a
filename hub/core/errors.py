"""What can go wrong, in the words of the trade.

    BusbarError
    ├── RequestFault                 the caller's doing
    │   ├── Unauthorized             no token, an unknown one, or one that may not be used here
    │   ├── Unreadable               the body is not JSON
    │   ├── TooLarge  WrongMediaType  TooManyRequests  TooSlow  HeaderFault
    │   ├── InvalidRequest           JSON, but not what was asked for
    │   │   └── NotEnoughInformation
    │   ├── NotFound                 no such object
    │   │   ├── UnknownLocation
    │   │   └── UnknownToken
    │   ├── CommandForUnknownLocation  CommandForForeignToken  NotCapable
    │   ├── NotInTheirVersion        the receiver has no such thing
    │   ├── NotYours                 another party's object space
    │   ├── RoleLacksInterface       the caller's role has no business with this interface
    │   ├── MethodNotAllowed         the interface exists, the method does not
    │   ├── RegistrationState        POST when registered, PUT or DELETE when not
    │   └── UnknownReceiver          OCPI-to names a party that is not known here
    ├── PeerFault                    the far end's doing
    │   ├── PeerTimeout  PeerRefused  PeerNonsense
    │   ├── PeerUnreachable
    │   │   └── PartyAway            the partner is there, a hub, and the party behind it is not
    │   ├── PassedOn                 the receiver's own error, passed on as it is
    │   ├── RoutingLoop              the request is on its way through here already
    │   └── ClientApiUnusable  VersionNotOffered  EndpointsMissing   (registration call-backs)
    ├── Conflict                     what a unit expected is no longer so; the service decides again
    └── NotReady                     we cannot commit just now

Each protocol turns these into its own codes in one table: `hub/core/answers.py` for OCPI, `partners/ocpp/answers.py`
for OCPP. The text of an error may reach the caller: it never holds a secret, a card number or a foreign object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BusbarError(Exception):
    """The root. Raised only as one of its children."""

    data: Mapping[str, Any] | None = None
    """What the envelope's `data` carries with this error, where the protocol asks for it."""
    by: str = ""
    """The party whose answer it is; "": ours."""

    def __init__(self, message: str = "", *, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").split("\n", 1)[0])
        if data is not None:
            self.data = data

    @property
    def message(self) -> str:
        """At most 200 characters, safe to show to the far end."""
        return str(self)[:200]


class RequestFault(BusbarError):
    """The request cannot be served as it stands."""


class Unauthorized(RequestFault):
    """The credentials token is missing or not valid here."""


class Unreadable(RequestFault):
    """The body is not valid JSON."""


class TooLarge(RequestFault):
    """The body is larger than this endpoint takes."""


class WrongMediaType(RequestFault):
    """The body must be sent as application/json."""


class HeaderFault(RequestFault):
    """A header is repeated or malformed."""


class TooSlow(RequestFault):
    """The request did not arrive in time."""


class TooManyRequests(RequestFault):
    """Too many requests; try again later."""

    def __init__(self, message: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InvalidRequest(RequestFault):
    """Invalid or missing parameters."""


class NotEnoughInformation(InvalidRequest):
    """Not enough information, for example an authorization request without a location."""


class NotFound(RequestFault):
    """There is no such object."""


class UnknownLocation(NotFound):
    """There is no such location, EVSE or connector."""


class UnknownToken(NotFound):
    """There is no such token."""


class CommandForUnknownLocation(RequestFault):
    """The command names a location or EVSE that is not known."""


class CommandForForeignToken(RequestFault):
    """The command brings a token that is not the sender's."""


class NotCapable(RequestFault):
    """The EVSE has not the capability that this asks for."""


class NotInTheirVersion(RequestFault):
    """The receiver's version of OCPI has no such thing."""


class NotYours(RequestFault):
    """The URL names a party that is not yours."""


class RoleLacksInterface(RequestFault):
    """Your role has no access to this interface."""


class UnknownReceiver(RequestFault):
    """The OCPI-to headers name a party that is not known here."""


class MethodNotAllowed(RequestFault):
    """This method is not offered here."""

    def __init__(self, message: str = "", *, allow: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allow = allow


class RegistrationState(MethodNotAllowed):
    """POST registers, PUT and DELETE need a registration."""


class PeerFault(BusbarError):
    """The far end did not do its part."""


class PeerTimeout(PeerFault):
    """The receiver did not answer in time."""


class PeerUnreachable(PeerFault):
    """The receiver cannot be reached."""


class PartyAway(PeerUnreachable):
    """The receiver is not connected to its hub.

    was_tried: the hub itself answered so just now. in_doubt: the receiver may have it all the same, without an answer.
    """

    def __init__(self, message: str = "", *, party: str, was_tried: bool = False, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.party = party
        self.was_tried = was_tried
        self.in_doubt = in_doubt


class PeerRefused(PeerFault):
    """The receiver answered with an error."""

    def __init__(
        self, message: str = "", *, http: int, status_code: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.http = http
        self.status_code = status_code
        self.retry_after_s = retry_after_s


class PassedOn(PeerFault):
    """The receiver's own answer to a request that we passed on: an OCPI error, told as it is."""

    def __init__(self, message: str = "", *, http: int, status_code: int, by: str) -> None:
        super().__init__(message)
        self.http = http
        self.status_code = status_code
        self.by = by


class RoutingLoop(PeerFault):
    """This request is on its way through this hub already."""


class PeerNonsense(PeerFault):
    """The receiver's answer is not what its protocol says.

    answered: it came whole, and as a success of HTTP; `said` is the `data` in it, which may be anything.
    """

    def __init__(self, message: str = "", *, answered: bool = False, said: Any = None) -> None:
        super().__init__(message)
        self.answered = answered
        self.said = said


class ClientApiUnusable(PeerFault):
    """Your versions URL could not be used."""


class VersionNotOffered(PeerFault):
    """You do not offer the version of this endpoint."""


class EndpointsMissing(PeerFault):
    """You do not offer an endpoint that we need."""


class Conflict(BusbarError):
    """Somebody else changed it meanwhile."""


class NotReady(BusbarError):
    """The store cannot take writes just now."""
