"""The OICP message that is being served, for where its way leads on to another OICP partner.

OCPI's words do not hold all of it; between two partners of OICP nothing needs to be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_MESSAGE: ContextVar[Mapping[str, Any] | None] = ContextVar("oicp_message", default=None)


@contextmanager
def being_served(message: Mapping[str, Any]) -> Iterator[None]:
    """What is sent within is sent because of `message`."""
    token = _MESSAGE.set(message)
    try:
        yield
    finally:
        _MESSAGE.reset(token)


def original() -> Mapping[str, Any] | None:
    """The message that is being served, if it is one of OICP."""
    return _MESSAGE.get()
