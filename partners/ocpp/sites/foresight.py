"""A plan over the day for sites that go by departures: made beside the loop, heeded by each allocation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.planning import Plan, plan
from partners.ocpp.energy.rules import Policy
from partners.ocpp.sites.register import Known

AHEAD: Final = timedelta(hours=24)
_GROWS_OLD: Final = timedelta(minutes=15)

Begin = Callable[[Coroutine[Any, Any, None]], None]


class Foresight:
    """Of one site. Until a plan is ready the policy alone decides."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._about: object = None
        self._made_at: datetime | None = None
        self._is_planning = False

    def into(self, known: Known, facts: Facts, now: datetime, *, begin: Begin, changed: Callable[[], None]) -> Facts:
        """`facts` with what the plan gives each charge now; begins another plan where this one is about other facts."""
        charges = [charge for charge in facts.charges if charge.departure is not None]
        if known.rules.policy is not Policy.DEPARTURE or not charges:
            self._plan, self._about = None, None
            return facts
        about = (known, facts.offline, frozenset((c.evse, c.arrival, c.departure) for c in facts.charges))
        is_old = self._made_at is None or now - self._made_at > _GROWS_OLD
        if (about != self._about or is_old) and not self._is_planning:
            self._is_planning = True
            begin(self._make(known, facts, now, about, changed))
        return self._heeded(facts, now)

    def _heeded(self, facts: Facts, now: datetime) -> Facts:
        """`facts` with the plan, for those who said when they leave.

        Whom it lets wait is served after the others, and by the policy all the same where there is room: energy that is
        given early never stands in the way later, and a driver may come back sooner than he said.
        """
        if self._plan is None:
            return facts
        heeded = self._plan.into(facts, now)
        pairs = zip(facts.charges, heeded.charges, strict=True)
        return facts.with_charges(*(own if own.departure is None else planned for own, planned in pairs))

    async def _make(
        self, known: Known, facts: Facts, now: datetime, about: object, changed: Callable[[], None]
    ) -> None:
        try:
            self._plan = await asyncio.to_thread(plan, known.site, facts, known.rules, now, now + AHEAD)
            self._about, self._made_at = about, now
        finally:
            self._is_planning = False
        changed()
