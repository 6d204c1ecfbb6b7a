"""One form for every no, whatever went wrong; and nothing of the inside in it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hub.api.errors import TABLE, row_of
from hub.core import errors
from hub.core.errors import BusbarError
from tests.hub.house import HERE, OPERATOR_TOKEN, House


def _all(cls: type[BusbarError]) -> list[type[BusbarError]]:
    return [cls, *(each for child in cls.__subclasses__() for each in _all(child))]


ABSTRACT = {BusbarError, errors.RequestFault, errors.PeerFault}


def test_every_error_has_a_row() -> None:
    ours = [cls for cls in _all(BusbarError) if cls.__module__.startswith(("hub.", "modules.", "partners."))]
    assert [cls.__name__ for cls in ours if cls not in ABSTRACT and not set(cls.__mro__) & TABLE.keys()] == []


def test_every_row_is_a_refusal() -> None:
    assert all(400 <= row.http < 600 and row.code for row in TABLE.values())


def test_a_child_has_its_parents_row() -> None:
    assert row_of(errors.UnknownLocation()) == TABLE[errors.NotFound]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("PATCH", "/api/v1/partners", 405, "method_not_allowed"),
        ("GET", "/api/v1/partners/nobody", 404, "not_found"),
        ("GET", "/api/v1/locations?limit=0", 422, "invalid_request"),
        ("GET", "/api/v1/locations?limit=a", 422, "invalid_request"),
        ("GET", "/api/v1/locations?offset=-1", 422, "invalid_request"),
        ("GET", "/api/v1/locations?limit=1e20", 422, "invalid_request"),
        ("GET", f"/api/v1/locations?offset={10**30}", 422, "invalid_request"),
        ("GET", "/api/v1/stations?limit=abc", 422, "invalid_request"),
        ("GET", "/api/v1/sessions?statoin=CP1", 422, "invalid_request"),
        ("GET", "/api/v1/locations/D/BSB/LOC1", 422, "invalid_request"),
        ("GET", "/api/v1/locations/DE/BSB/%00", 422, "invalid_request"),
        ("GET", "/api/v1/locations/DE/BSB/%ff", 422, "invalid_request"),
        ("GET", f"/api/v1/locations/DE/BSB/{'x' * 256}", 422, "invalid_request"),
        ("GET", "/api/v1/sessions?date_from=yesterday", 422, "invalid_request"),
        ("GET", "/api/v1/sessions?partner=nobody", 404, "not_found"),
        ("POST", "/api/v1/partners/nobody/refused/x/resend", 422, "invalid_request"),
        ("POST", f"/api/v1/partners/nobody/refused/{'9' * 30}/resend", 404, "not_found"),
    ],
)
async def test_what_is_asked_wrongly_is_told_in_the_one_form(
    house: House, method: str, path: str, status: int, code: str
) -> None:
    told = await house.ask(method, path)
    assert (told.status, told.code) == (status, code), told.tree
    assert set(told.tree) == {"error"}
    assert told.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "unreadable"),
        (b"{", 400, "unreadable"),
        (b'{"name":"a","name":"b"}', 400, "unreadable"),
        (b'{"name":NaN}', 400, "unreadable"),
        (b"\xff", 400, "unreadable"),
        (b"[" * 40 + b"]" * 40, 400, "unreadable"),
        (b'{"name":"' + b"x" * 70_000 + b'"}', 413, "too_large"),
        (b"[]", 422, "invalid_request"),
        (b'{"name":"a/b","roles":[]}', 422, "invalid_request"),
        (b'{"name":"acme","rolls":[]}', 422, "invalid_request"),
        (b'{"name":"acme"}', 422, "invalid_request"),
    ],
)
async def test_a_body_that_is_no_invitation_is_refused(house: House, body: bytes, status: int, code: str) -> None:
    told = await house.ask("POST", "/api/v1/partners", body=body, headers={"Content-Type": "application/json"})
    assert (told.status, told.code) == (status, code)
    assert (await house.ask("GET", "/api/v1/partners")).tree["total"] == 0


async def test_a_body_of_another_kind_is_refused(house: House) -> None:
    told = await house.ask("POST", "/api/v1/partners", body=b"name=acme", headers={"Content-Type": "text/plain"})
    assert (told.status, told.code) == (415, "wrong_media_type")


async def test_a_refused_value_is_not_repeated(house: House) -> None:
    told = await house.ask("POST", "/api/v1/partners/acme/connect", {"versions_url": "http://x", "token": "s€cret"})
    assert told.status == 422
    assert "cret" not in str(told.tree)


async def test_slashes_that_mean_nothing_lead_nowhere_else(house: House) -> None:
    for path in ("/api/v1/partners/", "/api//v1/partners", "//api/v1///partners//"):
        told = await house.ask("GET", f"{HERE}{path}")
        assert (told.status, told.tree["total"]) == (200, 0), path


async def test_an_id_may_hold_a_slash(house: House) -> None:
    ask = {"contract_id": "C1"}
    assert (await house.ask("PUT", "/api/v1/tokens/DE/BSB/A%2FB", ask)).tree["uid"] == "A/B"
    assert (await house.ask("GET", "/api/v1/tokens/DE/BSB/A%2FB")).status == 200
    assert (await house.ask("GET", "/api/v1/tokens/DE/BSB/A/B")).status == 404


async def test_a_header_that_stands_twice_is_refused(house: House) -> None:
    headers = [("Authorization", f"Bearer {OPERATOR_TOKEN}"), ("Authorization", "Bearer other")]
    sent = await house.http.get("/api/v1/partners", headers=headers)
    assert (sent.status_code, sent.json()["error"]["code"]) == (400, "header_fault")


async def test_our_own_fault_says_nothing_about_itself(house: House) -> None:
    house.program.lanes.find = lambda name: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    await house.invite("acme")
    with capture_logs() as logs:
        told = await house.ask("GET", "/api/v1/partners")
    assert (told.status, told.code) == (500, "internal_error")
    assert [(entry["event"], entry["error"]) for entry in logs] == [("request failed", "ZeroDivisionError")]
    assert "division" not in str(told.tree)
