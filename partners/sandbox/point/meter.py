"""The energy meter of one connector, and the shape of a charge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_VOLTS = 230
_BATTERY_WH = 60_000
_TAPER_FROM = 0.8


def shares(steps: int) -> list[float]:
    """How the energy of a charge spreads over equal steps: a short ramp, a plateau, a taper. They add up to 1."""
    weights = [_power_at((step + 0.5) / steps) for step in range(steps)]
    total = sum(weights)
    return [weight / total for weight in weights]


def _power_at(progress: float) -> float:
    """Power relative to the plateau, at a point of the charge between 0 and 1."""
    if progress < 0.05:
        return 0.5 + progress * 10
    if progress < _TAPER_FROM:
        return 1.0
    return 0.3 + 0.7 * (1 - progress) / (1 - _TAPER_FROM)


@dataclass
class Meter:
    """A register that only grows (Wh), and what flows just now (W)."""

    register_wh: float = 0.0
    power_w: float = 0.0
    battery_wh: float = 0.2 * _BATTERY_WH

    @property
    def reading_wh(self) -> int:
        """As StartTransaction and StopTransaction state it."""
        return math.floor(self.register_wh + 1e-6)

    def flow(self, energy_wh: float, seconds: float) -> None:
        """Let `energy_wh` pass within `seconds`."""
        self.register_wh += energy_wh
        self.battery_wh = min(_BATTERY_WH, self.battery_wh + energy_wh)
        self.power_w = energy_wh * 3600 / seconds

    def samples(self, context: str, *, in_kilo: bool, as_numbers: bool) -> list[dict[str, Any]]:
        """The sampled values of OCPP 1.6: energy, power, current per phase, voltage, state of charge."""
        factor, prefix = (1000, "k") if in_kilo else (1, "")
        rows = [
            (self.reading_wh / factor, "Energy.Active.Import.Register", f"{prefix}Wh", None),
            (self.power_w / factor, "Power.Active.Import", f"{prefix}W", None),
            *((self.power_w / 3 / _VOLTS, "Current.Import", "A", f"L{phase}") for phase in (1, 2, 3)),
            (_VOLTS, "Voltage", "V", "L1-N"),
            (100 * self.battery_wh / _BATTERY_WH, "SoC", "Percent", None),
        ]
        return [
            {
                "value": value if as_numbers else _text(value),
                "context": context,
                "measurand": measurand,
                **({"phase": phase} if phase else {}),
                "unit": unit,
            }
            for value, measurand, unit, phase in rows
        ]


def _text(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
