"""Which operation a request means: one look-up by version, side, module and the number of segments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.errors import BusbarError, MethodNotAllowed, NotFound
from hub.core.operations import Operation


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and where its parameters and literals stand in a path."""

    operation: Operation
    names: tuple[tuple[int, str], ...]
    literals: tuple[tuple[int, str], ...]

    @property
    def ends_in_name(self) -> bool:
        """Is the last segment a parameter?"""
        return bool(self.names) and self.names[-1][0] == len(self.operation.shape) - 1

    def fits(self, segments: list[str]) -> bool:
        return not self.literals or all(segments[at] == literal for at, literal in self.literals)


class RouteTable:
    """Operations by (version, side, module, number of segments)."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._table: dict[tuple[str, str, str, int], dict[str, list[Route]]] = {}
        self.modules: set[tuple[str, str, str]] = set()
        for operation in operations:
            route = _route(operation)
            for version in operation.versions:
                key = (version, operation.side.value, operation.module, len(operation.shape))
                routes = self._table.setdefault(key, {}).setdefault(operation.method, [])
                routes.append(route)
                routes.sort(key=lambda r: -len(r.literals))
                self.modules.add(key[:3])

    def is_open_ended(self, version: str, side: str, module: str, segments: list[str], method: str) -> bool:
        """Does such a path mean the same operation, whatever its last segment is?"""
        routes = self._table[version, side, module, len(segments)][method]
        return bool(segments) and all(route.ends_in_name for route in routes)

    def find(self, version: str, side: str, module: str, segments: list[str], method: str) -> Route:
        """Raises: NotFound, when no operation has this shape; MethodNotAllowed, with what would be allowed."""
        methods = self._table.get((version, side, module, len(segments)))
        if methods is None:
            raise self._missing(version, side, module)
        for route in methods.get(method, ()):
            if route.fits(segments):
                return route
        allow = tuple(sorted(m for m, routes in methods.items() if any(r.fits(segments) for r in routes)))
        if not allow:
            raise NotFound("there is no such resource")
        raise MethodNotAllowed(allow=allow)

    def _missing(self, version: str, side: str, module: str) -> BusbarError:
        if (version, side, module) in self.modules:
            return NotFound("there is no such resource")
        return NotFound("this module has no such interface here")


def _route(operation: Operation) -> Route:
    names = [(at, part[1:-1]) for at, part in enumerate(operation.shape) if part.startswith("{")]
    literals = [(at, part) for at, part in enumerate(operation.shape) if not part.startswith("{")]
    return Route(operation, tuple(names), tuple(literals))
