"""What the sandbox eMSP keeps, answers and complains about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.partners.sandbox.samples import (
    LATER,
    VERSIONS,
    Peer,
    cdr,
    connector,
    evse,
    location,
    peer,
    period,
    session,
    tariff,
)

every_version = pytest.mark.parametrize("version", VERSIONS)
later_versions = pytest.mark.parametrize("version", VERSIONS[1:])


def _token(hub: Peer, **given: Any) -> dict[str, Any]:
    return hub.emsp.add_token({"uid": "012345678", **given})


@every_version
async def test_a_hub_with_good_manners_hears_no_complaint(version: str) -> None:
    async with peer(version) as hub:
        token = _token(hub)
        assert await hub.code("PUT", "locations/BE/BEC/LOC1", location(version)) == (201, 1000)
        assert await hub.code("PUT", "locations/BE/BEC/LOC1/3256", evse(version)) == (200, 1000)
        assert await hub.code("PUT", "locations/BE/BEC/LOC1/3256/1", connector(version)) == (200, 1000)
        change = {"status": "CHARGING", "last_updated": LATER}
        assert await hub.code("PATCH", "locations/BE/BEC/LOC1/3256", change) == (200, 1000)
        assert await hub.code("PUT", "tariffs/BE/BEC/T1", tariff(version)) == (201, 1000)
        assert await hub.code("PUT", "sessions/BE/BEC/S1", session(version, token)) == (201, 1000)
        assert await hub.code("POST", "cdrs", cdr(version, token)) == (201, 1000)
        assert await hub.code("GET", "sessions/BE/BEC/S1") == (200, 1000)
        assert await hub.code("DELETE", "tariffs/BE/BEC/T1") == (200, 1000)
        assert hub.emsp.complaints.texts() == []


@later_versions
async def test_a_change_of_an_evse_moves_the_time_of_its_location(version: str) -> None:
    async with peer(version) as hub:
        await hub.send("PUT", "locations/BE/BEC/LOC1", location(version))
        await hub.send("PATCH", "locations/BE/BEC/LOC1/3256", {"status": "CHARGING", "last_updated": LATER})
        known = hub.emsp.mirror.get("locations", ("BE", "BEC"), ("loc1",))
        assert known["last_updated"] == LATER
        assert known["evses"][0]["status"] == "CHARGING"
        assert known["evses"][0]["connectors"], "what is not named in a PATCH stays"


async def test_periods_of_a_patch_are_appended_and_those_of_a_put_replace() -> None:
    async with peer("2.2.1") as hub:
        tree = session("2.2.1", _token(hub))
        await hub.send("PUT", "sessions/BE/BEC/S1", tree)
        change = {"kwh": Decimal(3), "charging_periods": [period("1.5", LATER)], "last_updated": LATER}
        await hub.send("PATCH", "sessions/BE/BEC/S1", change)
        known = hub.emsp.mirror.get("sessions", ("BE", "BEC"), ("S1",))
        assert [p["start_date_time"] for p in known["charging_periods"]] == [tree["start_date_time"], LATER]
        without = {k: v for k, v in tree.items() if k != "charging_periods"} | {
            "kwh": 3,
            "last_updated": LATER,
        }
        await hub.send("PUT", "sessions/BE/BEC/S1", without)
        assert "charging_periods" not in hub.emsp.mirror.get("sessions", ("BE", "BEC"), ("S1",))
        assert hub.emsp.complaints.texts() == []


@every_version
async def test_the_same_cdr_twice_is_one_and_other_content_is_refused(version: str) -> None:
    async with peer(version) as hub:
        tree = cdr(version, _token(hub))
        first, again = await hub.send("POST", "cdrs", tree), await hub.send("POST", "cdrs", tree)
        assert first.headers["location"] == again.headers["location"]
        path = first.headers["location"].split(f"/ocpi/{version}/")[1]
        assert (await hub.send("GET", path)).json()["data"]["id"] == "CDR1"
        assert hub.emsp.complaints.texts() == []
        assert await hub.code("POST", "cdrs", {**tree, "total_energy": 11}) == (200, 2001)
        assert len(hub.emsp.mirror.listed("cdrs")) == 1
        assert len(hub.emsp.complaints.texts()) == 1


_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("a number as text", {"kwh": "1.5"}, "/kwh: is not a JSON number"),
    ("five decimals", {"kwh": Decimal("1.00001")}, "/kwh: has more than four decimals"),
    ("an offset", {"start_date_time": "2026-05-04T10:00:00+00:00"}, "/start_date_time: is not a DateTime"),
    ("no designator", {"last_updated": "2026-05-04T10:00:00"}, "/last_updated: is not a DateTime"),
    ("an unknown value", {"status": "CHARGING"}, "/status: 'CHARGING' is not a SessionStatus"),
    ("a missing field", {"currency": None}, "/currency: is required"),
    ("too long", {"id": "S1" * 20}, "/id: is longer than 36"),
    ("another owner", {"party_id": "XXX"}, "/party_id: the URL says BE*BEC"),
    ("another id", {"id": "S2"}, "/id: the URL says S1"),
    ("no array", {"charging_periods": {}}, "/charging_periods: is not an array"),
    ("an open end", {"status": "COMPLETED"}, "/end_date_time: is missing"),
]


@pytest.mark.parametrize(("change", "complaint"), [f[1:] for f in _FAULTS], ids=[f[0] for f in _FAULTS])
async def test_a_breach_of_the_tables_is_refused_and_written_down(change: dict[str, Any], complaint: str) -> None:
    async with peer("2.2.1") as hub:
        tree = session("2.2.1", _token(hub)) | change
        assert await hub.code("PUT", "sessions/BE/BEC/S1", tree) == (200, 2001)
        assert [text for text in hub.emsp.complaints.texts() if complaint in text]
        assert hub.emsp.mirror.listed("sessions") == []


async def test_each_header_that_is_missing_is_a_complaint() -> None:
    async with peer("2.3.0") as hub:
        only = {"Authorization": hub.headers()["Authorization"]}
        await hub.send("PUT", "locations/BE/BEC/LOC1", location("2.3.0"), headers=only)
        complaints = "\n".join(hub.emsp.complaints.texts())
        assert all(name in complaints for name in ("X-Request-ID", "X-Correlation-ID", "OCPI-to", "OCPI-from"))


async def test_a_message_for_somebody_else_is_a_complaint() -> None:
    async with peer("2.2.1") as hub:
        headers = hub.headers() | {"OCPI-to-party-id": "ZZZ"}
        await hub.send("GET", "tokens", headers=headers)
        assert ["addressed to NL*ZZZ" in text for text in hub.emsp.complaints.texts()] == [True]


@pytest.mark.parametrize(("version", "shown"), [("2.2.1", "hub-token"), ("2.1.1", "aHViLXRva2Vu")])
async def test_a_token_in_the_form_of_another_version_is_not_let_in(version: str, shown: str) -> None:
    async with peer(version) as hub:
        headers = hub.headers() | {"Authorization": f"Token {shown}"}
        assert (await hub.send("GET", "tokens", headers=headers)).status_code == 401
        assert len(hub.emsp.complaints.texts()) == 1


async def test_the_registration_token_opens_no_functional_module() -> None:
    async with peer("2.1.1") as hub:
        _, invitation = hub.emsp.invite()
        headers = {"Authorization": f"Token {invitation}"}
        assert (await hub.send("GET", "tokens", headers=headers)).status_code == 401
        assert (await hub.send("GET", "credentials", headers=headers)).status_code == 200


async def test_the_answer_repeats_the_ids_and_turns_the_routing_round() -> None:
    async with peer("2.2.1") as hub:
        sent = hub.headers()
        answer = (await hub.send("GET", "tokens", headers=sent)).headers
        assert answer["x-request-id"] == sent["X-Request-ID"]
        assert (answer["ocpi-to-party-id"], answer["ocpi-from-party-id"]) == ("BEC", "EEE")


@pytest.mark.parametrize(
    ("method", "path", "tree", "expected"),
    [
        ("PATCH", "sessions/BE/BEC/S9", {"kwh": 1, "last_updated": LATER}, (404, 2000)),
        ("PATCH", "locations/BE/BEC/L9", {"name": "x", "last_updated": LATER}, (404, 2003)),
        ("PATCH", "sessions/BE/BEC/S9", {"kwh": 1}, (200, 2001)),
        ("PATCH", "tariffs/BE/BEC/T1", {"currency": "EUR"}, (405, 2000)),
        ("PUT", "sessions/BE/BEC/S1", b'{"id": NaN}', (400, 2001)),
        ("PUT", "sessions/BE/BEC/S1", b'{"id": 1, "id": 2}', (400, 2001)),
        ("GET", "cdrs/BE/BEC/none", None, (404, 2000)),
        ("POST", "credentials", {}, (405, 2000)),
    ],
)
async def test_what_cannot_be_is_answered_by_the_table(
    method: str, path: str, tree: Any, expected: tuple[int, int]
) -> None:
    async with peer("2.2.1") as hub:
        assert await hub.code(method, path, tree) == expected


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"last_updated": "2026-05-04T09:00:00Z"}, "last_updated goes back"),
        ({"kwh": Decimal(1), "last_updated": LATER}, "kwh falls"),
    ],
)
async def test_a_session_that_runs_backwards_is_a_complaint(change: dict[str, Any], complaint: str) -> None:
    async with peer("2.2.1") as hub:
        await hub.send("PUT", "sessions/BE/BEC/S1", session("2.2.1", _token(hub)))
        assert await hub.code("PATCH", "sessions/BE/BEC/S1", change) == (200, 1000)
        assert [complaint in text for text in hub.emsp.complaints.texts()] == [True]


async def test_a_completed_session_stays_as_it_is() -> None:
    async with peer("2.2.1") as hub:
        tree = session("2.2.1", _token(hub)) | {"status": "COMPLETED", "end_date_time": LATER}
        await hub.send("PUT", "sessions/BE/BEC/S1", tree)
        await hub.send("PUT", "sessions/BE/BEC/S1", tree)
        assert hub.emsp.complaints.texts() == []
        await hub.send("PUT", "sessions/BE/BEC/S1", tree | {"kwh": 2})
        assert ["COMPLETED Session was modified" in text for text in hub.emsp.complaints.texts()] == [True]


async def test_a_session_of_another_networks_driver_is_a_complaint() -> None:
    async with peer("2.2.1") as hub:
        stranger = _token(hub) | {"party_id": "OTH"}
        await hub.send("PUT", "sessions/BE/BEC/S1", session("2.2.1", stranger))
        assert ["not ours" in text for text in hub.emsp.complaints.texts()] == [True]


async def test_the_reference_of_an_authorization_must_come_back_in_the_cdr() -> None:
    async with peer("2.2.1") as hub:
        token = _token(hub)
        info = (await hub.send("POST", "tokens/012345678/authorize")).json()["data"]
        good = cdr("2.2.1", token) | {"auth_method": "AUTH_REQUEST"}
        await hub.send("POST", "cdrs", good | {"authorization_reference": info["authorization_reference"]})
        assert hub.emsp.complaints.texts() == []
        await hub.send("POST", "cdrs", good | {"id": "CDR2"})
        assert ["authorization_reference" in text for text in hub.emsp.complaints.texts()] == [True]


@pytest.mark.parametrize(
    ("uid", "version", "expected"),
    [
        ("good", "2.2.1", (200, 1000, "ALLOWED")),
        ("good", "2.1.1", (200, 1000, "ALLOWED")),
        ("blocked", "2.2.1", (200, 1000, "BLOCKED")),
        ("poor", "2.2.1", (200, 1000, "NO_CREDIT")),
        ("stranger", "2.2.1", (404, 2004, None)),
        ("stranger", "2.1.1", (404, 2000, None)),
        ("unsure", "2.2.1", (200, 2002, None)),
    ],
)
async def test_authorization_answers_as_it_was_told(
    uid: str, version: str, expected: tuple[int, int, str | None]
) -> None:
    async with peer(version) as hub:
        for known, valid in (("good", True), ("blocked", False), ("poor", True), ("unsure", True)):
            hub.emsp.add_token({"uid": known, "valid": valid})
        hub.emsp.drivers.verdicts.update({"poor": "NO_CREDIT", "unsure": "NEEDS_LOCATION"})
        response = await hub.send("POST", f"tokens/{uid}/authorize?type=RFID")
        tree = response.json()
        allowed = tree.get("data", {}).get("allowed")
        assert (response.status_code, tree["status_code"], allowed) == expected
        assert hub.emsp.complaints.texts() == []


async def test_a_uid_with_a_slash_is_one_uid() -> None:
    async with peer("2.2.1") as hub:
        hub.emsp.add_token({"uid": "04/AB"})
        assert await hub.code("POST", "tokens/04%2FAB/authorize") == (200, 1000)
        assert hub.emsp.receipts.all()[0].path.endswith("/tokens/04%2FAB/authorize")


async def test_tokens_are_listed_by_pages_that_link_to_the_next() -> None:
    async with peer("2.2.1") as hub:
        for number in range(5):
            hub.emsp.add_token({"uid": f"U{number}", "last_updated": f"2026-05-0{number + 1}T00:00:00Z"})
        first = await hub.send("GET", "tokens?limit=2&date_from=2026-05-02T00:00:00Z&date_to=2026-05-05T00:00:00Z")
        assert [t["uid"] for t in first.json()["data"]] == ["U1", "U2"]
        assert (first.headers["x-total-count"], first.headers["x-limit"]) == ("3", "100")
        following = first.headers["link"].split(">")[0].split("/2.2.1/")[1]
        second = await hub.send("GET", following)
        assert [t["uid"] for t in second.json()["data"]] == ["U3"]
        assert "link" not in second.headers
