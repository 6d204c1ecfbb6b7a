"""What the check of a CDR found, for people."""

from __future__ import annotations

from typing import Final

from hub.cli.face import Face
from hub.core.jsontypes import Tree

_COLUMNS: Final = ("figure", "claimed", "computed", "difference", "class", "why")


def show_findings(face: Face, checked: Tree) -> None:
    """The verdict, and each figure that deviates."""
    face.print(f"{checked['verdict']}: {checked['why']}")
    if checked["deviations"]:
        face.show({"items": checked["deviations"]}, _COLUMNS)
