"""The dispatcher: routes, ids of messages, and what partners may learn from either."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.core import trace
from hub.core.errors import MethodNotAllowed, NotFound
from hub.core.limits import RateLimiter
from hub.core.route_table import RouteTable
from modules import all_operations
from tests.world import World, a_world, token


def table() -> RouteTable:
    return RouteTable(all_operations())


def test_a_literal_goes_before_a_parameter() -> None:
    found = table().find("2.2.1", "receiver", "commands", ["STOP_SESSION"], "POST")
    assert found.operation.shape == ("STOP_SESSION",)
    found = table().find("2.2.1", "receiver", "commands", ["ANYTHING"], "POST")
    assert found.operation.shape == ("{command}",)


@pytest.mark.parametrize(
    ("where", "method", "fault"),
    [
        (("2.2.1", "sender", "locations", ["a", "b", "c", "d"]), "GET", NotFound),
        (("2.2.1", "sender", "nothing", []), "GET", NotFound),
        (("2.1.1", "sender", "sessions", ["1", "charging_preferences"]), "PUT", NotFound),
        (("2.2.1", "sender", "sessions", ["1", "other"]), "PUT", NotFound),
        (("2.2.1", "sender", "locations", []), "POST", MethodNotAllowed),
    ],
)
def test_what_is_not_in_the_table_is_not_found(where: Any, method: str, fault: type[Exception]) -> None:
    version, side, module, segments = where
    with pytest.raises(fault):
        table().find(version, side, module, segments, method)


async def test_a_correlation_id_that_no_header_may_carry_is_not_passed_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go out to every other partner, and no request with it could be sent."""
    begun: list[str] = []
    begin = trace.begin

    def noted(*, request_id: str = "", correlation_id: str = "") -> None:
        begun.append(correlation_id)
        begin(request_id=request_id, correlation_id=correlation_id)

    monkeypatch.setattr(trace, "begin", noted)
    path = world.at("receiver/tokens/NL/EEE/CARD1")
    for given, kept in ((b"abc-1", "abc-1"), (b"\xff\xfe", ""), ("é".encode(), ""), (b"a" * 5000, "a" * 200)):
        said = await world.ask("PUT", path, by="e1", body=token(world.version), headers=[("X-Correlation-ID", given)])
        assert said.code == 1000
        assert begun[-1] == kept


async def test_a_partner_that_calls_is_heard_of_and_a_stranger_is_not(world: World) -> None:
    heard: list[str] = []
    world.registry.heard = heard.append
    for by in ("e1", "x", "p", None, "c1"):
        await world.ask("GET", world.at("sender/locations"), by=by)
    assert heard == ["e1", "c1"]


async def test_one_partners_haste_costs_no_other_partner(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        world.app._per_partner = RateLimiter(rate_per_s=1, burst=1, monotonic=world.clock.monotonic)
        http = [(await world.ask("GET", "/ocpi/versions", by=by)).http for by in ("e1", "e1", "e2", "c1")]
        assert http == [200, 429, 200, 200]
        world.clock.move_to(1)
        assert (await world.ask("GET", "/ocpi/versions", by="e1")).http == 200


async def test_a_token_that_is_not_ours_is_logged_and_counted_and_not_shown(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        with capture_logs() as logs:
            await world.ask("GET", "/ocpi/versions", token="bb_guess_guess_guess")
            await world.ask("GET", "/ocpi/versions", by="e1")
        (told,) = [line for line in logs if line["event"] == "login failed"]
        assert (told["log_level"], told["face"], told["why"]) == ("warning", "ocpi", "unknown token")
        assert told["address"]
        assert "guess_guess" not in str(logs)
        assert world.hub.logins.counts()["ocpi"] == 1
