"""Sessions and CDRs that could go to nobody when they came: kept, and looked at again when that may have changed.

They wait because no agreement lets the party have them whose driver it was, or because nobody here is that party, or
has that card. A look is made when partners or agreements have changed since the last one (a mark of both is kept), and
now and then all the same: for cards that became known, and for what came at the very moment of a change.
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.ports import Hub
from hub.core.units import Put, Unit
from modules.cdrs import store as cdrs
from modules.cdrs.owed import OWED
from modules.cdrs.passing import PASSES, addressed_anew, passed_on
from modules.sessions import whose as sessions
from modules.tokens.whose import grounds

log = structlog.get_logger()

_MARK: Final = "*"
"""Among the partners that were looked at: what decided when this look was made. No partner's name has a `*`."""
_LIMIT: Final = 8 * 1024 * 1024


async def look_if_changed(hub: Hub) -> None:
    """Send on what waits, if partners or agreements are others than at the last look."""
    now = grounds(hub)
    last = await hub.store.get(OWED, _MARK)
    if last is not None and last.body.decode() == now:
        return
    if last is None:
        await _keep_what_was_passed_over(hub)
    await look_again(hub)
    await hub.store.commit(Unit().put(Put(OWED, _MARK, now.encode())))


async def look_again(hub: Hub) -> None:
    """Send on what waits and may go now."""
    await sessions.address_anew(hub)
    after = 0
    while found := await cdrs.nobodys(hub.store, after_seq=after):
        after = found[-1].seq
        for document in found:
            await _try(hub, document.key, await addressed_anew(hub, document))


async def _keep_what_was_passed_over(hub: Hub) -> None:
    """Before the first look: CDRs that were let through when such as had nobody were not yet kept to wait."""
    for state in sorted(PASSES):
        after = 0
        while found := await cdrs.in_state(hub.store, state, after_seq=after):
            after = found[-1].seq
            for document in found:
                unit = Unit()
                tree = parse(document.body, limit=_LIMIT)
                await passed_on(hub, tree, cdrs.standing_of(document), unit, partner=document.columns["partner"])
                await _try(hub, document.key, unit if unit.writes else None)


async def _try(hub: Hub, key: str, unit: Unit | None) -> None:
    if unit is None:
        return
    try:
        await hub.store.commit(unit)
    except Conflict:
        log.info("cdr was addressed meanwhile", cdr=key)
