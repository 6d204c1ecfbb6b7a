"""The answer rules: what comes back for each kind of wrong request, in each version, and that it has no effect."""

from __future__ import annotations

import asyncio
from base64 import b64encode, urlsafe_b64encode
from functools import partial
from typing import Any

import pytest

from hub.core import dispatch, request
from hub.core.dispatch import Dispatcher
from hub.core.inbound import encode
from hub.core.limits import RateLimiter
from tests.world import VERSIONS, Headers, Said, World, a_world, credentials, token

LARGE_ID = "A" * 7000
TOKENS = "receiver/tokens/NL/EEE/CARD1"


def same(said: Said) -> tuple[int, int | None, bytes, list[tuple[str, str]]]:
    """All that a caller can tell two answers apart by."""
    return said.http, said.code, said.body, sorted(said.headers.items())


def invalid_tokens(world: World) -> dict[str, list[tuple[str, str | bytes]]]:
    """Authorization headers that must not let anybody in."""
    secret = world.secrets["e1"]
    return {
        "none": [],
        "unknown": [("Authorization", world.authorization("bb_unknown"))],
        "stale": [("Authorization", world.authorization(world.secrets["x"]))],
        "blocked": [("Authorization", world.authorization(world.secrets["p"]))],
        "empty": [("Authorization", "")],
        "no scheme": [("Authorization", secret)],
        "Bearer": [("Authorization", f"Bearer {secret}")],
        "Basic": [("Authorization", f"Basic {b64encode(secret.encode()).decode()}")],
        "two words": [("Authorization", f"Token {secret} {secret}")],
        "longer": [("Authorization", f"Token {secret}x")],
        "shorter": [("Authorization", f"Token {secret[:-1]}")],
        "upper case": [("Authorization", f"Token {secret.upper()}")],
        "not ASCII": [("Authorization", b"Token \xc3\xa4\xff")],
        "7 kB": [("Authorization", "Token " + "a" * 7000)],
        "base64 of base64": [
            ("Authorization", f"Token {b64encode(b64encode(secret.encode())).decode()}"),
        ],
        "the fingerprint": [("Authorization", f"Token {world.registry.fingerprint(secret)}")],
    }


async def test_r1_every_bad_token_gets_the_same_answer_everywhere(world: World) -> None:
    paths = ["sender/locations", "sender/sessions", "sender/locations/NOPE", "receiver/tokens/XX/YYY/Z", "credentials"]
    async with world.unchanged():
        for path in (*(world.at(path) for path in paths), f"/ocpi/{world.version}", "/ocpi/versions", "/ocpi/nonsense"):
            answers = {}
            for name, headers in invalid_tokens(world).items():
                said = await world.ask("GET", path, headers=headers)
                assert (said.http, said.code) == (401, 2000), (path, name)
                answers[name] = same(said)
            assert len(set(map(str, answers.values()))) == 1, path


async def test_r1_a_bad_token_is_told_before_anything_else(world: World) -> None:
    """No oracle: neither method, path, media type nor body can be probed without a token."""
    async with world.unchanged():
        plain = same(await world.ask("GET", world.at("sender/locations")))
        for method, path, body in (
            ("DELETE", "sender/locations", None),
            ("PUT", TOKENS, b"{"),
            ("PUT", TOKENS, b"x" * 100_000),
            ("POST", "credentials", credentials(world.version)),
            ("GET", f"sender/locations/{LARGE_ID}", None),
            ("GET", "sender/locations?limit=-1", None),
            ("GET", "%ff", None),
        ):
            assert same(await world.ask(method, world.at(path), body=body)) == plain, (method, path)


async def test_each_form_of_a_good_token_is_let_in(world: World) -> None:
    """Raw, Base64, with the newline of the specification's samples, without padding, in the URL-safe alphabet."""
    secret = world.secrets["e1"].encode()
    for value in (
        secret,
        b64encode(secret),
        b64encode(secret + b"\n"),
        b64encode(secret).rstrip(b"="),
        urlsafe_b64encode(secret),
    ):
        for scheme in (b"Token ", b"token ", b"TOKEN  "):
            said = await world.ask("GET", "/ocpi/versions", headers=[("Authorization", scheme + value)])
            assert said.http == 200, value


BAD_JSON = {
    "nothing": b"",
    "half": b'{"uid":',
    "NaN": b'{"uid":NaN}',
    "Infinity": b'{"uid":Infinity}',
    "minus Infinity": b'{"uid":-Infinity}',
    "bad UTF-8": b'{"uid":"\xff\xfe"}',
    "overlong UTF-8": b'{"uid":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"uid":"\xed\xa0\x80"}',
    "lone surrogate": b'{"uid":"\\ud800"}',
    "UTF-16": '{"uid":"a"}'.encode("utf-16"),
    "UTF-32": '{"uid":"a"}'.encode("utf-32"),
    "BOM": '\ufeff{"uid":"a"}'.encode(),
    "duplicate key": b'{"uid":"a","uid":"b"}',
    "duplicate key by escape": b'{"uid":"a","\\u0075id":"b"}',
    "depth 33": b'{"a":' * 33 + b"1" + b"}" * 33,
    "depth 33, lists": b"[" * 33 + b"]" * 33,
    "depth 100,000": b"[" * 60_000,
    "33 digits": b'{"uid":' + b"1" * 33 + b"}",
    "33 digits, fraction": b'{"uid":0.' + b"1" * 33 + b"}",
    "exponent": b'{"uid":1e99999}',
    "NUL": b'{"uid":"a\\u0000b"}',
    "raw NUL": b'{"uid":"a\x00b"}',
    "single quotes": b"{'uid':'a'}",
    "trailing comma": b'{"uid":"a",}',
    "comment": b'{"uid":"a"} // x',
    "two values": b'{"uid":"a"}{"uid":"a"}',
    "form": b"uid=a&type=RFID",
    "XML": b"<token/>",
}


@pytest.mark.parametrize("target", ["tokens", "credentials", "commands"])
async def test_r2_what_is_not_json_is_400_with_2001(world: World, target: str) -> None:
    method, path, by = {
        "tokens": ("PUT", TOKENS, "e1"),
        "credentials": ("POST", "credentials", "a"),
        "commands": ("POST", "receiver/commands/STOP_SESSION", "e1"),
    }[target]
    async with world.unchanged():
        for name, body in BAD_JSON.items():
            said = await world.ask(method, world.at(path), by=by, body=body)
            assert (name, said.http, said.code) == (name, 400, 2001)
        said = await world.ask("PATCH", world.at(TOKENS), by="e1", body=b"{")
        assert (said.http, said.code) == (400, 2001)


def bad_tokens(version: str) -> dict[str, Any]:
    good = token(version)
    contract = "auth_id" if version == "2.1.1" else "contract_id"
    bad: dict[str, Any] = {
        "null": None,
        "a number": 5,
        "text": "CARD1",
        "a list": [good],
        "empty object": {},
        "another uid": {**good, "uid": "CARD2"},
        "uid too long": {**good, "uid": "A" * 37},
        "uid of 7,000": {**good, "uid": LARGE_ID},
        "uid with CR LF": {**good, "uid": "CARD\r\n1"},
        "uid emoji": {**good, "uid": "CARD😀"},
        "uid an object": {**good, "uid": {"a": 1}},
        "type null": {**good, "type": None},
        "type a list": {**good, "type": ["RFID"]},
        "whitelist unknown": {**good, "whitelist": "SOMETIMES"},
        "valid a text": {**good, "valid": "maybe"},
        "valid null": {**good, "valid": None},
        "no time": {**good, "last_updated": "yesterday"},
        "month 13": {**good, "last_updated": "2026-13-01T00:00:00Z"},
        "year 99999": {**good, "last_updated": "99999-01-01T00:00:00Z"},
        "issuer too long": {**good, "issuer": "x" * 7000},
        "contract too long": {**good, contract: "x" * 37},
    }
    for name in ("uid", "type", "issuer", "valid", "whitelist", contract):
        bad[f"without {name}"] = {key: value for key, value in good.items() if key != name}
    if version != "2.1.1":
        bad["another country"] = {**good, "country_code": "BE"}
        bad["another party"] = {**good, "party_id": "FFF"}
        bad["no country"] = {**good, "country_code": "N"}
        bad["country of digits"] = {**good, "country_code": "12"}
        bad["without last_updated"] = {key: value for key, value in good.items() if key != "last_updated"}
    return bad


async def test_r3_valid_json_with_wrong_content_is_200_with_2001(world: World) -> None:
    async with world.unchanged():
        for name, body in bad_tokens(world.version).items():
            said = await world.ask("PUT", world.at(TOKENS), by="e1", body=encode(body))
            assert (name, said.http, said.code) == (name, 200, 2001)
            assert "AAAAAAAAAA" not in said.message


async def test_r3_a_patch_is_held_to_the_same(world: World) -> None:
    assert (await world.ask("PUT", world.at(TOKENS), by="e1", body=token(world.version))).http == 201
    moment = {"last_updated": "2026-05-04T11:00:00Z"}
    bad: dict[str, Any] = {
        "a list": [],
        "null": None,
        "valid null": {**moment, "valid": None},
        "uid null": {**moment, "uid": None},
        "issuer null": {**moment, "issuer": None},
        "type null": {**moment, "type": None},
        "another uid": {**moment, "uid": "CARD2"},
        "another type": {**moment, "type": "OTHER"},
        "whitelist": {**moment, "whitelist": "X"},
        "time": {"last_updated": "x", "valid": False},
        "time null": {"last_updated": None, "valid": False},
    }
    if world.version != "2.1.1":
        bad["another party"] = {**moment, "party_id": "FFF"}
        bad["no last_updated"] = {"valid": False}
        bad["empty"] = {}
    async with world.unchanged():
        for name, body in bad.items():
            said = await world.ask("PATCH", world.at(TOKENS), by="e1", body=encode(body))
            assert (name, said.http, said.code) == (name, 200, 2001)


async def test_r3_what_does_not_exist_has_the_code_of_its_kind(world: World) -> None:
    unknown_token = 2000 if world.version == "2.1.1" else 2004
    async with world.unchanged():
        for path, code in (
            ("sender/locations/NOPE", 2003),
            ("sender/locations/LOC1/NOPE", 2003),
            ("sender/locations/LOC1/E1/9", 2003),
            ("receiver/tokens/NL/EEE/NOPE", unknown_token),
            ("receiver/tokens/NL/EEE/NOPE?type=APP_USER", unknown_token),
        ):
            said = await world.ask("GET", world.at(path), by="e1")
            assert (path, said.http, said.code) == (path, 404, code)
        said = await world.ask(
            "PATCH", world.at("receiver/tokens/NL/EEE/NOPE"), by="e1", body={"last_updated": "2026-05-04T11:00:00Z"}
        )
        assert (said.http, said.code) == (404, unknown_token)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
async def test_r4_another_partys_space_is_404_whether_it_exists_or_not(world: World, method: str) -> None:
    await world.ask("PUT", world.at("receiver/tokens/NL/FFF/CARD1"), by="e2", body=token(world.version, "NL*FFF"))
    part = {"last_updated": "2026-05-04T11:00:00Z", "valid": False}
    async with world.unchanged():
        answers = set()
        for party, uid in (("NL/FFF", "CARD1"), ("NL/FFF", "NOPE"), ("BE/AAA", "CARD1"), ("ZZ/ZZZ", "X")):
            owner = party.replace("/", "*")
            body = {"GET": None, "PUT": token(world.version, owner, uid), "PATCH": part}[method]
            said = await world.ask(method, world.at(f"receiver/tokens/{party}/{uid}"), by="e1", body=body)
            assert (party, said.http, said.code) == (party, 404, 2000)
            answers.add(same(said)[2])
        assert len(answers) == 1
        for odd in ("N/EEE", "NLD/EEE", "NL/EEEE", "NL/E%2FE", "12/EEE", "NL/%C3%89EE", "%20/EEE"):
            said = await world.ask("GET", world.at(f"receiver/tokens/{odd}/CARD1"), by="e1")
            assert (odd, said.http, said.code) == (odd, 404, 2000)


async def test_r5_a_role_without_business_there_is_403(world: World) -> None:
    async with world.unchanged():
        for method, path, body in (
            ("GET", "sender/sessions?date_from=2026-01-01T00:00:00Z", None),
            ("GET", "sender/cdrs", None),
            ("GET", "receiver/tokens/BE/AAA/CARD1", None),
            ("PUT", "receiver/tokens/BE/AAA/CARD1", token(world.version, "BE*AAA")),
            ("POST", "receiver/commands/STOP_SESSION", {}),
        ):
            said = await world.ask(method, world.at(path), by="c1", body=body)
            assert (path, said.http, said.code) == (path, 403, 2000)


ALLOWED = {
    "sender/locations": "GET",
    "sender/locations/LOC1": "GET",
    "sender/locations/LOC1/E1/1": "GET",
    "sender/tariffs": "GET",
    "sender/sessions": "GET",
    "sender/cdrs": "GET",
    TOKENS: "GET, PATCH, PUT",
    "receiver/commands/STOP_SESSION": "POST",
    "credentials": "DELETE, GET, POST, PUT",
}


async def test_r5_a_method_that_is_not_offered_is_405_with_allow(world: World) -> None:
    async with world.unchanged():
        for path, allow in {**{world.at(p): a for p, a in ALLOWED.items()}, "/ocpi/versions": "GET"}.items():
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
                if method in allow.split(", "):
                    continue
                said = await world.ask(method, path, by="e1", body=b"{}" if method == "POST" else None)
                assert (path, method, said.http, said.code) == (path, method, 405, 2000)
                assert said.headers["allow"] == allow
    said = await world.ask("PUT", world.at("sender/sessions/S1/charging_preferences"), by="e1", body=b"{}")
    assert said.http == (404 if world.version == "2.1.1" else 200)


async def test_r5_the_state_of_a_registration_is_405_with_what_is_allowed(world: World) -> None:
    body = credentials(world.version)
    async with world.unchanged():
        for by, method, allow in (
            ("e1", "POST", "GET, PUT, DELETE"),
            ("a", "PUT", "GET, POST"),
            ("a", "DELETE", "GET, POST"),
        ):
            said = await world.ask(method, world.at("credentials"), by=by, body=body if method != "DELETE" else None)
            assert (by, said.http, said.code) == (by, 405, 2000)
            assert said.headers["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path", "by", "limit"),
    [
        ("PUT", TOKENS, "e1", 65_536),
        ("PATCH", TOKENS, "e1", 65_536),
        ("POST", "credentials", "a", 65_536),
        ("POST", "receiver/commands/STOP_SESSION", "e1", 65_536),
    ],
)
async def test_r6_a_body_over_the_limit_is_413(world: World, method: str, path: str, by: str, limit: int) -> None:
    async def slowly() -> Any:
        for _ in range(limit // 1000 + 2):
            yield b" " * 1000

    async with world.unchanged():
        said = await world.ask(method, world.at(path), by=by, body=b" " * (limit + 1))
        assert (said.http, said.code) == (413, 2000)
        said = await world.ask(method, world.at(path), by=by, body=b" " * limit)
        assert (said.http, said.code) == (400, 2001)
        headers = {"Authorization": world.authorization(world.secrets[by])}
        answer = await world.http.request(method, world.at(path), headers=headers, content=slowly())
        assert answer.status_code == 413


async def test_r6_another_media_type_is_415(world: World) -> None:
    body = b"{}"
    async with world.unchanged():
        for media in (
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "",
            "x" * 7000,
        ):
            said = await world.ask("PUT", world.at(TOKENS), by="e1", body=body, headers=[("Content-Type", media)])
            assert (media, said.http, said.code) == (media, 415, 2000)
    for media in ("application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;"):
        said = await world.ask(
            "PUT", world.at(TOKENS), by="e1", body=token(world.version), headers=[("Content-Type", media)]
        )
        assert said.code == 1000


async def test_r6_who_calls_too_often_is_429_with_retry_after(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "RateLimiter", partial(RateLimiter, monotonic=lambda: 0.0))
    async with a_world(sqlite_url, rate_per_partner=1, burst_per_partner=3) as world:
        answers = [await world.ask("GET", "/ocpi/versions", by="e1") for _ in range(5)]
        assert [said.http for said in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].code == 2000
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await world.ask("GET", "/ocpi/versions", by="e2")).http == 200


async def test_r6_who_fails_to_log_in_too_often_is_429_and_a_good_token_is_not(sqlite_url: str) -> None:
    async with a_world(sqlite_url, failed_logins_per_min=3) as world:
        answers = [await world.ask("GET", "/ocpi/versions", token=f"bb_guess{i}") for i in range(5)]
        assert [said.http for said in answers] == [401, 401, 401, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await world.ask("GET", "/ocpi/versions", by="e1")).http == 200


@pytest.mark.parametrize("sent", [[], [b'{"uid"']], ids=["no body at all", "half a body"])
async def test_r6_a_body_that_does_not_come_is_408(
    world: World, monkeypatch: pytest.MonkeyPatch, sent: list[bytes]
) -> None:
    monkeypatch.setattr(request, "_BODY_DEADLINE_S", 0.05)
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in sent]
    answer = await _raw(world, messages, then_silent=True)
    assert (answer[0]["status"], b'"status_code":2000' in answer[1]["body"]) == (408, True)


async def test_a_caller_that_hangs_up_in_the_middle_has_no_effect(world: World) -> None:
    half = {"type": "http.request", "body": b'{"uid":"CARD1"', "more_body": True}
    async with world.unchanged():
        await _raw(world, [half, {"type": "http.disconnect"}])
        await _raw(world, [{"type": "http.disconnect"}])


async def _raw(world: World, messages: list[Any], *, then_silent: bool = False) -> list[Any]:
    """PUT a token by hand, message by message."""
    waiting, sent = list(messages), []

    async def receive() -> Any:
        if not waiting and then_silent:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    path = world.at(TOKENS)
    auth = (b"authorization", world.authorization(world.secrets["e1"]).encode())
    scope = {
        "type": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "method": "PUT",
        "headers": [auth],
    }
    async with asyncio.timeout(30):
        await world.app(scope, receive, send)
    return sent


ONCE = (
    "Authorization",
    "X-Request-ID",
    "X-Correlation-ID",
    "Content-Type",
    "OCPI-to-party-id",
    "OCPI-from-country-code",
)


async def test_a_repeated_header_is_400(world: World) -> None:
    async with world.unchanged():
        for name in ONCE:
            good = world.authorization(world.secrets["e1"])
            value = good if name == "Authorization" else "x"
            headers = [(name, value), (name.lower(), value)]
            if name != "Authorization":
                headers.append(("Authorization", good))
            said = await world.ask("PUT", world.at(TOKENS), headers=headers, body=token(world.version))
            assert (name, said.http, said.code) == (name, 400, 2001)


ODD_IDS = {
    "7,000 characters": LARGE_ID,
    "255 characters": "B" * 255,
    "CR LF": "a%0d%0ab",
    "NUL": "a%00b",
    "tab": "a%09b",
    "DEL": "a%7f",
    "emoji": "%F0%9F%98%80",
    "bad UTF-8": "%ff%fe",
    "overlong": "%c0%af",
    "surrogate": "%ed%a0%80",
    "right to left": "%E2%80%AE",
    "zero width": "%E2%80%8B",
    "slash": "a%2Fb",
    "dots": "%2e%2e",
    "backslash": "..%5c..",
    "quote": "%27%3B%20DROP%20TABLE%20tokens--",
    "double quote": "%22",
    "percent": "%25",
    "half a percent": "a%2",
    "bad percent": "a%zz",
    "star": "a*b",
    "wildcards": "%25_%25",
    "question": "a%3Fb",
    "fraction": "%C2%BD",
    "dotless i": "%C4%B1",
    "sharp s": "%C3%9F",
}


async def test_r8_odd_ids_are_never_a_fault_of_ours(world: World) -> None:
    async with world.unchanged():
        for name, odd in ODD_IDS.items():
            for method, path in (
                ("GET", f"sender/locations/{odd}"),
                ("GET", f"sender/locations/LOC1/{odd}/{odd}"),
                ("GET", f"receiver/tokens/NL/EEE/{odd}"),
                ("GET", f"receiver/tokens/{odd}/{odd}/{odd}"),
                ("GET", f"receiver/tokens/NL/EEE/CARD1?type={odd}"),
                ("PUT", f"receiver/tokens/NL/EEE/{odd}"),
                ("PATCH", f"receiver/tokens/NL/EEE/{odd}"),
                ("GET", f"sender/{odd}"),
                ("GET", odd),
            ):
                body = None if method == "GET" else {"uid": "other", "last_updated": "2026-05-04T11:00:00Z"}
                said = await world.ask(method, world.at(path), by="e1", body=body)
                where = (name, method, path[:60])
                assert (where, said.http in (200, 404), said.code) != (where, True, 1000)
                assert (where, said.http) in ((where, 200), (where, 404))
                assert (where, said.code != 3000) == (where, True)


async def test_r8_odd_ids_on_postgresql_too(postgres_url: str) -> None:
    async with a_world(postgres_url) as world:
        await test_r8_odd_ids_are_never_a_fault_of_ours(world)


QUERIES = {
    "offset=9223372036854775808": 2001,
    "offset=9223372036854775807": 2001,
    "offset=999999999999999": 1000,
    "offset=-1": 2001,
    "offset=": 2001,
    "offset=1.5": 2001,
    "offset=%2B1": 2001,
    "offset=0x10": 2001,
    "offset=1e3": 2001,
    "offset=%D9%A1": 2001,
    "limit=-1": 2001,
    "limit=0": 2001,
    "limit=1_000": 2001,
    "limit=abc": 2001,
    "limit=1e20": 2001,
    "offset=1e20": 2001,
    "offset=9999999999999999": 2001,
    "limit=999999999999999": 1000,
    "limit=%201": 2001,
    "limit=1%00": 2001,
    "date_from=2026-01-01T00:00:00Z": 1000,
    "date_from=2026-01-01T00:00:00": 1000,
    "date_from=2026-01-01T00:00:00.123Z": 1000,
    "date_from=2026-01-01T00:00:00+00:00": 1000,
    "date_from=2026-01-01T00:00:00%2B00:00": 1000,
    "date_from=2026-01-01T00:00:00%2B02:00": 1000,
    "date_from=2026-01-01": 2001,
    "date_from=": 2001,
    "date_from=x": 2001,
    "date_from=0000-01-01T00:00:00Z": 2001,
    "date_from=9999-12-31T23:59:59-14:00": 2001,
    "date_from=0001-01-01T00:00:00+14:00": 2001,
    "date_from=2026-02-30T00:00:00Z": 2001,
    "date_from=%00": 2001,
    "date_from=%ff": 2001,
    "date_to=x": 2001,
    "date_from=2026-06-01T00:00:00Z&date_to=2026-01-01T00:00:00Z": 1000,
    "unknown=1": 1000,
    "=1&&&=&x": 1000,
    f"unknown={'x' * 7000}": 1000,
    "%ff=1": 2001,
}


@pytest.mark.parametrize("module", ["locations", "tariffs", "cdrs", "sessions"])
async def test_r8_odd_queries_are_answered_2001_or_served(world: World, module: str) -> None:
    async with world.unchanged():
        for query, code in QUERIES.items():
            asked = query
            if module == "sessions" and "date_from" not in query:
                asked = f"date_from=2026-01-01T00:00:00Z&{query}"
            said = await world.ask("GET", world.at(f"sender/{module}?{asked}"), by="e1")
            assert (query, said.http, said.code) == (query, 200, code)
        said = await world.ask("GET", world.at(f"sender/{module}?x={'x' * 9000}"), by="e1")
        assert (said.http, said.code) == (413, 2000)


async def test_sessions_need_a_date_from(world: World) -> None:
    said = await world.ask("GET", world.at("sender/sessions"), by="e1")
    assert (said.http, said.code) == (200, 2001)


async def test_r8_headers_of_any_kind_are_survived(world: World) -> None:
    odd: list[Headers] = [
        [("X-Request-ID", "r" * 7000)],
        [("X-Request-ID", b"\xff\xfe\x80")],
        [("X-Correlation-ID", "")],
        [("Accept", "text/html")],
        [("Accept-Encoding", "gzip;q=0")],
        [("Accept-Encoding", "br, gzip, gzip, \xff")],
        [("Content-Length", "-1")],
        [("Range", "bytes=0-1")],
        [("X-HTTP-Method-Override", "DELETE")],
        [("X-Forwarded-Host", "evil.example")],
        [("Host", "evil.example")],
        [("OCPI-to-country-code", "💥".encode())],
    ]
    async with world.unchanged():
        for headers in odd:
            said = await world.ask("GET", world.at("sender/locations"), by="e1", headers=headers)
            assert (headers, said.http) == (headers, 200)
            assert all(len(value) <= 200 for value in said.headers.values())
            assert b"evil" not in said.body
            assert "evil" not in str(said.headers)


async def test_the_message_ids_go_back_as_they_came_whatever_the_answer(world: World) -> None:
    ids = [("X-Request-ID", "request-1"), ("X-Correlation-ID", "correlation-1")]
    for path, by in (("sender/locations", "e1"), ("sender/locations/NOPE", "e1"), ("sender/cdrs", "c1"), ("nope", "x")):
        said = await world.ask("GET", world.at(path), by=by, headers=ids)
        assert (said.headers["x-request-id"], said.headers["x-correlation-id"]) == ("request-1", "correlation-1")


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_from_must_be_a_party_of_the_caller(world: World) -> None:
    for country, party, code in (
        ("NL", "EEE", 1000),
        ("nl", "eee", 1000),
        ("NL", "FFF", 2001),
        ("", "", 2001),
        ("NL", "E" * 7000, 2001),
        ("\r", "x", 2001),
    ):
        headers = [("OCPI-from-country-code", country), ("OCPI-from-party-id", party)]
        said = await world.ask("GET", world.at("sender/locations"), by="e1", headers=headers)
        assert (country, said.http, said.code) == (country, 200, code)


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_the_routing_headers_are_turned_round(world: World) -> None:
    headers = [
        ("OCPI-from-country-code", "NL"),
        ("OCPI-from-party-id", "EEE"),
        ("OCPI-to-country-code", "DE"),
        ("OCPI-to-party-id", "BSB"),
    ]
    for given in (headers, []):
        said = await world.ask("GET", world.at("sender/locations"), by="e1", headers=given)
        shown = {
            name: said.headers[f"ocpi-{name}"]
            for name in ("from-country-code", "from-party-id", "to-country-code", "to-party-id")
        }
        assert shown == {
            "from-country-code": "DE",
            "from-party-id": "BSB",
            "to-country-code": "NL",
            "to-party-id": "EEE",
        }
    said = await world.ask("GET", world.at("credentials"), by="e1")
    assert not [name for name in said.headers if name.startswith("ocpi-")]


async def test_a_trailing_slash_means_nothing_and_redirects_nobody(world: World) -> None:
    await world.ask("PUT", world.at(f"{TOKENS}/"), by="e1", body=token(world.version))
    for path in ("sender/locations", "sender/locations/LOC1", "sender/tariffs", TOKENS, "credentials"):
        plain = await world.ask("GET", world.at(path), by="e1")
        slashed = await world.ask("GET", world.at(f"{path}/"), by="e1")
        assert (plain.http, slashed.http) == (200, 200)
        assert plain.data == slashed.data
    for path in ("sender//locations", "sender/locations//", "sender/locations/LOC1//"):
        said = await world.ask("GET", world.at(path), by="e1")
        assert (path, said.http) == (path, 404)


async def test_ids_and_parties_compare_without_case(world: World) -> None:
    body = token(world.version)
    if world.version != "2.1.1":
        body |= {"country_code": "nl", "party_id": "eee"}
    assert (await world.ask("PUT", world.at("receiver/tokens/nl/eee/card1"), by="e1", body=body)).http == 201
    assert (
        await world.ask("PUT", world.at("receiver/tokens/NL/EEE/CARD1"), by="e1", body=token(world.version))
    ).http == 200
    assert (await world.ask("GET", world.at("receiver/tokens/Nl/Eee/cArD1"), by="e1")).data["uid"].upper() == "CARD1"
    assert (await world.ask("GET", world.at("sender/locations/loc1/e1/1"), by="e1")).http == 200


async def test_a_slash_in_an_id_is_part_of_the_id(world: World) -> None:
    body = token(world.version, uid="A/B")
    assert (await world.ask("PUT", world.at("receiver/tokens/NL/EEE/A%2FB"), by="e1", body=body)).http == 201
    assert (await world.ask("GET", world.at("receiver/tokens/NL/EEE/A%2FB"), by="e1")).data["uid"] == "A/B"
    assert (await world.ask("GET", world.at("receiver/tokens/NL/EEE/A/B"), by="e1")).http == 404


async def test_unknown_fields_are_no_fault(world: World) -> None:
    body = token(world.version, x_vendor={"a": [1, "b"]}, another=None)
    assert (await world.ask("PUT", world.at(TOKENS), by="e1", body=body)).code == 1000


async def test_a_fault_of_ours_says_nothing_about_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("secret detail of ours")

    monkeypatch.setattr(Dispatcher, "_perform", broken)
    said = await world.ask("GET", world.at("sender/locations"), by="e1")
    assert (said.http, said.code, said.message) == (200, 3000, "Generic server error")
    assert b"secret" not in said.body
