"""Telling the chargers of one site: their shares, and over each new connection their safe currents.

Before anything is sent, the most that may come of it is on disk; what was refused is as if it had not been sent; what
was not answered may hold or not. After refusals a charger is left alone for a while, longer each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

import structlog

from hub.core.errors import BusbarError
from hub.core.ports import Hub
from partners.ocpp.energy.facts import Told
from partners.ocpp.energy.reckoning import made_safe, unanswered
from partners.ocpp.energy.shares import Share
from partners.ocpp.energy.site import Evse
from partners.ocpp.energy.units import ma_of_watts, milli, together_mv
from partners.ocpp.live import Link, Live
from partners.ocpp.sites.payloads import WORDS, Cap, cap_of, span_of
from partners.ocpp.sites.present import Seen
from partners.ocpp.sites.register import Known
from partners.ocpp.sites.roll import Roll
from partners.ocpp.sites.state import EvseState
from partners.ocpp.sites.teller import Said, Teller

log = structlog.get_logger()

_RETRY_S: Final = (5.0, 15.0, 60.0, 300.0)
_DEAF_AFTER: Final = 3
"""Refusals in a row, from which on a charger is reckoned with what its meter reads."""


class Telling:
    """`answered` is called after each answer; `took` is told of each session whose charger took another share."""

    def __init__(
        self,
        hub: Hub,
        roll: Roll,
        teller: Teller,
        name: str,
        *,
        answered: Callable[[], None],
        took: Callable[[str], None],
    ) -> None:
        self._hub, self._roll, self._teller, self._name = hub, roll, teller, name
        self._answered, self._took = answered, took
        self._work: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Let go of what is on its way; what may come of it is on disk."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def tell(self, known: Known, seen: Mapping[str, Seen], shares: Iterable[Share]) -> None:
        """Lowerings first: of two connectors of one station the second waits for the first."""
        monotonic = self._hub.clock.monotonic()
        for uid, each in seen.items():
            link = self._roll.link_of(each.state)
            is_due = not each.is_ready or each.state.row.safe_ma is None
            is_free = not each.state.is_busy and monotonic >= each.state.prepare_at
            if link is None or not is_due or not is_free:
                continue
            if (wait_s := self._roll.settles_in_s(link)) > 0:
                each.state.prepare_at = monotonic + wait_s
            else:
                self.begin(self._prepared(known, known.site.evse[uid], each.state, link), each.state)
        told = [share for share in shares if _must_tell(share, seen[share.evse])]
        for share in sorted(told, key=lambda share: share.ma - _in_force(known, seen[share.evse].state, share)):
            state = seen[share.evse].state
            link = self._roll.link_of(state)
            is_free = not state.is_busy and monotonic >= state.retry_at
            if link is not None and is_free and self._roll.can_be_limited(link.live):
                self.begin(self._told(known, state, share, link), state)

    def begin(self, work: Coroutine[Any, Any, None], state: EvseState | None = None) -> None:
        """Do something beside the loop; while it is about one EVSE, that is left alone."""
        task = asyncio.create_task(self._done(work, state), name=f"site {self._name}")
        if state is not None:
            state.is_busy = True
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _done(self, work: Coroutine[Any, Any, None], state: EvseState | None) -> None:
        try:
            await work
        except BusbarError as fault:
            log.warning("limit not sent", site=self._name, why=fault.message)
        except Exception as error:  # the EVSE must not stay busy for ever
            log.exception("limit not sent", site=self._name, error=type(error).__name__)
        finally:
            if state is not None:
                state.is_busy = False
                state.sent = None
            self._answered()

    async def _told(self, known: Known, state: EvseState, share: Share, link: Link) -> None:
        """Tell one charger its share. On disk, before it is sent, is the most that may come of it."""
        evse, row, before = known.site.evse[share.evse], state.row, state.told
        number = self._roll.transaction_of(state)
        if number is None:
            return
        state.told, row.is_accepted = unanswered(before, share.told, evse), False
        state.sent = state.told
        await self._roll.keep(state)
        cap = self._cap(known, evse, share.ma, link.live, share.phases)
        span = span_of(share.begin, share.until, self._roll.clocks.behind(link))
        said = await self._teller.say(link.live, link, WORDS[link.version].share(row.connector, number, cap, span))
        is_other = before is None or before.ma != share.ma
        if said is Said.YES and is_other:
            said = await self._checked(known, state, share, link, cap)
        if state.row is not row:
            return  # that charge is over
        if said is Said.YES:
            state.told, row.is_accepted, state.refusals, row.is_deaf = share.told, True, 0, False
            if is_other and row.session:
                self._took(row.session)
        else:
            self._refused(state, said, before if said in (Said.NO, Said.UNSENT, Said.CANNOT) else state.told)
        await self._roll.keep(state)

    async def _checked(self, known: Known, state: EvseState, share: Share, link: Link, cap: Cap) -> Said:
        """Does its schedule say the same? Where it says more, that is what may be drawn."""
        row, said = state.row, await self._teller.denies(link.live, link, state.row.connector, cap)
        if said is None:
            return Said.YES
        mv = together_mv(known.site.volts_mv, share.phases)
        row.told_ma = max(row.told_ma, milli(said) if cap.unit == "A" else ma_of_watts(said, mv))
        return Said.DENIED

    def _refused(self, state: EvseState, said: Said, told: Told | None) -> None:
        state.told = told
        state.refusals += 1
        pause_s = _RETRY_S[min(state.refusals, len(_RETRY_S)) - 1]
        state.retry_at = self._hub.clock.monotonic() + pause_s
        if said is Said.CANNOT or (said in (Said.NO, Said.DENIED) and state.refusals >= _DEAF_AFTER):
            state.row.is_deaf = True
        log.warning("share not taken", site=self._name, evse=state.row.evse, why=said.value)

    async def _prepared(self, known: Known, evse: Evse, state: EvseState, link: Link) -> None:
        """Give an EVSE its safe current, over each new connection, and see that it holds it."""
        live, safe = link.live, self._cap(known, evse, evse.safe_ma, link.live, evse.wiring)
        said = Said.YES if self._roll.can_be_limited(live) else Said.CANNOT
        for connector in self._roll.connectors_of(evse.id):
            if said is Said.YES:
                said = await self._safe(link, connector, safe)
        if said is Said.YES and len(live.station.places()) == 1:
            most = self._cap(known, evse, evse.most_ma, live, evse.wiring)
            now = self._hub.clock.now() - self._roll.clocks.behind(link)
            await self._teller.say(live, link, WORDS[link.version].whole(most, now))
        if said not in (Said.UNSENT, Said.UNHEARD):
            state.ready_for = link.generation
        if said is Said.YES and state.row.charge:
            held_ma = evse.most_ma if state.row.safe_ma is None else state.row.safe_ma
            state.told = made_safe(state.told, held_ma, evse, known.rules, self._hub.clock.now())
        state.row.safe_ma = evse.safe_ma if said is Said.YES else self._still_safe(state, said)
        state.row.is_deaf = state.row.is_deaf and said is not Said.YES
        if said is not Said.YES:
            log.warning("safe current not taken", site=self._name, evse=evse.id, why=said.value)
            pause_s = _RETRY_S[0 if said in (Said.UNSENT, Said.UNHEARD) else -1]
            state.prepare_at = self._hub.clock.monotonic() + pause_s
        await self._roll.keep(state)

    async def _safe(self, link: Link, connector: int, cap: Cap) -> Said:
        """Tell a connector its safe current; while nobody charges there, its schedule must not deny it."""
        said = await self._teller.say(link.live, link, WORDS[link.version].safe(connector, cap))
        is_idle = connector not in self._roll.charging(link.live)
        if said is Said.YES and is_idle and await self._teller.denies(link.live, link, connector, cap) is not None:
            return Said.DENIED
        return said

    def _still_safe(self, state: EvseState, said: Said) -> int | None:
        """An EVSE that was not reached keeps what it has; one that says no is not known to hold anything."""
        return state.row.safe_ma if said in (Said.UNSENT, Said.UNHEARD) else None

    def _cap(self, known: Known, evse: Evse, ma: int, live: Live, phases: tuple[int, ...]) -> Cap:
        unit = self._roll.unit_of(live)
        wired = evse.wiring if unit == "W" else phases
        return cap_of(ma, unit=unit, volts_mv=together_mv(known.site.volts_mv, wired), phases=len(wired))


def _must_tell(share: Share, seen: Seen) -> bool:
    """Also what was told before and never answered."""
    return seen.is_ready and (share.tell or not seen.state.row.is_accepted)


def _in_force(known: Known, state: EvseState, share: Share) -> int:
    told = state.told
    return told.ma if told is not None and told.until > share.begin else known.site.evse[share.evse].safe_ma
