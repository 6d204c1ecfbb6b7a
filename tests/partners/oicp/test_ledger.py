"""The ledger of OICP sessions, in either database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.core.units import Unit
from partners.oicp.ledger import ACTIVE, CLOSED, ENDED, PENDING, REFUSED, UNUSED, OicpSession, new_session_id
from tests.partners.oicp.bridged import Bridged, bridged

EVSE = "DE*ABC*E1"


def _row(bridge: Bridged, state: str, *, days_ago: float = 0, evse_id: str = EVSE, **fields: Any) -> OicpSession:
    opened = bridge.world.clock.now() - timedelta(days=days_ago)
    return OicpSession(id=new_session_id(), state=state, evse_id=evse_id, opened=opened, **fields)


async def test_what_goes_on_at_an_evse_is_found_however_many_charges_there_were_before(database_url: str) -> None:
    async with bridged(database_url, partners=False) as bridge:
        over = [_row(bridge, state, days_ago=300) for state in (CLOSED, REFUSED) for _ in range(600)]
        await bridge.world.store.commit(Unit([row.put() for row in over]))
        left = [_row(bridge, UNUSED, days_ago=2) for _ in range(3)]
        here = [_row(bridge, state) for state in (PENDING, ACTIVE, ENDED, UNUSED)]
        elsewhere = [_row(bridge, ACTIVE, evse_id="DE*ABC*E2"), _row(bridge, ACTIVE, evse_id="")]
        await bridge.world.store.commit(Unit([row.put() for row in (*left, *here, *elsewhere)]))
        ledger = bridge.oicp.bridge.ledger
        assert {row.id for row in await ledger.open_at(EVSE)} == {row.id for row in here}
        await ledger.change(here[0].id, OicpSession.closed)
        assert {row.id for row in await ledger.open_at(EVSE)} == {row.id for row in here[1:]}
        assert await ledger.open_at("") == []
