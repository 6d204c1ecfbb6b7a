"""Records on their way to EMPs that fail: who waits for whom, what is sent again, and what is an operator's matter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.errors import NotFound, PeerRefused, PeerTimeout
from partners.oicp import findings, ledger
from partners.oicp.record_store import DELIVERED, HELD, REFUSED, WAITING
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.partners.oicp.charges import EVSE, a_record, a_row, charge_of_dcb, priced, record_is
from tests.world import until

EARLIER = datetime(2026, 5, 4, 8, 59, tzinfo=UTC)
TOO_OFTEN = PeerRefused("too often", http=429)
CLOSED = PeerRefused("closed", http=404, status_code=400)
NOT_GOOD = {"Result": False, "StatusCode": {"Code": "022", "Description": "no"}}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.connect("eee", "emp", provider_ids=("DE-EEE",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


def _saying(*answers: Any) -> Callable[[Asked], Any]:
    """One answer after the other; the last for ever."""
    left = list(answers)

    def script(asked: Asked) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return script


async def _brought(bridge: Bridged, emp: str, state: str) -> str:
    """A record of the CPO for an EMP, as far as it got."""
    row = await a_row(bridge, emp=emp)
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    await record_is(bridge, row, state)
    return row.id


async def _after_a_round(bridge: Bridged, at_s: float) -> int:
    """How often records were sent in the round of that time."""
    before = len(bridge.client.of("ChargeDetailRecord"))
    bridge.world.clock.move_to(at_s)
    await bridge.oicp.record_rounds.round()
    await until(lambda: not bridge.oicp.record_rounds._under_way)
    return len(bridge.client.of("ChargeDetailRecord")) - before


async def test_an_emp_that_is_silent_keeps_no_other_emp_waiting(bridge: Bridged) -> None:
    bridge.client.script = _saying(PeerTimeout())
    for _ in range(3):
        await _brought(bridge, "dcb", WAITING)
    other = await _brought(bridge, "eee", WAITING)

    async def silent(asked: Asked) -> None:
        if asked.partner == "dcb":
            await asyncio.sleep(60)

    bridge.client.before, bridge.client.script = silent, _saying(YES)
    bridge.world.clock.move_to(61)
    await bridge.oicp.record_rounds.round()
    await until(partial(_is_delivered, bridge, other))


async def _is_delivered(bridge: Bridged, session: str) -> bool:
    record = await bridge.oicp.records.store.find(session)
    return record is not None and record.state == DELIVERED


async def test_an_emp_that_fails_is_asked_for_one_record_a_round_and_for_longer_each_time_not_at_all(
    bridge: Bridged,
) -> None:
    bridge.client.script = _saying(PeerTimeout())
    for _ in range(3):
        await _brought(bridge, "dcb", WAITING)
    sent = [await _after_a_round(bridge, minute * 60) for minute in range(1, 9)]
    assert sent == [1, 1, 0, 1, 0, 0, 0, 1]


async def test_what_an_emp_refuses_for_its_content_is_not_sent_again_by_itself(bridge: Bridged) -> None:
    bridge.client.script = _saying(NOT_GOOD)
    session = await _brought(bridge, "dcb", REFUSED)
    assert await _after_a_round(bridge, 61) == 0
    [line] = await findings.shown(bridge.world.store)
    assert (line["owner"], line["example"]) == ("abc", f"record {session}")
    assert line["reason"] == "its record is refused: StatusCode 022: no"


async def test_a_record_that_is_held_is_found_until_it_is_billed(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    await record_is(bridge, row, HELD)
    [line] = await findings.shown(bridge.world.store)
    assert line["reason"].startswith("its record is held: ")
    await priced(bridge)
    await bridge.oicp.record_rounds.round()
    await record_is(bridge, row, DELIVERED)
    assert await findings.shown(bridge.world.store) == []


async def test_a_record_that_a_lane_brings_is_brought_by_nobody_else(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    bridge.client.script = _saying(TOO_OFTEN)
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    await record_is(bridge, row, WAITING)
    assert await _after_a_round(bridge, 61) == 0


@pytest.mark.parametrize("first", [CLOSED, TOO_OFTEN])
async def test_a_closed_session_is_an_arrival_only_where_an_earlier_try_had_no_answer(
    bridge: Bridged, first: PeerRefused
) -> None:
    cdr, row = await charge_of_dcb(bridge)
    bridge.client.script = _saying(first, CLOSED)
    for _ in range(2):
        with pytest.raises(PeerRefused):
            await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    await record_is(bridge, row, REFUSED)


async def test_a_closed_session_is_no_arrival_of_another_record_than_was_sent_before(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    bridge.client.script = _saying(PeerTimeout(), CLOSED)
    with pytest.raises(PeerTimeout):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), {**cdr, "total_energy": Decimal(8)})
    await record_is(bridge, row, REFUSED)


async def test_a_second_cdr_of_a_session_is_an_operators_matter_and_the_same_one_is_not_sent_again(
    bridge: Bridged,
) -> None:
    cdr, row = await charge_of_dcb(bridge)
    for _ in range(2):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    other = {**cdr, "id": "cdr-2", "total_energy": Decimal(8)}
    with pytest.raises(PeerRefused, match="another record"):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), other)
    assert len(bridge.client.of("ChargeDetailRecord")) == 1
    await record_is(bridge, row, DELIVERED)


async def test_a_cdr_that_names_no_session_is_that_of_the_card_at_its_evse_and_goes_out_once(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    told = {name: value for name, value in cdr.items() if name not in ("session_id", "authorization_reference")}
    await bridge.oicp.bridge.ledger.change(row.id, lambda known: replace(known, session="DE*BSB/s-1", opened=EARLIER))
    for _ in range(2):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), told)
    [record] = bridge.client.of("ChargeDetailRecord")
    assert record["SessionID"] == row.id
    assert (await bridge.oicp.bridge.ledger.by_session("DE*BSB/s-1")) is not None


async def test_an_operator_has_a_refused_record_brought_again(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    bridge.client.script = _saying(NOT_GOOD, YES)
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    await bridge.oicp.records.resend(row.id, actor="ann")
    await record_is(bridge, row, DELIVERED)
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ledger.CLOSED
    with pytest.raises(NotFound):
        await bridge.oicp.records.resend(row.id, actor="ann")
