"""Modes, dirt, papers and the command line of the OICP partners."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from partners.sandbox.modes import MODES
from partners.sandbox.oicp.authority import Authority
from partners.sandbox.oicp.check import check
from partners.sandbox.oicp.dirt import Dirt
from partners.sandbox.oicp.samples import evse
from tests.partners.sandbox.oicp_yard import CARD, EVCO_ID, EVSE, UID, Yard, a_yard, told


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path) as made:
        await made.furnish()
        yield made


@pytest.mark.parametrize(
    ("mode", "http", "code"),
    [("auth-fail", 401, "017"), ("html-error", 403, ""), ("reject", 200, "009")],
)
async def test_a_mode_bends_every_answer(yard: Yard, mode: str, http: int, code: str) -> None:
    await told(yard.hub, "PUT", "mode", {"mode": mode})
    answer = await yard.cpo.grounds.push()
    assert (answer.http, answer.code) == (http, code)


async def test_a_mode_may_be_for_one_operation_and_for_one_time(yard: Yard) -> None:
    charge = await yard.cpo.tap(UID, EVSE)
    await told(yard.hub, "PUT", "mode", {"mode": "lost-reply", "only": ["ChargeDetailRecord"], "times": 1})
    assert (await yard.cpo.grounds.push()).is_yes
    with pytest.raises(httpx.TransportError):
        await yard.cpo.charges.record(charge)
    assert (await yard.cpo.charges.record(charge)).http == 404
    assert yard.hub.ledger.kept[charge.session]


async def test_half_are_turned_away_under_rate_limit_with_no_word_of_oicp(yard: Yard) -> None:
    yard.hub.temper.switch("rate-limit", seed=3)
    answers = [await yard.emp.errands.pull_status() for _ in range(20)]
    assert {(answer.http, answer.code) for answer in answers} == {(200, "000"), (429, "")}


async def test_the_admin_routes_know_all_modes_and_are_never_bent(yard: Yard) -> None:
    for mode in MODES:
        assert await told(yard.emp, "PUT", "mode", {"mode": mode}) == {"mode": mode}
    assert (await told(yard.emp, "GET", "state"))["hub"] == yard.hub.url
    assert [each["outcome"] for each in await told(yard.hub, "GET", "receipts")] == ["answered", "answered"]
    assert await told(yard.hub, "GET", "complaints") == []


async def test_everything_can_be_done_by_the_admin_routes(yard: Yard) -> None:
    await told(yard.emp, "POST", "cards", {"evco_id": "DE-EEE-C00000002-6", "uid": "04A1B2C4"})
    await told(yard.cpo, "POST", "evses", {"action": "insert", "evses": [{"EvseID": "DE*ABC*E2"}]})
    await told(yard.cpo, "POST", "statuses", {"action": "insert", "statuses": {"DE*ABC*E2": "Available"}})
    allowed = await told(yard.cpo, "POST", "authorize", {"uid": "04A1B2C4", "evse": "DE*ABC*E2"})
    session = allowed["session"]
    assert (await told(yard.cpo, "POST", "notify", {"session": session, "kind": "Error"}))["code"] == "000"
    assert (await told(yard.cpo, "POST", "charge", {"session": session, "kwh": "3.5"}))["code"] == "000"
    assert (await told(yard.cpo, "POST", "record", {"session": session}))["http"] == 404
    assert (await told(yard.emp, "POST", "pull", {}))["evses"] == 2
    assert (await told(yard.emp, "POST", "pull-status", {"operators": ["DE*ABC"]}))["code"] == "000"
    (record,) = (await told(yard.emp, "POST", "pull-records", {}))["records"]
    assert record["ConsumedEnergy"] == 3.5
    remote = {"doing": "start", "EvseID": EVSE, "evco_id": EVCO_ID}
    assert (await told(yard.emp, "POST", "remote", remote))["answer"]["Result"] is True
    raw = {"operation": "AuthorizeStart", "body": {"nonsense": 1}}
    assert (await told(yard.cpo, "POST", "raw", raw))["http"] == 400
    assert (await told(yard.cpo, "GET", "state"))["charges"][0]["state"] == "over"


async def test_another_hub_than_the_known_one_is_not_listened_to(yard: Yard) -> None:
    stranger = yard.authority.issue("stranger")
    async with httpx.AsyncClient(verify=stranger.for_calling(), trust_env=False) as client:
        answer = await client.post(f"{yard.emp.url}/charging/v21/operators/DE*ABC/authorize/start", json={})
    assert (answer.status_code, answer.json()["StatusCode"]["Code"]) == (401, "017")
    assert yard.emp.complaints.texts()


async def test_a_certificate_that_is_over_lets_nobody_in(yard: Yard) -> None:
    over = yard.authority.issue("over", valid_for=timedelta(days=-1))
    async with httpx.AsyncClient(verify=over.for_calling(), trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(yard.hub.url, json={})


def test_an_authority_comes_back_from_its_files_and_its_keys_are_private(tmp_path: Path) -> None:
    first = Authority(tmp_path)
    papers = Authority(tmp_path).issue("emp")
    assert papers.root == first.root
    assert papers.for_serving(asks=True)
    assert papers.key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("dirt", "seen"),
    [
        ({"spellings": True}, {"ChargingStationId": "Yard 1", "GeoCoordinates": {"Google": "53.543611 9.988889"}}),
        ({"nulls": True}, {"SubOperatorName": None, "deltaType": None}),
        ({"texts": True}, {"IsOpen24Hours": "true", "RenewableEnergy": "true"}),
    ],
)
def test_dirt_is_a_breach_and_cleaning_up_ends_it(dirt: dict[str, Any], seen: dict[str, Any]) -> None:
    record = evse({"EvseID": EVSE})
    dirty = Dirt()
    dirty.settle(**dirt)
    assert dirty.bend(record).items() >= seen.items()
    assert check("EvseDataRecord", dirty.bend(record))
    dirty.settle()
    assert dirty.bend(record) == record


async def test_wrong_records_lie_among_the_right_ones_which_are_all_there(yard: Yard) -> None:
    await told(yard.hub, "PUT", "dirt", {"wrong": 3})
    await yard.emp.errands.pull_data()
    assert [record["EvseID"] for record in yard.emp.errands.places.listed()] == [EVSE]
    assert len(yard.emp.complaints.texts()) > 3


async def test_receipts_outlive_the_process(tmp_path: Path) -> None:
    log = tmp_path / "hub.receipts"
    async with a_yard(tmp_path / "papers", receipts=log) as yard:
        await yard.furnish()
        await yard.cpo.authorize(CARD, EVSE)
    paths = [json.loads(line)["path"] for line in log.read_text().splitlines()]
    assert paths[-1].endswith("/charging/v21/operators/DE%2AABC/authorize/start")
    assert UID in log.read_text()


def test_the_command_line_makes_papers_and_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "partners.sandbox"]
    made = subprocess.run([*command, "oicp-authority", tmp_path, "emp"], capture_output=True, check=True)
    assert json.loads(made.stdout)["fingerprint"]
    papers = [f"--ca={tmp_path}/ca.pem", f"--certificate={tmp_path}/emp.pem", f"--key={tmp_path}/none.key"]
    failed = subprocess.run([*command, "oicp-emp", *papers], capture_output=True, check=False)
    assert (failed.returncode, failed.stderr) == (1, b"")
    assert json.loads(failed.stdout)["error"].startswith("FileNotFoundError")
