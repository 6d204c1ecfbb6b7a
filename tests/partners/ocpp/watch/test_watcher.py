"""Alerts of chargers on real sockets: opened once, closed when over, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from hub.core.errors import Conflict
from hub.core.units import Unit
from partners.ocpp.reach import Reach
from partners.ocpp.status import Heard
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Alert
from partners.ocpp.watch.rows import ALERTS
from partners.ocpp.watch.rules import Severity
from tests.partners.ocpp.site import Site, a_site, recently, until

QUICK = {
    "alert_look_s": 0.05,
    "alert_offline_s": 3600,
    "alert_faulted_s": 0.1,
    "alert_no_progress_s": 0.1,
    "alert_stuck_s": 86_400,
    "alert_clear_s": 0.1,
}


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path, **QUICK) as made:
        yield made


async def alerts(site: Site, rule: str) -> list[Alert]:
    return [rows.alert_in(d) for d in await site.hub.store.select(ALERTS, equal={"rule": rule})]


async def is_open(site: Site, rule: str) -> bool:
    return any(alert.closed is None for alert in await alerts(site, rule))


async def is_over(site: Site, rule: str) -> bool:
    return bool(await alerts(site, rule)) and not await is_open(site, rule)


async def test_a_faulted_connector_opens_one_alert_that_closes_when_it_is_well(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await until(lambda: is_open(site, "faulted"))
        await point.status(1, "Available")
        await until(lambda: is_over(site, "faulted"))
    (alert,) = await alerts(site, "faulted")
    assert (alert.subject, alert.severity) == ("CP1/E1", Severity.HIGH)


async def test_who_guesses_at_the_password_of_a_charger_is_told_of(tmp_path: Path) -> None:
    async with a_site(tmp_path, **QUICK, failed_logins_per_min=2) as site:
        for guess in range(21):
            with pytest.raises(InvalidStatus):
                await site.point(password=f"wrong password no {guess:03}")
        await until(lambda: is_open(site, "wrong_passwords"))
        (alert,) = await alerts(site, "wrong_passwords")
        assert (alert.subject, alert.severity) == ("CP1", Severity.MEDIUM)
        assert "no 0" not in alert.seen
        async with await site.point() as point:
            assert await point.boot() == "Accepted"


@pytest.mark.parametrize("is_taken_over", [True, False])
async def test_a_charger_that_connects_again_and_again_flaps_whether_it_hung_up_before_or_not(
    site: Site, is_taken_over: bool
) -> None:
    points = []
    for _ in range(6):
        points.append(await site.point())
        if not is_taken_over:
            await points[-1].close()
    await until(lambda: is_open(site, "flapping"))
    (alert,) = await alerts(site, "flapping")
    assert (alert.subject, alert.seen) == ("CP1", "it connected 6 times within a minute")
    for point in points:
        await point.close()


async def test_a_charger_that_connects_five_times_a_minute_does_not_flap(site: Site) -> None:
    for _ in range(5):
        await (await site.point()).close()
    point = await site.point("CP2")
    await point.status(1, "Faulted")
    await until(lambda: is_open(site, "faulted"))
    assert await alerts(site, "flapping") == []
    await point.close()


async def test_nobody_is_alerted_of_a_charger_on_its_way_into_service_until_it_is(site: Site) -> None:
    await site.gateway.stations.commission("CP1", ["E1"], actor="anna")
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await point.status(2, "Faulted")
        await asyncio.sleep(0.5)
        assert await alerts(site, "faulted") == []
        await site.gateway.stations.commissioned("CP1", actor="anna")
        await until(lambda: _many(site, 2))


async def test_an_open_alert_outlives_a_restart_and_silence_does_not_close_it(site: Site) -> None:
    async with await site.point() as point:
        await point.status(2, "Faulted")
        await until(lambda: is_open(site, "faulted"))
    (before,) = await alerts(site, "faulted")
    await site.restart()
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await until(lambda: _many(site, 2))
        assert before in await alerts(site, "faulted")
        await point.status(2, "Available")
        await until(lambda: _closed(site, before.id))


async def test_a_clock_that_is_years_behind_makes_no_charge_years_old(site: Site) -> None:
    began = datetime(2010, 6, 1, tzinfo=UTC)
    async with await site.point() as point:
        await point.start(began)
        await point.status(1, "Charging", began)
        await until(lambda: is_open(site, "no_progress"))
        view = await Reach(site.hub, site.gateway.stations).view("CP1")
    assert await alerts(site, "stuck_session") == []
    since = datetime.fromisoformat(view["connectors"]["1"]["since"])
    assert datetime.now(UTC) - since < timedelta(minutes=5)


async def test_a_connector_is_what_it_is_since_it_was_first_said_to_be(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Faulted")
        first = site.gateway.stations.get("CP1").connectors[1]
        await asyncio.sleep(0.01)
        await point.status(1, "Faulted")
        again = site.gateway.stations.get("CP1").connectors[1]
    assert (again.since, again.at > first.at) == (first.since, True)


async def _many(site: Site, number: int) -> bool:
    return len(await alerts(site, "faulted")) == number


async def _closed(site: Site, alert_id: str) -> bool:
    return any(a.closed is not None for a in await alerts(site, "faulted") if a.id == alert_id)


async def test_a_car_that_asks_for_energy_and_gets_none_is_told_until_the_meter_moves(site: Site) -> None:
    began = recently(600)
    async with await site.point() as point:
        number = (await point.start(began))["transactionId"]
        await point.status(1, "Charging")
        await until(lambda: is_open(site, "no_progress"))
        (alert,) = await alerts(site, "no_progress")
        assert alert.subject == "CP1/E1"
        await point.stop(recently(1), number, 5000)
        await point.status(1, "Available")
        await until(lambda: is_over(site, "no_progress"))


async def test_a_station_that_nobody_knows_any_more_leaves_no_open_alert(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await until(lambda: is_open(site, "faulted"))
        await site.gateway.stations.delete("CP1")
        await until(lambda: is_over(site, "faulted"))


async def test_what_goes_wrong_at_one_charger_is_logged_once_and_the_others_are_looked_at(site: Site) -> None:
    with capture_logs() as logs:
        site.gateway.stations.get("CP1").connectors[1] = cast("Heard", "not what was heard")
        await until(lambda: any(line["event"] == "look at a charger failed" for line in logs))
        async with await site.point("CP2") as point:
            await point.status(1, "Faulted")
            await until(lambda: is_open(site, "faulted"))
    failed = [line["station"] for line in logs if line["event"] == "look at a charger failed"]
    assert failed == ["CP1"]
    assert [alert.subject for alert in await alerts(site, "faulted")] == ["CP2/E3"]


async def test_a_charger_that_stays_away_is_told_and_closes_when_it_is_back(tmp_path: Path) -> None:
    async with a_site(tmp_path, **{**QUICK, "alert_offline_s": 0.1}) as site:
        await until(lambda: is_open(site, "offline"))
        async with await site.point("CP1"), await site.point("CP2"):
            await until(lambda: is_over(site, "offline"))
        assert {alert.subject for alert in await alerts(site, "offline")} == {"CP1", "CP2"}


async def test_two_processes_that_see_the_same_open_it_once(site: Site) -> None:
    alert = Alert("a", "stuck_session", "CP9/E1", Severity.MEDIUM, datetime.now(UTC), "it goes on and on")
    await site.hub.store.commit(rows.opened(alert))
    with pytest.raises(Conflict):
        await site.hub.store.commit(rows.opened(replace(alert, id="b")))


async def test_who_acknowledged_it_stays_when_it_closes(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await until(lambda: is_open(site, "faulted"))
        (alert,) = await alerts(site, "faulted")
        await site.hub.store.commit(Unit().put(rows.alert_put(replace(alert, acknowledged_by="jo"))))
        await point.status(1, "Available")
        await until(lambda: is_over(site, "faulted"))
    (closed,) = await alerts(site, "faulted")
    assert closed.acknowledged_by == "jo"
