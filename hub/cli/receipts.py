"""The receipt of a price, for people."""

from __future__ import annotations

from hub.cli.face import Face
from hub.cli.plain import plain, plain_tree
from hub.core.jsontypes import Tree


def show_page(face: Face, receipt: Tree, *, title: str = "Receipt") -> None:
    """Its page. The texts in it are blanked here, for the terminal alone: a stored page has them as they came."""
    from modules.tariffs.pricing import page_of

    face.print(page_of(plain_tree(receipt), title=plain(title)))
