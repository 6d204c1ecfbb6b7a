"""What happens to sockets: takeover, hostile frames, shutdown, silence, restarts of the hub."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from tests.partners.ocpp.site import CARD, OCPP16, PASSWORD, Site, a_site, basic, recently, station, until


async def test_the_newest_socket_wins_and_the_old_ones_end_changes_nothing(site: Site) -> None:
    old = await site.point()
    new = await site.point()
    assert await old.close_code() == 4001
    assert site.gateway.stations.reachable("CP1")
    new.answers["ClearCache"] = {"status": "Accepted"}
    called = await site.gateway.stations.call("CP1", "ClearCache", {})
    assert (called.outcome, called.payload) == ("result", {"status": "Accepted"})
    await old.close()
    await new.close()


async def test_a_reconnect_without_a_boot_is_served(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.boot()
        number = (await cp.start(began))["transactionId"]
    async with await site.point() as cp:
        assert site.gateway.stations.reachable("CP1")
        await cp.stop(began + timedelta(hours=1), number, 11000)
    assert len(await site.cdrs()) == 1


async def test_a_station_that_left_is_known_to_have_left(site: Site) -> None:
    async with await site.point():
        assert site.gateway.stations.view("CP1")["connected"] is True
    await until(lambda: site.gateway.stations.view("CP1")["connected"] is False)
    assert not site.gateway.stations.reachable("CP1")


async def test_a_fleet_that_dials_while_the_hub_is_busy_finds_it_waiting(site: Site) -> None:
    address = ("127.0.0.1", site.gateway.port)
    with contextlib.ExitStack() as fleet:
        for _ in range(300):
            fleet.enter_context(socket.create_connection(address, timeout=0.5))


async def test_two_starts_over_two_sockets_at_once_are_one_charge(site: Site) -> None:
    began = recently()
    old = await site.point()
    payload = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": began.isoformat()}
    await old.socket.send(json.dumps([2, "x", "StartTransaction", payload]))
    async with await site.point() as new:
        await new.start(began)
    await old.close()
    assert len(await site.sessions()) == 1


HOSTILE = [
    "",
    "null",
    "{}",
    "[]",
    "[2]",
    '[2,"x"]',
    '[2,"x","Heartbeat"]',
    '[2,"x","Heartbeat",{},1]',
    '[2,"x",["Heartbeat"],{}]',
    '[2,7,"Heartbeat",{}]',
    '[2.0,"x","Heartbeat",{}]',
    '[9,"x","Heartbeat",{}]',
    '[3,"nobody asked",{}]',
    '[4,"nobody asked","InternalError","",{}]',
    "[" * 100_000,
    '[2,"x","MeterValues",{"connectorId":' + "9" * 5000 + "}]",
    '[2,"x","Heartbeat",NaN]',
]


async def test_a_hostile_frame_costs_nobody_the_socket(site: Site) -> None:
    for frame in HOSTILE:
        async with await site.point() as cp:
            await cp.socket.send(frame)
            assert "currentTime" in await cp.call("Heartbeat", {}), frame[:40]


async def test_an_answer_to_a_hostile_frame_repeats_none_of_it(site: Site) -> None:
    async with await site.point() as cp:
        refused = await cp.exchange([2, "x", "Authorize", {"idTag": "A" * 100_000}])
        assert refused[0] == 4
        assert len(json.dumps(refused)) < 400


async def test_an_action_that_is_no_chargers_is_refused(site: Site) -> None:
    async with await site.point() as cp:
        assert (await cp.exchange([2, "x", "Reset", {"type": "Hard"}]))[2] == "NotSupported"
        assert (await cp.exchange([2, "y", "Dance", {}]))[2] == "NotImplemented"


async def test_too_many_bad_frames_close_the_socket(site: Site) -> None:
    async with await site.point() as cp:
        for _ in range(11):
            await cp.socket.send("nonsense")
        assert await cp.close_code() == 1008


async def test_a_frame_that_is_too_large_closes_the_socket(site: Site) -> None:
    async with await site.point() as cp:
        await cp.socket.send("x" * (256 * 1024 + 1))
        assert await cp.close_code() == 1009


async def test_a_binary_frame_closes_the_socket(site: Site) -> None:
    async with await site.point() as cp:
        await cp.socket.send(b'[2,"x","Heartbeat",{}]')
        assert await cp.close_code() == 1003


async def test_text_that_is_not_utf8_closes_the_socket(site: Site) -> None:
    async with await site.point() as cp:
        cp.socket.protocol.writes.append(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        await cp.socket.ping()
        assert await cp.close_code() == 1007


async def test_a_hurrying_charger_is_slowed_down_and_loses_nothing(tmp_path: Path) -> None:
    began = recently()
    async with a_site(tmp_path, ocpp_frames_burst=5, ocpp_frames_per_s=50) as site:
        async with await site.point() as cp:
            number = (await cp.start(began))["transactionId"]
            samples = (cp.meter(began + timedelta(minutes=n), 1000 + 100 * n, number) for n in range(1, 20))
            await asyncio.gather(*samples)
            assert site.gateway.stations.view("CP1")["counts"]["slowed"] > 0
        (session,) = await site.sessions()
        assert len(await site.records()) == 1
        assert session["status"] == "ACTIVE"


async def test_a_charger_that_is_too_fast_does_not_hold_up_the_shutdown(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_frames_burst=130, ocpp_frames_per_s=1) as site:
        async with await site.point() as cp:
            for number in range(10):
                await cp.socket.send(json.dumps([2, f"m{number}", "Heartbeat", {}]) + " " * 255_000)
            await until(lambda: site.gateway.stations.view("CP1")["counts"].get("slowed", 0) > 0)
            async with asyncio.timeout(60):  # at its pace, all would be heard after eight minutes
                await site.gateway.stop()
            assert await cp.close_code() == 1012
        await site.restart()


async def test_at_shutdown_every_socket_is_told_to_come_back(site: Site) -> None:
    one, two = await site.point("CP1"), await site.point("CP2")
    await site.gateway.stop()
    assert [await one.close_code(), await two.close_code()] == [1012, 1012]
    await one.close()
    await two.close()
    await site.restart()


async def test_a_socket_that_says_nothing_is_pinged_and_given_up(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_ping_s=0.1) as site, await site.point() as cp:
        link = site.gateway.stations.get("CP1").link
        assert link is not None
        await until(lambda: link.ponged)
        cp.socket.transport.pause_reading()
        await until(lambda: site.gateway.stations.get("CP1").link is None)
        cp.socket.transport.abort()


async def test_no_common_subprotocol_is_upgraded_without_one_and_closed(site: Site) -> None:
    cp = await site.point(protocols=["ocpp1.5", "ocpp9"])
    assert cp.socket.subprotocol is None
    assert await cp.close_code() == 1002
    await cp.close()


async def test_the_first_of_the_clients_list_that_we_speak_is_taken(site: Site) -> None:
    async with await site.point(protocols=["ocpp9", "ocpp1.6"]) as cp:
        assert cp.socket.subprotocol == "ocpp1.6"


async def test_a_missing_protocol_header_is_refused_unless_the_station_is_known_for_it(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await site.point(protocols=[])
    assert refused.value.response.status_code == 400
    await site.gateway.stations.put("CP1", station("E1", switches={"assume_protocol": "ocpp1.6"}))
    async with await site.point(protocols=[]) as cp:
        assert await cp.boot() == "Accepted"


@pytest.mark.parametrize("path", ["", "/ocpp", "/steve/websocket/CentralSystemService"])
async def test_any_path_may_come_before_the_identity(site: Site, path: str) -> None:
    async with await site.point(path=path) as cp:
        assert await cp.boot() == "Accepted"


async def test_the_identity_is_percent_decoded_and_its_case_does_not_matter(site: Site) -> None:
    await site.gateway.stations.put("RDAM|123", station("E4"))
    for identity in ("RDAM%7C123", "rdam%7c123", "RDAM%7C123/"):
        headers = basic("RDAM|123", PASSWORD)
        url = f"{site.url}/{identity}"
        async with connect(url, subprotocols=OCPP16, additional_headers=headers, proxy=None):
            await until(lambda: site.gateway.stations.view("RDAM|123")["connected"] is True)


async def test_compression_is_offered_where_a_station_is_switched_so_and_keeps_no_context(site: Site) -> None:
    async with await site.point(compression="deflate") as cp:
        assert cp.socket.protocol.extensions == []
    await site.gateway.stations.put("CP1", station("E1", switches={"compression": True}))
    async with await site.point(compression="deflate") as cp:
        assert "no_context_takeover" in str(cp.socket.response.headers["Sec-WebSocket-Extensions"])  # type: ignore[union-attr]
        assert await cp.boot() == "Accepted"


async def test_handshakes_wait_for_their_turn(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_handshakes=1) as site:
        points = await asyncio.gather(*(site.point(identity) for identity in ("CP1", "CP2")))
        assert [await cp.boot() for cp in points] == ["Accepted", "Accepted"]
        for cp in points:
            await cp.close()
