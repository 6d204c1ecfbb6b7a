"""The one form in which the management API says no: {"error": {"code", "message"}}, chosen in one table.

A message never holds a secret; what is in no row is our own fault and says nothing about itself.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.core import errors
from hub.core.dialect import NotExpressible
from hub.core.errors import BusbarError
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from modules.tariffs.pricing import PricingFault


class Row(NamedTuple):
    """HTTP status, and the word that programs look at."""

    http: int
    code: str


TABLE: Final[dict[type[Exception], Row]] = {
    errors.Unauthorized: Row(401, "unauthorized"),
    errors.RoleLacksInterface: Row(403, "forbidden"),
    errors.NotYours: Row(403, "not_yours"),
    errors.NotFound: Row(404, "not_found"),
    errors.UnknownReceiver: Row(404, "unknown_receiver"),
    errors.MethodNotAllowed: Row(405, "method_not_allowed"),
    errors.TooSlow: Row(408, "too_slow"),
    errors.Conflict: Row(409, "conflict"),
    errors.RegistrationState: Row(409, "conflict"),
    errors.TooLarge: Row(413, "too_large"),
    errors.WrongMediaType: Row(415, "wrong_media_type"),
    errors.InvalidRequest: Row(422, "invalid_request"),
    errors.CommandForUnknownLocation: Row(422, "invalid_request"),
    errors.CommandForForeignToken: Row(422, "invalid_request"),
    errors.NotCapable: Row(422, "not_capable"),
    errors.NotInTheirVersion: Row(422, "not_capable"),
    PricingFault: Row(422, "cannot_be_priced"),
    NotExpressible: Row(422, "not_expressible"),
    errors.TooManyRequests: Row(429, "too_many_requests"),
    errors.Unreadable: Row(400, "unreadable"),
    errors.HeaderFault: Row(400, "header_fault"),
    errors.PeerRefused: Row(502, "partner_refused"),
    errors.PeerUnreachable: Row(502, "partner_unreachable"),
    errors.PeerNonsense: Row(502, "partner_answers_nonsense"),
    errors.PassedOn: Row(502, "partner_refused"),
    errors.RoutingLoop: Row(502, "routing_loop"),
    errors.ClientApiUnusable: Row(502, "partner_unusable"),
    errors.VersionNotOffered: Row(502, "no_common_version"),
    errors.EndpointsMissing: Row(502, "endpoint_missing"),
    errors.PeerTimeout: Row(504, "partner_timeout"),
    errors.NotReady: Row(503, "not_ready"),
}
UNEXPECTED: Final = Row(500, "internal_error")

_BY_STATUS: Final = {404: "not_found", 405: "method_not_allowed"}


def row_of(error: Exception) -> Row:
    """The row of the nearest class."""
    for cls in type(error).__mro__:
        if cls in TABLE:
            return TABLE[cls]
    return UNEXPECTED


def refusal(error: Exception) -> Response:
    """The answer to a request that ended in `error`."""
    row = row_of(error)
    headers = {}
    if isinstance(error, errors.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    if row.http == 401:
        headers["WWW-Authenticate"] = "Bearer"
    message = "this is our fault, and has been logged" if row is UNEXPECTED else _message(error)
    return form(row, message, headers, _partner_said(error))


def form(row: Row, message: str, headers: dict[str, str] | None = None, more: Tree | None = None) -> Response:
    """The one form."""
    body = encode({"error": {"code": row.code, "message": message, **(more or {})}})
    return Response(body, row.http, headers, "application/json")


def _message(error: Exception) -> str:
    return error.message if isinstance(error, BusbarError) else str(error)[:200]


def _partner_said(error: Exception) -> Tree:
    """With which codes a partner refused."""
    if isinstance(error, errors.PeerRefused):
        return {"partner": {"http": error.http, "status_code": error.status_code}}
    return {}


async def _ours(_: Request, error: Exception) -> Response:
    return refusal(error)


async def _of_starlette(_: Request, error: Exception) -> Response:
    """A path or method that does not exist."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    code = _BY_STATUS.get(error.status_code, "invalid_request")
    words = {404: "there is no such resource", 405: "this method is not offered here"}
    headers = dict(error.headers or {})
    return form(Row(error.status_code, code), words.get(error.status_code, "the request cannot be served"), headers)


async def _of_fastapi(_: Request, error: Exception) -> Response:
    """A path or query parameter that is not what it should be. Its value is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    first: Any = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return form(TABLE[errors.InvalidRequest], f"{where}: {first['msg']}"[:200])


def install(app: FastAPI) -> None:
    """Let `app` answer in this form, whatever went wrong."""
    for cls in (BusbarError, NotExpressible):
        app.add_exception_handler(cls, _ours)
    app.add_exception_handler(HTTPException, _of_starlette)
    app.add_exception_handler(RequestValidationError, _of_fastapi)
