"""How often somebody may try the PIN of a contract: five refusals within an hour, then an hour without.

A try is written down before the PIN is looked at, so that many at once are not more than one after the other; a right
PIN takes the row away, and so does it when nobody could say. A contract that nobody has is counted like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import structlog

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.forgetting import forget_all
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Delete, Document, Kind, Put, Unit
from partners.oicp.answers import Code, Refused
from partners.oicp.ids import EvcoID

log = structlog.get_logger()

OICP_PIN_TRIES: Final = Kind("oicp_pin_tries")
MOST: Final = 5
FOR: Final = timedelta(hours=1)
_AT_ONCE: Final = 5
_NOBODY_SAID: Final = frozenset({Code.PARTNER_SILENT, Code.HUB_ERROR})


class PinTries:
    """Of all contracts."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    @asynccontextmanager
    async def one(self, contract: EvcoID, *, by: str) -> AsyncIterator[None]:
        """A try of partner `by`, which is right if nothing is raised within. Raises: Refused, after too many."""
        key = _key(contract)
        tries = await self._begun(key)
        try:
            yield
        except Refused as refused:
            if refused.code in _NOBODY_SAID:
                await self._write(key, lambda tries: tries - 1)
            elif tries == MOST:
                log.warning("a PIN was wrong too often: it is refused for an hour", evco_id=key, partner=by)
            raise
        await self._write(key, lambda tries: 0)

    async def _begun(self, key: str) -> int:
        """Returns: which try it is. Raises: Refused."""
        for _ in range(_AT_ONCE):
            document = await self._hub.store.get(OICP_PIN_TRIES, key)
            tries = self._so_far(document) + 1
            if tries > MOST:
                break
            try:
                await self._hub.store.commit(Unit().put(self._put(key, tries, document)))
            except Conflict:
                continue
            return tries
        raise Refused(Code.WRONG_PIN)

    def _so_far(self, document: Document | None) -> int:
        is_over = document is None or parse_datetime(document.last_updated) <= self._hub.clock.now()
        return 0 if document is None or is_over else int(document.body)

    async def _write(self, key: str, change: Callable[[int], int]) -> None:
        """What counts now. Where another try was written meanwhile, that one counts."""
        document = await self._hub.store.get(OICP_PIN_TRIES, key)
        if document is None:
            return
        unit, tries = Unit(), change(self._so_far(document))
        if tries > 0:
            unit.put(self._put(key, tries, document))
        else:
            unit.delete(Delete(OICP_PIN_TRIES, key, document.version))
        with suppress(Conflict):
            await self._hub.store.commit(unit)

    def _put(self, key: str, tries: int, known: Document | None) -> Put:
        until = timestamp(self._hub.clock.now() + FOR)
        expect = known.version if known is not None else ABSENT
        return Put(OICP_PIN_TRIES, key, str(tries).encode(), last_updated=until, expect=expect)


async def forget(hub: Hub) -> None:
    """What counts no more goes."""
    await forget_all(hub.store, OICP_PIN_TRIES, timestamp(hub.clock.now()))


def _key(contract: EvcoID) -> str:
    """Without its check digit, of which a provider may take no notice."""
    return f"{contract.country}{contract.provider}{contract.instance}"
