"""Chargers of 2.x of which every frame is written by the test, and the answers held against the official schemas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from hub.core.clock import timestamp
from partners.ocpp import schemas
from tests.partners.ocpp.site import CARD, Payload, Point, Site, station

VERSIONS = ("2.0.1", "2.1")
Kind = Literal["Started", "Updated", "Ended"]


class Point2(Point):
    """One of 2.0.1 or 2.1."""

    version = "2.0.1"

    async def call(self, action: str, payload: Payload, *, message_id: str = "") -> Payload:
        answer = await super().call(action, payload, message_id=message_id)
        finding = schemas.check(self.version, action, answer, "response", strict=True)
        assert finding is None, (action, answer, finding)
        return answer

    async def boot(self) -> str:
        told = {"chargingStation": {"vendorName": "Acme", "model": "Two"}, "reason": "PowerUp"}
        return str((await self.call("BootNotification", told))["status"])

    async def connector(self, status: str, at: datetime | None = None, evse: int = 1, connector: int = 1) -> None:
        when = timestamp(at or datetime.now(UTC))
        told = {"timestamp": when, "connectorStatus": status, "evseId": evse, "connectorId": connector}
        await self.call("StatusNotification", told)

    async def event(self, kind: Kind, at: datetime, transaction: str = "T1", **said: Any) -> Payload:
        return await self.call("TransactionEvent", event(kind, at, transaction, **said))


def event(
    kind: Kind,
    at: datetime,
    transaction: str = "T1",
    *,
    tag: str | None = None,
    tag_type: str = "ISO14443",
    wh: float | None = None,
    context: str = "Sample.Periodic",
    evse: int | None = None,
    trigger: str = "Trigger",
    seq: int = 0,
    info: Payload | None = None,
    **more: Any,
) -> Payload:
    """A TransactionEventRequest; `wh` is the register."""
    payload: Payload = {
        "eventType": kind,
        "timestamp": timestamp(at),
        "triggerReason": trigger,
        "seqNo": seq,
        "transactionInfo": {"transactionId": transaction, **(info or {})},
        **more,
    }
    if tag is not None:
        payload["idToken"] = {"idToken": tag, "type": tag_type}
    if wh is not None:
        payload["meterValue"] = [{"timestamp": timestamp(at), "sampledValue": [{"value": wh, "context": context}]}]
    if evse is not None:
        payload["evse"] = {"id": evse, "connectorId": 1}
    return payload


def begin(at: datetime, transaction: str = "T1", *, wh: float = 1000, **more: Any) -> Payload:
    """The usual Started: a card at EVSE 1."""
    said: dict[str, Any] = {"tag": CARD, "evse": 1, "trigger": "Authorized", "context": "Transaction.Begin", **more}
    return event("Started", at, transaction, wh=wh, **said)


def end(at: datetime, transaction: str = "T1", *, wh: float = 6000, **more: Any) -> Payload:
    """The usual Ended: the cable was pulled."""
    said: dict[str, Any] = {"trigger": "EVCommunicationLost", "context": "Transaction.End", **more}
    return event("Ended", at, transaction, wh=wh, **said)


async def point2(site: Site, identity: str = "CP1", version: str = "2.0.1", **how: Any) -> Point2:
    """A charger that has connected; CP1 has EVSEs 1 and 2 with a connector each, whatever it speaks."""
    live = site.gateway.stations.get(identity)
    if live.station.protocol != f"ocpp{version}":
        uids = [entry.evse_uid for entry in live.station.evses.values()]
        evses = {str(n): {"evse_uid": uid, "connectors": {"1": "1"}} for n, uid in enumerate(uids, 1)}
        await site.gateway.stations.put(identity, {**station(), "evses": evses, "protocol": f"ocpp{version}"})
    point = Point2(await site.connected(identity, protocols=[f"ocpp{version}"], **how))
    point.version = version
    return point
