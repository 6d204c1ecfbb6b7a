"""Logs: one object a line, and no canary in it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import structlog

from hub.core import trace
from hub.core.errors import NotReady
from hub.core.log import QUIET, SENSITIVE, Redaction, set_up
from hub.core.parties import Party

CANARY = "CANARY-04A2B3C4"
OUR_TOKEN = "bb_" + "Zz-_" * 10 + "abc"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    set_up(level="INFO", dev=False, salt=b"s" * 32, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)


async def test_an_event_is_one_line_with_its_fields_ids_and_the_time_in_utc(lines: Lines) -> None:
    trace.begin(request_id="r1", correlation_id="c1")
    structlog.get_logger().info("delivered", peer=Party("DE", "ABC"), lane_age_s=1.5, kwh=Decimal("0.50"), text="a\nb")
    (line,) = lines()
    assert line | {"at": ""} == {
        "event": "delivered",
        "peer": "DE*ABC",
        "lane_age_s": 1.5,
        "kwh": "0.50",
        "text": "a\nb",
        "level": "info",
        "request_id": "r1",
        "correlation_id": "c1",
        "at": "",
    }
    assert datetime.fromisoformat(line["at"]).tzinfo == UTC


@pytest.mark.parametrize("name", [*sorted(SENSITIVE), "Authorization", "Contract-Id", "idTag"])
def test_a_field_that_names_a_driver_or_a_secret_shows_a_digest(lines: Lines, name: str) -> None:
    structlog.get_logger().info("x", **{name: CANARY})
    structlog.get_logger().info("x", deep={"list": [{name: CANARY}]})
    shown, deep = lines()
    assert shown[name].startswith("tok:")
    assert len(shown[name]) == 12
    assert deep["deep"]["list"][0][name] == shown[name]


def test_a_number_that_is_a_uid_is_no_exception(lines: Lines) -> None:
    structlog.get_logger().info("x", uid=4711471147)
    assert lines()[0]["uid"].startswith("tok:")


def test_no_canary_gets_into_the_log_whatever_carries_it(lines: Lines) -> None:
    class Card:
        def __repr__(self) -> str:
            return CANARY

    log = structlog.get_logger()
    log.info("header", headers={"Authorization": f"Token {CANARY}"}, line=f"Authorization: Token {CANARY}")
    log.info("text", note=f"partner sent {OUR_TOKEN} in its URL", url=f"https://a.example/?t={OUR_TOKEN}")
    log.info("object", card=Card(), cards=[Card()], raw=CANARY.encode(), deep=[[[[[[[[CANARY]]]]]]]])
    try:
        raise ValueError(f"Bearer {CANARY} and {OUR_TOKEN}")
    except ValueError as error:
        log.exception("failed", error=error)
    logging.getLogger("aiohttp.client").warning("sent %s", {"Authorization": f"Token {OUR_TOKEN}"})
    logging.getLogger("httpx").info("GET https://a.example/tokens/%s", CANARY)
    logging.getLogger("ocpp").info("receive %s", CANARY)
    written = json.dumps(lines())
    assert CANARY not in written
    assert OUR_TOKEN not in written
    assert "ValueError" in written
    assert len(lines()) == 5


def test_a_library_s_warning_is_a_line_like_any_other(lines: Lines) -> None:
    logging.getLogger("aiohttp.server").warning("shutting %s", "down")
    (line,) = lines()
    assert (line["event"], line["level"]) == ("shutting down", "warning")


def test_a_database_that_is_away_is_one_line_without_a_trace(lines: Lines) -> None:
    try:
        raise NotReady("the database server cannot be reached")
    except NotReady as error:
        structlog.get_logger().exception("look at chargers failed")
        structlog.get_logger().error("look failed", exc_info=error)
    try:
        raise OSError("connection refused")
    except OSError:
        logging.getLogger("asyncpg.pool").warning("Failed to restore the pool; retrying", exc_info=True)
    assert not any({"exception", "exc_info"} & line.keys() for line in lines())
    assert [line["why"] for line in lines()] == [*["the database server cannot be reached"] * 2, "connection refused"]


def test_any_other_failure_is_shown_with_its_trace(lines: Lines) -> None:
    try:
        raise OSError("connection refused")
    except OSError:
        structlog.get_logger().exception("odd")
        logging.getLogger("other").warning("odd", exc_info=True)
    assert all("Traceback" in line["exception"] for line in lines())
    assert len(lines()) == 2


def test_the_digest_of_a_card_is_the_same_today_and_another_tomorrow() -> None:
    day = "2026-03-01"
    redaction = Redaction(b"s" * 32, today=lambda: day)
    first = redaction.digest(CANARY)
    assert redaction.digest(CANARY) == first
    assert redaction.digest("other") != first
    day = "2026-03-02"
    assert redaction.digest(CANARY) != first


def test_development_writes_for_eyes(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    set_up(level="INFO", dev=True, salt=b"s" * 32, stream=stream)
    structlog.get_logger().info("delivered", uid=CANARY)
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    assert "delivered" in stream.getvalue()
    assert CANARY not in stream.getvalue()
