"""How pytest-xdist deals tests out: one by one, but the walks of one database all to one worker.

They share processes that take seconds to start. (xdist's own `--dist loadgroup` renames tests, which pytest 9.2 no
longer lets it do, so its groups have no effect.)
"""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling

_WALKS: Final = "tests/walks/"


class WalksTogether(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """The largest groups go first, so the walks do not come last and alone."""

    def _split_scope(self, nodeid: str) -> str:
        """The group of a test: itself, unless it is a walk."""
        if not nodeid.startswith(_WALKS):
            return nodeid
        return _WALKS + ("sqlite" if "[sqlite" in nodeid else "postgresql")
