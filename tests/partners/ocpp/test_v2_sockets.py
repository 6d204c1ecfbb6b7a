"""Sockets of 2.0.1 and 2.1: hostile frames, sizes, compression, protocols, and a client that others wrote."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest
from tests.partners.ocpp.library import a_library_point
from tests.partners.ocpp.points2 import VERSIONS, begin, point2
from tests.partners.ocpp.site import CARD, PASSWORD, Site, recently, station
from tests.partners.ocpp.test_gateway_sockets import HOSTILE

MORE = [
    '[2,"x","TransactionEvent",' + '{"a":' * 5000 + "1" + "}" * 5000 + "]",
    '[2,"x","TransactionEvent",{"seqNo":' + "9" * 5000 + "}]",
    '[2,"x","TransactionEvent",{"eventType":7,"transactionInfo":[],"evse":"1","idToken":3,"meterValue":{}}]',
    '[2,"x","Dance",{}]',
    '[5,"nobody asked","InternalError","",{}]',
    '[6,"x","NotifyPeriodicEventStream",{"id":"one"}]',
]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_hostile_frame_costs_nobody_the_socket(site: Site, version: str) -> None:
    for frame in [*HOSTILE, *MORE]:
        async with await point2(site, version=version) as cp:
            await cp.socket.send(frame)
            assert "currentTime" in await cp.call("Heartbeat", {}), frame[:40]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_frame_of_a_mebibyte_is_read_and_a_larger_one_closes_the_socket(site: Site, version: str) -> None:
    async with await point2(site, version=version) as cp:
        long = {"vendorId": "com.acme", "data": "x" * (1024 * 1024 - 200)}
        assert (await cp.call("DataTransfer", long))["status"] == "UnknownVendorId"
        await cp.socket.send("x" * (1024 * 1024 + 1))
        assert await cp.close_code() == 1009


async def test_ten_megabytes_that_came_as_ten_kilobytes_close_the_socket(site: Site) -> None:
    async with await point2(site, compression="deflate") as cp:
        await cp.socket.send("x" * 10 * 1024 * 1024)
        assert await cp.close_code() == 1009


async def test_binary_frames_and_endless_nonsense_close_the_socket(site: Site) -> None:
    async with await point2(site) as cp:
        await cp.socket.send(b'[2,"x","Heartbeat",{}]')
        assert await cp.close_code() == 1003
    async with await point2(site) as cp:
        for _ in range(11):
            await cp.socket.send("nonsense")
        assert await cp.close_code() == 1008


async def test_an_id_that_comes_twice_is_answered_twice_and_opens_one_charge(site: Site) -> None:
    frame = json.dumps([2, "same", "TransactionEvent", begin(recently())])
    async with await point2(site) as cp:
        first = await cp.exchange_text("same", frame)
        assert await cp.exchange_text("same", frame) == first
    assert len(await site.records()) == 1


async def test_thousands_of_answers_that_nobody_asked_for_are_dropped(site: Site) -> None:
    live = site.gateway.stations.get("CP1")
    async with await point2(site, version="2.1") as cp:
        assert live.link is not None
        live.link.rpc._pace._per_s = 10**9  # they come as fast as they can be read
        for number in range(10_000):
            await cp.socket.send(f'[3,"none-{number}",{{}}]')
        assert "currentTime" in await cp.call("Heartbeat", {})
        assert live.link.rpc.counts["dropped_answers"] == 10_000


async def test_an_answer_against_the_schema_is_complained_of_in_2_1_alone(site: Site) -> None:
    for version, complaints in (("2.1", 1), ("2.0.1", 0)):
        async with await point2(site, version=version) as cp:
            cp.answers["Reset"] = {"status": 7}
            called = await site.gateway.stations.call("CP1", "Reset", {"type": "Immediate"})
            assert called.finding
            await cp.call("Heartbeat", {})
            assert [frame[0] for frame in cp.stray] == [5] * complaints


@pytest.mark.parametrize(("switch", "offered"), [({}, True), ({"compression": False}, False)])
async def test_compression_is_offered_unless_a_station_is_switched_off(
    site: Site, switch: dict[str, bool], offered: bool
) -> None:
    given = {**station("E1", "E2"), "protocol": "ocpp2.1", "switches": switch}
    given["evses"]["2"]["connectors"] = {"1": "1"}
    await site.gateway.stations.put("CP1", given)
    async with await point2(site, version="2.1", compression="deflate") as cp:
        assert bool(cp.socket.protocol.extensions) == offered
        assert "currentTime" in await cp.call("Heartbeat", {})


async def test_the_version_is_that_of_the_connection_and_shown(site: Site) -> None:
    for protocols, version in ((["ocpp2.1", "ocpp1.6"], "2.1"), (["ocpp1.6", "ocpp2.0.1"], "1.6")):
        async with await site.point(protocols=protocols):
            assert site.gateway.stations.view("CP1")["version"] == version


async def test_connectors_are_shown_as_the_station_knows_them(site: Site) -> None:
    async with await point2(site) as cp:
        await cp.connector("Faulted", evse=2, connector=3)
        shown = site.gateway.stations.view("CP1")["connectors"]
    assert [(each["evse"], each["connector"], each["status"]) for each in shown.values()] == [(2, 3, "Faulted")]


async def test_a_protocol_that_nobody_speaks_is_no_registration(site: Site) -> None:
    with pytest.raises(InvalidRequest, match="/protocol"):
        await site.gateway.stations.put("CP7", {"protocol": "ocpp3", "password": PASSWORD})


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_client_that_others_wrote_boots_authorizes_charges_and_replays(site: Site, protocol: str) -> None:
    async with await point2(site, version=protocol.removeprefix("ocpp")):
        began = recently()
    async with a_library_point(site, protocol, {}) as cp:
        made = {"vendor_name": "Acme", "model": "Two"}
        booted = await cp.call("BootNotification", charging_station=made, reason="PowerUp")
        assert booted.status == "Accepted"
        token = {"id_token": CARD, "type": "ISO14443"}
        assert (await cp.call("Authorize", id_token=token)).id_token_info["status"] == "Accepted"
        for number, (kind, wh) in enumerate((("Started", 1000), ("Updated", 2500), ("Ended", 6000))):
            at = timestamp(began + number * timedelta(minutes=10))
            context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
            more = {"id_token": token, "evse": {"id": 1, "connector_id": 1}} if kind == "Started" else {}
            told = {
                "event_type": kind,
                "timestamp": at,
                "trigger_reason": "Trigger",
                "seq_no": number,
                "offline": True,
                "transaction_info": {"transaction_id": "L1"},
                "meter_value": [{"timestamp": at, "sampled_value": [{"value": wh, "context": context}]}],
                **more,
            }
            for _ in range(2):
                answer = await asyncio.wait_for(cp.call("TransactionEvent", **told), 30)
    assert answer.total_cost == 1.5
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["total_time"].quantize(Decimal("0.001"))) == (5, Decimal("0.333"))
