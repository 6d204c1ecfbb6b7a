"""A charge of 2.x that never names its EVSE is held until an operator says where it was, or that it is never billed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.errors import InvalidRequest, NotFound
from partners.ocpp import archive, journal, unplaced
from partners.ocpp.unplaced import Verdict
from tests.partners.ocpp.points2 import event as event_of
from tests.partners.ocpp.points2 import point2
from tests.partners.ocpp.site import CARD, Site, recently


async def charged_somewhere(site: Site, transaction: str = "T1", *, tag: str = CARD) -> str:
    """Of a charger with two EVSEs. Returns: what the charge is called."""
    began = recently(3600)
    async with await point2(site) as cp:
        await cp.boot()
        started = event_of("Started", began, transaction, tag=tag, wh=1000, context="Transaction.Begin")
        ended = event_of("Ended", began + timedelta(minutes=30), transaction, wh=6000, context="Transaction.End")
        for part in (started, ended):
            await cp.call("TransactionEvent", part)
    (record,) = await unplaced.waiting(site.hub.store)
    return unplaced.name_of(record)


async def settle(site: Site, name: str, evse_uid: str = "", *, card: str = "", drops: bool = False) -> None:
    verdict = Verdict(evse_uid, card, drops)
    await site.gateway.stations.settle_unplaced(name, verdict, actor="anna")


async def test_it_waits_with_its_way_out_and_nothing_is_billed(site: Site) -> None:
    name = await charged_somewhere(site)
    (record,) = await unplaced.waiting(site.hub.store, "CP1")
    row = unplaced.shown(record)
    assert (row["station"], row["held"], row["meter_stop_kwh"]) == ("CP1", True, 6)
    assert f"release {name} --evse" in row["doubt"]
    assert (await site.sessions(), await site.cdrs()) == ([], [])
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], doubt["severity"]) == (True, "hard")


async def test_an_operator_who_says_where_it_was_bills_it_as_the_charger_measured_it(site: Site) -> None:
    name = await charged_somewhere(site)
    await settle(site, name, "e2")
    ((session,), (cdr,)) = await site.sessions(), await site.cdrs()
    assert (session["status"], session["evse_uid"], session["kwh"]) == ("COMPLETED", "E2", 5)
    assert (cdr["total_energy"], cdr["cdr_location"]["evse_uid"]) == (5, "E2")
    assert await unplaced.waiting(site.hub.store) == []
    rows = await site.hub.store.audit_rows(after=0, limit=1000)
    assert [row.audit.actor for row in rows if row.audit.action == "transaction.placed"] == ["anna"]
    with pytest.raises(NotFound):
        await settle(site, name, "E2")


async def test_one_that_is_dropped_stays_so_whatever_its_charger_repeats(site: Site) -> None:
    name = await charged_somewhere(site)
    await settle(site, name, drops=True)
    async with await point2(site) as cp:
        late = event_of("Updated", recently(3000), wh=3000)
        await cp.call("TransactionEvent", late)
    assert await unplaced.waiting(site.hub.store) == []
    assert [record.state for record in await site.records()] == [journal.DROPPED]
    assert await site.cdrs() == []


async def test_an_evse_that_it_has_not_changes_nothing(site: Site) -> None:
    name = await charged_somewhere(site)
    with pytest.raises(InvalidRequest, match="there are E1, E2"):
        await settle(site, name, "E9")
    assert len(await unplaced.waiting(site.hub.store)) == 1


async def test_it_can_be_released_after_a_restart_and_long_after_all_else_was_put_away(site: Site) -> None:
    name = await charged_somewhere(site)
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    await site.restart()
    await settle(site, name, "E1")
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 5


async def test_a_charge_that_names_its_evse_late_waits_no_more(site: Site) -> None:
    await charged_somewhere(site)
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", event_of("Updated", recently(3000), wh=3000, evse=1))
    assert await unplaced.waiting(site.hub.store) == []
    assert len(await site.cdrs()) == 1
