"""The timeline of a case to be priced, out of JSON: what a charger and its meter would have said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from hub.control.parts import CaseFault, listed_in, moment_in
from hub.core.jsontypes import Tree
from modules.cdrs.build.facts import Sample, State
from modules.cdrs.build.timeline import Timeline
from modules.cdrs.check.stated import number_or_none

_LONGEST: Final = timedelta(days=366)
"""Of a timeline, which is cut at every time of day that its tariff names."""


def read_timeline(tree: Tree) -> Timeline:
    """Raises: CaseFault."""
    start, end = moment_in(tree, "start", "/timeline"), moment_in(tree, "end", "/timeline")
    if end - start > _LONGEST:
        raise CaseFault(f"/timeline: is longer than {_LONGEST.days} days", code="unfit_session")
    return Timeline(
        start=start,
        end=end,
        states=_each(tree, "states", lambda entry, at: State(at, str(entry.get("state"))[:40])),
        register=_samples(tree, "meter", "kwh"),
        power=_samples(tree, "power", "kw"),
        current=_samples(tree, "current", "a"),
    )


def _each(tree: Tree, name: str, read: Callable[[Tree, datetime], Any]) -> list[Any]:
    entries = enumerate(listed_in(tree, name, "/timeline"))
    return [read(entry, moment_in(entry, "at", f"/timeline/{name}/{n}")) for n, entry in entries]


def _samples(tree: Tree, name: str, unit: str) -> list[Sample]:
    def read(entry: Tree, at: datetime) -> Sample:
        value = number_or_none(entry.get(unit))
        if value is None:
            raise CaseFault(f"/timeline/{name}: {unit} is not a number", code="unfit_session")
        return Sample(at, value)

    return _each(tree, name, read)
