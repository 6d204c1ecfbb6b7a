"""What one price costs, in CPU time of this process: the amounts of a typical CDR, the same with its receipt, and
making a tariff ready.

A typical CDR has three periods and a compiled tariff. The CDRs take turns and differ in times and volumes, so that
nothing is found again that would not be in practice. The least of the repetitions within a round counts: what is above
it was something else on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from bench.harness import Effort, Figure, Findings
from hub.core.clock import timestamp
from modules.tariffs.pricing import Case, Compiled, compile_tariff, price, receipt_of

PART = "pricing"
_CASES: Final = 400
_REPETITIONS: Final = 5
_BEGIN: Final = datetime(2026, 1, 12, 6, tzinfo=UTC)


def component(kind: str, amount: str, step: int = 1) -> dict[str, Any]:
    return {"type": kind, "price": Decimal(amount), "vat": Decimal(19), "step_size": step}


def tariff(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"id": "T", "currency": "EUR", "tax_included": "NO", "elements": list(elements)}


_USE: Final = [component("ENERGY", "0.45"), component("TIME", "1.20", 60), component("PARKING_TIME", "5", 300)]
PLAIN: Final = tariff({"price_components": [component("FLAT", "1"), *_USE]})
RESTRICTED: Final = tariff(
    {"price_components": [component("FLAT", "1")]},
    {"price_components": _USE, "restrictions": {"start_time": "08:00", "end_time": "20:00"}},
    {"price_components": [component("ENERGY", "0.35"), component("TIME", "0.60", 60)]},
)


def hourly() -> dict[str, Any]:
    """A day-ahead tariff: 48 elements, one an hour."""
    return tariff(
        *(
            {
                "price_components": [component("ENERGY", f"0.{2000 + 37 * hour}")],
                "restrictions": {
                    "start_date": f"2026-01-{12 + hour // 24}",
                    "end_date": f"2026-01-{13 + hour // 24}",
                    "start_time": f"{hour % 24:02}:00",
                    "end_time": f"{(hour + 1) % 24:02}:00",
                },
            }
            for hour in range(48)
        )
    )


def cases(compiled: Compiled) -> list[Case]:
    """Typical CDRs: half an hour, an hour and a half, half an hour parked."""
    found = []
    for number in range(_CASES):
        start = _BEGIN + timedelta(seconds=37 * number)
        second, third, end = (start + timedelta(minutes=minutes) for minutes in (30, 120, 150))
        energy = Decimal(81_234 + 17 * number).scaleb(-4)
        periods = [
            _period(start, ENERGY=energy, TIME=Decimal("0.5")),
            _period(second, ENERGY=energy + 2, TIME=Decimal("1.5")),
            _period(third, PARKING_TIME=Decimal("0.5")),
        ]
        found.append(Case("2.3.0", "Europe/Berlin", [compiled], timestamp(start), timestamp(end), periods))
    return found


def _period(start: datetime, **volumes: Decimal) -> dict[str, Any]:
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    return {"start_date_time": timestamp(start), "dimensions": dimensions}


def each_us(work: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """CPU time of `work` on one of the inputs, in us."""
    found = []
    for _ in range(_REPETITIONS):
        begun = time.process_time()
        for each in inputs:
            work(each)
        found.append((time.process_time() - begun) / len(inputs) * 1e6)
    return min(found)


def _receipt(case: Case) -> object:
    return receipt_of(price(case), currency="EUR")


async def measure(effort: Effort) -> Findings:
    """The figures of this part."""
    plain, restricted, dated = (cases(compile_tariff(tree)) for tree in (PLAIN, RESTRICTED, hourly()))
    wanted: tuple[tuple[str, Callable[[Any], object], Sequence[Any], float | None], ...] = (
        ("amounts of a typical CDR", price, plain, 25),
        ("the same with its receipt", _receipt, plain, 100),
        ("amounts, prices by time of day", price, restricted, None),
        ("the same with its receipt, by time of day", _receipt, restricted, None),
        ("amounts, a price for each of 48 hours", price, dated, None),
        ("making a tariff of 48 elements ready", compile_tariff, [hourly()] * 20, 1000),
        ("making a plain tariff ready", compile_tariff, [PLAIN] * 100, None),
    )
    figures = [Figure(PART, name, [], "us", bound, at_least=False) for name, _, _, bound in wanted]
    for _ in range(effort.rounds):
        for figure, (_, work, inputs, _) in zip(figures, wanted, strict=True):
            figure.values.append(each_us(work, inputs))
    milliseconds = each_us(_additions, [1_000_000]) / 1000
    return Findings(PART, figures, notes=[f"a million additions in a loop took {milliseconds:.0f} ms here"])


def _additions(count: int) -> int:
    """Something to hold the figures against: how fast is this machine now?"""
    total = 0
    for number in range(count):
        total += number
    return total
