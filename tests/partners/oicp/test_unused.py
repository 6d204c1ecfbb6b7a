"""Sessions of which nothing comes are over after half an hour; what comes late is billed all the same, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.core.errors import PeerTimeout
from hub.core.registry import State
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import ACTIVE, CLOSED, PENDING, REFUSED, UNUSED, OicpSession
from partners.oicp.record_store import DELIVERED
from tests.partners.oicp.bridged import Asked, Bridged, bridged
from tests.partners.oicp.charges import (
    CARD,
    EVSE,
    START,
    a_record,
    a_row,
    allowed_at_c1,
    cdrs_at_e1,
    charge_of_dcb,
    notified,
    priced,
    record_is,
    session_at_e1,
    session_of_c1,
)

HALF_AN_HOUR = 1800


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def looks(bridge: Bridged, *, after_s: float = HALF_AN_HOUR) -> None:
    bridge.world.clock.passed_s += after_s
    await bridge.oicp.unused.look()


async def state(bridge: Bridged, row: OicpSession) -> str:
    return (await bridge.oicp.bridge.ledger.get(row.id)).state


def told(bridge: Bridged) -> list[tuple[str, str]]:
    return [(each["Type"], each["SessionID"]) for each in bridge.client.of("ChargingNotification")]


async def test_half_an_hour_is_waited_for_a_charge(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await looks(bridge, after_s=HALF_AN_HOUR - 1)
    assert await state(bridge, row) == PENDING
    await looks(bridge, after_s=1)
    assert await state(bridge, row) == UNUSED


@pytest.mark.parametrize("known", [ACTIVE, CLOSED, REFUSED])
async def test_a_session_that_is_used_or_over_stays_as_it_is(bridge: Bridged, known: str) -> None:
    row = await a_row(bridge, state=known)
    await looks(bridge)
    assert await state(bridge, row) == known
    assert told(bridge) == []


async def test_a_reservation_may_last_as_long_as_oicp_lets_it(bridge: Bridged) -> None:
    row = await a_row(bridge, origin="reservation", emp="dcb", cpo="")
    await looks(bridge, after_s=99 * 60 + HALF_AN_HOUR - 1)
    assert await state(bridge, row) == PENDING
    await looks(bridge, after_s=1)
    assert (await state(bridge, row), told(bridge)) == (UNUSED, [])


async def test_the_operator_says_how_long_is_waited(sqlite_url: str) -> None:
    async with bridged(sqlite_url, oicp_begin_within_s=60) as bridge:
        row = await a_row(bridge)
        await looks(bridge, after_s=60)
        assert await state(bridge, row) == UNUSED


async def test_an_emp_is_told_that_no_charge_came_of_what_it_allowed(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge)
    await looks(bridge)
    await looks(bridge)
    assert told(bridge) == [("Error", row.id)]
    [error] = bridge.client.of("ChargingNotification")
    assert (error["ErrorType"], error["EvseID"], error["Identification"]) == ("CriticalError", "BE*AAA*E1", CARD)


async def test_so_is_a_hub_where_we_speak_for_the_cpo(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",))
    row = await allowed_at_c1(bridge, emp="hbs")
    await looks(bridge)
    assert told(bridge) == [("Error", row.id)]
    assert bridge.client.of("ChargingNotification")[0]["OperatorID"] == "DE*BSB"


async def test_a_cpo_of_oicp_speaks_for_itself_and_a_locked_emp_is_told_nothing(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb", emp_party="DE*DCB", provider_id="DE-DCB")
    await bridge.world.registry.change("dcb", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
    other = await allowed_at_c1(bridge)
    await looks(bridge)
    assert [await state(bridge, each) for each in (row, other)] == [UNUSED, UNUSED]
    assert told(bridge) == []


async def test_an_emp_that_is_silent_keeps_no_session_open(bridge: Bridged) -> None:
    rows = [await allowed_at_c1(bridge), await a_row(bridge)]

    def silent(asked: Asked) -> Any:
        raise PeerTimeout

    bridge.client.script = silent
    await looks(bridge)
    assert [await state(bridge, row) for row in rows] == [UNUSED, UNUSED]


async def test_thousands_are_gone_through(bridge: Bridged) -> None:
    rows = await asyncio.gather(*(a_row(bridge) for _ in range(1_050)))
    await looks(bridge)
    assert await state(bridge, rows[0]) == await state(bridge, rows[-1]) == UNUSED


def _stop(row: OicpSession) -> dict[str, Any]:
    return {"SessionID": row.id, "OperatorID": "DE*ABC", "Identification": CARD}


def _remote_stop(row: OicpSession) -> dict[str, Any]:
    return {"SessionID": row.id, "ProviderID": "DE-DCB", "EvseID": EVSE}


@pytest.mark.parametrize(
    ("by", "operation", "message"),
    [("abc", "AuthorizeStop", _stop), ("dcb", "AuthorizeRemoteStop", _remote_stop)],
)
async def test_no_order_is_taken_for_it_any_more(
    bridge: Bridged, by: str, operation: str, message: Callable[[OicpSession], dict[str, Any]]
) -> None:
    row = await a_row(bridge, emp="dcb", emp_party="DE*DCB", provider_id="DE-DCB")
    await looks(bridge)
    with pytest.raises(Refused) as refused:
        await bridge.ask(by, operation, message(row))
    assert refused.value.code is Code.SESSION_INVALID


async def test_a_record_that_comes_late_is_taken_and_billed_once(bridge: Bridged) -> None:
    await priced(bridge)
    row = await a_row(bridge)
    await looks(bridge)
    for _ in range(2):
        assert (await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC"))["Result"] is True
    await record_is(bridge, row, DELIVERED)
    [cdr] = await cdrs_at_e1(bridge)
    assert (cdr["session_id"], await state(bridge, row)) == (row.id, CLOSED)
    await looks(bridge)
    assert await state(bridge, row) == CLOSED


async def test_a_charge_that_begins_late_is_a_session_again(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await looks(bridge)
    assert (await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START)))["Result"] is True
    assert ((await session_at_e1(bridge, row))["status"], await state(bridge, row)) == ("ACTIVE", ACTIVE)


async def test_a_late_charge_of_ocpi_is_told_and_its_cdr_delivered_under_the_same_session_id(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge)
    await looks(bridge)
    await session_of_c1(bridge, row, status="ACTIVE", kwh=1)
    assert told(bridge) == [("Error", row.id), ("Start", row.id)]
    assert await state(bridge, row) == ACTIVE


async def test_a_late_cdr_of_ocpi_is_one_record_with_its_energy(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    await looks(bridge)
    assert bridge.client.of("ChargeDetailRecord") == []
    await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    [record] = bridge.client.of("ChargeDetailRecord")
    assert (record["SessionID"], record["ConsumedEnergy"]) == (row.id, cdr["total_energy"])
    assert await state(bridge, row) == CLOSED


async def test_a_late_cdr_without_a_reference_is_known_by_card_and_evse_for_a_day(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    del cdr["authorization_reference"]
    await looks(bridge)
    await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert bridge.client.of("ChargeDetailRecord")[0]["SessionID"] == row.id
    assert await bridge.oicp.bridge.ledger.open_at("DE*BSB*E1") == []


async def test_a_session_of_today_goes_before_those_that_came_to_nothing(bridge: Bridged) -> None:
    cdr, _ = await charge_of_dcb(bridge)
    await looks(bridge)
    cdr, row = await charge_of_dcb(bridge)
    del cdr["authorization_reference"]
    await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert bridge.client.of("ChargeDetailRecord")[0]["SessionID"] == row.id


async def test_what_came_to_nothing_long_ago_is_no_charge_of_today(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    del cdr["authorization_reference"]
    await looks(bridge, after_s=timedelta(days=1).total_seconds())
    await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert bridge.client.of("ChargeDetailRecord")[0]["SessionID"] != row.id
