"""Sessions, CDRs, transactions, reservations, changes and the audit log, and what they are narrowed to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.core.clock import timestamp
from hub.core.registry import State
from hub.core.units import Unit
from partners.sandbox.emsp import Emsp
from tests.hub.house import House
from tests.world import until


@pytest.fixture
async def busy(house: House) -> House:
    """Two partners; of the first a charge that goes on and one that ended, of the second one that ended elsewhere."""
    await house.furnish()
    await house.invite("acme", "NL*EEE")
    await house.invite("other", "NL*FFF")
    await house.charge(station="CP1", end=False)
    await house.charge(station="CP1")
    await house.charge(owner="NL*FFF", station="CP2")
    return house


LISTS = ("sessions", "transactions")


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 3),
        ("partner=acme", 2),
        ("partner=other", 1),
        ("station=CP1", 2),
        ("station=CP9", 0),
        ("open=true", 1),
        ("open=false", 2),
        ("open=false&partner=acme&station=CP1", 1),
        ("limit=1", 3),
    ],
)
async def test_a_list_is_narrowed(busy: House, kind: str, query: str, total: int) -> None:
    told = await busy.ask("GET", f"/api/v1/{kind}?{query}")
    assert told.tree["total"] == total
    assert len(told.tree["items"]) == min(total, 1 if "limit=1" in query else total)


@pytest.mark.parametrize("kind", LISTS)
async def test_a_list_begins_where_it_is_asked_to(busy: House, kind: str) -> None:
    now = busy.program.hub.clock.now()
    for hours, total in ((-3, 3), (3, 0)):
        since = timestamp(now + timedelta(hours=hours))
        assert (await busy.ask("GET", f"/api/v1/{kind}?date_from={since}")).tree["total"] == total, hours


async def test_one_session_is_shown_to_whoever_knows_its_id(busy: House) -> None:
    first = (await busy.ask("GET", "/api/v1/sessions")).tree["items"][0]
    told = await busy.ask("GET", f"/api/v1/sessions/DE/BSB/{first['id']}")
    assert told.tree == first
    assert (await busy.ask("GET", "/api/v1/sessions/DE/BSB/none")).status == 404


async def test_a_transaction_shows_what_was_frozen_only_when_it_is_asked_for(busy: House) -> None:
    first = (await busy.ask("GET", "/api/v1/transactions")).tree["items"][0]
    assert "tariffs" not in first
    whole = (await busy.ask("GET", f"/api/v1/transactions/{first['session_id']}")).tree
    assert whole["tariffs"][0]["id"] == "T1"
    assert (await busy.ask("GET", "/api/v1/transactions/none")).status == 404


async def test_a_cdr_is_shown_with_how_far_it_has_come(busy: House) -> None:
    told = (await busy.ask("GET", "/api/v1/cdrs?partner=acme")).tree
    assert told["total"] == 1
    assert told["items"][0]["audience"] == "NL*EEE"
    assert told["items"][0]["deliveries"] == []
    cdr = told["items"][0]["cdr"]
    assert (await busy.ask("GET", f"/api/v1/cdrs/DE/BSB/{cdr['id']}")).tree["cdr"] == cdr
    assert (await busy.ask("GET", "/api/v1/cdrs?station=CP2")).tree["items"][0]["audience"] == "NL*FFF"


async def test_a_connection_for_one_party_has_the_records_of_that_one_alone(busy: House) -> None:
    """Also in the lists of operators, and among those that a CDR is delivered to."""
    registry = busy.program.hub.registry
    for party, sessions, cdrs, delivered_to in (("BE*AAA", 0, 0, []), ("DE*BSB", 2, 1, ["acme"])):
        changed = {"represents": party, "state": State.CONNECTED}
        await registry.save(registry.get("acme").model_copy(update=changed))
        assert (await busy.ask("GET", "/api/v1/sessions?partner=acme")).tree["total"] == sessions
        assert (await busy.ask("GET", "/api/v1/cdrs?partner=acme")).tree["total"] == cdrs
        found = (await busy.ask("GET", "/api/v1/cdrs")).tree["items"]
        (cdr,) = (each for each in found if each["audience"] == "NL*EEE")
        assert [each["partner"] for each in cdr["deliveries"]] == delivered_to


async def test_a_cdr_says_why_it_costs_what_it_does(busy: House) -> None:
    cdr = (await busy.ask("GET", "/api/v1/cdrs?partner=acme")).tree["items"][0]["cdr"]
    told = await busy.ask("GET", f"/api/v1/cdrs/DE/BSB/{cdr['id']}/receipt")
    assert told.status == 200
    total = told.tree["figures"][-1]
    assert Decimal(total["before_taxes"]["rounded"]) == cdr["total_cost"]["before_taxes"]
    assert told.tree["policy"]["decimals"] == 4
    assert (await busy.ask("GET", "/api/v1/cdrs/DE/BSB/none/receipt")).status == 404


async def test_a_cdr_is_taken_back_once(busy: House) -> None:
    cdr = (await busy.ask("GET", "/api/v1/cdrs?partner=acme")).tree["items"][0]["cdr"]
    path = f"/api/v1/cdrs/DE/BSB/{cdr['id']}/credit"
    told = await busy.ask("POST", path)
    assert told.status == 201
    assert told.tree["credit_reference_id"] == cdr["id"]
    assert told.tree["total_cost"]["before_taxes"] == -cdr["total_cost"]["before_taxes"]
    assert (await busy.ask("POST", path)).status == 422
    checked = (await busy.ask("GET", f"/api/v1/cdrs/DE/BSB/{told.tree['id']}/check")).tree
    assert (checked["verdict"], checked["why"]) == ("right", "it takes back what was billed")
    receipt = (await busy.ask("GET", f"/api/v1/cdrs/DE/BSB/{told.tree['id']}/receipt")).tree
    assert receipt["credit_reference_id"] == cdr["id"]
    assert Decimal(receipt["figures"][-1]["before_taxes"]["rounded"]) == -cdr["total_cost"]["before_taxes"]
    assert (await busy.ask("POST", "/api/v1/cdrs/DE/BSB/none/credit")).status == 404


async def test_a_credit_that_a_version_cannot_say_is_held_and_says_why(serving: House) -> None:
    async with Emsp("2.1.1", "NL*EEE") as emsp:
        await serving.admit(emsp)
        await serving.furnish()
        await serving.charge()

        async def stands(at: int) -> tuple[str, str]:
            """The newest CDR is the first."""
            item = (await serving.ask("GET", "/api/v1/cdrs")).tree["items"][at]
            (delivery,) = item["deliveries"]
            return delivery["state"], delivery["why"]

        async def arrived() -> bool:
            return await stands(0) == ("delivered", "")

        async def is_held() -> bool:
            return (await stands(0))[0] == "held"

        await until(arrived)
        cdr = (await serving.ask("GET", "/api/v1/cdrs")).tree["items"][0]["cdr"]
        assert (await serving.ask("POST", f"/api/v1/cdrs/DE/BSB/{cdr['id']}/credit")).status == 201
        await until(is_held)
        assert (await stands(0))[1].startswith("a credit CDR cannot be said")
        assert await stands(1) == ("delivered", "")


async def test_a_cdr_that_was_refused_says_why(serving: House) -> None:
    async with Emsp("2.2.1", "NL*EEE") as emsp:
        await serving.admit(emsp)
        await serving.furnish()
        emsp.temper.switch("reject")
        await serving.charge()

        async def is_refused() -> bool:
            deliveries = (await serving.ask("GET", "/api/v1/cdrs")).tree["items"][0]["deliveries"]
            return [(each["state"], bool(each["why"])) for each in deliveries] == [("refused", True)]

        await until(is_refused)


async def test_a_held_bill_is_released_only_with_a_figure_that_was_asked_for(house: House) -> None:
    await house.furnish()
    session = await house.charge(kwh=2_147_483)
    path = f"/api/v1/sessions/{session}/bill"
    for unclear in (None, {}, {"kwh": 5, "as_metered": True}, {"as_metered": False}, {"kwh": None}):
        assert (await house.ask("POST", path, unclear)).status in (400, 422), unclear
    assert (await house.ask("GET", "/api/v1/cdrs")).tree["total"] == 0
    assert (await house.ask("POST", path, {"as_metered": True})).status == 200
    (issued,) = (await house.ask("GET", "/api/v1/cdrs")).tree["items"]
    assert issued["cdr"]["total_energy"] == 2_147_483


@pytest.mark.parametrize(
    ("way", "body", "kwh"),
    [
        ("transactions/{}/release", None, 10),
        ("transactions/{}/correct", {"kwh": 7.5}, 7.5),
        ("sessions/{}/bill", {"as_metered": True}, 10),
        ("sessions/{}/bill", {"kwh": 4}, 4),
    ],
)
async def test_what_was_credited_is_billed_anew_once(
    house: House, way: str, body: dict[str, object] | None, kwh: float
) -> None:
    await house.furnish()
    session = await house.charge()
    path = f"/api/v1/{way.format(session)}"

    async def bills() -> list[dict[str, object]]:
        """The newest first."""
        return [item["cdr"] for item in (await house.ask("GET", "/api/v1/cdrs")).tree["items"]]

    told = await house.ask("POST", path, body)
    assert (told.status, "busbar cdr credit" in str(told.tree)) == (422, True)
    (first,) = await bills()
    assert (await house.ask("POST", f"/api/v1/cdrs/DE/BSB/{first['id']}/credit")).status == 201
    told = await house.ask("POST", path, body)
    assert (told.status, told.tree["session_id"]) == (200, session)
    assert (await house.ask("POST", path, body)).status == 422
    anew, credit, _ = await bills()
    assert (anew["total_energy"], anew["session_id"], "credit" in anew) == (kwh, session, False)
    assert anew["id"] not in (first["id"], credit["id"])
    assert (await house.ask("GET", f"/api/v1/cdrs/DE/BSB/{anew['id']}/receipt")).status == 200


async def test_a_held_charge_is_released_corrected_or_dropped(house: House) -> None:
    await house.furnish()
    held = [await house.charge(kwh=2_147_483) for _ in range(3)]
    listed = (await house.ask("GET", "/api/v1/transactions?held=true")).tree["items"]
    assert [(item["session_id"], item["doubt"]) for item in listed] == [
        (session, "more energy than the connector can give") for session in reversed(held)
    ]
    end = timestamp(house.program.hub.clock.now() - timedelta(minutes=90))
    for verb, session, body in zip(
        ("release", "correct", "drop"), held, (None, {"kwh": 7.5, "end": end}, None), strict=True
    ):
        told = await house.ask("POST", f"/api/v1/transactions/{session}/{verb}", body)
        assert (told.status, told.tree["session_id"]) == (200, session), verb
        assert (await house.ask("POST", f"/api/v1/transactions/{session}/{verb}", body)).status == 422
    assert (await house.ask("GET", "/api/v1/transactions?held=true")).tree["total"] == 0
    bills = [item["cdr"] for item in (await house.ask("GET", "/api/v1/cdrs")).tree["items"]]
    assert [(bill["total_energy"], bill["end_date_time"] == end) for bill in bills] == [(7.5, True), (2_147_483, False)]
    sessions = (await house.ask("GET", "/api/v1/sessions")).tree["items"]
    assert [session["status"] for session in sessions] == ["INVALID", "COMPLETED", "COMPLETED"]
    actions = [row["action"] for row in (await house.ask("GET", "/api/v1/audit?limit=1000")).tree["items"]]
    assert [action for action in actions if action in ("cdr.released", "cdr.dropped")] == ["cdr.released"] * 2 + [
        "cdr.dropped"
    ]


async def test_why_a_bill_is_held_is_said_wherever_the_charge_or_its_session_is_shown(house: House) -> None:
    await house.furnish()
    billed, doubted = await house.charge(), await house.charge(kwh=2_147_483)
    assert (await house.ask("DELETE", "/api/v1/tariffs/DE/BSB/T1")).status == 200
    unpriced = await house.charge()
    why = {doubted: "more energy than the connector can give", unpriced: "its tariff is not here: T1"}
    for query in ("", "?held=true"):
        charges = (await house.ask("GET", f"/api/v1/transactions{query}")).tree["items"]
        sessions = (await house.ask("GET", f"/api/v1/sessions{query}")).tree["items"]
        assert {each["session_id"]: each["held_because"] for each in charges if "held_because" in each} == why
        assert {each["id"]: each["held_because"] for each in sessions if "held_because" in each} == why
    for session, reason in why.items():
        assert (await house.ask("GET", f"/api/v1/transactions/{session}")).tree["held_because"] == reason
        assert (await house.ask("GET", f"/api/v1/sessions/DE/BSB/{session}")).tree["held_because"] == reason
    assert "held_because" not in (await house.ask("GET", f"/api/v1/transactions/{billed}")).tree
    told = (await house.ask("POST", f"/api/v1/transactions/{unpriced}/drop")).tree
    assert (told["decided"], "held_because" in told) == ("dropped", False)
    assert "held_because" not in (await house.ask("GET", f"/api/v1/sessions/DE/BSB/{unpriced}")).tree


async def test_a_figure_that_cannot_be_changes_nothing(house: House) -> None:
    await house.furnish()
    session = await house.charge(kwh=2_147_483)
    before = await house.program.store.last_change()
    for wrong in (
        None,
        {},
        {"kwh": -1},
        {"kwh": "x"},
        {"kwh": 99_999},
        {"kwh": 5, "end": "soon"},
        {"kwh": 5, "end": "2019-01-01T00:00:00Z"},
        {"kwh": 5, "end": "2999-01-01T00:00:00Z"},
        {"kwh": 5, "as_metered": True},
    ):
        assert (await house.ask("POST", f"/api/v1/transactions/{session}/correct", wrong)).status in (400, 422), wrong
    viewer = house.token_of("viewer")
    for verb in ("release", "correct", "drop"):
        path = f"/api/v1/transactions/{session}/{verb}"
        assert (await house.ask("POST", path, {"kwh": 5}, token=viewer)).status == 403, verb
        said = {"kwh": 5} if verb == "correct" else None
        assert (await house.ask("POST", f"/api/v1/transactions/none/{verb}", said)).status == 404, verb
    assert await house.program.store.last_change() == before


async def test_what_is_passed_over_of_the_changes_is_the_newest(busy: House) -> None:
    every = (await busy.ask("GET", "/api/v1/changes?limit=1000")).tree["items"]
    assert (await busy.ask("GET", "/api/v1/changes?limit=2&offset=1")).tree["items"] == every[-3:-1]
    first = (await busy.ask("GET", f"/api/v1/changes?limit=2&offset={len(every) - 1}")).tree["items"]
    assert first == every[:1]
    assert (await busy.ask("GET", f"/api/v1/changes?offset={10**12}")).tree["items"] == []


async def test_of_a_log_whose_beginning_is_gone_the_parts_stay_what_they_were(busy: House) -> None:
    every = (await busy.ask("GET", "/api/v1/changes?limit=1000")).tree["items"]
    await busy.program.store.commit(Unit(cut=every[-4]["seq"]))
    for query, left in (
        ("limit=1000", every[-3:]),
        ("limit=2", every[-2:]),
        ("limit=2&offset=2", every[-3:-2]),
        ("limit=2&offset=3", []),
        ("limit=2&after=0", every[-3:-1]),
    ):
        assert (await busy.ask("GET", f"/api/v1/changes?{query}")).tree["items"] == left, query


async def test_reservations_are_listed(busy: House) -> None:
    for query in ("", "?open=true&station=CP1&partner=acme", "?date_from=2026-01-01T00:00:00Z"):
        assert (await busy.ask("GET", f"/api/v1/reservations{query}")).tree == {"items": [], "total": 0}


async def test_changes_are_followed_from_a_number_on(busy: House) -> None:
    newest = (await busy.ask("GET", "/api/v1/changes?limit=2")).tree
    assert [item["seq"] for item in newest["items"]] == [newest["last"] - 1, newest["last"]]
    first = (await busy.ask("GET", "/api/v1/changes?after=0&limit=1")).tree["items"]
    assert [(item["seq"], item["module"]) for item in first] == [(1, "tariffs")]
    sessions = (await busy.ask("GET", "/api/v1/changes?module=sessions&partner=other")).tree["items"]
    assert {item["audience"] for item in sessions} == {"NL*FFF"}


async def test_the_audit_log_shows_its_newest_rows(busy: House) -> None:
    for number in range(7):
        await busy.ask("PUT", f"/api/v1/tokens/DE/BSB/{number}", {"contract_id": "C1"})
    every = (await busy.ask("GET", "/api/v1/audit?after=0&limit=1000")).tree["items"]
    assert [row["seq"] for row in every] == list(range(1, len(every) + 1))
    newest = (await busy.ask("GET", "/api/v1/audit?limit=3")).tree["items"]
    assert newest == every[-3:]


async def test_an_intact_chain_says_so(busy: House) -> None:
    checked = (await busy.ask("GET", "/api/v1/audit/verify")).tree
    last = (await busy.ask("GET", "/api/v1/audit?limit=1")).tree["items"][0]
    assert checked == {"intact": True, "rows": last["seq"], "head": last["hash"], "broken_at": None}
