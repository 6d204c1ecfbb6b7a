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
        self._listeners: list[OnCommit] = []

    def revision(self, kind: str) -> int:
        """Grows with every commit that touched the kind, after that commit can be read."""
        return self._revisions[kind]

    def listen(self, callback: OnCommit) -> None:
        """Call `callback` with the changes of each commit, in order of seq."""
        self._listeners.append(callback)

    def touched(self, kinds: Iterable[str]) -> None:
        """Documents of these kinds were written. A kind we were not opened for is none of our business."""
        for kind in kinds:
            if kind in self._revisions:
                self._revisions[kind] += 1

    def all_touched(self) -> None:
        """We may have missed something: no cache may be believed."""
        self.touched(tuple(self._revisions))

    def tell(self, rows: Sequence[ChangeRow]) -> None:
        """Pass changes on. A listener that fails is logged; it must not keep the others from hearing."""
        if not rows:
            return
        for listener in self._listeners:
            try:
                listener(rows)
            except Exception:  # the other listeners must hear
                log.exception("commit listener failed", first_seq=rows[0].seq)
