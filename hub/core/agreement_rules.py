"""One rule of the agreements, and what is decided by it; `agreements.py` tells how they are read together."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from hub.core.registry import Partner

ALL: Final = "*"


class Verdict(NamedTuple):
    """Yes or no, and the rule that says so, in words for an operator."""

    allowed: bool
    rule: str


class Agreement(msgspec.Struct, frozen=True):
    """One rule."""

    viewer: str = ALL
    """A partner by its name, or a party (`NL*EEE`)."""
    owner: str = ALL
    """A party."""
    module: str = ALL
    allow: bool = True

    @property
    def key(self) -> str:
        return "/".join((self.viewer, self.owner, self.module))

    def __str__(self) -> str:
        return f"{'allow' if self.allow else 'deny'} viewer {self.viewer}, owner {self.owner}, module {self.module}"

    def is_for(self, viewer: Partner) -> bool:
        return self.viewer in (ALL, viewer.name, *viewer.parties)

    def fits(self, owner: str, module: str) -> bool:
        """Does it speak of these, whoever views them?"""
        return self.owner in (ALL, owner) and self.module in (ALL, module)

    @property
    def rank(self) -> tuple[bool, bool, bool, bool]:
        """How specific it is; the greater wins."""
        return self.viewer != ALL, self.owner != ALL, self.module != ALL, not self.allow
