"""Receipts that are still being written, frames, the world, and programs that end."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.demo.mailbox import Mailbox
from hub.demo.plugs import Frame, Frames
from hub.demo.processes import Child, ChildFailed, alive_for_s, free_port
from hub.demo.world import DRIVES, PROVIDERS, TIME_ZONE, locations, stations, tariffs
from modules.locations.wire import LOCATION
from modules.tariffs.wire import TARIFF

OWNER = {"country_code": "DE", "party_id": "BSB", "last_updated": "2026-01-01T00:00:00Z"}


def receipt(method: str, path: str, body: Any, data: Any = None) -> bytes:
    answer = json.dumps({"status_code": 1, "data": data})
    tree = {"method": method, "path": path, "body": json.dumps(body), "status": 200, "answer": answer}
    return json.dumps(tree).encode() + b"\n"


def test_a_half_written_receipt_is_read_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "receipts"
    mailbox = Mailbox(PROVIDERS[1], log)
    assert mailbox.news(0) == []
    written = receipt("PUT", "/ocpi/2.2.1/sessions/DE/BSB/s1", {"id": "s1", "evse_uid": "E0101"})
    log.write_bytes(written + written[:40])
    assert [each.path for each in mailbox.news(1)] == [("sessions", "DE", "BSB", "s1")]
    log.write_bytes(written + written)
    assert len(mailbox.news(2)) == 1
    assert len(mailbox.known.charge("E0101").updates) == 2


def test_what_an_emsp_said_to_a_question_is_kept_by_card(tmp_path: Path) -> None:
    log = tmp_path / "receipts"
    log.write_bytes(receipt("POST", "/ocpi/2.3.0/tokens/CARD/authorize", {}, {"allowed": "BLOCKED"}))
    mailbox = Mailbox(PROVIDERS[2], log)
    mailbox.news(0)
    assert mailbox.known.asked == {"CARD": ["BLOCKED"]}


def test_the_time_of_an_answer_is_counted_from_its_question() -> None:
    seen: list[Frame] = []
    frames = Frames(seen.append)
    frames.append((">", '[2,"1","Authorize",{"idTag":"CARD"}]'))
    frames.append(("<", '[2,"9","RemoteStartTransaction",{}]'))
    frames.append(("<", '[3,"1",{"idTagInfo":{"status":"Accepted"}}]'))
    assert [(frame.is_sent, frame.action) for frame in seen] == [
        (True, "Authorize"),
        (False, "RemoteStartTransaction"),
        (False, "Authorize"),
    ]
    assert seen[0].answer_ms is None
    assert (seen[2].answer_ms or 0) > 0


def test_the_world_is_valid_and_every_drive_has_its_place() -> None:
    for tree in locations():
        tree["evses"] = [{**evse, "status": "UNKNOWN", **_dated(evse)} for evse in tree["evses"]]
        LOCATION["2.3.0"].read({**OWNER, **tree})
    for tree in tariffs(datetime.now(UTC)):
        TARIFF["2.3.0"].read({**OWNER, **tree})
    assert len(stations()) == 20
    assert {drive.station: (drive.location, drive.evse_uid) for drive in DRIVES}.items() <= stations().items()


def _dated(evse: dict[str, Any]) -> dict[str, Any]:
    moment = {"last_updated": OWNER["last_updated"]}
    return {**moment, "connectors": [{**connector, **moment} for connector in evse["connectors"]]}


@pytest.mark.parametrize("hour", [0, 5, 14, 23])
def test_the_price_of_the_day_changed_within_the_last_forty_minutes(hour: int) -> None:
    now = datetime(2026, 3, 10, hour, 17, tzinfo=ZoneInfo(TIME_ZONE))
    tariff = next(tree for tree in tariffs(now) if tree["id"] == "T-DAY")
    begin = tariff["elements"][0]["restrictions"]["start_time"]
    minutes = (now.hour * 60 + now.minute - int(begin[:2]) * 60 - int(begin[3:])) % (24 * 60)
    assert 30 <= minutes < 40


def test_a_port_that_is_taken_is_not_offered() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert free_port(taken.getsockname()[1]) != taken.getsockname()[1]


async def test_a_program_that_ends_at_once_is_told_of_with_its_log(tmp_path: Path) -> None:
    child = await Child.start("lost", ("hub.demo.nowhere",), folder=tmp_path, environment={})
    with pytest.raises(ChildFailed, match=r"lost ended at once; (.|\n)*nowhere"):
        await child.first_line(timeout_s=20)
    await child.stop()


async def test_errors_in_the_log_of_the_hub_are_told(tmp_path: Path) -> None:
    child = await Child.start("hub", ("hub.demo.nowhere",), folder=tmp_path, environment={})
    await child.stop()
    child.log.write_text("[info     ] serving\n[error    ] handler failed   error=NameError\n")
    assert child.logged_errors() == ["hub logged [error ] handler failed error=NameError"]


def test_the_age_of_this_process_is_more_than_nothing() -> None:
    assert 0 < alive_for_s() < 86_400
