"""Alerts over the management API: listed by what they are about, acknowledged once, counted."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.core.units import Unit
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Alert
from partners.ocpp.watch.rules import Severity
from tests.hub.house import House

PATH = "/api/v1/alerts"
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


async def given(house: House, alert_id: str, rule: str, subject: str, closed: datetime | None = None) -> None:
    alert = Alert(alert_id, rule, subject, Severity.HIGH, AT, "its socket is gone", closed)
    await house.program.store.commit(Unit().put(rows.alert_put(alert)))


async def ids(house: House, query: str) -> list[str]:
    return [item["id"] for item in (await house.ask("GET", f"{PATH}?{query}")).tree["items"]]


async def test_alerts_are_listed_by_charger_rule_state_and_time(house: House) -> None:
    await given(house, "a1", "offline", "CP8", closed=AT)
    await given(house, "a2", "faulted", "CP9/E1", closed=AT)
    assert await ids(house, "") == ["a2", "a1"]
    assert await ids(house, "station=CP9") == ["a2"]
    assert await ids(house, "rule=offline") == ["a1"]
    assert await ids(house, "open=true") == []
    assert await ids(house, "date_from=2026-05-05T00:00:00Z") == []
    assert (await house.ask("GET", f"{PATH}?date_from=soon")).status == 422


async def test_an_alert_is_acknowledged_by_whoever_said_so_first(house: House) -> None:
    await given(house, "a1", "offline", "CP8", closed=AT)
    first = await house.ask("POST", f"{PATH}/a1/acknowledge", token=house.token_of("operator"))
    again = await house.ask("POST", f"{PATH}/a1/acknowledge")
    assert (first.status, first.tree["acknowledged_by"], again.tree["acknowledged_by"]) == (200, "jo", "jo")
    assert (await house.ask("POST", f"{PATH}/none/acknowledge")).status == 404


async def test_open_alerts_are_counted_by_rule(house: House) -> None:
    await given(house, "a1", "offline", "CP8")
    text = (await house.http.get("/metrics")).text
    assert 'busbar_open_alerts{rule="offline"} 1.0' in text
    assert 'busbar_open_alerts{rule="faulted"} 0.0' in text
