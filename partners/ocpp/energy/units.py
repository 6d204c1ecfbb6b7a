"""Amperes and watts as whole numbers: mA, mV, and their product µW, so that no sum of currents is ever rounded.

What leaves for a charger is rounded down, to the step that it takes and to OCPP's one decimal: a limit that is met
in mA is met in what was told.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Final

PerPhase = tuple[int, int, int]
"""One whole number for each of L1, L2 and L3."""

L1: Final = 1
L2: Final = 2
L3: Final = 3
PHASES: Final = (L1, L2, L3)
NOTHING: Final[PerPhase] = (0, 0, 0)
UW_PER_MW: Final = 1000
UJ_PER_WH: Final = 3600 * 10**6

_TENTH: Final = Decimal("0.1")
_THOUSAND: Final = Decimal(1000)


def milli(value: Decimal | int) -> int:
    """`value` of A, V or W in thousandths, rounded down."""
    return int((value * _THOUSAND).to_integral_value(ROUND_FLOOR))


def amperes(ma: int) -> Decimal:
    """`ma` in A, to the tenth below, as a charger is told."""
    return (Decimal(ma) / 1000).quantize(_TENTH, ROUND_FLOOR)


def watts(ma: int, mv: int) -> Decimal:
    """The power of `ma` on each phase in W, to the tenth below; `mv` is the sum of the phases' voltages."""
    return (Decimal(ma * mv) / 10**6).quantize(_TENTH, ROUND_FLOOR)


def ma_of_watts(power: Decimal, mv: int) -> int:
    """The current on each phase that `power` (W in total) allows, rounded down to the mA."""
    return int((power * 10**6 / mv).to_integral_value(ROUND_FLOOR))


def together_mv(volts_mv: PerPhase, phases: Iterable[int]) -> int:
    """What an ampere on each of `phases` is multiplied by."""
    return sum(volts_mv[phase - 1] for phase in phases)


def floored(ma: int, step_ma: int) -> int:
    """The nearest that a charger with this step can be told, not above `ma`."""
    return ma - ma % step_ma


def raised(ma: int, step_ma: int) -> int:
    """The nearest that a charger with this step can be told, not below `ma`."""
    return ma + -ma % step_ma
