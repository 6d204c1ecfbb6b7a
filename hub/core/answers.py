"""The one place where OCPI status codes are chosen: every error of `hub/core/errors.py` has its row here.

HTTP says how the transport went, the OCPI code how the request went (status_codes). A semantic fault of an
authenticated caller on an existing resource is HTTP 200 with a 2xxx code; HTTP errors are kept for what the
specification names. 2.1.1 knows no 2004 and no 4xxx; its column holds what is sent instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.core import errors
from hub.core.clock import Clock, timestamp
from hub.core.inbound import encode
from hub.core.jsontypes import Json


class Row(NamedTuple):
    """HTTP status, OCPI status code, and the OCPI status code where the caller speaks 2.1.1."""

    http: int
    code: int
    code_211: int


def _row(http: int, code: int, code_211: int | None = None) -> Row:
    return Row(http, code, code if code_211 is None else code_211)


SUCCESS: Final = 1000
CLIENT_ERROR: Final = 2000
UNKNOWN_RECEIVER: Final = 4001
TIMEOUT: Final = 4002
NOT_CONNECTED: Final = 4003
PASSING_4XX: Final = frozenset({401, 408, 425, 429})
"""HTTP statuses of the 4xx range that are about the server or the registration, not about what was asked."""

TABLE: Final[dict[type[errors.BusbarError], Row]] = {
    errors.Unauthorized: _row(401, 2000),
    errors.Unreadable: _row(400, 2001),
    errors.HeaderFault: _row(400, 2001),
    errors.TooLarge: _row(413, 2000),
    errors.WrongMediaType: _row(415, 2000),
    errors.TooManyRequests: _row(429, 2000),
    errors.TooSlow: _row(408, 2000),
    errors.InvalidRequest: _row(200, 2001),
    errors.NotEnoughInformation: _row(200, 2002),
    errors.NotFound: _row(404, 2000),
    errors.UnknownLocation: _row(404, 2003),
    errors.UnknownToken: _row(404, 2004, 2000),
    errors.CommandForUnknownLocation: _row(200, 2003),
    errors.CommandForForeignToken: _row(200, 2004, 2000),
    errors.NotYours: _row(404, 2000),
    errors.NotCapable: _row(404, 2001),
    errors.NotInTheirVersion: _row(404, 2001),
    errors.RoleLacksInterface: _row(403, 2000),
    errors.MethodNotAllowed: _row(405, 2000),
    errors.RegistrationState: _row(405, 2000),
    errors.ClientApiUnusable: _row(200, 3001),
    errors.VersionNotOffered: _row(200, 3002),
    errors.EndpointsMissing: _row(200, 3003),
    errors.PeerTimeout: _row(200, 4002, 3000),
    errors.PeerUnreachable: _row(200, 4003, 3000),
    errors.PartyAway: _row(200, 4003, 3000),
    errors.PeerRefused: _row(200, 4000, 3000),
    errors.PeerNonsense: _row(200, 4000, 3000),
    errors.PassedOn: _row(200, 4000, 3000),
    errors.RoutingLoop: _row(200, 4000, 3000),
    errors.UnknownReceiver: _row(200, 4001, 2000),
    errors.Conflict: _row(200, 3000),
    errors.NotReady: _row(503, 3000),
}

CODES_211: Final = {row.code: row.code_211 for row in TABLE.values() if row.code != row.code_211}
"""What 2.1.1 has for the codes that came after it."""
_UNEXPECTED: Final = Row(200, 3000, 3000)


@dataclass(slots=True)
class Answer:
    """What goes back to the caller. `data` is JSON bytes, or None to leave the field out."""

    http: int = 200
    code: int = SUCCESS
    message: str = "Success"
    data: bytes | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    routing: list[tuple[bytes, bytes]] | None = None
    """The routing headers, where they are not those of `reading.Reading`."""
    tail: bytes | None = None
    """Ready end of the envelope (`,"data":[...]}`), kept by the page cache and written without a copy."""
    rest: Sequence[bytes] = ()
    """What follows the tail, where that end is in many parts, each kept elsewhere: they are written as they are."""
    rest_length: int = 0
    """Bytes of all of `rest`."""
    gzip: Callable[[Callable[[], bytes]], bytes] | None = None
    """Where the page cache can give the whole envelope compressed; it is handed a function that makes the plain one."""


def ok(data: Json = None, *, created: bool = False) -> Answer:
    """Success with `data` (None: left out, as the specification defines none). 201 for a new object."""
    return Answer(http=201 if created else 200, data=None if data is None else encode(data))


def ok_bytes(data: bytes) -> Answer:
    """Success with JSON that is already bytes."""
    return Answer(data=data)


def row_of(error: BaseException) -> Row:
    """The row of the nearest class; what is in no row is our own fault and says nothing about itself."""
    for cls in type(error).__mro__:
        if cls in TABLE:
            return TABLE[cls]
    return _UNEXPECTED


def refusal(error: BaseException, *, version: str | None) -> Answer:
    """The answer to a request that ended in `error`, with headers the HTTP status calls for."""
    row = row_of(error)
    if isinstance(error, errors.PassedOn):
        row = Row(error.http, error.status_code, CODES_211.get(error.status_code, error.status_code))
    answer = Answer(
        http=row.http,
        code=row.code_211 if version == "2.1.1" else row.code,
        message=error.message if isinstance(error, errors.BusbarError) else "Generic server error",
    )
    if isinstance(error, errors.BusbarError) and error.data is not None:
        answer.data = encode(error.data)
    if isinstance(error, errors.MethodNotAllowed) and error.allow:
        answer.headers.append((b"allow", ", ".join(error.allow).encode()))
    if isinstance(error, errors.TooManyRequests):
        answer.headers.append((b"retry-after", str(error.retry_after_s).encode()))
    if row.http == 401:
        answer.headers.append((b"www-authenticate", b"Token"))
    return answer


def envelope(answer: Answer, clock: Clock) -> tuple[bytes, bytes]:
    """The body up to `Answer.rest`, in two parts: a fresh head, and the tail. `data` is last for the cache's sake."""
    head = b'{"status_code":%d,"status_message":%b,"timestamp":"%b"' % (
        answer.code,
        b'"Success"' if answer.message == "Success" else encode(answer.message),
        timestamp(clock.now()).encode(),
    )
    if answer.tail is not None:
        return head, answer.tail
    if answer.data is None:
        return head, b"}"
    return head, b',"data":' + answer.data + b"}"


def is_success(code: int) -> bool:
    """1xxx."""
    return 1000 <= code < 2000


def is_told(code: int) -> bool:
    """An error that a hub passes on: the receiver's word on what was asked (status_codes, Hub errors)."""
    return 2000 <= code < 4000


def is_error_of_ocpi(code: int | None) -> bool:
    """Is it in a range of errors that OCPI has (status_codes)?"""
    return code is not None and 2000 <= code < 5000


def is_passing(http: int, code: int | None) -> bool:
    """Trouble of the other end, which says nothing about the object that was sent; 4xxx is a hub's trouble."""
    if http >= 500 or 300 <= http < 400 or http in PASSING_4XX:
        return True
    return code is not None and 3000 <= code < 5000


def is_of_the_party(http: int, code: int | None) -> bool:
    """Does a hub answer so that it is well, and a party behind it is unknown, silent or away (Hub errors)?"""
    return code in (UNKNOWN_RECEIVER, TIMEOUT, NOT_CONNECTED) and not is_passing(http, None)


def says_unknown_token(http: int, code: int | None) -> bool:
    """Each way in which partners say that they do not know a token, or refuse it (mod_tokens, POST)."""
    return http == 404 or code in (2000, 2001, 2003, 2004)


def says_no_such_token(http: int, code: int, *, has_2004: bool) -> bool:
    """The eMSP does not know the token. 2.1.1 has no 2004: there 2000 and 2001 may mean it too."""
    return code == 2004 or (http == 404 and code != 2003) or (not has_2004 and code in (2000, 2001))


def says_unknown_object(http: int, code: int | None) -> bool:
    """The partner has no such object: a PATCH becomes a PUT."""
    return http == 404 or code == 2003
