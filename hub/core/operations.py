"""OCPI's surface as one table of operations.

Each module's `routes.py` fills an `Operations`; the dispatcher serves the table, the OpenAPI documents are written from
it, the contract tester reads it. An operation is declared once for all versions; a version differs by its wire model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hub.core.answers import Answer
from hub.core.dialect import VERSIONS, Wire
from hub.core.parties import PartyRole

Handler = Callable[..., Awaitable[Answer]]
Wires = Mapping[str, Wire[Any]]

SMALL: Final = 64 * 1024
MEDIUM: Final = 512 * 1024
LARGE: Final = 2 * 1024 * 1024

EMSP_LIKE: Final = frozenset({PartyRole.EMSP, PartyRole.NSP, PartyRole.OTHER, PartyRole.HUB, PartyRole.PTP})
"""Roles that read a CPO's data and own tokens (transport_and_format, Broadcast Push: OTHER counts as eMSP-like)."""
CPO_LIKE: Final = frozenset({PartyRole.CPO, PartyRole.HUB})
"""Roles that own charge points, or speak for who does: they bring sessions and CDRs."""
READERS: Final = EMSP_LIKE | {PartyRole.NAP, PartyRole.SCSP, PartyRole.CPO}
"""Roles that may read locations and tariffs."""
CPO: Final = frozenset({PartyRole.CPO})
ADDRESSEES: Final = READERS - CPO
"""Roles in which a party may be sent a location or a tariff by name."""
ANYBODY: Final = frozenset(PartyRole)


class Side(StrEnum):
    """The interface role (InterfaceRole): SENDER owns the data, RECEIVER accepts it. CONFIG has no role in its URL."""

    SENDER = "sender"
    RECEIVER = "receiver"
    CONFIG = "config"


SENDER: Final = Side.SENDER
RECEIVER: Final = Side.RECEIVER
CONFIG: Final = Side.CONFIG


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path shape.

    `shape` is the path below the module's endpoint: `{name}` is a parameter, anything else a literal segment.
    `body` and `answer` are wire models per version; `listed` marks an answer that is an array. The handler gets the
    body as an object, `as_tree` as the JSON values of our form, and of a `patch` only what was told.
    `pending` lets a registration token (token A) in. `repeats`: though it is no GET, who asks the same again gets the
    same, as long as nothing has changed. `kept`: what comes is kept here, and brought on by lanes, so that we answer,
    whoever OCPI-to names. `limit` is the most bytes of body taken; a `bodiless` request may
    come without one, and the handler gets None.
    """

    module: str
    side: Side
    method: str
    shape: tuple[str, ...]
    handler: Handler
    callers: frozenset[PartyRole]
    body: Wires | None = None
    patch: bool = False
    as_tree: bool = False
    bodiless: bool = False
    answer: Wires | None = None
    listed: bool = False
    query: tuple[str, ...] = ()
    versions: tuple[str, ...] = VERSIONS
    pending: bool = False
    limit: int = SMALL
    routed: bool = True
    repeats: bool = False
    kept: bool = False

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n", 1)[0]


class Operations:
    """The operations of one module, in the order of their declaration."""

    def __init__(
        self, module: str, *, callers: frozenset[PartyRole] = ANYBODY, routed: bool = True, keeps: bool = False
    ) -> None:
        """`keeps`: see `Operation.kept`; it goes for the receiver's side."""
        self.module = module
        self._callers = callers
        self._routed = routed
        self._keeps = keeps
        self.table: list[Operation] = []

    def __call__(
        self,
        method: str,
        side: Side,
        shape: str = "",
        *,
        callers: frozenset[PartyRole] | None = None,
        body: Wires | None = None,
        patch: bool = False,
        as_tree: bool = False,
        bodiless: bool = False,
        answer: Wires | None = None,
        listed: bool = False,
        query: Iterable[str] = (),
        versions: tuple[str, ...] = VERSIONS,
        pending: bool = False,
        limit: int = SMALL,
        repeats: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as an operation; it gets the `Call`, the path parameters and the body."""

        def declare(handler: Handler) -> Handler:
            self.table.append(
                Operation(
                    module=self.module,
                    side=side,
                    method=method,
                    shape=tuple(shape.split("/")) if shape else (),
                    handler=handler,
                    callers=self._callers if callers is None else callers,
                    body=body,
                    patch=patch,
                    as_tree=as_tree,
                    bodiless=bodiless,
                    answer=answer,
                    listed=listed,
                    query=tuple(query),
                    versions=versions,
                    pending=pending,
                    limit=limit,
                    routed=self._routed,
                    repeats=repeats,
                    kept=self._keeps and side is RECEIVER,
                )
            )
            return handler

        return declare
