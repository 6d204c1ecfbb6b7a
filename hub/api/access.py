"""Who may do what with the management API: viewer < operator < admin.

    viewer      reads everything; no secret can be read by anybody
    operator    changes objects, retries, talks to chargers
    admin       decides who is connected, and who operates

A failed authentication counts against the caller's address; a good token is let in whatever the count says, so nobody
can be locked out by a neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from hub.core.errors import InvalidRequest, RoleLacksInterface, TooManyRequests, Unauthorized
from hub.core.jwt import Bearer, OperatorRole
from hub.core.limits import RateLimiter, address_key

if TYPE_CHECKING:
    from hub.app import Program


def program_of(request: Request) -> Program:
    """The program that this application is the face of."""
    program: Program = request.app.state.program
    return program


def limiter(failures_per_min: int) -> RateLimiter:
    """The count of failed authentications by address."""
    return RateLimiter(rate_per_s=failures_per_min / 60, burst=failures_per_min)


def authenticated(request: Request) -> Bearer:
    """Who is asking. Raises: Unauthorized, TooManyRequests."""
    header = request.headers.get("authorization", "")
    try:
        return program_of(request).operators.bearer(header.encode("latin-1"))
    except Unauthorized:
        address = address_key(request.client.host if request.client else "?")
        program_of(request).hub.logins.failed("api", address, "unknown token" if header else "no token")
        failures: RateLimiter = request.app.state.failures
        wait_s = failures.take(address)
        if wait_s > 0:
            raise TooManyRequests(retry_after_s=max(1, round(wait_s))) from None
        raise


def needs(role: OperatorRole) -> Callable[[Request], Bearer]:
    """The dependency that lets in who has `role` or more."""

    def bearer(request: Request) -> Bearer:
        found = authenticated(request)
        if not found.role.allows(role):
            raise RoleLacksInterface(f"this needs the role {role}, the token has {found.role}")
        _must_be_asked_for(request)
        return found

    return bearer


def _must_be_asked_for(request: Request) -> None:
    """A parameter that nobody reads is a slip, and is told: a list would not be what was asked for.

    Raises: InvalidRequest.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = set(_parameters(route.dependant))
    if any(name not in known for name in request.query_params):
        there_are = f"there are {', '.join(sorted(known))}" if known else "there is none"
        raise InvalidRequest(f"query: holds a parameter that is not known here; {there_are}")


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route, and of all that it depends on."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


Viewer = Annotated[Bearer, Depends(needs(OperatorRole.VIEWER))]
Operator = Annotated[Bearer, Depends(needs(OperatorRole.OPERATOR))]
Admin = Annotated[Bearer, Depends(needs(OperatorRole.ADMIN))]
