"""What is kept of a list: its pages as they go out, and which documents it has in which order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from hub.core.clock import Clock

_GZIP_AGE_S: Final = 1.0
_OPENING: Final = b',"data":['
_CLOSING: Final = b"]}"


@dataclass(slots=True)
class Page:
    """One page, finished. `at` is where it is kept.

    Most pages are asked for once, by a crawler: they go out in the parts in which their objects are kept already, and
    are joined when they are asked for again.
    """

    at: tuple[object, ...]
    revision: int
    clock: Clock
    bodies: InitVar[Sequence[bytes]]
    total: int
    count: int
    goes_on_after: int
    """The seq of its last document, where others follow it; else 0."""
    lost: Mapping[str, int]
    """How often its objects lost which field."""
    zipped: bytes = b""
    zipped_at: float = -10.0
    parts: Sequence[bytes] = field(init=False)
    """The end of an envelope."""
    length: int = field(init=False)
    """Bytes of all parts."""

    def __post_init__(self, bodies: Sequence[bytes]) -> None:
        parts = [b","] * (2 * len(bodies) + 1)
        parts[0], parts[1::2], parts[-1] = _OPENING, bodies, _CLOSING
        self.parts = parts if bodies else (_OPENING + _CLOSING,)
        self.length = sum(map(len, bodies)) + max(len(bodies) - 1, 0) + len(_OPENING) + len(_CLOSING)

    @property
    def size(self) -> int:
        """Bytes that it may come to hold, compressed form and bookkeeping included: empty pages are not free."""
        return 2 * self.length + 1024

    def join(self) -> None:
        """From now on it is in one part."""
        if len(self.parts) > 1:
            self.parts = (b"".join(self.parts),)

    def compressed(self, envelope: Callable[[], bytes]) -> bytes:
        """The envelope, gzipped; kept for a second, so its timestamp is at most that old."""
        now = self.clock.monotonic()
        if now - self.zipped_at > _GZIP_AGE_S:
            deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
            self.zipped = deflate.compress(envelope()) + deflate.flush()
            self.zipped_at = now
        return self.zipped


@dataclass(slots=True)
class Order:
    """What is known of a list as a whole: its length, and the first of its documents by `seq`.

    It holds while documents only change and none comes or goes (`Store.arrangement`): a crawler is not slowed down by
    the changes that go on meanwhile.
    """

    arrangement: int
    total: int
    seqs: list[int] = field(default_factory=list)

    def before(self, offset: int) -> int:
        """The seq after which a page at this offset begins."""
        return self.seqs[offset - 1] if offset else 0

    def at(self, offset: int, limit: int) -> Sequence[int]:
        """Which documents are on the page; none, where that is not known of all of it."""
        end = min(offset + limit, self.total)
        return self.seqs[offset:end] if end <= len(self.seqs) else ()

    def begins(self, offset: int, after_seq: int | None) -> bool:
        """Is it known what a page at this offset begins with? It is what is behind `after_seq`, where that is given."""
        return offset <= len(self.seqs) and after_seq in (None, self.before(offset))

    def note(self, offset: int, seqs: Sequence[int]) -> None:
        """A crawler reads a list from its beginning, and so makes all of it known."""
        if offset <= len(self.seqs) < offset + len(seqs):
            self.seqs[offset:] = seqs
