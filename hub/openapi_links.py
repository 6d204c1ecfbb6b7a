"""Links of the OpenAPI documents: what can be asked next, with which words of a request or of its answer.

What was written can be read and removed at the same path; an object of a list can be read by its id. Testers that keep
state (and people) follow them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.operations import Operation

_WRITES: Final = frozenset({"PUT", "PATCH", "POST"})
_FOLLOW: Final = frozenset({"GET", "PATCH", "DELETE"})
_IDS: Final[Mapping[str, str]] = {"uid": "uid", "token_uid": "uid", "evse_uid": "uid"}
"""Names in paths that are not `<object>_id`, and what the object calls them."""


def operation_id(operation: Operation) -> str:
    """Unique within a version."""
    shape = "_".join(part.strip("{}") for part in operation.shape)
    return "_".join(filter(None, (operation.method.lower(), operation.side.value, operation.module, shape)))


def links_of(operation: Operation, offered: Iterable[Operation]) -> Tree:
    """The links of an answer, by name; `offered`: all operations of the version."""
    return dict(_links(operation, offered))


def _links(operation: Operation, offered: Iterable[Operation]) -> Iterator[tuple[str, Tree]]:
    for other in offered:
        if (other.module, other.side) != (operation.module, operation.side):
            continue
        name = operation_id(other)
        if operation.shape == other.shape and _names(operation) and _follows(operation, other):
            yield name, _link(name, {part: f"$request.path.{part}" for part in _names(operation)})
        elif operation.listed and _is_one_of(operation, other):
            last = _names(other)[-1]
            yield name, _link(name, {last: f"$response.body#/data/0/{_IDS.get(last, 'id')}"})


def _follows(operation: Operation, other: Operation) -> bool:
    return operation.method in _WRITES and other.method in _FOLLOW and other.method != operation.method


def _is_one_of(listed: Operation, other: Operation) -> bool:
    """Is it about one object of that list?"""
    return other.method == "GET" and len(other.shape) == len(listed.shape) + 1 and len(_names(other)) == 1


def _names(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.shape if part.startswith("{")]


def _link(name: str, values: Mapping[str, str]) -> Tree:
    return {"operationId": name, "parameters": dict(values)}
