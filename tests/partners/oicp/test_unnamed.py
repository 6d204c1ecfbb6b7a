"""Charges behind another hub that leaves our partner session id out, which it may: only its own SessionID is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.errors import PeerTimeout
from hub.core.parties import Party, PartyRole
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import ACTIVE, REFUSED, OicpSession
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.world import token, until

EVSE = "FR*XYZ*E1"
CONTRACT = "NL-EEE-C12345678-X"
DRIVER = {"RemoteIdentification": {"EvcoID": CONTRACT}}
ISSUED = "b2688855-7f00-0002-6d8e-48d883f6abb6"
TO_XYZ = (("OCPI-to-country-code", "FR"), ("OCPI-to-party-id", "XYZ"))


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        for name in ("hbs", "hbt"):
            ids = {"operator_ids": ("DE*BSB",), "provider_ids": ("DE-BSB",)}
            await made.connect(name, "hub", party=f"DE*{name.upper()}", **ids)
        await made.oicp.connections.learn(made.oicp.connections.get("hbs"), PartyRole.CPO, Party.parse("FR*XYZ"))
        await made.place(EVSE, "FR*XYZ", "POOL9", "FRXYZE1")
        yield made


async def _start(bridge: Bridged) -> None:
    driver = token("2.3.0", type="APP_USER", uid="app-1", contract_id=CONTRACT)
    body = {"token": driver, "location_id": "POOL9", "evse_uid": "FRXYZE1", "response_url": "https://e1.example/r/1"}
    said = await bridge.world.ask(
        "POST", "/ocpi/2.3.0/receiver/commands/START_SESSION", by="e1", body=body, headers=TO_XYZ
    )
    assert said.data["result"] == "ACCEPTED"


async def _told(bridge: Bridged, by: str = "hbs", **fields: Any) -> Any:
    start = {"Type": "Start", "SessionID": ISSUED, "EvseID": EVSE, "OperatorID": "FR*XYZ", "Identification": DRIVER}
    return await bridge.ask(
        by, "ChargingNotification", {**start, "ChargingStart": "2026-05-04T12:00:00+02:00", **fields}
    )


async def _row(bridge: Bridged, state: str) -> OicpSession:
    ledger = bridge.oicp.bridge.ledger

    async def found() -> OicpSession | None:
        order = next(iter(bridge.client.of("AuthorizeRemoteStart")), {})
        row = await ledger.find(order["EMPPartnerSessionID"]) if order else None
        return row if row is not None and row.state == state else None

    row: OicpSession = await until(found)
    return row


def _silent(asked: Asked) -> Any:
    raise PeerTimeout


async def test_a_charge_that_begins_after_its_order_was_given_up_is_stopped(bridge: Bridged) -> None:
    bridge.client.script = _silent
    await _start(bridge)
    await _row(bridge, REFUSED)
    bridge.client.script = lambda asked: YES
    with pytest.raises(Refused) as refused:
        await _told(bridge)
    assert refused.value.code is Code.SESSION_INVALID
    [stopped] = await until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert (stopped["SessionID"], stopped["EvseID"]) == (ISSUED, EVSE)


async def test_a_charge_that_is_told_before_its_order_is_answered_is_that_of_the_order(bridge: Bridged) -> None:
    async def early(asked: Asked) -> None:
        await _told(bridge)

    bridge.client.before = early
    bridge.client.script = lambda asked: {**YES, "SessionID": ISSUED}
    await _start(bridge)
    await until(lambda: [sent for sent in bridge.world.peers.sent if "e1.example/r/1" in sent.module])
    row = await bridge.oicp.bridge.ledger.get(ISSUED)
    assert (row.state, row.emp_party) == (ACTIVE, "NL*EEE")


@pytest.mark.parametrize(
    ("by", "fields"),
    [
        ("hbt", {}),
        ("hbs", {"EvseID": "FR*XYZ*E2"}),
        ("hbs", {"Identification": {"RemoteIdentification": {"EvcoID": "NL-EEE-C12345679-0"}}}),
        ("hbs", {"Identification": None}),
    ],
    ids=["of another hub", "at another EVSE", "of another driver", "of nobody"],
)
async def test_another_charge_is_not_that_of_the_order(bridge: Bridged, by: str, fields: dict[str, Any]) -> None:
    bridge.client.script = _silent
    await _start(bridge)
    row = await _row(bridge, REFUSED)
    with pytest.raises(Refused) as refused:
        await _told(bridge, by, **fields)
    assert refused.value.code is Code.SESSION_INVALID
    assert await bridge.oicp.bridge.ledger.find(row.id) == row
    assert bridge.client.of("AuthorizeRemoteStop") == []
