"""What came back of an object that went into the other protocol and home again, and what was told of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

_INDEX = re.compile(r"/\d+(?=/|$)")


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """JSON pointers of what was there before and is not the same now; what was added is no loss."""
    if before in (None, [], {}):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:
            yield from differences(before[name], after.get(name), f"{path}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}/{at}")
    elif before != after or type(before) is bool is not type(after):
        yield path


def untold(before: Any, after: Any, lost: Collection[str], *, beside: Collection[str] = ()) -> list[str]:
    """The differences that no pointer of `lost` tells of, at them, above them or below them."""
    found = {_INDEX.sub("/*", pointer) for pointer in differences(before, after)}
    told = {*lost, *beside}
    return sorted(pointer for pointer in found if not any(_tells(each, pointer) for each in told))


def _tells(lost: str, pointer: str) -> bool:
    return f"{pointer}/".startswith(f"{lost}/") or f"{lost}/".startswith(f"{pointer}/")
