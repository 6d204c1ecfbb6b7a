"""One site, steered: look, allocate, write down, tell, show; then wait until anything happens or is due.

    a report, a socket, an operator's word, a partner's wish, an answer -> the bell -> one step

A step sends all that is to be told at once. That is safe, because the allocation gives nobody what another has not let
go of: a charger is reckoned with the larger of what it was told before and now, until it has said yes to the smaller,
and its schedule does not deny it. An EVSE to which something is on its way is left alone until its answer came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, ProfileOutcome
from hub.core.units import Audit, Unit
from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.prose import warning
from partners.ocpp.energy.reasons import Notice, Overdrawn, Why
from partners.ocpp.energy.reckoning import outdrew
from partners.ocpp.energy.shares import Allocation
from partners.ocpp.journal import Record
from partners.ocpp.sites.foresight import Foresight
from partners.ocpp.sites.present import Seen, facts_of
from partners.ocpp.sites.register import Known
from partners.ocpp.sites.roll import Roll
from partners.ocpp.sites.rows import power_put
from partners.ocpp.sites.shown import shown
from partners.ocpp.sites.state import EvseState
from partners.ocpp.sites.teller import Teller
from partners.ocpp.sites.telling import Telling

log = structlog.get_logger()

LONGEST_S: Final = 30.0
"""A step is taken so often even when nothing happens: readings grow old, and a socket may be half dead."""
_TOGETHER_S: Final = 0.05
"""What happens in one breath is one step; and the answer that a report waits for leaves before anything is told."""
_REST: Final = 9
"""A site so large that a step takes long rests so many times that long: readings never fill the day."""
_SHOWN_EVERY: Final = timedelta(seconds=1)
_ONE_MATTER: Final = timedelta(minutes=10)
_SHOWN_AGAIN: Final = timedelta(minutes=1)


class Steering:
    """See above. `took` is told of each session whose charger took another share."""

    def __init__(self, hub: Hub, roll: Roll, teller: Teller, name: str, *, took: Callable[[str], None]) -> None:
        self._hub, self._roll, self._name = hub, roll, name
        self._telling = Telling(hub, roll, teller, name, answered=self.ring, took=took)
        self._bell = asyncio.Event()
        self._due = 0.0
        self._foresight = Foresight()
        self._steps = 0
        self._watchers: list[asyncio.Future[int]] = []
        self._shown_at = hub.clock.now() - _SHOWN_EVERY
        self._shown: Tree = {}
        self._heeded: dict[str, datetime] = {}
        """What operators were warned of, and when it was last so."""
        self._is_over = False

    def ring(self) -> None:
        """Something happened."""
        self._bell.set()

    async def run(self) -> None:
        """Until the site is no more, or for ever."""
        took_s = 0.0
        while not self._is_over:
            wait_s = min(max(self._due - self._hub.clock.monotonic(), 0.0), LONGEST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):  # wait_for loses a cancellation that comes with the bell
                    await self._bell.wait()
            self._bell.clear()
            await self._hub.clock.sleep(max(_TOGETHER_S, _REST * took_s))
            began = self._hub.clock.monotonic()
            try:
                await self._step()
            except BusbarError as fault:
                log.warning("site is not steered", site=self._name, why=fault.message)
                self._due = self._hub.clock.monotonic() + 1
            except Exception as error:  # the next step must be taken, or nobody is lowered any more
                log.exception("site is not steered", site=self._name, error=type(error).__name__)
                self._due = self._hub.clock.monotonic() + 1
            took_s = self._hub.clock.monotonic() - began

    async def stop(self) -> None:
        """Tell nobody anything more."""
        self._is_over = True
        await self._telling.stop()

    def state(self, evse_uid: str) -> EvseState:
        return self._roll.state(self._name, evse_uid.upper())

    def state_of(self, evse_uid: str, record: Record) -> EvseState:
        """The state of an EVSE at which this charge goes on, be it seen for the first time."""
        state = self.state(evse_uid)
        if state.row.charge != record.key:
            self._roll.note(state, record, self._hub.clock.now())
        return state

    async def save(self) -> None:
        """Write what was changed of states from outside."""
        await self._roll.save(self._name)

    async def follows(self, state: EvseState) -> ProfileOutcome:
        """Wait until a charger has taken what an allocation from now on gives it, or says no.

        The yes of one that is found not to do what it is told is no yes to a wish.
        """
        row, refusals, asked_at = state.row, state.refusals, self._steps
        self.ring()
        while True:
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._watchers.append(future)
            await future
            if state.row is not row or state.refusals > refusals or self._roll.link_of(state) is None:
                return ProfileOutcome.REJECTED
            if row.wish is not None and state.is_unruly:
                return ProfileOutcome.REJECTED
            if state.settled > asked_at:
                return ProfileOutcome.ACCEPTED

    async def _step(self) -> None:
        self._steps += 1
        number, known = self._steps, self._roll.known(self._name)
        if known is None:
            self._is_over = True
            return
        now = self._hub.clock.now()
        seen = self._roll.look(known, now)
        facts = self._foresight.into(
            known, facts_of(known, seen, now), now, begin=self._telling.begin, changed=self.ring
        )
        _note_what_was_drawn(known, facts, seen)
        allocation = allocate(known.site, facts, known.rules, now)
        unruly = {each.evse for each in allocation.reserved if each.why in (Why.DEAF, Why.OVERDRAWN)}
        for share in allocation.shares:
            state = seen[share.evse].state
            state.share, state.is_unruly = share, share.evse in unruly
            if seen[share.evse].is_ready:  # the turn of one that cannot be told anything has not begun
                state.turn = share.turn
        self._telling.tell(known, seen, allocation.shares)
        await self._roll.save(known.name)
        self._mark_settled(number, allocation, seen)
        self._due = self._hub.clock.monotonic() + max((allocation.again_at - now).total_seconds(), _TOGETHER_S)
        self._due = min([self._due, *self._retries(seen.values())])
        await self._heed(known, allocation.notices)
        await self._show(known, seen, allocation)
        watchers, self._watchers = self._watchers, []
        for future in watchers:
            if not future.done():
                future.set_result(number)

    def _retries(self, seen: Iterable[Seen]) -> list[float]:
        now = self._hub.clock.monotonic()
        found = (at for each in seen for at in (each.state.retry_at, each.state.prepare_at))
        return [at for at in found if at > now]

    def _mark_settled(self, number: int, allocation: Allocation, seen: dict[str, Seen]) -> None:
        for share in allocation.shares:
            state = seen[share.evse].state
            if not share.tell and not state.is_busy and state.row.is_accepted and seen[share.evse].is_ready:
                state.settled = number

    async def _heed(self, known: Known, notices: tuple[Notice, ...]) -> None:
        """What an operator must hear is on record when it begins; what comes and goes is one matter."""
        now = self._hub.clock.now()
        recent = {about for about, at in self._heeded.items() if now - at < _ONE_MATTER}
        news = [warning(notice) for notice in notices if _about(notice) not in recent]
        self._heeded.update((_about(notice), now) for notice in notices)
        if news:
            unit = Unit()
            for words in news:
                log.warning("site", site=known.name, what=words)
                unit.audited(Audit("busbar", "site.warning", known.name, words))
            await self._hub.store.commit(unit)

    async def _show(self, known: Known, seen: dict[str, Seen], allocation: Allocation) -> None:
        now = allocation.begin
        if now - self._shown_at < _SHOWN_EVERY:
            self._due = min(self._due, self._hub.clock.monotonic() + _SHOWN_EVERY.total_seconds())
            return
        view = shown(known, seen, allocation)
        if view != self._shown or now - self._shown_at > _SHOWN_AGAIN:
            await self._hub.store.commit(Unit().put(power_put(known.name, now, view)))
            self._shown, self._shown_at = view, now


def _note_what_was_drawn(known: Known, facts: Facts, seen: Mapping[str, Seen]) -> None:
    """Who draws more than told is known after a restart, and until its meter reads less."""
    for charge in facts.charges:
        is_bold = outdrew(charge, known.site.evse[charge.evse], known.rules)
        seen[charge.evse].state.row.drew = charge.drawn if is_bold else None


def _about(notice: Notice) -> str:
    """Of what it is; figures change with each reading. What is kept becoming what is drawn is another matter."""
    if isinstance(notice, Overdrawn):
        return notice.evse
    return f"{notice.node}/{notice.phase}/{type(notice).__name__}"
