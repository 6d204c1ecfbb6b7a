"""What belongs together: the correlation id of a journey, and the request id of one exchange.

transport_and_format, Unique message IDs: each request has an X-Request-ID of its own; the X-Correlation-ID
stays the same from the first platform to the last. Ids look like UUIDs of version 4, as some peers insist
on that, but are counted, which is eight times cheaper: random to the last twelve digits, drawn anew by each
process. They can be guessed, so nothing may rest on their secrecy.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from itertools import count
from uuid import uuid4

_correlation: ContextVar[str] = ContextVar("correlation_id", default="")
_request: ContextVar[str] = ContextVar("request_id", default="")


class _Series:
    """A prefix that no other process has, and a counter."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.prefix = str(uuid4())[:24]
        self.counter = count(1)


_series = _Series()
os.register_at_fork(after_in_child=_series.start)


def new_request_id() -> str:
    """An id that was never used before, by this process or another: 36 characters."""
    return f"{_series.prefix}{next(_series.counter):012x}"


def begin(*, request_id: str = "", correlation_id: str = "") -> None:
    """A request came in, or a delivery starts: these ids from here on in this task; new ones where empty."""
    _request.set(request_id or new_request_id())
    _correlation.set(correlation_id or new_request_id())


def request_id() -> str:
    """The id of the request that is being served; empty outside of one."""
    return _request.get()


def correlation() -> str:
    """The id of the journey that this task is part of; a new one, when it is the first to ask."""
    current = _correlation.get()
    if not current:
        current = new_request_id()
        _correlation.set(current)
    return current


def current_ids() -> tuple[str, str]:
    """Request id and correlation id as they are, each possibly empty; for logs."""
    return _request.get(), _correlation.get()
