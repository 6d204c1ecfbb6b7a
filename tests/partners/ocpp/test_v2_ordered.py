"""A charge at a charger of 2.x from our order to start it to our order to stop it, and what it is told meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core import trace
from hub.core.ports import Limits, Outcome, Place, ProfileOutcome
from partners.ocpp import device_model, schemas
from partners.ocpp.costs_told import CostsTold
from tests.partners.ocpp.site import CARD, Payload, Point, Site, recently, until

E1 = Place("CP1", 1, "DE*BSB/LOC1", "E1", "1")
BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
ID = "a-transaction-of-the-charger"


@asynccontextmanager
async def a_point(site: Site, version: str) -> AsyncIterator[Point]:
    async with await site.point(protocols=[f"ocpp{version}"]) as cp:
        accepted = ("RequestStartTransaction", "RequestStopTransaction", "SetChargingProfile", "ClearChargingProfile")
        cp.answers |= {key: {"status": "Accepted"} for key in accepted}
        yield cp
        for action, payload in cp.asked:
            assert schemas.check(version, action, payload, strict=True) is None, action


def event(kind: str, at: datetime, seq: int, wh: int, **more: Any) -> Payload:
    """A TransactionEvent with a register reading."""
    info = {"transactionId": ID, **more.pop("info", {})}
    sample = {"value": wh, "measurand": "Energy.Active.Import.Register", "context": "Sample.Periodic"}
    moment = at.isoformat().replace("+00:00", "Z")
    return {
        "eventType": kind,
        "timestamp": moment,
        "triggerReason": "RemoteStart" if kind == "Started" else "MeterValuePeriodic",
        "seqNo": seq,
        "transactionInfo": info,
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": moment, "sampledValue": [sample]}],
        **more,
    }


@BOTH
async def test_a_charge_is_ordered_limited_told_its_cost_and_stopped(site: Site, version: str) -> None:
    stations, began = site.gateway.stations, recently()
    async with a_point(site, version) as cp:
        trace.begin(correlation_id="the-journey-of-this-order")
        assert await stations.remote_start(E1, id_tag=CARD, token_type="RFID", timeout_s=5) == Outcome.ACCEPTED
        asked = cp.asked[0][1]
        info = {"remoteStartId": asked["remoteStartId"], "chargingState": "Charging"}
        await cp.call("TransactionEvent", event("Started", began, 0, 1000, idToken=asked["idToken"], info=info))
        (session,) = await site.sessions()
        (record,) = await site.records()
        assert (record.number, record.correlation_id) == (ID, "the-journey-of-this-order")

        named = {"transaction": session["id"], "timeout_s": 5.0}
        limits = Limits("A", ((0, Decimal("16.0")),))
        assert await stations.limit("CP1", number=5, limits=limits, **named) == ProfileOutcome.ACCEPTED
        assert cp.asked[-1][1]["chargingProfile"]["transactionId"] == ID

        await cp.call("TransactionEvent", event("Updated", began + timedelta(minutes=30), 1, 11000))
        stations.get("CP1").learned.configuration = {"TariffCostCtrlr.Enabled[Cost]": "true"}
        cp.answers["CostUpdated"] = {}
        costs = CostsTold(site.hub, stations, site.gateway.transactions)

        async def is_told() -> bool:
            await costs.tick()
            return any(action == "CostUpdated" for action, _ in cp.asked)

        await until(is_told)
        assert cp.asked[-1][1]["transactionId"] == ID

        assert await stations.remote_stop("CP1", **named) == Outcome.ACCEPTED
        assert cp.asked[-1] == ("RequestStopTransaction", {"transactionId": ID})
        ended = event("Ended", began + timedelta(hours=1), 2, 21000, info={"stoppedReason": "Remote"})
        await cp.call("TransactionEvent", ended)
        (cdr,) = await site.cdrs()
        assert cdr["total_energy"] == 20
        assert await stations.remote_stop("CP1", **named) == Outcome.ACCEPTED


async def test_an_event_of_a_monitor_is_an_alarm(site: Site) -> None:
    async with a_point(site, "2.1") as cp:
        rows = {"3": {"id": 3, "name": "Cable.Temperature", "type": "UpperThreshold", "value": 70, "severity": 1}}
        await device_model.noted(site.hub, "CP1", "monitors", rows)
        at = "2026-05-01T12:00:00Z"
        told = {
            "eventId": 1,
            "timestamp": at,
            "trigger": "Alerting",
            "actualValue": "71",
            "eventNotificationType": "CustomMonitor",
            "variableMonitoringId": 3,
            "component": {"name": "Cable"},
            "variable": {"name": "Temperature"},
        }
        await cp.call("NotifyEvent", {"generatedAt": at, "seqNo": 0, "eventData": [told]})
        stream = {"id": 5, "params": {}, "variableMonitoringId": 3}
        await cp.call("OpenPeriodicEventStream", {"constantStreamData": stream})
        data = {"data": [{"t": 0, "v": "72"}], "id": 5, "pending": 0, "basetime": at}
        await cp.socket.send(json.dumps([6, "s1", "NotifyPeriodicEventStream", data]))
        await cp.call("Heartbeat", {})
    audits = [row.audit for row in await site.hub.store.audit_rows(after=0, limit=1000)]
    assert [row.detail for row in audits if row.action == "station.alert"] == [
        "severity 1, value 71",
        "severity 1, value 72",
    ]


async def test_a_certificate_to_show_to_cars_is_not_ours_to_sign(site: Site) -> None:
    async with a_point(site, "2.0.1") as cp:
        asked = {"csr": "a request", "certificateType": "V2GCertificate"}
        assert await cp.call("SignCertificate", asked) == {"status": "Rejected"}
        assert await cp.call("SignCertificate", {"csr": "a request"}) == {"status": "Accepted"}
