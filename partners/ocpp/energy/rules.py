"""How a site shares its power: the policy, and how patient and how calm it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from hub.core.errors import InvalidRequest


class Policy(StrEnum):
    """Who gets what is left when each that is on has its least."""

    FAIR = "FAIR"
    """All rise to one level; whoever has waited longest is next."""
    PRIORITY = "PRIORITY"
    """By `Charge.priority`, the highest first; among equals, fair."""
    FIRST_COME = "FIRST_COME"
    """By arrival."""
    DEPARTURE = "DEPARTURE"
    """By laxity: the time that a charge could do without and still leave with what it wants."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Every one is a trade between power used and calm; what keeps limits is not among them.

    stay: a charge that got its turn keeps it this long, unless a limit forbids it.
    pause: one that lost it waits at least this long; patience: whoever has waited this long is next, in any policy, but
    whom a plan serves later.
    band_ma: a change smaller than this is not sent before `quiet` has passed; a lowering that a limit needs always is.
    holds: how long at most a charger is told a current for; it falls to its safe current then. Longer than it takes
    to notice that a charger is offline. renewed: so long before that it is told again.
    fresh: how old a meter reading may be; follows: how long a charger and a vehicle may take to do what they are told.
    tolerance_ma: what a meter may read above what was told. headroom_ma: what a charge that takes less than it may is
    left above what it draws.
    reserves_idle: reckon idle EVSEs with their safe current, which the next charge draws before it is told anything.
    """

    policy: Policy = Policy.FAIR
    stay: timedelta = timedelta(minutes=15)
    pause: timedelta = timedelta(minutes=2)
    patience: timedelta = timedelta(hours=1)
    band_ma: int = 1000
    quiet: timedelta = timedelta(minutes=5)
    holds: timedelta = timedelta(minutes=15)
    renewed: timedelta = timedelta(minutes=5)
    fresh: timedelta = timedelta(minutes=5)
    follows: timedelta = timedelta(seconds=30)
    tolerance_ma: int = 500
    headroom_ma: int = 2000
    reserves_idle: bool = True

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.renewed < self.holds:
            raise InvalidRequest("a charger must be told again before what it was told runs out")
        if min(self.stay, self.pause, self.patience, self.quiet, self.fresh, self.follows) < timedelta(0):
            raise InvalidRequest("no span of time is negative")
        if min(self.band_ma, self.tolerance_ma, self.headroom_ma) < 0 or self.headroom_ma < self.band_ma:
            raise InvalidRequest("the headroom is at least the band, and neither is negative")
