"""A request on its way from the desk to the module that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from partners.sandbox.wire import Json


class Refused(Exception):
    """The request ends here, with this HTTP status and OCPI status code."""

    def __init__(self, http: int, code: int, message: str) -> None:
        super().__init__(message)
        self.http = http
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Reply:
    """What a module answers."""

    data: Json = None
    code: int = 1000
    http: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request that passed the desk. `path` is what follows the module in the URL."""

    method: str
    module: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    token: str
    tree: Json
    where: str


Handler = Callable[[Call], Awaitable[Reply]]
Handlers = Mapping[tuple[str, str], Handler]
"""By module and method."""
