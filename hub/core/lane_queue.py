"""What one partner has still to hear of: objects in the order of their first change, each once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

At = tuple[str, str]
"""Module and key of an object."""

ATTEMPTS_PER_OBJECT: Final = 6


@dataclass(slots=True)
class Dirty:
    """An object that a partner has to hear of."""

    first_seq: int
    what: set[str]
    correlation_id: str
    attempts: int = 0
    delivered_before: int = -1
    """What the lane had delivered when this one failed last: has anything got through since?"""


@dataclass(slots=True)
class LaneQueue:
    """The dirty objects. Changes of one that waits are joined."""

    dirty: dict[At, Dirty] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.dirty)

    def note(self, at: At, seq: int, what: str, correlation_id: str) -> None:
        """It has changed."""
        known = self.dirty.get(at)
        if known is None:
            self.dirty[at] = Dirty(seq, {what}, correlation_id)
        else:
            known.what.add(what)
            known.correlation_id = correlation_id

    def take_up(self, at: At, seq: int, correlation_id: str) -> None:
        """It has to be sent again, though nothing changed since `seq`; at the end, where it does not wait already."""
        self.dirty.setdefault(at, Dirty(seq, set(), correlation_id))

    def first(self) -> tuple[At, Dirty]:
        """Take the one whose turn it is. Raises: StopIteration, when there is none."""
        at = next(iter(self.dirty))
        return at, self.dirty.pop(at)

    def put_back(self, at: At, dirty: Dirty) -> None:
        """To the front again, joined with what came meanwhile."""
        self.put_last(at, dirty)
        del self.dirty[at]
        self.dirty = {at: dirty, **self.dirty}

    def put_last(self, at: At, dirty: Dirty) -> None:
        """To the end, joined with what came meanwhile."""
        newer = self.dirty.pop(at, None)
        if newer is not None:
            dirty.what |= newer.what
        self.dirty[at] = dirty

    def oldest(self) -> int | None:
        """The number of the first change of those that wait; None, when nothing does."""
        return min((dirty.first_seq for dirty in self.dirty.values()), default=None)

    def below(self, read_to: int) -> int:
        """The number up to which all changes are dealt with, of those that were read up to `read_to`."""
        return min(min((dirty.first_seq - 1 for dirty in self.dirty.values()), default=read_to), read_to)

    def keeps_failing(self, dirty: Dirty, *, delivered: int) -> bool:
        """Has this one been tried often enough? `delivered` is what the lane has delivered until now.

        Counts only what tells of the object: that others got through meanwhile, or that there is no other.
        """
        if delivered > dirty.delivered_before or not self.dirty:
            dirty.attempts += 1
        dirty.delivered_before = delivered
        return dirty.attempts >= ATTEMPTS_PER_OBJECT
