"""A request of OICP on its way from the desk to who answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from partners.sandbox.modes import Mode
from partners.sandbox.oicp.operations import Operation
from partners.sandbox.wire import Json


class Refused(Exception):
    """The request ends here, with this status code.

    `http` is another than 200 only where platforms do so; `tree` is for answers of no usual form.
    """

    def __init__(self, code: str, info: str | None = None, *, http: int = 200, tree: Json = None) -> None:
        super().__init__(f"{code} {info or ''}".strip())
        self.code = code
        self.info = info
        self.http = http
        self.tree = tree


@dataclass(frozen=True)
class Caller:
    """Who is there: the fingerprint of the certificate that was shown, the operation, the party in the path."""

    certificate: str | None
    operation: Operation
    party: str
    where: str


@dataclass(frozen=True)
class Call:
    """A request that passed the desk."""

    caller: Caller
    query: Mapping[str, str]
    tree: Json
    mode: Mode = field(default_factory=Mode)

    @property
    def party(self) -> str:
        """Who speaks: by the path, or where that has none, by the body."""
        return self.caller.party or self.caller.operation.party_in(self.tree) or ""


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    tree: Json
    http: int = 200


Handler = Callable[[Call], Awaitable[Reply]]
Handlers = Mapping[str, Handler]
"""By the operation's name."""
