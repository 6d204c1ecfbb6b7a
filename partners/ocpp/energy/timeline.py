"""A value that is known over time: a limit from the grid operator, a building's load, a partner's profile."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Generic, TypeVar

from hub.core.errors import InvalidRequest

T_co = TypeVar("T_co", covariant=True)
_when = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Steps(Generic[T_co]):
    """`first` until the first of `changes` (moment, value), then each value until the next one's moment."""

    first: T_co
    changes: tuple[tuple[datetime, T_co], ...] = ()

    def __post_init__(self) -> None:
        if any(former[0] >= later[0] for former, later in pairwise(self.changes)):
            raise InvalidRequest("changes over time must be in order, no two at one moment")

    def at(self, moment: datetime) -> T_co:
        """What holds at `moment`."""
        index = bisect_right(self.changes, moment, key=_when)
        return self.changes[index - 1][1] if index else self.first

    def next_after(self, moment: datetime) -> datetime | None:
        """When it changes next."""
        index = bisect_right(self.changes, moment, key=_when)
        return self.changes[index][0] if index < len(self.changes) else None

    def values(self) -> tuple[T_co, ...]:
        """Everything it ever is."""
        return (self.first, *(value for _, value in self.changes))
