"""What is known at a moment: the charges at the EVSEs, their chargers, the limits and loads that change.

Nothing here asks for the time or remembers anything: whoever asks for an allocation brings all of this, and keeps the
`Told` and the `Turn` that came of it for the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from hub.core.errors import InvalidRequest
from partners.ocpp.energy.site import Limit
from partners.ocpp.energy.timeline import Steps
from partners.ocpp.energy.units import PerPhase

NO_WISH: Final[Steps[int | None]] = Steps(None)


@dataclass(frozen=True, slots=True)
class Told:
    """The most that a charger may hold itself to, until when, and since when.

    As long as it has not answered, it may hold itself to what it was told before or to the new: see
    `reckoning.unanswered`. lately: higher currents that it was held to before, each with the time until which it may
    still be on its way down from there.
    """

    ma: int
    since: datetime
    until: datetime
    lately: tuple[tuple[int, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a meter read on the phases of the EVSE (its own L1 first)."""

    ma: PerPhase
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """May the charge draw (`on`), or does it wait; since when."""

    on: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Charge:
    """A vehicle at an EVSE.

    uses: phases of the EVSE that it draws from; None, where that is not known: then all count.
    least_ma, most_ma: of the vehicle and its cable, where they are narrower than the EVSE's.
    wanted_wh: energy that it still wants; None, as much as it gets. departure None: not known.
    wish: what a partner's ChargingProfile allows over time, mA; None is no wish.
    planned_ma: what a plan over the day gives it now: it gets that before others get more than theirs.
    planned_later: the plan gives it energy after this moment, so that its patience does not run out meanwhile.
    """

    id: str
    evse: str
    arrival: datetime
    uses: tuple[int, ...] | None = None
    least_ma: int = 0
    most_ma: int | None = None
    wanted_wh: int | None = None
    departure: datetime | None = None
    priority: int = 0
    wish: Steps[int | None] = NO_WISH
    planned_ma: int | None = None
    planned_later: bool = False
    told: Told | None = None
    drawn: Drawn | None = None
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about a site that changes.

    offline: EVSEs whose charger has no connection, with or without a charge. deaf: EVSEs whose charger is known not
    to do what it is told. limits: by node, beside the site's own; the lower counts. loads: by node, what else draws
    there and hangs directly from it; None from the moment a measurement is too old, then the assumed load counts.
    """

    charges: tuple[Charge, ...]
    offline: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    limits: Mapping[str, Steps[Limit]] = field(default_factory=dict)
    loads: Mapping[str, Steps[PerPhase | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({each.id for each in self.charges}) < len(self.charges):
            raise InvalidRequest("two charges have one name")

    def with_charges(self, *charges: Charge) -> Facts:
        """The same facts with other charges."""
        return replace(self, charges=charges)

    def present(self, now: datetime) -> Facts:
        """The same facts without the charges that are only expected at `now`.

        Raises: InvalidRequest, when two charges are at one EVSE.
        """
        here = [charge for charge in self.charges if charge.arrival <= now]
        if len({each.evse for each in here}) < len(here):
            raise InvalidRequest("two charges are at one EVSE")
        return self.with_charges(*here)


def load_beside(metered_ma: PerPhase, *drawn_ma: PerPhase) -> PerPhase:
    """What else draws at a node, from its own meter and what the meters of all EVSEs and nodes below it read."""
    first, second, third = (total - sum(parts) for total, *parts in zip(metered_ma, *drawn_ma, strict=True))
    return first, second, third
