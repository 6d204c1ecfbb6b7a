"""Every way to alter one thing in a tree of JSON: a value, a field, an entry, an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def altered(tree: dict[str, Any]) -> Iterator[str]:
    """Alters `tree`, says how, and takes it back before it alters the next thing."""
    yield from _in_fields(tree, "receipt")
    for place, holder, key in _places(tree, "receipt"):
        yield from _values(place, holder, key)
        if isinstance(holder, dict):
            yield from _without_field(place, holder, key)
        else:
            yield from _entries(place, holder, key)
        if isinstance(holder[key], dict):
            yield from _in_fields(holder[key], place)


def _places(node: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Each value below `node`: its name, what holds it, and under which key."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield f"{place}/{key}", node, key
        yield from _places(node[key], f"{place}/{key}")


def _values(place: str, holder: Any, key: Any) -> Iterator[str]:
    was = holder[key]
    for other in _others(was):
        holder[key] = other
        yield f"{place} is {other!r} instead of {was!r}"
    holder[key] = was


def _others(was: Any) -> list[Any]:
    """Near misses: other values, and the same in another kind."""
    match was:
        case None:
            return ["0", "", 0, False, []]
        case bool():
            return [not was, int(was), str(was), None]
        case int():
            return [was + 1, was - 1, -was - 1, str(was), float(was), was == 1, None]
        case str():
            number = [int(was)] if was.isdecimal() else []
            return [f"{was}0", f"-{was}", f" {was}", f"{was}1", was[:-1] if was else "x", None, [was], *number]
        case _:
            return [None, "", *([type(was)()] if was else [[{}]])]


def _without_field(place: str, holder: dict[str, Any], key: str) -> Iterator[str]:
    fields = dict(holder)
    del holder[key]
    yield f"{place} is missing"
    holder.clear()
    holder.update(fields)


def _entries(place: str, holder: list[Any], at: int) -> Iterator[str]:
    entry = holder.pop(at)
    yield f"{place} is missing"
    holder[at:at] = [entry, entry]
    yield f"{place} is there twice"
    holder.pop(at)
    for other in range(at):
        if holder[other] != entry:
            holder[other], holder[at] = entry, holder[other]
            yield f"{place} is exchanged with {other}"
            holder[other], holder[at] = holder[at], entry


def _in_fields(holder: dict[str, Any], place: str) -> Iterator[str]:
    fields = dict(holder)
    holder["note"] = ""
    yield f"{place} has a field too many"
    holder.clear()
    holder.update(reversed(fields.items()))
    yield f"{place} is turned about"
    holder.clear()
    holder.update(fields)
