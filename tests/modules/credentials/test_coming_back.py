"""What a partner's parties are owed when it comes back: CDRs that it never got, and sessions that are running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hub.core.errors import PeerFault, PeerTimeout, PeerUnreachable
from hub.core.parties import PartyRole
from hub.core.registry import IssuedToken, State, TokenUse
from hub.core.units import Unit
from modules.cdrs.owed import send_owed
from modules.cdrs.store import CDRS
from modules.credentials import service as credentials
from modules.invoicereconciliation import store as invoices
from modules.payments import store as payments
from modules.payments.publication import PaymentPublication
from tests.hub.core.test_delivery import Delivering, always, delivering
from tests.world import Sent, secret_of
from tests.world import credentials as their_credentials

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")


@pytest.fixture(params=VERSIONS)
async def hub(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[Delivering]:
    async with delivering(sqlite_url, version=request.param) as made:
        yield made


async def leaves(hub: Delivering) -> None:
    await credentials.forget(hub.world.hub, hub.world.partner("e1"), actor="op")
    await hub.quiet()


async def is_invited_again(hub: Delivering, name: str) -> None:
    world = hub.world
    fingerprint = world.registry.fingerprint(secret_of(name))
    token_a = IssuedToken(fingerprint=fingerprint, use=TokenUse.REGISTRATION)
    if name not in world.secrets:
        await world.join(name, "NL*EEE", PartyRole.EMSP, state=State.INVITED, use=TokenUse.REGISTRATION)
        return
    again = {"state": State.INVITED, "our_tokens": (token_a,)}
    await world.registry.change(name, lambda partner: partner.model_copy(update=again))


async def registers(hub: Delivering, name: str = "e1") -> None:
    await is_invited_again(hub, name)
    hub.world.peers.sent.clear()
    body = their_credentials(hub.world.version, "NL*EEE", token=f"new-{name}")
    said = await hub.world.ask("POST", hub.world.at("credentials"), by=name, body=body)
    assert (said.http, said.code) == (200, 1000)
    await send_owed(hub.world.hub)
    await hub.quiet()


def posted(hub: Delivering, name: str) -> list[str]:
    return [s.body["id"] for s in hub.world.peers.sent if (s.partner, s.method, s.module) == (name, "POST", "cdrs")]


def for_cdrs(fault: PeerFault) -> Callable[[Sent], None]:
    """What this partner says to each CDR; all else it takes."""

    def script(sent: Sent) -> None:
        if sent.module == "cdrs":
            raise fault

    return script


async def cdr_ids(hub: Delivering) -> list[str]:
    return [document.columns["id"] for document in await hub.world.documents(CDRS)]


@pytest.mark.parametrize("name", ["e1", "e9"])
async def test_who_registers_again_gets_the_cdrs_that_were_pending_and_no_other(hub: Delivering, name: str) -> None:
    await hub.world.charge("NL*EEE")
    await hub.world.charge("NL*FFF")
    await hub.quiet()
    hub.world.peers.script = always(PeerUnreachable("down"))
    await hub.world.charge("NL*EEE")
    await hub.quiet()
    await leaves(hub)
    await hub.world.charge("NL*EEE")
    hub.world.peers.script = lambda sent: None

    await registers(hub, name)
    taken, _, *owed = await cdr_ids(hub)
    assert posted(hub, name) == owed
    assert taken not in owed
    await hub.restart()
    assert len(posted(hub, name)) == 2, "once, whatever stops"


async def test_who_registers_again_gets_the_sessions_that_are_running(hub: Delivering) -> None:
    ended = await hub.world.charge("NL*EEE")
    running = await hub.world.charge("NL*EEE", end=False)
    await hub.quiet()
    await leaves(hub)
    await registers(hub)
    put = [sent.path[-1] for sent in hub.world.peers.sent if sent.module == "sessions"]
    assert put == [running]
    assert ended not in put


async def test_a_cdr_that_may_have_arrived_is_looked_for_before_it_is_posted_anew(hub: Delivering) -> None:
    hub.world.peers.script = for_cdrs(PeerTimeout("lost"))
    await hub.world.charge("NL*EEE")
    await hub.quiet()
    await leaves(hub)
    (cdr_id,) = await cdr_ids(hub)

    def has_it(sent: Sent) -> Any:
        return {"id": cdr_id} if sent.method == "GET" else None

    hub.world.peers.script = has_it
    await registers(hub, "e9")
    assert posted(hub, "e9") == []
    assert [sent.method for sent in hub.world.peers.sent if sent.module == "cdrs"] == ["GET"]


@pytest.mark.parametrize("hub", ["2.3.0"], indirect=True)
async def test_who_registers_again_gets_the_records_of_invoices_and_what_concerns_its_payments(hub: Delivering) -> None:
    await leaves(hub)
    common = {"last_updated": "2026-05-01T00:00:00Z", "country_code": "BE", "party_id": "AAA"}
    record = {**common, "id": "R1", "invoice_id": "I1", "cdrs": ["C1"]}
    terminal = {**common, "terminal_id": "T1"}
    confirmation = {**common, "id": "F1", "authorization_reference": "A1"}
    unit = Unit().put(invoices.put_of(record, "NL*EEE")).put(invoices.put_of({**record, "id": "R2"}, "NL*FFF"))
    unit.put(payments.terminal_put("BE*AAA", terminal, "NL*EEE"))
    unit.put(payments.confirmation_put("BE*AAA", confirmation, "NL*EEE"))
    await hub.world.hub.store.commit(unit)
    await registers(hub)
    assert [(sent.module, sent.body["id"]) for sent in hub.world.peers.sent] == [("invoicereconciliation", "R1")]
    for_a_cpo = await PaymentPublication().running(hub.world.hub, hub.world.partner("e1"))
    assert for_a_cpo == ["terminals/BE*AAA/T1", "financial-advice-confirmations/BE*AAA/F1"]
