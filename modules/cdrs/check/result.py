"""What a check comes to: a verdict, and each figure that deviates with the cause that explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Final

from hub.core.jsontypes import Json, Tree
from modules.cdrs.check.amounts import Amount

_SHOWN: Final = Decimal("0.0001")
"""What is published carries four decimals."""
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_UP)


class Verdict(StrEnum):
    """`within_tolerance`: it differs, by no more than parties differ who round differently."""

    RIGHT = "right"
    WITHIN_TOLERANCE = "within_tolerance"
    WRONG = "wrong"
    CANNOT_BE_CHECKED = "cannot_be_checked"


class Cause(StrEnum):
    """Why a figure deviates: the mistake that gives just this figure, or the kind of figure that does not hold."""

    ROUNDING = "rounding"
    HOURS_ROUNDING = "hours_rounding"
    TAX = "tax"
    STEP = "step"
    LIMIT = "limit"
    FLAT_PER_PERIOD = "flat_per_period"
    LEFT_OUT = "left_out"
    WRONG_ELEMENT = "wrong_element"
    TIME_ZONE = "time_zone"
    PARKING_AS_TIME = "parking_as_time"
    TIME_AS_PARKING = "time_as_parking"
    RESERVATION = "reservation"
    UNIT = "unit"
    MISSING_TARIFF = "missing_tariff"
    STALE_TARIFF = "stale_tariff"
    CURRENCY = "currency"
    ENERGY = "energy"
    TOTAL_TIME = "total_time"
    PARKING_TIME = "parking_time"
    PERIODS = "periods"
    UNSPLIT_PERIOD = "unsplit_period"
    CREDIT = "credit"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    ARITHMETIC = "arithmetic"


def published(value: Decimal) -> Json:
    """A number with at most four decimals, and no zeros behind them."""
    rounded = value.quantize(_SHOWN, context=_WIDE).normalize(_WIDE)
    return rounded.quantize(Decimal(1), context=_WIDE) if rounded == rounded.to_integral_value() else rounded


Shown = Callable[[Decimal], Json]
"""How a number is written."""


def _shown(value: Decimal | str | None, shown: Shown) -> Json:
    return shown(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True, slots=True)
class Deviation:
    """One figure that is not what it should be. `tolerable`: within the tolerance.

    `claimed` and `computed` are numbers, or text where the figure is none; None: not stated, or not known.
    """

    figure: str
    claimed: Decimal | str | None
    computed: Decimal | str | None
    cause: Cause
    why: str
    tolerable: bool = False

    @property
    def difference(self) -> Decimal | None:
        """Claimed less computed, where both are numbers."""
        if isinstance(self.claimed, Decimal) and isinstance(self.computed, Decimal):
            return self.claimed - self.computed
        return None

    def tree(self, shown: Shown = published) -> Tree:
        return {
            "figure": self.figure,
            "claimed": _shown(self.claimed, shown),
            "computed": _shown(self.computed, shown),
            "difference": _shown(self.difference, shown),
            "class": self.cause.value,
            "why": self.why,
            "tolerable": self.tolerable,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What was found. `why`: one sentence. `computed`: the amounts as they should be, by field of the CDR.

    `warnings` are the codes of what pricing found odd.
    """

    verdict: Verdict
    why: str
    deviations: tuple[Deviation, ...] = ()
    computed: Mapping[str, Amount] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Each cause once, in the order of the figures, those first that are beyond the tolerance."""
        in_order = sorted(self.deviations, key=lambda deviation: deviation.tolerable)
        return tuple(dict.fromkeys(deviation.cause for deviation in in_order))

    @property
    def is_sound(self) -> bool:
        """Right, or as good as right."""
        return self.verdict in (Verdict.RIGHT, Verdict.WITHIN_TOLERANCE)

    def tree(self, shown: Shown = published) -> Tree:
        """As JSON."""
        computed = {
            field: {"before_taxes": _shown(amount.excl, shown), "after_taxes": _shown(amount.incl, shown)}
            for field, amount in (self.computed or {}).items()
        }
        return {
            "verdict": self.verdict.value,
            "why": self.why,
            "deviations": [deviation.tree(shown) for deviation in self.deviations],
            "computed": computed,
            "warnings": list(self.warnings),
        }
