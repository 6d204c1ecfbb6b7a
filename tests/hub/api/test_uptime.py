"""Uptime over the management API: a charger's outages from its socket, counted by the formula, excluded by a word."""

from __future__ import annotations

from datetime import timedelta

from hub.core.clock import timestamp
from hub.core.units import UNUSED, Unit
from partners.ocpp.watch.outages import Outage, WatchedEvse, outage_put, watched_put
from tests.hub.house import House

PATH = "/api/v1/uptime"


async def given(house: House, *, watched_days: int, outage_hours: int) -> None:
    """E9, watched for so many days, with an outage that began two days ago."""
    store, now = house.program.store, house.program.hub.clock.now()
    began = now - timedelta(days=2)
    watched = WatchedEvse("E9", "CP9", "DE*BSB/LOC9", now - timedelta(days=watched_days))
    outage = Outage("o1", "E9", "CP9", "Faulted", began, began + timedelta(hours=outage_hours))
    await store.commit(Unit().put(watched_put(watched)).put(outage_put(outage, expect=UNUSED)))


async def test_an_outage_counts_until_an_operator_says_why_it_does_not(house: House) -> None:
    await given(house, watched_days=10, outage_hours=24)
    told = (await house.ask("GET", PATH)).tree
    assert (told["total"], told["percent"], told["items"][0]["outage"]) == (1, 90, 1440)
    excluded = await house.ask("POST", f"{PATH}/outages/o1/exclude", {"reason": "the grid was down"})
    assert (excluded.status, excluded.tree["excluded"]) == (200, "the grid was down")
    assert (await house.ask("GET", PATH)).tree["percent"] == 100
    await house.ask("POST", f"{PATH}/outages/o1/exclude", {})
    assert (await house.ask("GET", f"{PATH}?location=LOC9")).tree["percent"] == 90
    assert (await house.ask("POST", f"{PATH}/outages/none/exclude", {})).status == 404


async def test_an_evse_that_is_no_more_counts_for_the_time_in_which_it_was(house: House) -> None:
    await given(house, watched_days=10, outage_hours=24)
    store, now = house.program.store, house.program.hub.clock.now()
    gone = WatchedEvse("E8", "CP8", "DE*BSB/LOC8", now - timedelta(days=30), now - timedelta(days=20))
    await store.commit(Unit().put(watched_put(gone)))
    everything = (await house.ask("GET", PATH)).tree
    (item,) = [item for item in everything["items"] if item["evse_uid"] == "E8"]
    assert (everything["total"], item["minutes"], item["to"]) == (2, 10 * 1440, timestamp(now - timedelta(days=20)))
    lately = timestamp(now - timedelta(days=19))
    assert [item["evse_uid"] for item in (await house.ask("GET", f"{PATH}?from={lately}")).tree["items"]] == ["E9"]


async def test_a_span_is_asked_for_and_before_we_looked_nothing_counts(house: House) -> None:
    await given(house, watched_days=4, outage_hours=12)
    now = house.program.hub.clock.now()
    two_days = timestamp(now - timedelta(days=2))
    assert (await house.ask("GET", f"{PATH}?from={two_days}")).tree["items"][0]["percent"] == 75
    assert (await house.ask("GET", f"{PATH}?to={two_days}")).tree["percent"] == 100
    assert (await house.ask("GET", f"{PATH}?evse=E1")).tree["percent"] is None
    long_ago = timestamp(now - timedelta(days=9))
    assert (await house.ask("GET", f"{PATH}?to={long_ago}")).tree["total"] == 0
    for wrong in ("from=soon", f"from={two_days}&to={long_ago}"):
        assert (await house.ask("GET", f"{PATH}?{wrong}")).status == 422
