"""Charge detail records that EMPs fetch from us, and that we fetch from a hub where we are one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from partners.oicp import findings
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import OicpSession
from partners.oicp.record_store import DELIVERED, WAITING, OicpRecord
from tests.partners.oicp.bridged import Bridged, bridged

SPAN = {"ProviderID": "DE-DCB", "From": "2026-05-01T00:00:00Z", "To": "2026-05-05T00:00:00Z"}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        yield made


def _session(number: int) -> str:
    return f"b2688855-7f00-0002-6d8e-{number:012d}"


def _record(number: int, day: int = 4) -> dict[str, Any]:
    moment = f"2026-05-{day:02d}T08:00:00+02:00"
    return {
        "SessionID": _session(number),
        "EvseID": "DE*ABC*E1",
        "Identification": {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}},
        "SessionStart": moment,
        "SessionEnd": moment,
        "ChargingStart": moment,
        "ChargingEnd": moment,
        "ConsumedEnergy": 1,
    }


async def _keep(bridge: Bridged, number: int, *, day: int = 4, **fields: Any) -> None:
    usual = {"provider": "DE*DCB", "operator": "DE*ABC", "emp": "dcb", "state": WAITING}
    await bridge.oicp.records.store.keep(
        OicpRecord(session=_session(number), record=_record(number, day), **{**usual, **fields})
    )


async def _fetch(bridge: Bridged, page: int = 0, size: int = 20, **fields: Any) -> list[str]:
    said = await bridge.ask(
        *("dcb", "GetChargeDetailRecords", {**SPAN, **fields}),
        id="DE-DCB",
        query={"page": str(page), "size": str(size)},
    )
    return [record["SessionID"][-1] for record in said["content"]]


async def test_an_emp_fetches_its_records_and_nobody_elses(bridge: Bridged) -> None:
    await _keep(bridge, 1)
    await _keep(bridge, 2, provider="DE*XYZ", emp="xyz")
    assert await _fetch(bridge) == ["1"]


async def test_records_are_of_sessions_that_ended_in_the_time_that_is_asked_for(bridge: Bridged) -> None:
    for number, day in ((1, 1), (2, 4), (3, 5)):
        await _keep(bridge, number, day=day)
    assert await _fetch(bridge) == ["1", "2"]


async def test_records_that_did_not_reach_it_can_be_asked_for_alone(bridge: Bridged) -> None:
    await _keep(bridge, 1, state=DELIVERED)
    await _keep(bridge, 2)
    assert await _fetch(bridge, CDRForwarded=False) == ["2"]
    assert await _fetch(bridge, CDRForwarded=True) == ["1"]
    assert await _fetch(bridge, CDRForwarder=False) == ["2"]


async def test_records_are_chosen_by_session_and_operator(bridge: Bridged) -> None:
    await _keep(bridge, 1)
    await _keep(bridge, 2, operator="FR*XYZ")
    assert await _fetch(bridge, SessionID=[_session(1)]) == ["1"]
    assert await _fetch(bridge, OperatorID="FR*XYZ") == ["2"]
    assert await _fetch(bridge, OperatorID=["FR*XYZ", "DE*ABC"]) == ["1", "2"]


async def test_records_come_in_pages(bridge: Bridged) -> None:
    for number in range(1, 6):
        await _keep(bridge, number)
    assert [await _fetch(bridge, page, 2) for page in (0, 1, 2, 3)] == [["1", "2"], ["3", "4"], ["5"], []]


async def test_a_time_that_ends_before_it_begins_is_refused(bridge: Bridged) -> None:
    with pytest.raises(Refused) as refused:
        await _fetch(bridge, From="2026-05-06T00:00:00Z")
    assert refused.value.code is Code.DATA_ERROR


async def test_a_record_that_never_reached_us_is_taken_at_night(bridge: Bridged) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
    session = OicpSession(id=_session(1), cpo="hbs", cpo_party="FR*XYZ", opened=bridge.world.clock.now())
    await bridge.oicp.bridge.ledger.open(session)
    page = {"content": [_record(1), _record(2)], "last": True, "StatusCode": {"Code": "000"}}
    bridge.client.script = lambda asked: page
    assert await bridge.oicp.record_pull.reconcile("hbs") == 1
    assert (await bridge.oicp.records.store.find(_session(1))) is not None
    found = await findings.shown(bridge.world.store)
    [surplus] = [line for line in found if "not taken" in line["reason"]]
    assert (surplus["owner"], surplus["example"]) == ("hbs", _session(2))
    assert await bridge.oicp.record_pull.reconcile("hbs") == 0


async def _compared(bridge: Bridged, **fields: Any) -> list[str]:
    """What operators see after the hub has given record 1, which is here, in words of its own."""
    await bridge.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
    session = OicpSession(id=_session(1), cpo="hbs", cpo_party="FR*XYZ", opened=bridge.world.clock.now())
    await bridge.oicp.bridge.ledger.open(session)
    await bridge.ask("hbs", "ChargeDetailRecord", _record(1) | {"ConsumedEnergy": Decimal("5.5")})
    page = {"content": [_record(1) | fields], "last": True, "StatusCode": {"Code": "000"}}
    bridge.client.script = lambda asked: page
    assert await bridge.oicp.record_pull.reconcile("hbs") == 0
    shown = await findings.shown(bridge.world.store)
    return [found["example"] for found in shown if "record of the hub" in found["reason"]]


async def test_a_record_that_the_hub_gives_in_words_of_its_own_is_the_same(bridge: Bridged) -> None:
    added = {"HubProviderID": "DE-BSB", "PartnerProductID": "", "MeterValueStart": None, "ConsumedEnergy": "5.500"}
    assert await _compared(bridge, **added, EvseID="de*abc*e1") == []


async def test_a_record_of_another_energy_is_another_one(bridge: Bridged) -> None:
    assert await _compared(bridge, ConsumedEnergy="5.6") == [_session(1)]
