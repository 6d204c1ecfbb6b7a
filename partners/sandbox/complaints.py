"""What a partner found wrong in what it was sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from partners.sandbox.wire import now_text


@dataclass(frozen=True)
class Complaint:
    """One breach of the specification: when, in which message, what."""

    at: str
    where: str
    what: str


class Complaints:
    """The list of them, at most `limit`: the first ones are the ones to read, later ones are dropped."""

    def __init__(self, *, limit: int = 1000) -> None:
        self._limit = limit
        self._made: list[Complaint] = []

    def add(self, where: str, what: str) -> None:
        """Write one down. `where` reads like `PUT /ocpi/2.2.1/sessions/...`."""
        if len(self._made) < self._limit:
            self._made.append(Complaint(now_text(), where, what))

    def listed(self) -> list[dict[str, str]]:
        """All of them as JSON objects."""
        return [asdict(complaint) for complaint in self._made]

    def texts(self) -> list[str]:
        """All of them as `<where>: <what>`, for assertions that read well."""
        return [f"{complaint.where}: {complaint.what}" for complaint in self._made]

    def clear(self) -> None:
        """Start anew, for a tester between two scenes."""
        self._made.clear()
