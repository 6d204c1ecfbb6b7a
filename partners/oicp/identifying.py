"""Who it is, in a message about one charge: named in exactly one way, which is one of the operation's (022 else).

RFIDIdentification is what a provider knows of its card; whoever shows a card is asked about by
RFIDMifareFamilyIdentification (OICP's IdentificationType). An order names its driver by RemoteIdentification, which
`ordered.check_driver` looks at. A hub has looked at all this before it asks us; what it fills in besides counts for
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.tokens import KNOWN_CARD, MEDIA
from partners.oicp.wire import Finding, Unfit

_NOT_SHOWN: Final[Mapping[str, str]] = {"AuthorizeStart": KNOWN_CARD, "AuthorizeStop": KNOWN_CARD}
_IN_CAPITALS: Final = ("UID", "EvcoID")


def check_ways(identification: Mapping[str, Any], pointer: str) -> None:
    """Raises: Unfit, where it names nobody, or somebody in more ways than one."""
    ways = _ways(identification)
    if len(ways) != 1:
        problem = "more than one way to say who it is" if ways else "it does not say who it is"
        raise Unfit((Finding(pointer, problem, is_dropped=True),))


def check_shown(operation: str, identification: Mapping[str, Any]) -> None:
    """Is it one way, of those in which the operation has somebody named? Raises: Unfit."""
    check_ways(identification, "/Identification")
    (way,) = _ways(identification)
    if way == _NOT_SHOWN.get(operation):
        raise Unfit((Finding(f"/Identification/{way}", f"has no place in {operation}", is_dropped=True),))


def is_said(identification: Mapping[str, Any]) -> bool:
    """Does it name somebody?"""
    return bool(_ways(identification))


def in_capitals(identification: Mapping[str, Any]) -> Tree:
    """With the numbers of cards and contracts as a hub writes them."""
    return {kind: _in_capitals(named) for kind, named in identification.items()}


def _in_capitals(named: Any) -> Any:
    if not isinstance(named, Mapping):
        return named
    return {name: value.upper() if name in _IN_CAPITALS else value for name, value in named.items()}


def _ways(identification: Mapping[str, Any]) -> list[str]:
    return [name for name in MEDIA if identification.get(name)]
