"""The scripted charge point of 2.x at our gateway: what it tells of itself, and what it does when it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from hub.core.ports import Outcome, Place
from partners.ocpp.device_model import rows_of
from partners.sandbox.charger2 import Charger2
from partners.sandbox.point.clock import StepClock
from partners.sandbox.point.link import Security
from tests.partners.ocpp.site import CARD, PASSWORD, a_site, until

E1 = Place("CP1", 1, "DE*BSB/LOC1", "E1", "1")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_charge_point_tells_of_itself_and_obeys(tmp_path: Path, version: Literal["2.0.1", "2.1"]) -> None:
    async with a_site(tmp_path, ocpp_settle_s=0.05) as site:
        security = Security(PASSWORD)
        given: dict[str, Any] = {"version": version, "clock": StepClock(), "security": security, "connectors": 2}
        async with Charger2(site.url, "CP1", backoff_s=(0.02, 0.1), **given) as charger:
            assert await charger.boot() == "Accepted"
            stations, store = site.gateway.stations, site.hub.store

            async def has_told() -> bool:
                return bool(await rows_of(store, "CP1", "variables"))

            await until(has_told)
            rows = await rows_of(store, "CP1", "variables")
            assert rows["SmartChargingCtrlr.RateUnit"]["values"] == {"Actual": "A,W"}
            assert rows["EVSE@1.Power"]["values"]["Actual"] == "22000"
            assert stations.limit_rules("CP1").units == ("A", "W")
            assert stations.supports("CP1", "Reservation")

            wanted: dict[str, Any] = {"reservation": 7, "parent_tag": None, "expiry": "2035-01-01T00:00:00.000Z"}
            assert await stations.reserve(E1, id_tag=CARD, **wanted, timeout_s=5) == Outcome.ACCEPTED
            assert await stations.cancel_reservation("CP1", reservation=7, timeout_s=5) == Outcome.ACCEPTED
            unknown = await stations.cancel_reservation("CP1", reservation=7, timeout_s=5)
            assert unknown == Outcome.UNKNOWN_RESERVATION
            assert await stations.unlock(E1, timeout_s=5) == Outcome.ACCEPTED

            before = stations.get("CP1").link
            assert (await stations.change_password("CP1")).outcome == "result"
            await until(lambda: stations.get("CP1").link not in (None, before))
            await until(lambda: stations.get("CP1").station.previous_password is None)
            assert charger.complaints.texts() == []
