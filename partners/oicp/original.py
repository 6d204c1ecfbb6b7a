"""The OICP message that is being served, for where its way leads on to another OICP partner.

OCPI's words do not hold all of it; between two partners of OICP nothing needs to be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class _Served(NamedTuple):
    message: Mapping[str, Any]
    refusals: list[str]


_SERVED: ContextVar[_Served | None] = ContextVar("oicp_served", default=None)


@contextmanager
def being_served(message: Mapping[str, Any]) -> Iterator[list[str]]:
    """What is sent within is sent because of `message`. Yields: the StatusCodes with which partners of OICP refused."""
    served = _Served(message, [])
    token = _SERVED.set(served)
    try:
        yield served.refusals
    finally:
        _SERVED.reset(token)


def original() -> Mapping[str, Any] | None:
    """The message that is being served, if it is one of OICP."""
    served = _SERVED.get()
    return served.message if served is not None else None


def refused_with(code: str) -> None:
    """A partner of OICP has refused what it was asked because of the message that is being served."""
    served = _SERVED.get()
    if served is not None:
        served.refusals.append(code)
