"""Which whole numbers were seen, as stretches of neighbours: what one to a thousand takes no more than one and two."""

from __future__ import annotations

from typing import Final

Stretches = tuple[tuple[int, int], ...]
"""First and last of each, in order, none touching the next."""

MOST: Final = 128
"""More gaps than that are no count at all."""
EVERYTHING: Final[Stretches] = ((0, 2**63),)


def joined_stretches(one: Stretches, other: Stretches) -> Stretches:
    """The numbers in either."""
    if one == other or not other:
        return one
    found: list[tuple[int, int]] = []
    for first, last in sorted(one + other):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found) if len(found) <= MOST else EVERYTHING
