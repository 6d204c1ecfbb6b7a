"""What the OICP hub refuses, and with which words: who speaks, whose EVSE, what may be changed, what is believed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from partners.sandbox.oicp.authority import Authority
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.wire import moment
from partners.sandbox.wire import encode
from tests.partners.sandbox.oicp_yard import CARD, EVCO_ID, EVSE, UID, Yard, a_yard, told
from tests.world import until


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path) as made:
        await made.furnish(EVSE, "DE*ABC*E2")
        yield made


def known(yard: Yard) -> set[str]:
    return {record["EvseID"] for record in yard.hub.state()["evses"]}


async def test_nobody_gets_in_without_a_certificate_of_the_authority(yard: Yard, tmp_path: Path) -> None:
    theirs = Authority(tmp_path / "other").issue("stranger")
    stranger = Papers(yard.authority.root, theirs.certificate, theirs.key)
    for verify in (ssl.create_default_context(cafile=yard.authority.root), stranger.for_calling()):
        async with httpx.AsyncClient(verify=verify, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{yard.hub.url}/evsepush/v23/operators/DE*ABC/data-records", content=b"{}")
    assert len(yard.hub.receipts.all()) == 2


async def test_a_certificate_speaks_for_its_own_id_only(yard: Yard) -> None:
    answer = await yard.cpo.line.ask(yard.hub.url, "PushEvseStatus", "DE*XYZ", {"ActionType": "fullLoad"})
    assert (answer.http, answer.code, "Result" in answer.tree) == (401, "017", False)
    tree = {"OperatorID": "DE*XYZ", "Identification": CARD}
    assert (await yard.cpo.ask("AuthorizeStart", tree)).code == "017"
    notice = {"Type": "Start", "OperatorID": "DE*XYZ", "SessionID": "a" * 8 + "-aaaa" * 3 + "-" + "a" * 12}
    notice |= {"EvseID": EVSE, "ChargingStart": moment()}
    assert (await yard.cpo.ask("ChargingNotification", notice)).code == "017"
    assert yard.hub.receipts.all()[-1].certificate == yard.cpo.papers.fingerprint


async def test_a_locked_partner_and_one_without_contract_are_told_apart(yard: Yard) -> None:
    for how, code in (({"locked": True}, "017"), ({"without": ["AuthorizeStart"]}, "210")):
        yard.join("CPO", "DE*ABC", yard.cpo.papers, url=yard.cpo.url, **how)
        assert (await yard.cpo.authorize(CARD, EVSE)).code == code
    yard.join("CPO", "DE*ABC", yard.cpo.papers, url=yard.cpo.url, without=["DE-EEE"])
    assert (await yard.cpo.authorize(CARD, EVSE)).code == "102"
    assert (await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID)).code == "210"


@pytest.mark.parametrize(
    ("action", "evses"),
    [
        ("insert", ["DE*ABC*E3", EVSE]),
        ("update", [EVSE, "DE*ABC*E3"]),
        ("delete", [EVSE, "DE*ABC*E3"]),
        ("fullLoad", ["DE*ABC*E3", "DE*ABC*E3"]),
    ],
)
async def test_a_push_is_taken_whole_or_not_at_all(yard: Yard, action: str, evses: list[str]) -> None:
    refused = await yard.cpo.grounds.push(action, [{"EvseID": name} for name in evses])
    assert refused.code == "009"
    assert known(yard) == {EVSE, "DE*ABC*E2"}


async def test_an_empty_full_load_clears_everything(yard: Yard) -> None:
    assert (await yard.cpo.grounds.push("fullLoad", [])).is_yes
    assert known(yard) == set()


async def test_evses_of_others_are_refused_unless_they_are_of_a_sub_operator(yard: Yard) -> None:
    assert (await yard.cpo.grounds.push("insert", [{"EvseID": "DE*SUB*E1"}])).code == "018"
    yard.join("CPO", "DE*ABC", yard.cpo.papers, url=yard.cpo.url, takes=["DE*SUB"])
    assert (await yard.cpo.grounds.push("insert", [{"EvseID": "DE*SUB*E1"}])).is_yes


async def test_an_evse_belongs_to_the_nearest_of_those_who_may_name_it(yard: Yard) -> None:
    yard.join("CPO", "DE*BIG", yard.cpo.papers, takes=["*"])
    owners = [yard.hub.members.owner_of("CPO", name) for name in (EVSE, "FR*XYZ*E1")]
    assert [owner.party for owner in owners if owner] == ["DE*ABC", "DE*BIG"]


async def test_status_without_data_is_refused(yard: Yard) -> None:
    assert (await yard.cpo.grounds.push_status("update", {"DE*ABC*E9": "Available"})).code == "009"


async def test_pushes_that_overlap_are_refused(yard: Yard) -> None:
    await told(yard.hub, "PUT", "rules", {"push_takes": 0.2})
    answers = await asyncio.gather(*(yard.cpo.grounds.push() for _ in range(2)))
    assert sorted(answer.code for answer in answers) == ["000", "009"]


async def test_cards_of_another_provider_are_not_taken(yard: Yard) -> None:
    foreign = {"RFIDIdentification": {"UID": "0BADCAFE", "EvcoID": "DE-XYZ-C00000001-5", "RFID": "nfc"}}
    assert (await yard.emp.errands.push_cards("insert", [foreign])).code == "019"


async def test_a_record_is_taken_once(yard: Yard) -> None:
    charge = await yard.cpo.tap(UID, EVSE)
    assert (await yard.cpo.charges.record(charge)).is_yes
    again = await yard.cpo.charges.record(charge)
    assert (again.http, again.code, again.tree["Result"]) == (404, "400", False)
    assert (await yard.cpo.authorize_stop(charge.session)).code == "400"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"ConsumedEnergy": 1001}, "022"),
        ({"SessionEnd": moment(datetime.now(UTC) + timedelta(days=1))}, "022"),
        ({"ConsumedEnergy": -1}, "022"),
        ({"MeterValueStart": 9, "MeterValueEnd": 8}, "022"),
        ({"SignedMeteringValues": [{"SignedMeteringValue": "abc", "MeteringStatus": "Start"}]}, "022"),
        ({"EvseID": "DE*XYZ*E1"}, "018"),
        ({"SessionID": "b2688855-7f00-0002-6d8e-48d883f6abb6"}, "400"),
    ],
)
async def test_records_that_cannot_be_true_are_refused(yard: Yard, what: dict[str, Any], code: str) -> None:
    charge = await yard.cpo.tap(UID, EVSE)
    assert (await yard.cpo.charges.record(charge, **what)).code == code
    assert yard.hub.ledger.kept == {}


async def test_progress_is_told_every_five_minutes_at_most(yard: Yard) -> None:
    charge = await yard.cpo.tap(UID, EVSE)
    codes = [(await yard.cpo.charges.notify(charge, "Progress", share=share)).code for share in (0.2, 0.3, 0.4)]
    assert codes == ["000", "022", "000"]


async def test_what_is_no_message_of_oicp_gets_its_faults_named(yard: Yard) -> None:
    answer = await yard.cpo.ask("AuthorizeStart", {"OperatorID": "DE*ABC", "Identification": {}, "EvseID": "de*abc*e1"})
    assert answer.http == 400
    assert [fault["fieldReference"] for fault in answer.tree["validationErrors"]] == ["EvseID", "Identification"]


async def test_the_fifth_of_four_requests_a_minute_is_too_many(yard: Yard) -> None:
    await told(yard.hub, "PUT", "rules", {"limits": {"PullEvseStatus": 4}})
    answers = [await yard.emp.errands.pull_status() for _ in range(5)]
    assert [answer.http for answer in answers] == [200] * 4 + [429]


async def test_who_does_not_answer_in_time_did_not_say_yes(yard: Yard) -> None:
    await told(yard.hub, "PUT", "rules", {"authorize_timeout": 0.1, "cpo_timeout": 0.1})
    await told(yard.emp, "PUT", "delay", {"seconds": 0.5})
    assert (await yard.cpo.authorize(CARD, EVSE)).code == "310"
    await told(yard.cpo, "PUT", "manners", {"delay": 0.5})
    assert (await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID)).code == "310"
    assert yard.hub.ledger.sessions == {}


async def test_a_record_that_the_emp_does_not_take_is_found_by_asking(yard: Yard) -> None:
    charge = await yard.cpo.tap(UID, EVSE)
    await told(yard.emp, "PUT", "mode", {"mode": "html-error"})
    assert (await yard.cpo.charges.record(charge)).is_yes
    await until(lambda: yard.hub.ledger.kept[charge.session].outcome)
    assert yard.hub.ledger.kept[charge.session].outcome == "ValidationError"
    _, records = await yard.emp.errands.records(CDRForwarded=False, OperatorID=["DE*ABC"])
    assert [record["SessionID"] for record in records] == [charge.session]


async def test_coordinates_come_in_the_form_that_is_asked_for(yard: Yard) -> None:
    forms: dict[str, Any] = {}
    for form in ("Google", "DecimalDegree", "DegreeMinuteSeconds"):
        await yard.emp.errands.pull_data(GeoCoordinatesResponseFormat=form)
        forms |= yard.emp.errands.places.listed()[0]["GeoCoordinates"]
    assert forms["Google"] == {"Coordinates": "53.543611 9.988889"}
    assert forms["DecimalDegree"] == {"Latitude": "53.543611", "Longitude": "9.988889"}
    assert forms["DegreeMinuteSeconds"] == {"Latitude": "53°32'37.00''", "Longitude": "9°59'20.00''"}
    assert yard.emp.complaints.texts() == []


async def test_a_plus_in_an_operator_id_survives_the_way(yard: Yard) -> None:
    yard.join("CPO", "+49*810", yard.cpo.papers)
    url = f"{yard.hub.url}/charging/v21/operators/+49*810/authorize/start"
    tree = {"OperatorID": "+49*810", "Identification": CARD}
    async with httpx.AsyncClient(verify=yard.cpo.papers.for_calling(), trust_env=False) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(url, content=encode(tree), headers=headers)
    assert answer.json()["AuthorizationStatus"] == "Authorized"
    assert answer.headers["process-id"]
