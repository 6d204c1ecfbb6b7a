"""Cases out of seeds, and what the engine makes of them: the receipt as whoever is sent it reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from modules.tariffs.pricing import Case, Policy, PricingFault, price, receipt_of
from tests.verifier.cases import case_of, policy_of

CURRENCY: Final = "EUR"
"""That of all tariffs that are dealt."""


class Dealt(NamedTuple):
    """A case and the contract it is priced by. The seed says it all: `Dealt.of(seed)` deals it again."""

    seed: int
    case: dict[str, Any]
    policy: dict[str, Any]

    @classmethod
    def of(cls, seed: int) -> Dealt:
        return cls(seed, case_of(seed), policy_of(seed))

    def receipt(self) -> dict[str, Any] | None:
        """The engine's receipt; None, if the engine refuses to price the case."""
        return receipt(self.case, self.policy)


def receipt(case: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any] | None:
    written = text(case, policy)
    read: dict[str, Any] | None = None if written is None else json.loads(written)
    return read


def text(case: Mapping[str, Any], policy: Mapping[str, Any]) -> str | None:
    """The receipt as it is written."""
    try:
        return json.dumps(receipt_of(price(Case(**case), Policy(**policy)), currency=CURRENCY))
    except PricingFault:
        return None
