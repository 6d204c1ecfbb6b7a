"""Parts of a case to be priced: an object, a list of objects, a time; and the fault that names what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.types import parse_datetime

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


class CaseFault(InvalidRequest):
    """A case cannot be priced; `code` is the word for programs."""

    def __init__(self, message: str, *, code: str = "unfit_case") -> None:
        super().__init__(message)
        self.code = code


def object_in(tree: Tree, name: str) -> Tree:
    """Raises: CaseFault, as the others do."""
    value = tree.get(name)
    if not isinstance(value, dict):
        raise CaseFault(f"/{name}: must be an object")
    return value


def listed_in(tree: Tree, name: str, pointer: str) -> list[Tree]:
    """The objects in a list; none where there is no list."""
    listed = tree.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise CaseFault(f"{pointer}/{name}: must be a list")
    for at, each in enumerate(listed):
        if not isinstance(each, dict):
            raise CaseFault(f"{pointer}/{name}/{at}: must be an object")
    return listed


def moment_in(tree: Tree, name: str, pointer: str) -> datetime:
    value = tree.get(name)
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not _EARLIEST <= moment < _LATEST:
        raise CaseFault(f"{pointer}/{name}: is not a time", code="unfit_session")
    return moment
