"""A yard of OICP partners for tests: a hub, a CPO and an EMP, connected over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from partners.sandbox.oicp.authority import Authority
from partners.sandbox.oicp.cards import Card
from partners.sandbox.oicp.cpo import Cpo
from partners.sandbox.oicp.emp import Emp
from partners.sandbox.oicp.hub import Hub
from partners.sandbox.oicp.papers import Papers

EVSE: Final = "DE*ABC*E1"
UID: Final = "04A1B2C3"
EVCO_ID: Final = "DE-EEE-C00000001-0"
CARD: Final = {"RFIDMifareFamilyIdentification": {"UID": UID}}


@dataclass
class Yard:
    """Who is there, and where their papers are."""

    authority: Authority
    hub: Hub
    cpo: Cpo
    emp: Emp
    others: dict[str, Papers] = field(default_factory=dict)

    async def furnish(self, *evses: str) -> None:
        """The EMP has a customer, the CPO's EVSEs are known to the hub."""
        self.emp.counter.cards.add(Card(EVCO_ID, UID))
        pushed = await self.cpo.grounds.push("fullLoad", [{"EvseID": name} for name in evses or (EVSE,)])
        assert pushed.is_yes, pushed
        assert (await self.cpo.grounds.push_status()).is_yes

    def complaints(self) -> list[str]:
        """Of all."""
        return [text for one in (self.hub, self.cpo, self.emp) for text in one.complaints.texts()]

    def join(self, role: str, party: str, papers: Papers, **rest: Any) -> None:
        """Somebody becomes a partner of the hub."""
        self.hub.members.add(role, party, papers.certificate.read_text(), **rest)


@asynccontextmanager
async def a_yard(folder: Path, **of_hub: Any) -> AsyncIterator[Yard]:
    """Three programs that know each other."""
    authority = Authority(folder)
    papers = {name: authority.issue(name) for name in ("hub", "cpo", "emp")}
    hub = Hub("DE*HUB", papers["hub"], **of_hub)
    ends: dict[str, Any] = {"hub": hub.url, "hub_certificate": papers["hub"].certificate}
    cpo, emp = Cpo("DE*ABC", papers["cpo"], **ends), Emp("DE-EEE", papers["emp"], **ends)
    await asyncio.gather(*(one.__aenter__() for one in (hub, cpo, emp)))
    try:
        yard = Yard(authority, hub, cpo, emp)
        yard.join("CPO", "DE*ABC", papers["cpo"], url=cpo.url)
        yard.join("EMP", "DE-EEE", papers["emp"], url=emp.url)
        yield yard
    finally:
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in (hub, cpo, emp)))


async def told(partner: Hub | Cpo | Emp, method: str, name: str, body: Any = None) -> Any:
    """An admin route's answer."""
    async with httpx.AsyncClient(base_url=partner.admin_url, trust_env=False) as tester:
        answer = await tester.request(method, f"/sandbox/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()
