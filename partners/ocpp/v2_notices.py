"""What else a charger of OCPP 2.x may tell or ask, beside its transactions, its states and itself (`v2.py`).

Each does what is useful: it ends a reservation, tells a partner of new limits, keeps what an operator asked for. What
we do not offer is answered as the protocol says it: where no service of contracts and no check of revocation is
configured (`pnc`), nothing is said to be good that was not looked at.
"""

from __future__ import annotations

from asyncio import gather
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from modules.commands import reservations
from partners.ocpp import device_model
from partners.ocpp import notices_energy as energy
from partners.ocpp.booting import text
from partners.ocpp.live import Link
from partners.ocpp.pnc import CertificateId, Status, Verdict
from partners.ocpp.rpc import Incoming
from partners.ocpp.variables import parsed
from partners.ocpp.vat_numbers import is_well_formed

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2

Notice = Callable[["Version2", Link, Incoming], Awaitable[Tree]]

_MOST_STREAMS: Final = 64
_LONGEST_EXI: Final = {"2.0.1": 7500, "2.1": 17_000}
_LONGEST_OCSP: Final = {"2.0.1": 5500, "2.1": 18_000}
"""As the schemas have it."""
_LOOK_AGAIN: Final = timedelta(days=1)


def gathered(subject: str) -> Notice:
    """A part of a list that somebody asked for; see `device_model.py`."""

    async def notice(v2: Version2, link: Link, incoming: Incoming) -> Tree:
        await v2.stations.models.gather(link.live, subject, incoming.payload)
        return {}

    return notice


async def reservation_update(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """It holds a reservation no more (H03, H04): expired, or taken away at the charger."""
    number = incoming.payload.get("reservationId")
    expired = incoming.payload.get("reservationUpdateStatus") != "Removed"
    if isinstance(number, int):
        await reservations.dropped(v2.hub, link.live.identity, number, expired=expired)
    return {}


async def contract_certificate(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A car wants the certificate of its contract (M01, M02): the operator's service is asked, if there is one."""
    longest = _LONGEST_EXI[link.version]
    given = await v2.contracts.certificate(link.live.identity, incoming.payload, longest=longest)
    if given is None:
        return {"status": "Failed", "exiResponse": ""}
    left = {"remainingContracts": given.remaining} if given.remaining is not None and link.version == "2.1" else {}
    return {"status": "Accepted", "exiResponse": given.exi, **left}


async def certificate_status(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Is a certificate revoked (M06)? The charger gets its responder's own answer, and reads it."""
    told = incoming.payload["ocspRequestData"]
    status = await v2.contracts.status(CertificateId.of(told), str(told["responderURL"]))
    result = b64encode(status.answer).decode()
    if not result or len(result) > _LONGEST_OCSP[link.version]:
        return {"status": "Failed"}
    return {"status": "Accepted", "ocspResult": result}


async def chain_status(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Is any of these revoked (M07)? Responders are asked; lists (CRL) are not read, so nothing is said of those."""
    asked = incoming.payload["certificateStatusRequests"]
    return {"certificateStatus": list(await gather(*(_chain_row(v2, each) for each in asked)))}


async def _chain_row(v2: Version2, asked: Tree) -> Tree:
    found = Status(Verdict.FAILED)
    for url in asked["urls"] if asked["source"] == "OCSP" else ():
        found = await v2.contracts.status(CertificateId.of(asked["certificateHashData"]), str(url))
        if found.verdict is not Verdict.FAILED:
            break
    again = found.until or v2.hub.clock.now() + _LOOK_AGAIN
    known = {name: asked[name] for name in ("certificateHashData", "source")}
    return {**known, "status": str(found.verdict), "nextUpdate": timestamp(again)}


async def settlement(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A payment at the charger's own terminal was settled, or was not (I01, C20): kept for good."""
    told = incoming.payload
    detail = f"{text(told.get('status'))} {told.get('settlementAmount')} transaction {text(told.get('transactionId'))}"
    receipt = f" receipt {text(told['receiptId'])}" if "receiptId" in told else ""
    audit = Audit(link.live.identity, "station.settlement", text(told.get("pspRef")), detail + receipt)
    await v2.hub.store.commit(Unit().audited(audit))
    return {}


async def vat_number(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Is it one (C20)? By its form alone."""
    number = text(incoming.payload.get("vatNumber"))[:20]
    evse = energy.evse_in(incoming.payload)
    status = "Accepted" if is_well_formed(number) else "Rejected"
    return {"vatNumber": number, **({"evseId": evse} if evse is not None else {}), "status": status}


async def battery_swap(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A battery came in or went out (S01, S02)."""
    told = incoming.payload
    batteries = [each for each in told.get("batteryData") or () if isinstance(each, dict)]
    detail = ", ".join(f"{text(each.get('serialNumber'))} {each.get('soC')} %" for each in batteries[:16])
    audit = Audit(link.live.identity, "station.battery_swap", text(told.get("eventType")), detail[:500])
    await v2.hub.store.commit(Unit().audited(audit))
    return {}


async def stream_opened(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """From now on it sends values of a monitor without waiting for answers (N11)."""
    told, streams = incoming.payload["constantStreamData"], link.live.streams
    if told["id"] not in streams and len(streams) >= _MOST_STREAMS:
        return {"status": "Rejected"}
    link.live.streams = {**streams, told["id"]: told["variableMonitoringId"]}
    return {"status": "Accepted"}


async def stream_closed(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """It sends no more of them (N12)."""
    number = incoming.payload.get("id")
    link.live.streams = {stream: monitor for stream, monitor in link.live.streams.items() if stream != number}
    return {}


async def stream_values(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Values of a stream (N13): what NotifyEvent would tell of its monitor. The newest counts."""
    monitor = link.live.streams.get(incoming.payload.get("id", -1))
    rows = await device_model.rows_of(v2.hub.store, link.live.identity, "monitors") if monitor is not None else {}
    row, told = rows.get(str(monitor)), incoming.payload.get("data")
    if row is not None and isinstance(told, list) and told:
        event = _event_of(row, told[-1], timestamp(v2.hub.clock.now()))
        payload = {"generatedAt": event["timestamp"], "seqNo": 0, "tbc": False, "eventData": [event]}
        await v2.handle(link, Incoming("NotifyEvent", payload, incoming.raw, None))
    return {}


def _event_of(row: Tree, value: Any, at: str) -> Tree:
    variable, _ = parsed(row["name"])
    return {
        "eventId": 0,
        "timestamp": at,
        "trigger": "Periodic",
        "actualValue": text(value.get("v")) if isinstance(value, dict) else "",
        "variableMonitoringId": row["id"],
        "eventNotificationType": row.get("eventNotificationType", "CustomMonitor"),
        **variable.tree(),
    }


NOTICES: Final[Mapping[str, Notice]] = {
    "BatterySwap": battery_swap,
    "ClearedChargingLimit": energy.limit_cleared,
    "ClosePeriodicEventStream": stream_closed,
    "Get15118EVCertificate": contract_certificate,
    "GetCertificateChainStatus": chain_status,
    "GetCertificateStatus": certificate_status,
    "NotifyChargingLimit": energy.charging_limit,
    "NotifyCustomerInformation": gathered("customer-information"),
    "NotifyDERAlarm": energy.der_alarm,
    "NotifyDERStartStop": energy.der_start_stop,
    "NotifyDisplayMessages": gathered("display-messages"),
    "NotifyEVChargingNeeds": energy.charging_needs,
    "NotifyEVChargingSchedule": energy.charging_schedule,
    "NotifyMonitoringReport": gathered("monitors"),
    "NotifyPeriodicEventStream": stream_values,
    "NotifyPriorityCharging": energy.priority_charging,
    "NotifyReport": gathered("variables"),
    "NotifySettlement": settlement,
    "OpenPeriodicEventStream": stream_opened,
    "PullDynamicScheduleUpdate": energy.dynamic_schedule,
    "ReportChargingProfiles": gathered("charging-profiles"),
    "ReportDERControl": gathered("der-controls"),
    "ReservationStatusUpdate": reservation_update,
    "VatNumberValidation": vat_number,
}
"""Every CALL, and the SEND, that a charger of 2.x may make beside those of `v2.py`."""
