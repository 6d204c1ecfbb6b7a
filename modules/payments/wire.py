"""Payments are of 2.3.0 alone. Its examples write prices as 2.2.1 does (`excl_vat`), so that is read too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from hub.core.dialect import Dialects, Loss, Wire, wires
from hub.core.dialect.shared import SHARED
from hub.core.types import Price
from modules.payments.model import FinancialAdviceConfirmation, Terminal, TerminalAsked

DIALECTS: Final[Dialects] = {}
VERSIONS: Final = ("2.3.0",)
"""The versions that have the module."""

_PRICE_221: Final = wires(Price, SHARED)["2.2.1"]
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class _AsInTheExamples(Wire[FinancialAdviceConfirmation]):
    def read(
        self, tree: Any, *, given: Mapping[str, Any] = _NOTHING, losses: list[Loss] | None = None
    ) -> FinancialAdviceConfirmation:
        """A confirmation whose `total_costs` may be a price of either version. Raises: InvalidRequest."""
        costs = tree.get("total_costs") if isinstance(tree, dict) else None
        if isinstance(costs, dict) and "excl_vat" in costs and "before_taxes" not in costs:
            tree = {**tree, "total_costs": _PRICE_221.read(costs).tree()}
        return super().read(tree, given=given, losses=losses)


TERMINAL: Final = wires(Terminal, DIALECTS, VERSIONS)
TERMINAL_ASKED: Final = wires(TerminalAsked, DIALECTS, VERSIONS)
CONFIRMATION: Final = MappingProxyType(
    {version: _AsInTheExamples(FinancialAdviceConfirmation, version, DIALECTS) for version in VERSIONS}
)
