"""What partners tell of a charge while it lasts: what is refused, and what is remembered of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import PeerTimeout
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import CLOSED
from partners.oicp.record_store import DELIVERED
from partners.oicp.wire import Unfit
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.partners.oicp.charges import (
    EVSE,
    START,
    a_record,
    a_row,
    allowed_at_c1,
    notified,
    record_is,
    session_of_c1,
)

PROGRESS = {**START, "EventOccurred": "2026-05-04T11:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
END = {**START, "ChargingEnd": "2026-05-04T11:30:00+02:00", "ConsumedEnergy": Decimal(5)}
NO = {"Result": False, "StatusCode": {"Code": "022"}}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def test_a_session_that_its_record_closed_stays_closed_whatever_is_answered_later(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb")

    async def slow(asked: Asked) -> None:
        if asked.operation == "ChargingNotification":
            await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")

    bridge.client.before = slow
    end = {**START, "ChargingEnd": "2026-05-04T11:30:00+02:00", "ConsumedEnergy": Decimal(5)}
    await bridge.ask("abc", "ChargingNotification", notified(row, "End", **end))
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == CLOSED


@pytest.mark.parametrize("first", [NO, PeerTimeout()])
async def test_a_progress_that_its_emp_did_not_take_holds_up_no_other(bridge: Bridged, first: Any) -> None:
    row = await a_row(bridge, emp="dcb")

    def script(asked: Asked) -> Any:
        if isinstance(first, Exception):
            raise first
        return first

    bridge.client.script = script
    with contextlib.suppress(Refused):
        await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **PROGRESS))
    bridge.client.script = lambda asked: YES
    said = await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **PROGRESS))
    assert said["Result"] is True


@pytest.mark.parametrize(
    ("kind", "wrong", "code"),
    [
        ("Start", {**START, "EvseID": "DE*XYZ*E1"}, Code.FOREIGN_EVSE),
        ("Start", {**START, "EvseID": "DE*ABC*E2"}, Code.DATA_ERROR),
        ("End", {**START, "ChargingEnd": "2026-05-04T10:59:00+02:00"}, Code.DATA_ERROR),
        ("End", {**END, "SessionEnd": "2026-05-04T11:29:00+02:00"}, Code.DATA_ERROR),
        ("End", {**END, "ChargingEnd": "2026-05-09T11:30:00+02:00"}, Code.DATA_ERROR),
        ("End", {**END, "ConsumedEnergy": Decimal(-5)}, Code.DATA_ERROR),
        ("End", {**END, "ConsumedEnergy": Decimal("1000.1")}, Code.DATA_ERROR),
        ("End", {**END, "MeterValueStart": Decimal(9), "MeterValueEnd": Decimal(8)}, Code.DATA_ERROR),
        ("Start", {**START, "ChargingStart": "2026-05-04T12:06:00+02:00"}, Code.DATA_ERROR),
        ("Progress", {**PROGRESS, "EventOccurred": "2026-05-04T12:06:00+02:00"}, Code.DATA_ERROR),
        ("Progress", {**PROGRESS, "ConsumedEnergyProgress": Decimal("-0.1")}, Code.DATA_ERROR),
        ("Progress", {**START, "EventOccurred": "2026-05-04T11:10:00+02:00"}, Code.DATA_ERROR),
    ],
)
async def test_a_notification_that_cannot_be_so_is_refused_and_told_to_nobody(
    bridge: Bridged, kind: str, wrong: dict[str, Any], code: Code
) -> None:
    row = await a_row(bridge, emp="dcb")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargingNotification", {**notified(row, kind), **wrong})
    assert refused.value.code is code
    assert bridge.client.of("ChargingNotification") == []
    assert (await bridge.oicp.bridge.ledger.get(row.id)).told == {}


@pytest.mark.parametrize(
    ("kind", "wrong", "field"),
    [
        ("Error", {"ErrorType": "Foo"}, "/ErrorType"),
        ("End", {**END, "ConsumedEnergy": [Decimal(5)]}, "/ConsumedEnergy"),
        ("End", {**END, "SessionEnd": "soon"}, "/SessionEnd"),
        ("Progress", {**PROGRESS, "ConsumedEnergyProgress": ["1.5"]}, "/ConsumedEnergyProgress"),
    ],
)
async def test_a_notification_that_is_none_of_oicps_is_refused_with_the_field_and_told_to_nobody(
    bridge: Bridged, kind: str, wrong: dict[str, Any], field: str
) -> None:
    row = await a_row(bridge, emp="dcb")
    with pytest.raises(Unfit) as refused:
        await bridge.ask("abc", "ChargingNotification", {**notified(row, kind), **wrong})
    assert [fault.pointer for fault in refused.value.faults] == [field]
    assert bridge.client.of("ChargingNotification") == []


async def test_of_a_reservation_that_no_charge_came_of_nobody_is_told_a_beginning_or_an_end(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge, origin="reservation")
    over = {"status": "COMPLETED", "end_date_time": "2026-05-04T10:05:30Z", "last_updated": "2026-05-04T10:05:31Z"}
    await session_of_c1(bridge, row, kwh=0, **over)
    assert bridge.client.of("ChargingNotification") == []


async def test_the_record_of_a_reservation_that_was_given_up_has_the_names_that_partners_gave_it(
    bridge: Bridged,
) -> None:
    row = await allowed_at_c1(bridge, origin="reservation", emp_partner_session="emp-7")
    await bridge.oicp.records.released(row)
    await record_is(bridge, row, DELIVERED)
    [record] = bridge.client.of("ChargeDetailRecord")
    assert (record["EMPPartnerSessionID"], record["ConsumedEnergy"]) == ("emp-7", 0)
