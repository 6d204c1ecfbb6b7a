"""How a price came about: the segments of a session, and where a step raised one.

An amount does not need them where a session is ordinary, so they are told when first asked for. What they are told
from is the engine's own by then: nobody can change it in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from modules.tariffs.pricing.choice import each_once
from modules.tariffs.pricing.compile import Compiled, Phase
from modules.tariffs.pricing.notes import Warned
from modules.tariffs.pricing.ordinary import Summed, raise_last, segments_of, tally_of
from modules.tariffs.pricing.periods import Session
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.steps import Raised, Segment, raise_to_steps
from modules.tariffs.pricing.totals import Tally, tally
from modules.tariffs.pricing.walk import Ground, Walk


class Told(Struct, frozen=True, gc=False):
    """The segments in order, and where a step added something."""

    segments: Sequence[Segment]
    raised: tuple[Raised, ...]
    counted: Tally


class Course(Struct, eq=False):
    """The course of one session, from its periods and their tariffs.

    summed: what it comes to, where it is ordinary. kept: the course, once it was told.
    """

    session: Session
    chosen: Sequence[Compiled | None]
    zone: str | None
    reserved: Phase
    policy: Policy
    summed: Summed | None = None
    kept: Told | None = None

    def tell(self, warned: list[Warned]) -> Told:
        """The course, and what is to be warned of on the way. Raises: UnfitSession."""
        self.kept = self._walked(warned) if self.summed is None else self._ordinary(self.summed)
        return self.kept

    def _walked(self, warned: list[Warned]) -> Told:
        ground = Ground(self.zone, self.session.begin, self.reserved, self.policy)
        segments = Walk(ground, warned).over(self.session.periods, self.chosen)
        raised = raise_to_steps(segments, self.policy)
        if self.policy.step_counts_zero:
            segments = [segment for segment in segments if segment.quantity or segment.billed]
        return Told(segments, raised, tally(segments, each_once(self.chosen), self.policy))

    def _ordinary(self, summed: Summed) -> Told:
        segments = segments_of(self.session, summed.tariff)
        raised = raise_last(segments, summed)
        return Told(segments, raised, tally_of(summed, self.policy))

    @property
    def told(self) -> Told:
        """The course, told before or now."""
        return self.kept or self.tell([])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Course) and self.told == other.told

    __hash__ = None  # type: ignore[assignment]
