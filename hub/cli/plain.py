"""Texts of others as a terminal may have them: nothing in them moves a cursor, or turns the order of reading."""

from __future__ import annotations

from typing import Final

from hub.core.jsontypes import Json

_CONTROLS: Final = [*range(0x20), *range(0x7F, 0xA0)]
_BIDI: Final = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Embeddings, overrides and isolates: what follows them is read in another order than it is written."""
_BLANKED: Final = dict.fromkeys([*_CONTROLS, *_BIDI], " ")
_LINES: Final = {steering: blank for steering, blank in _BLANKED.items() if steering != ord("\n")}


def plain(text: str) -> str:
    """A text on one line, with a blank for each character that steers."""
    return text.translate(_BLANKED)


def plain_lines(text: str) -> str:
    """The same of a text of ours that has lines."""
    return text.translate(_LINES)


def plain_tree(tree: Json) -> Json:
    """The same of every text in a tree, names of fields included."""
    match tree:
        case str():
            return plain(tree)
        case dict():
            return {plain(name): plain_tree(value) for name, value in tree.items()}
        case list():
            return [plain_tree(value) for value in tree]
    return tree
