"""From a path to its operation, and the id in it. Each service is served in its own version alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from partners.oicp.answers import Code, Refused
from partners.oicp.ids import from_path
from partners.oicp.operations import OPERATIONS, Operation

_PREFIXES: Final = ("api/oicp/", "oicp/")
"""Base URLs of hubs often end so; a partner may have been told ours that way."""
_ID: Final = "{id}"
_ID_AT: Final = 3
_VERSION_AT: Final = 1
_LONGEST: Final = 200

_BY_PATH: Final[Mapping[tuple[str, ...], Operation]] = MappingProxyType(
    {tuple(path.strip("/").split("/")): operation for operation in OPERATIONS.values() for path in operation.paths}
)


def find(path: str) -> tuple[Operation, str]:
    """The operation at `path`, as it came on the wire, and the operator or provider that is named in it.

    A `+` is a plus. Raises: Refused, as not offered, when there is nothing at this path.
    """
    below = path[:_LONGEST].strip("/")
    for prefix in _PREFIXES:
        below = below.removeprefix(prefix)
    parts = tuple(below.split("/"))
    if parts in _BY_PATH:
        return _BY_PATH[parts], ""
    operation = _BY_PATH.get((*parts[:_ID_AT], _ID, *parts[_ID_AT + 1 :])) if len(parts) > _ID_AT else None
    if operation is None:
        raise Refused(Code.NOT_OFFERED, info=_why(parts), http=404)
    return operation, from_path(parts[_ID_AT])


def _unversioned(parts: tuple[str, ...]) -> tuple[str, ...]:
    """What is left of a path without version and id."""
    return (*parts[:_VERSION_AT], *parts[_VERSION_AT + 1 : _ID_AT], *parts[_ID_AT + 1 :])


_VERSIONS: Final[Mapping[tuple[str, ...], str]] = MappingProxyType(
    {_unversioned(path): path[_VERSION_AT] for path in _BY_PATH}
)


def _why(parts: tuple[str, ...]) -> str:
    served = _VERSIONS.get(_unversioned(parts))
    if served is not None and parts[_VERSION_AT] != served:
        return f"{parts[0]} is served in version {served}"
    return "there is no such operation"
