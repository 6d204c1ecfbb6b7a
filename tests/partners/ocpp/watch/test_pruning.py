"""What is long over is forgotten; what goes on, or was over lately, stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hub.core.units import UNUSED, Unit
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Alert
from partners.ocpp.watch.outages import OUTAGES, WATCHED, Outage, WatchedEvse, outage_put, watched_put
from partners.ocpp.watch.pruning import forget
from partners.ocpp.watch.rows import ALERTS
from partners.ocpp.watch.rules import Severity
from tests.partners.ocpp.site import Site, a_site

SPANS = {"long over": (900, 401), "over lately": (900, 399), "goes on": (900, None), "new": (3, 2)}
"""Days ago: when it began and when it ended."""


async def given(site: Site) -> None:
    now = site.hub.clock.now()

    def ago(days: int | None) -> datetime | None:
        return None if days is None else now - timedelta(days=days)

    for name, (began, ended) in SPANS.items():
        opened = now - timedelta(days=began)
        alert = Alert(name, "offline", "CP1", Severity.HIGH, opened, "gone", ago(ended))
        outage = Outage(name, "E1", "CP1", "offline", opened, ago(ended))
        unit = Unit().put(rows.alert_put(alert)).put(outage_put(outage, expect=UNUSED))
        await site.hub.store.commit(unit.put(watched_put(WatchedEvse(name, "CP1", "DE*BSB/LOC1", opened, ago(ended)))))


async def test_what_is_long_over_is_forgotten(tmp_path: Path) -> None:
    async with a_site(tmp_path, alert_look_s=3600, history_days=400) as site:
        await given(site)
        await forget(site.hub)
        for kind in (ALERTS, OUTAGES):
            assert [document.key for document in await site.hub.store.select(kind)] == ["over lately", "goes on", "new"]
        watched = {document.key.split(" 20")[0] for document in await site.hub.store.select(WATCHED)}
        assert watched >= {"over lately", "goes on", "new"}
        assert "long over" not in watched


async def test_it_is_forgotten_however_much_stands_before_it(tmp_path: Path) -> None:
    async with a_site(tmp_path, alert_look_s=3600) as site:
        now = site.hub.clock.now()
        began, ended = now - timedelta(days=900), now - timedelta(days=800)
        unit = Unit()
        for number in range(1200):
            end = None if number < 600 else ended
            unit.put(outage_put(Outage(f"o{number}", "E1", "CP1", "offline", began, end), expect=UNUSED))
        await site.hub.store.commit(unit)
        await forget(site.hub)
        assert len(await site.hub.store.select(OUTAGES, limit=5000)) == 600
