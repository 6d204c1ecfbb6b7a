"""How a price came about: the segments of a session, and where a step raised one.

An amount does not need them where a session is ordinary, so they are told when first asked for. What they are told
from is the engine's own by then: nobody can change it in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from modules.tariffs.pricing.choice import each_once
from modules.tariffs.pricing.compile import Compiled, Phase
from modules.tariffs.pricing.notes import Warned
from modules.tariffs.pricing.ordinary import Pair, tally_of
from modules.tariffs.pricing.periods import Session
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.steps import Raised, Segment, raise_to_steps
from modules.tariffs.pricing.totals import Tally, tally
from modules.tariffs.pricing.walk import Ground, Walk


class Told(NamedTuple):
    """The segments in order, and where a step added something."""

    segments: Sequence[Segment]
    raised: tuple[Raised, ...]
    counted: Tally


class Course:
    """The course of one session, from its periods and their tariffs."""

    __slots__ = ("_chosen", "_pairs", "_policy", "_reserved", "_session", "_told", "_zone")

    def __init__(
        self,
        session: Session,
        chosen: Sequence[Compiled | None],
        zone: str | None,
        reserved: Phase,
        policy: Policy,
        pairs: Sequence[Pair | None] | None,
    ) -> None:
        """`pairs`: the sums of an ordinary session, which are known."""
        self._session = session
        self._chosen = chosen
        self._zone = zone
        self._reserved = reserved
        self._policy = policy
        self._pairs = pairs
        self._told: Told | None = None

    def tell(self, warned: list[Warned]) -> Told:
        """The course, and what is to be warned of on the way. Raises: UnfitSession."""
        ground = Ground(self._zone, self._session.begin, self._reserved, self._policy)
        segments = Walk(ground, warned).over(self._session.periods, self._chosen)
        raised = raise_to_steps(segments, self._policy)
        if self._policy.step_counts_zero:
            segments = [segment for segment in segments if segment.quantity or segment.billed]
        self._told = Told(segments, raised, self._counted(segments))
        return self._told

    def _counted(self, segments: Sequence[Segment]) -> Tally:
        if self._pairs is not None and (tariff := self._chosen[0]):
            return tally_of(self._pairs, tariff, self._policy)
        return tally(segments, each_once(self._chosen), self._policy)

    @property
    def told(self) -> Told:
        """The course, told before or now."""
        return self._told or self.tell([])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Course) and self.told == other.told

    __hash__ = None  # type: ignore[assignment]
