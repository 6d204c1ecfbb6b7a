"""Webhooks over the management API: what is asked for is checked, a secret goes in and never comes out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub.house import House

PATH = "/api/v1/webhooks"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/alerts/a-token-in-a-path"


async def test_a_secret_that_was_given_is_never_shown(house: House) -> None:
    added = await house.ask("POST", PATH, {"url": URL, "secret": SECRET, "rules": ["offline"], "severities": ["high"]})
    assert (added.status, added.tree["signed"], added.tree["rules"]) == (201, True, ["offline"])
    listed = await house.ask("GET", PATH)
    audit = await house.ask("GET", "/api/v1/audit")
    (row,) = [row for row in audit.tree["items"] if row["action"] == "webhook.added"]
    assert (row["subject"], row["detail"]) == (added.tree["id"], "hooks.example.com")
    for told in (added, listed, audit):
        assert SECRET not in str(told.tree)
    (stored,) = await house.program.webhooks.all()
    assert SECRET not in str(stored)


async def test_a_secret_that_we_make_is_shown_once(house: House) -> None:
    added = await house.ask("POST", PATH, {"url": URL, "sign": True})
    assert added.tree["secret"].startswith("whsec_")
    assert added.tree["secret"] not in str((await house.ask("GET", PATH)).tree)


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        ({}, "/url"),
        ({"url": "https://169.254.169.254/"}, "/url"),
        ({"url": "ftp://hooks.example.com/"}, "/url"),
        ({"url": URL, "rules": ["offline", "on fire"]}, "there is no rule on fire"),
        ({"url": URL, "severities": ["extreme"]}, "/severities/0"),
        ({"url": URL, "secret": "short"}, "/secret"),
        ({"url": URL, "secret": SECRET, "sign": True}, "/sign"),
        ({"url": URL, "color": "red"}, "/color"),
    ],
)
async def test_what_is_odd_is_told_and_changes_nothing(house: House, ask: Any, word: str) -> None:
    told = await house.ask("POST", PATH, ask)
    assert told.status == 422
    assert word in told.tree["error"]["message"]
    assert (await house.ask("GET", PATH)).tree == {"items": [], "total": 0}


async def test_a_url_is_told_once(house: House) -> None:
    assert (await house.ask("POST", PATH, {"url": URL})).status == 201
    assert (await house.ask("POST", PATH, {"url": URL})).status == 409


async def test_what_was_removed_is_gone(house: House) -> None:
    webhook = (await house.ask("POST", PATH, {"url": URL})).tree
    assert (await house.ask("DELETE", f"{PATH}/{webhook['id']}")).tree == {"deleted": webhook["id"]}
    assert (await house.ask("GET", PATH)).tree["total"] == 0
    for method, tail in (("DELETE", ""), ("POST", "/test"), ("POST", "/enable"), ("POST", "/disable")):
        assert (await house.ask(method, f"{PATH}/{webhook['id']}{tail}")).status == 404


async def test_a_test_says_why_it_failed(house: House) -> None:
    webhook = (await house.ask("POST", PATH, {"url": "http://127.0.0.1:9/hook"})).tree
    told = await house.ask("POST", f"{PATH}/{webhook['id']}/test")
    assert (told.status, told.tree["delivered"], told.tree["status"]) == (200, False, None)
    assert told.tree["error"] == "127.0.0.1: no connection"
