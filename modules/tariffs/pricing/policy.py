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
    """How to read and to round. Each switch with its values is explained in `SWITCHES`."""

    decimals: int = 4
    rounding: Rounding = "half_up"
    round_parts_first: bool = False
    flat_once_per: Literal["phase", "session"] = "phase"
    time_step: Literal["parking", "last"] = "parking"
    step_over: Literal["session", "tariff"] = "session"
    reservation_step: Literal["own", "time"] = "own"
    step_counts_unpriced: bool = False
    step_counts_zero: bool = False
    timestamps_over_volumes: bool = True
    unstated_time: Literal["nothing", "period"] = "nothing"
    measured_range: Literal["touches", "fits"] = "touches"
    missing_measurement: Literal["not_fulfilled", "fulfilled"] = "not_fulfilled"
    duration_from: Literal["session", "start"] = "session"
    period_without_tariff: Literal["free", "in_force"] = "free"
    negative_energy: Literal["credit", "free"] = "credit"
    limit_without_after_taxes: Literal["proportion", "unmoved", "unknown"] = "proportion"
    minimum_without_session: bool = False
    missing_vat: Literal["none", "unknown"] = "none"
    tax_name: str = "VAT"

    @property
    def sums_first(self) -> bool:
        """Is it enough to know the sums of a session, to know what is billed of each dimension, and what all costs?"""
        return not (self.step_counts_zero or self.round_parts_first or self.time_step == "last")


BY_THE_TEXT: Final = Policy()
"""What holds when no contract says otherwise."""

SWITCHES: Final = {
    "decimals": "places of every published amount, 0 to 12; the wire takes 4",
    "rounding": "what a half does: `half_up` is away from zero, `half_even` to the even neighbour",
    "round_parts_first": "the total is the sum of the rounded sub-totals, instead of rounded once itself",
    "flat_once_per": "a FLAT is due once in each `phase`, reservation and session, or once in the whole `session`",
    "time_step": "where TIME and PARKING_TIME are both priced, the step rounds `parking`, or the one that came `last`",
    "step_over": "a step rounds the sum of the whole `session`, or of each `tariff` of it",
    "reservation_step": "reserved time is rounded on its `own`, or together with the charging `time`",
    "step_counts_unpriced": "quantities without a price count for a step too",
    "step_counts_zero": "a stated volume of zero can be the last one, whose step counts",
    "timestamps_over_volumes": "hours that agree with the period's timestamps to 0.0001 h are taken from these, "
    "because four minutes stated as 0.0667 h would otherwise begin a fifth",
    "unstated_time": "a period of the session that states no time has `nothing` of it, or what the `period` lasts",
    "measured_range": "a range of power or current meets a bound that it `touches`, or only if all of it `fits`",
    "missing_measurement": "a bound on power or current that was not measured is `not_fulfilled`, or `fulfilled`",
    "duration_from": "min_duration and max_duration count from the first period of the `session`, or from the `start` "
    "of the CDR, the reservation included",
    "period_without_tariff": "where other periods name their tariff, one without is `free`, or priced by the one "
    "`in_force`",
    "negative_energy": "energy given back is a `credit` at its price, or `free`",
    "limit_without_after_taxes": "where a limit that was reached states no amount after taxes, the tax moves in "
    "`proportion`, the amount after taxes stays `unmoved`, or is `unknown`",
    "minimum_without_session": "min_price also holds for a reservation that never became a session",
    "missing_vat": "a component without `vat` under rates has `none`, or its tax is `unknown`",
    "tax_name": "what a tax line is called",
}
"""What each switch decides."""
