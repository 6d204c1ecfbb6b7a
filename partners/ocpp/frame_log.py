"""The last frames of a station, both directions, shown without secrets.

Frames are kept as they came, in memory and bounded; what identifies a driver or opens a door is replaced by a digest
when somebody looks: idTags, keys, passwords, links to files, what is told of a customer. A frame that cannot be parsed
is shown by its length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from partners.ocpp.variables import is_secret

Direction = Literal["in", "out"]

LONGEST: Final = 4096
"""Characters of a frame that are kept."""

SECRET: Final = frozenset(
    {
        "idtag",
        "parentidtag",
        "idtoken",
        "groupidtoken",
        "additionalidtoken",
        "customeridentifier",
        "password",
        "authorizationkey",
        "basicauthpassword",
    }
)
_VALUES: Final = frozenset({"value", "attributeValue"})
"""Where the value stands of what is named beside it, or around it."""
_NONE: Final[frozenset[str]] = frozenset()
_ACTION: Final = 2
"""Where a CALL names its action."""
_TEXTS: Final = {"NotifyCustomerInformation": frozenset({"data"})}
"""Action -> fields of it that are text about a driver: cards and names may stand in it (2.x: N09)."""
LINKS: Final = frozenset({"location", "remotelocation"})
"""Where a URL opens a door. (The location of a sampled value is no URL.)"""
_LEVELS: Final = 32


Frame = tuple[datetime, Direction, str, int]
"""When it passed, whither, its text and its size. A plain tuple, as every frame makes one."""


class FrameLog:
    """The frames of one station, oldest first."""

    __slots__ = ("_frames", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._frames: deque[Frame] | None = None

    def keep(self, at: datetime, direction: Direction, text: str) -> None:
        """Note a frame."""
        if self._frames is None:
            self._frames = deque(maxlen=self._most)
        size = len(text)
        self._frames.append((at, direction, text if size <= LONGEST else text[:64], size))

    def shown(self, digest: Callable[[str], str], *, limit: int) -> list[Tree]:
        """The newest `limit` frames for the operator, oldest of them first."""
        frames = list(self._frames or ())[-limit:] if limit > 0 else []
        return [
            {
                "at": timestamp(at),
                "direction": direction,
                "size": size,
                "message": redacted(text, digest),
            }
            for at, direction, text, size in frames
        ]


def redacted(text: str, digest: Callable[[str], str]) -> Any:
    """The message as JSON without secrets; None, when it is no JSON or too long to be kept."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return None
    action = message[2] if isinstance(message, list) and len(message) > _ACTION else None
    hidden = _TEXTS.get(action, _NONE) if isinstance(action, str) else _NONE
    return _without_secrets(message, digest, _LEVELS, hidden)


def _without_secrets(value: Any, digest: Callable[[str], str], levels: int, hidden: frozenset[str] = _NONE) -> Any:
    """`hidden`: the fields that stand here for something secret, as what holds them is named so."""
    if levels == 0:
        return None
    if isinstance(value, list):
        return [_without_secrets(item, digest, levels - 1, hidden) for item in value]
    if not isinstance(value, dict):
        return value
    variable = value.get("variable")
    about = str(variable.get("name", "") if isinstance(variable, dict) else value.get("key", ""))
    if about.casefold() in SECRET or is_secret(about):
        hidden = _VALUES
    return {
        name: digest(str(item))
        if isinstance(item, str | int) and (_is_secret(name, item) or name in hidden)
        else _without_secrets(item, digest, levels - 1, hidden)
        for name, item in value.items()
    }


def _is_secret(name: str, item: str | int) -> bool:
    return name.casefold() in SECRET or (name.casefold() in LINKS and "://" in str(item))
