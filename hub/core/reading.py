"""What the words of a request mean, and what is kept of that for the next one.

Requests that push objects differ from each other in the last segment of their path, which is the id of the object; who
may push what to whom is the same for all of them. Requests for pages of one list differ in their query. The reading of
one that was admitted serves as the *pattern* of those that follow, for as long as nothing changes that the rights of a
caller depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hub.core.answers import Answer
from hub.core.operations import Operation
from hub.core.registry import Caller, Registry
from hub.core.request import LONGEST_SEGMENT, MEANING, Asked, query_of

if TYPE_CHECKING:
    from hub.core.dispatch import Call

Words = tuple[str | bytes | None, ...]

PUSHES: Final = frozenset({"PUT", "PATCH", "DELETE"})
_ALIKE: Final = PUSHES | {"GET"}
_MOST: Final = 1_000
_PLAIN: Final = bytes(set(range(0x20, 0x7F)) - set(b"%/"))
"""What means itself in a segment of a path."""


@dataclass(slots=True, eq=False)
class Reading:
    """What the words of a request mean. That of a GET is kept, and of what else repeats (`Operation.repeats`): who asks
    the same again is spared the reading."""

    caller: Caller
    version: str
    operation: Operation
    query: Mapping[str, str]
    path: str
    parameters: Mapping[str, str]
    asker: str = ""
    """The party that asks: OCPI-from, else the caller's first; "" where nothing is routed."""
    to: str = ""
    """The party of OCPI-to; "" where it is left to us (Open Routing Request)."""
    routing: list[tuple[bytes, bytes]] = field(default_factory=list)
    """The routing headers of the answer."""
    is_admitted: bool = False
    ready: Callable[[Call], Answer | None] | None = None
    """Where the answer is in memory: gives it without waiting; None when it is not there any more."""
    like: Words | None = None
    """The words of all requests that mean the same, but for the last parameter, or for the query; None where it is the
    only one."""


def pattern_of(asked: Asked, headers: Mapping[bytes, bytes]) -> Words | None:
    """All words that count of a request but its query (GET), or the last segment of its path (a push); None where that
    is not as plain as it looks, or where somebody else than the headers says who asks."""
    if asked.method == "GET":
        if not asked.query or len(asked.path) > LONGEST_SEGMENT or asked.caller is not None:
            return None
        return (asked.method, asked.path, *map(headers.get, MEANING))
    stem, _, last = asked.path.rpartition(b"/")
    if len(asked.path) > LONGEST_SEGMENT or not last or last.translate(None, _PLAIN) or asked.caller is not None:
        return None
    return (asked.method, stem, asked.query, *map(headers.get, MEANING))


class Patterns:
    """Readings of requests that were admitted, by what is `like` them."""

    def __init__(self) -> None:
        self._kept: dict[Words, Reading] = {}

    def find(self, asked: Asked, headers: Mapping[bytes, bytes], registry: Registry) -> Reading | None:
        """The reading of what is asked, by what was asked before."""
        words = pattern_of(asked, headers) if asked.method in _ALIKE else None
        known = self._kept.get(words) if words is not None else None
        if known is None or known.caller is not registry.known(headers[b"authorization"]):
            return None
        query, path, parameters = known.query, known.path, known.parameters
        if asked.method == "GET":
            query = query_of(asked.query)
        else:
            path = asked.path.decode("latin-1")
            parameters = dict(parameters)
            parameters[next(reversed(parameters))] = path.rpartition("/")[2]
        return Reading(
            known.caller,
            known.version,
            known.operation,
            query,
            path,
            parameters,
            known.asker,
            known.to,
            known.routing,
            is_admitted=True,
        )

    def keep(self, reading: Reading) -> None:
        """It was admitted. A copy is kept: the answer to this one may turn out to come from another party."""
        if reading.like is None:
            return
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[reading.like] = replace(reading)
