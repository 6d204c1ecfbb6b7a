"""What partners are owed of owners whose objects they may have from now on.

While an agreement denies them, changes pass them by, and bear times that no pull by `date_from` goes back to. So the
unit that makes or ends an agreement writes down to whom it opens what, one document for each viewer;
`catching_up.py` tells their lanes.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import msgspec

from hub.core.registry import State
from hub.core.units import ABSENT, Kind, Put

OPENED: Final = Kind("opened")
HAS_A_LANE: Final = frozenset({State.CONNECTED, State.BLOCKED})
"""States in which a partner goes on later where it stopped. From any other one it begins by pulling."""


class Opened(msgspec.Struct, frozen=True):
    """The objects of these parties, by module, that a partner is still to be told of."""

    viewer: str
    owners: dict[str, tuple[str, ...]]
    after: int = 0
    """How far its lane was told of those of the module whose turn it is."""
    kind: int = 0
    """Which of the kinds of that module has its turn."""

    def put(self) -> Put:
        """The write of a new one."""
        return Put(OPENED, f"{self.viewer}/{uuid4()}", msgspec.json.encode(self), expect=ABSENT)
