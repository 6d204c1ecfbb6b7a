"""A partner that speaks OICP: an EMP over TLS, in a process of its own, whose driver charges at one of our chargers.

Its certificates, and ours, are made for this run by an authority of its own, in the demo's folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.demo.callers import AskFailed, Caller, Management, until
from hub.demo.plugs import Plug
from hub.demo.processes import Child, free_port
from hub.demo.record import Record
from hub.demo.timeline import BUSBAR, DRIVER, Timeline, charger, provider
from hub.demo.world import OICP_DRIVE, OWN_PARTY
from partners.sandbox.oicp.authority import Authority
from partners.sandbox.point.link import CallFailedError, NotConnectedError

PARTY: Final = "DE-DCB"
NAME: Final = OICP_DRIVE.provider
_LABEL: Final = f"{PARTY} (OICP)"
_CONTRACT: Final = "DE-DCB-C00000001-6"
_HOTLINE: Final = "+4930123456"
_START_S: Final = 30.0
_WAIT_S: Final = 15.0
_LIMIT: Final = 8 * 1024 * 1024


class Door:
    """The hub's port for partners of OICP, and the authority that all certificates are of."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port(None)
        self.authority = Authority(folder / "papers")
        self._papers = self.authority.issue("hub")

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the hub is told of it."""
        return {
            "BUSBAR_OICP_PORT": str(self.port),
            "BUSBAR_OICP_CERTIFICATE": str(self._papers.certificate),
            "BUSBAR_OICP_KEY": str(self._papers.key),
            "BUSBAR_OICP_CLIENT_CA": str(self.authority.root),
        }


@dataclass(slots=True)
class Emp:
    """The EMP: its process, and its desk."""

    child: Child
    desk: Caller
    connection: Tree
    door: Door

    @classmethod
    async def start(cls, children: list[Child], folder: Path, door: Door) -> Emp:
        """Raises: ChildFailed."""
        papers = door.authority.issue("emp")
        words = {"party": PARTY, "ca": papers.root, "certificate": papers.certificate, "key": papers.key}
        words |= {"hub": door.url, "receipts": folder / f"{NAME}.receipts", "port": 0, "admin-port": 0}
        command = ("partners.sandbox", "oicp-emp", *(f"--{name}={value}" for name, value in words.items()))
        child = await Child.start(NAME, command, folder=folder, environment={})
        children.append(child)
        told = json.loads(await child.first_line(timeout_s=_START_S))
        connection = {
            "kind": "emp",
            "provider_ids": [PARTY],
            "base_url": told["url"],
            "certificates": [papers.certificate.read_text()],
            "server_ca": papers.root.read_text(),
            "client_certificate": "ours",
        }
        return cls(child, Caller(told["admin_url"]), connection, door)

    async def join(self, operator: Management, timeline: Timeline) -> None:
        """An operator connects it, with a certificate that we show, and it pulls our EVSEs. Raises: AskFailed."""
        asked = await operator.post("/api/v1/oicp/certificates", {"name": "ours", "common_name": "busbar.example"})
        signed = self.door.authority.sign(asked["csr"])
        await operator.put("/api/v1/oicp/certificates/ours", {"certificate": signed})
        await operator.patch(f"/api/v1/oicp/operators/{OWN_PARTY}", {"hotline": _HOTLINE})
        await operator.put(f"/api/v1/oicp/connections/{NAME}", self.connection)
        timeline.says(provider(_LABEL), "is connected over OICP 2.3: TLS, each side known by its certificate")
        await self.desk.post("/sandbox/cards", {"evco_id": _CONTRACT, "uid": OICP_DRIVE.card.uid})

    async def pull(self, record: Record, timeline: Timeline) -> None:
        """Our EVSEs, once they are told. Raises: AskFailed."""

        async def there() -> bool:
            pulled = await self.desk.post("/sandbox/pull")
            record.oicp.evses = pulled["evses"]
            return bool(record.oicp.evses)

        await until(there, timeout_s=_WAIT_S, what="EVSEs at the EMP of OICP", every_s=0.3)
        timeline.says(provider(_LABEL), f"pulls our {record.oicp.evses} EVSEs")

    async def told(self, path: str) -> list[Tree]:
        """The messages that it got at a path, in order."""
        receipts: list[Any] = await self.desk.get("/sandbox/receipts")
        bodies = [each["body"] for each in receipts if path in each["path"] and each["outcome"] == "answered"]
        return [parse(body.encode(), limit=_LIMIT) for body in bodies]


async def play(emp: Emp, plug: Plug, record: Record, timeline: Timeline) -> None:
    """Its driver charges, and is billed. What goes wrong is a trouble of the record."""
    try:
        await emp.pull(record, timeline)
        await _ride(emp, plug, record, timeline)
    except (AskFailed, CallFailedError, NotConnectedError, TimeoutError, RuntimeError) as error:
        record.troubles.append(f"drive {OICP_DRIVE.name}: {error or type(error).__name__}")


async def _ride(emp: Emp, plug: Plug, record: Record, timeline: Timeline) -> None:
    drive, seen, point = OICP_DRIVE, record.oicp, plug.charger

    def says(who: Any, what: str, style: str = "") -> None:
        timeline.says(who, what, drive=drive.number, style=style)

    says(DRIVER, f"holds card {drive.card.uid} to charger {drive.station} ({drive.title})")
    status = await point.tap(drive.card.uid)
    took = plug.answer_ms("Authorize")
    seen.authorize_ms = None if took is None else round(took, 1)
    if status != "Accepted":
        raise AskFailed(f"the card was answered {status}")
    if not await emp.told("authorize/start"):
        raise AskFailed(f"{PARTY} was not asked about the card")
    seen.authorized_by = "real_time"
    says(BUSBAR, f"answers {status} after {took or 0:.0f} ms: {PARTY} was asked by AuthorizeStart", "green")
    await point.plug_in()
    await point.until_started()
    says(charger(drive.station), "the meter runs")
    await point.charge(kwh=drive.kwh, minutes=drive.minutes)
    await point.tap(drive.card.uid)
    await point.unplug()
    await point.settled()
    await _until_billed(emp, record)
    says(provider(_LABEL), f"was notified of {' and '.join(seen.notifications)} of session {seen.session_id[:8]}")
    says(provider(_LABEL), f"gets the charge detail record: {seen.kwh:.3f} kWh", "bold")


async def _until_billed(emp: Emp, record: Record) -> None:
    seen = record.oicp

    async def billed() -> bool:
        records = await emp.told("charge-detail-record")
        if not records:
            return False
        seen.session_id, seen.kwh = records[0]["SessionID"], records[0]["ConsumedEnergy"]
        return True

    await until(billed, timeout_s=_WAIT_S, what="the charge detail record at the EMP of OICP", every_s=0.1)
    seen.delivered = True
    seen.notifications = [each["Type"] for each in await emp.told("charging-notifications")]
    complaints = await emp.desk.get("/sandbox/complaints")
    record.complaints += [f"{each['where']}: {each['what']}" for each in complaints]
