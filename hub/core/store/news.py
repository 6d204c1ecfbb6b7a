"""What was committed, for those in this process who want to know: caches by revision, lanes by call-back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog

from hub.core.units import ChangeRow

OnCommit = Callable[[Sequence[ChangeRow]], None]

log = structlog.get_logger(__name__)


class News:
    """Revisions and call-backs of one store. Used in the event loop's thread only."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._revisions = dict.fromkeys(kinds, 1)
        self._arrangements = dict.fromkeys(self._revisions, 1)
        self._listeners: list[OnCommit] = []

    def revision(self, kind: str) -> int:
        """Grows with every commit that touched the kind, after that commit can be read."""
        return self._revisions[kind]

    def arrangement(self, kind: str) -> int:
        """Grows only when a document came or went, or one of its columns changed: lists are the same until then."""
        return self._arrangements[kind]

    def listen(self, callback: OnCommit) -> None:
        """Call `callback` with the changes of each commit, in order of seq."""
        self._listeners.append(callback)

    def touched(self, kinds: Iterable[str], moved: Iterable[str]) -> None:
        """Documents of these kinds were written; of `moved` the lists changed. Kinds that are not ours are ignored."""
        for numbers, grown in ((self._revisions, kinds), (self._arrangements, moved)):
            for kind in grown:
                if kind in numbers:
                    numbers[kind] += 1

    def all_touched(self) -> None:
        """We may have missed something: no cache may be believed."""
        self.touched(tuple(self._revisions), tuple(self._revisions))

    def tell(self, rows: Sequence[ChangeRow]) -> None:
        """Pass changes on. A listener that fails is logged; it must not keep the others from hearing."""
        if not rows:
            return
        for listener in self._listeners:
            try:
                listener(rows)
            except Exception:  # the other listeners must hear
                log.exception("commit listener failed", first_seq=rows[0].seq)
