"""What chargers are forgiven, by make and firmware."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hub.core.jsontypes import Tree
from partners.ocpp import quirks
from partners.ocpp.quirks import Known

if TYPE_CHECKING:
    from hub.app import Program


async def listed(program: Program, model: str) -> Tree:
    """By vendor, model and firmware, what happens most first. `model`: a pattern as of file names, in any case."""
    found = [known for known in await quirks.listed(program.store) if _fits(known, model)]
    rows = [row for known in sorted(found, key=_make) for row in _rows(known)]
    return {"items": rows, "total": len(rows)}


def _fits(known: Known, model: str) -> bool:
    return not model or fnmatchcase(known.model.casefold(), model.casefold())


def _make(known: Known) -> tuple[str, str, str]:
    return known.vendor, known.model, known.firmware


def _rows(known: Known) -> list[Tree]:
    often = sorted(known.quirks.items(), key=lambda item: (-item[1].times, item[0]))
    return [
        {
            "vendor": known.vendor,
            "model": known.model,
            "firmware": known.firmware,
            "quirk": words,
            "times": seen.times,
            "first": seen.first,
            "last": seen.last,
            "station": seen.station,
        }
        for words, seen in often
    ]
