"""How one value is translated: the handlers that steps are put together from.

What cannot be expressed bubbles: out of a list the item goes, an optional field goes, a required or essential
field takes its object along. Each time the smallest thing that can go is reported as one loss.
"""

from __future__ import annotations

from typing import Any, Final

from hub.core.dialect.tables import ABSENT, VERSIONS, Dialect, Handler, NotExpressible, Only, Step, Trip
from hub.core.types.markers import Text

VERSION_OURS: Final = VERSIONS[-1]
"""Written as it is kept: between peers of this version an object keeps all that it came with."""


def leave(value: Any, path: str, trip: Trip) -> Any:
    return ABSENT


def loses(reason: str) -> Handler:
    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value not in (None, []):
            trip.lose(path, reason)
        return ABSENT

    return handler


def refuses(reason: str) -> Handler:
    def handler(value: Any, path: str, trip: Trip) -> Any:
        raise NotExpressible(reason)

    return handler


def chain(first: Handler | None, then: Handler | None) -> Handler | None:
    if first is None or then is None:
        return first or then

    def handler(value: Any, path: str, trip: Trip) -> Any:
        value = first(value, path, trip)
        return value if value is ABSENT else then(value, path, trip)

    return handler


def nested(inner: Step) -> Handler:
    def handler(value: Any, path: str, trip: Trip) -> Any:
        part, trip.part = trip.part, False
        try:
            return inner(value, path, trip)
        finally:
            trip.part = part

    return handler


def each(item_handler: Handler) -> Handler:
    """Translate a list; items that cannot be expressed go, and so does a list that had items and has none left."""

    def handler(value: Any, path: str, trip: Trip) -> Any:
        out = []
        for at, item in enumerate(value):
            mark = len(trip.losses)
            try:
                changed = item_handler(item, f"{path}/{at}", trip)
            except NotExpressible as fault:
                del trip.losses[mark:]
                trip.lose(f"{path}/{at}", fault.reason)
                continue
            if isinstance(changed, dict) or changed not in out:
                out.append(changed)
        if value and not out:
            raise NotExpressible(trip.losses[-1].reason)
        return out

    return handler


def bubbles(inner: Handler, dialect: Dialect, name: str, *, must: bool) -> Handler:
    """The field goes where it may, else it takes the object along. A PATCH cannot remove: there it is the whole."""
    spare = dialect.spare.get(name, ABSENT)
    if name in dialect.essential or (must and spare is ABSENT):
        return inner

    def handler(value: Any, path: str, trip: Trip) -> Any:
        mark = len(trip.losses)
        try:
            return inner(value, path, trip)
        except NotExpressible as fault:
            if trip.part and spare is ABSENT:
                raise
            del trip.losses[mark:]
            trip.lose(path, fault.reason)
            return spare

    return handler


def limits(only: Only, version: str) -> Handler:
    known, turns, otherwise, back = frozenset(only.known), only.turns, only.otherwise, only.back

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value in known:
            return value
        near = turns.get(value, otherwise)
        if near is None:
            raise NotExpressible(f"OCPI {version} has no value {value}")
        if back.get(near) != value:
            trip.lose(path, f"{value} is sent as {near}: OCPI {version} has no such value")
        return near

    return handler


def backs(only: Only, blank: Any, *, must: bool) -> Handler:
    back, turns = only.back, only.turns

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value not in back:
            return value
        ours = back[value]
        if ours is None and must:
            raise NotExpressible(f"OCPI {VERSION_OURS} has no value {value}")
        if (blank if ours is None else turns.get(ours)) != value:
            trip.lose(path, f"{value} is read as {ours or 'nothing'}")
        if ours is None:
            return None if trip.part else ABSENT
        return ours

    return handler


def fits(ours: Text, theirs: Text) -> Handler | None:
    """Keep a text within the limit of the version: display text is cut at a word, an id cannot be."""
    limit, readable = theirs.limit, ours.readable
    if limit is None or (readable is not None and readable <= limit):
        return None
    shortens = theirs.style == "display"

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if len(value) <= limit:
            return value
        if not shortens:
            raise NotExpressible(f"longer than the {limit} characters of the version")
        trip.lose(path, f"shortened to {limit} characters")
        cut, space, _ = value[:limit].rpartition(" ")
        return cut if space and len(cut) > limit // 2 else value[:limit]

    return handler
