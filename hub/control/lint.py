"""What is odd in a tariff, whoever asks: the command line, the API, or somebody who has just stored one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from hub.control.asks import Ask
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from modules.tariffs.lint import PROTOCOLS, Finding, Severity, lint, unreadable
from modules.tariffs.wire import TARIFF

_LONG_AGO: Final = "2015-01-01T00:00:00Z"
_NEWEST: Final = "2.3.0"
_OWNER: Final[Tree] = {"country_code": "XX", "party_id": "XXX", "last_updated": _LONG_AGO}
"""What a tariff need not say to be looked at."""


class LintAsked(Ask):
    """A tariff in the form of `version`; `concerning` leaves out what does not concern these versions, or OICP."""

    tariff: dict[str, Any]
    version: Literal["2.1.1", "2.2.1", "2.3.0"] = _NEWEST
    concerning: tuple[Literal["2.1.1", "2.2.1", "2.3.0", "OICP"], ...] = PROTOCOLS


def findings_on(asked: LintAsked) -> list[Finding]:
    """The findings, the worst first. A tariff that cannot be read is one finding."""
    known: Tree = {"last_updated": _LONG_AGO} if asked.version == "2.1.1" else _OWNER
    if asked.version == _NEWEST and _NEWEST not in asked.concerning:
        known = {**known, "tax_included": "NO"}  # the versions that are asked about have no such field
    try:
        tariff = TARIFF[asked.version].read({"id": "T", **known, **asked.tariff}, given=_OWNER)
    except InvalidRequest as fault:
        return [unreadable(fault.message)]
    return lint(tariff.tree(), concerning=asked.concerning, written=asked.version)


def report(findings: Sequence[Finding]) -> Tree:
    """As JSON."""
    counted = {severity.value: sum(each.severity is severity for each in findings) for severity in Severity}
    return {"items": [finding.tree() for finding in findings], "counted": counted}
