"""What an operator decides of charges that are over and have no session: billed after all, or never."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hub.core.errors import InvalidRequest, NotFound
from hub.core.units import Audit, Unit
from partners.ocpp import journal
from partners.ocpp.billing import Opening
from partners.ocpp.desks import Desks
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Effect
from partners.ocpp.matching import Start


class Rulings(Desks):
    """Each in the turn of its station."""

    async def placed(self, record: Record, decide: Callable[[Start], Awaitable[Opening]], *, audit: Audit) -> None:
        """Bill a charge that waits, by the opening that `decide` gives it.

        Raises: NotFound, when it does not wait (any more); InvalidRequest, when it cannot be billed; Conflict.
        """
        async with self._turn(record.station):
            desk = await self._desk(record.station)
            key = next((key for key in desk.book.transactions if journal.key_of_start(key) == record.key), None)
            known = await self._consequences.record(desk, key) if key is not None else None
            if key is None or known is None:
                raise InvalidRequest("what its charger told of it is not at hand any more; drop it")
            if known.state != journal.UNPLACED:
                raise NotFound("there is no such transaction that waits")
            opening = await decide(desk.book.facts.starts[key])
            with self._or_start_over(desk):
                ended = Effect("ended", desk.book.transactions[key])
                unit = await self._consequences.of(desk, ended, opening, final=True)
                if not known.session:
                    raise InvalidRequest(f"it could not be billed there: {known.trouble}")
                await self._commit(unit.audited(audit))

    async def dropped(self, record: Record, *, audit: Audit) -> bool:
        """Never bill a charge that waits. Returns: False, when it is none."""
        async with self._turn(record.station):
            known = await journal.find_record(self._hub.store, record.key)
            if known is None or known.state != journal.UNPLACED:
                return False
            known.state, known.trouble = journal.DROPPED, "an operator decided that it is never billed"
            await self._hub.store.commit(Unit().put(journal.record_put(known)).audited(audit))
            self._desks.pop(record.station, None)
            return True
