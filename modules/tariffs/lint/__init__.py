"""What is odd in a tariff, and what of it other versions and OICP cannot say. A published decision of the
tariffs module.

    findings      the codes with their severity, and what a finding holds
    components    prices, taxes and steps, one by one
    conditions    the restrictions of each element
    whole         limits, validity, and what only the whole tariff shows
    regions       where a restriction holds, as exact boxes; coverage: who is never asked, where nobody answers
    expressing    what 2.1.1, 2.2.1 and OICP lose or never see

Everything here is legal by the letter. A finding says what the hub, and whoever follows the text, will do with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from modules.tariffs.lint.components import of_components
from modules.tariffs.lint.conditions import of_conditions
from modules.tariffs.lint.coverage import of_coverage
from modules.tariffs.lint.expressing import of_oicp, of_versions
from modules.tariffs.lint.findings import Finding, LintCode, Severity, unreadable
from modules.tariffs.lint.whole import of_pricing, of_whole

__all__ = ["PROTOCOLS", "Finding", "LintCode", "Severity", "lint", "unreadable"]

PROTOCOLS: Final = ("2.1.1", "2.2.1", "2.3.0", "OICP")
"""What a finding may concern."""

_NEWEST: Final = "2.3.0"
_OF_TAX_INCLUDED: Final = frozenset({LintCode.RATE_UNKNOWN})
"""Before 2.3.0 there is no such field: prices of 2.1.1 are without tax, and in 2.2.1 one without `vat` has none."""
_CHECKS: Final = (of_components, of_conditions, of_whole, of_coverage, of_versions, of_oicp)


def lint(tariff: Mapping[str, Any], *, concerning: Iterable[str] = PROTOCOLS, written: str = _NEWEST) -> list[Finding]:
    """The findings on a Tariff tree in our form, the worst first; only those that concern one of `concerning`.

    written: the version in which somebody wrote it; what that has no field for is not missed.
    Never raises for a tree that the wire has read.
    """
    wanted = frozenset(concerning)
    unmissed = _OF_TAX_INCLUDED if written != _NEWEST else frozenset()
    found = [finding for check in _CHECKS for finding in check(tariff)]
    found += _unpriceable(tariff, found)
    return sorted(
        (each for each in found if each.code not in unmissed and not wanted.isdisjoint(each.versions)),
        key=lambda finding: finding.severity.rank,
    )


def _unpriceable(tariff: Mapping[str, Any], found: list[Finding]) -> Iterator[Finding]:
    """What pricing refuses, unless one of the findings has told already why."""
    told = {LintCode.UNUSABLE_RESTRICTION, LintCode.VAT_OUT_OF_RANGE, LintCode.NEGATIVE_STEP}
    if told.isdisjoint(finding.code for finding in found):
        yield from of_pricing(tariff)
