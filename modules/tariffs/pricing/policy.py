"""What the specification leaves open and parties decide by contract, as named switches.

The defaults are the readings that this engine takes by itself. A switch exists only where a partner may
reasonably read the text differently, so that a bill of theirs can be checked in their own reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from modules.tariffs.pricing.numbers import Rounding


@dataclass(frozen=True, slots=True)
class Policy:
    """How to read and to round.

    decimals: places of every published amount (0 to 12). The wire takes 4.
    rounding: what a half does; `half_up` is away from zero.
    round_parts_first: the total is the sum of the rounded sub-totals instead of rounded once itself.
    flat_once_per: a FLAT is due once in the reservation and once in the session, or once in all.
    time_step: what the step rounds where TIME and PARKING_TIME are both priced: parking, or the last.
    timestamps_over_volumes: hours that agree with the period's timestamps to 0.0001 h are taken from the
        timestamps, because four minutes stated as 0.0667 h would otherwise begin a fifth.
    tax_name: what a tax line is called.
    """

    decimals: int = 4
    rounding: Rounding = "half_up"
    round_parts_first: bool = False
    flat_once_per: Literal["phase", "session"] = "phase"
    time_step: Literal["parking", "last"] = "parking"
    timestamps_over_volumes: bool = True
    tax_name: str = "VAT"


BY_THE_TEXT: Final = Policy()
"""What holds when no contract says otherwise."""
