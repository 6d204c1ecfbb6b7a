"""What is odd in a tariff, whoever asks: the command line, the API, or somebody who has just stored one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from hub.control.asks import Ask
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from modules.tariffs.lint import PROTOCOLS, Finding, LintCode, Severity, lint, unreadable
from modules.tariffs.lint.findings import finding
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
    unsaid = asked.version == _NEWEST and asked.tariff.get("tax_included") is None
    supposed: Tree = {"tax_included": "NO"} if unsaid else {}
    try:
        tariff = TARIFF[asked.version].read({"id": "T", **known, **asked.tariff, **supposed}, given=_OWNER)
    except InvalidRequest as fault:
        return [unreadable(fault.message)]
    found = lint(tariff.tree(), concerning=asked.concerning, written=asked.version)
    if unsaid and _NEWEST in asked.concerning:  # the versions before have no such field
        return [finding(LintCode.TAX_INCLUDED_MISSING, "/tax_included"), *found]
    return found


def report(findings: Sequence[Finding]) -> Tree:
    """As JSON."""
    counted = {severity.value: sum(each.severity is severity for each in findings) for severity in Severity}
    return {"items": [finding.tree() for finding in findings], "counted": counted}
