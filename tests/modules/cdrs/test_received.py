"""Received CDRs: each is checked, the result is kept, and the partner's policy says what follows."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.errors import Conflict, NotFound
from hub.core.inbound import parse
from hub.core.units import Document, Unit
from modules.cdrs import received, vetting
from modules.cdrs.check import Claim, Result
from modules.cdrs.store import CHECKS, RECEIVED, Passing, Standing, standing_put
from modules.cdrs.wire import CDR
from tests.modules.cdrs.check.records import but, moment, wired
from tests.modules.cdrs.check.test_check import hostile
from tests.modules.cdrs.check.test_mistakes import EVENING, HOURS
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

WRONG = but(HOURS, id="BAD", total=("6.00", "7.20"), fixed=("1.00", "1.20"))
LARGE = hostile(periods=100, elements=4, total="1.51")


async def bring(world: World, tree: dict[str, Any]) -> Document:
    """Post a CDR as c1. Returns: what is kept of it."""
    said = await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=wired(tree, world.version))
    assert said.code == 1000
    return await kept(world, tree["id"])


async def kept(world: World, cdr_id: str) -> Document:
    document = await world.store.get(RECEIVED, f"BE*AAA/{cdr_id.upper()}")
    assert document is not None
    return document


async def found(world: World, document: Document) -> Any:
    """What the check said; None where there was none yet."""
    check = await world.store.get(CHECKS, document.key)
    return parse(check.body, limit=2**20) if check is not None else None


def later(tree: dict[str, Any]) -> dict[str, Any]:
    """The same charge once more, an hour and a half later."""
    times = {"09:00": "10:30", "10:00": "11:30", "10:30": "12:00"}
    periods = [{**p, "start_date_time": moment(times[p["start_date_time"][11:16]])} for p in tree["charging_periods"]]
    ends = {"start_date_time": moment("10:30"), "end_date_time": moment("12:00")}
    return but(tree, **ends, charging_periods=periods, session_id="S2")


async def switch(world: World, **switches: str) -> None:
    partner = world.partner("c1")
    await world.registry.save(partner.model_copy(update={"switches": switches}))


async def actions(world: World) -> list[tuple[str, str, str]]:
    rows = await world.store.audit_rows(after=0, limit=1000)
    audits = [row.audit for row in rows]
    return [(audit.action, audit.subject, audit.detail) for audit in audits if audit.action.startswith("cdr.")]


async def test_a_right_cdr_is_checked_when_the_answer_leaves(world: World) -> None:
    document = await bring(world, HOURS)
    assert (document.columns["verdict"], document.columns["state"]) == ("right", Passing.FREE)
    assert (await found(world, document))["deviations"] == []


async def test_a_wrong_one_is_taken_and_diagnosed_right_after(world: World) -> None:
    document = await bring(world, WRONG)
    assert (document.columns["verdict"], document.columns["state"]) == ("", Passing.WAITING)
    await vetting.vet_waiting(world.hub)
    document = await kept(world, "BAD")
    assert (document.columns["verdict"], document.columns["state"]) == ("wrong", Passing.FREE)
    check = await found(world, document)
    assert {deviation["class"] for deviation in check["deviations"]} == {"flat_per_period"}
    async with world.unchanged():
        await vetting.vet_waiting(world.hub)


async def test_the_cdr_itself_is_not_touched_by_its_check(world: World) -> None:
    before = await bring(world, WRONG)
    await vetting.vet_waiting(world.hub)
    after = await kept(world, "BAD")
    assert after.body == before.body
    assert CDR["2.3.0"].read(parse(after.body, limit=2**20)).id == "BAD"


async def test_a_large_one_does_not_keep_the_answer_waiting(world: World) -> None:
    document = await bring(world, LARGE)
    assert document.columns["verdict"] == ""
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, LARGE["id"])).columns["verdict"] == "cannot_be_checked"


async def test_a_crash_between_taking_and_checking_is_made_good(world: World) -> None:
    """What a killed hub leaves behind is a CDR without a verdict: the next pass finds it."""
    for number in range(3):
        await bring(world, but(WRONG, id=f"BAD{number}"))
    await vetting.vet_waiting(world.hub)
    verdicts = [document.columns["verdict"] for document in await world.documents(RECEIVED)]
    assert verdicts == ["wrong"] * 3


async def test_a_check_that_breaks_does_not_keep_a_cdr_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(claim: Claim) -> Result:
        raise ZeroDivisionError

    monkeypatch.setattr(vetting, "glance", broken)
    monkeypatch.setattr(vetting, "check", broken)
    document = await bring(world, HOURS)
    assert document.columns["verdict"] == "cannot_be_checked"
    assert "failed" in (await found(world, document))["why"]


async def test_the_zone_is_that_of_the_location_if_we_know_it(world: World) -> None:
    document = await bring(world, EVENING)
    assert document.columns["verdict"] == "cannot_be_checked"
    assert "time zone" in (await found(world, document))["why"]


async def test_a_tolerance_is_the_partners_or_the_hubs(world: World) -> None:
    near = but(HOURS, total=("5.53", "6.63"))
    await bring(world, near)
    await vetting.vet_waiting(world.hub)
    await switch(world, cdr_tolerance="0.05")
    await bring(world, later(but(near, id="CDR2")))
    await vetting.vet_waiting(world.hub)
    verdicts = {d.columns["id"]: d.columns["verdict"] for d in await world.documents(RECEIVED)}
    assert verdicts == {"CDR1": "wrong", "CDR2": "within_tolerance"}


@pytest.mark.parametrize(
    ("policy", "state", "action"),
    [("accept", Passing.FREE, None), ("flag", Passing.FREE, "cdr.flagged"), ("hold", Passing.HELD, "cdr.withheld")],
)
async def test_a_policy_says_what_follows_from_a_wrong_one(
    world: World, policy: str, state: Passing, action: str | None
) -> None:
    await switch(world, cdr_policy=policy)
    await bring(world, HOURS)
    await bring(world, WRONG)
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR1")).columns["state"] == Passing.FREE
    assert (await kept(world, "BAD")).columns["state"] == state
    told = [(name, subject) for name, subject, _ in await actions(world) if name != "cdr.received"]
    assert told == ([(action, "BE*AAA/BAD")] if action else [])
    assert bool((await found(world, await kept(world, "BAD")))["held_because"]) == (policy == "hold")


async def test_what_cannot_be_checked_is_held_too(world: World) -> None:
    """Else a partner who is not trusted would leave the tariff out."""
    await switch(world, cdr_policy="hold")
    document = await bring(world, but(HOURS, tariffs=[]))
    assert (document.columns["verdict"], document.columns["state"]) == ("cannot_be_checked", Passing.HELD)


async def test_a_held_one_is_released_once(world: World) -> None:
    await switch(world, cdr_policy="hold")
    document = await bring(world, but(HOURS, tariffs=[]))
    await received.release(world.hub, document.key, actor="jo")
    document = await kept(world, "CDR1")
    assert (document.columns["verdict"], document.columns["state"]) == ("cannot_be_checked", Passing.RELEASED)
    assert ("cdr.released", "BE*AAA/CDR1", "") in await actions(world)
    async with world.unchanged():
        with pytest.raises(Conflict):
            await received.release(world.hub, document.key, actor="jo")
        with pytest.raises(NotFound):
            await received.release(world.hub, "BE*AAA/NONE", actor="jo")


def credit() -> dict[str, Any]:
    return but(HOURS, id="CDR1-C", credit=True, credit_reference_id="cdr1", total=("-5.50", "-6.60"))


async def test_a_credit_of_what_we_have_is_taken(world: World) -> None:
    await bring(world, HOURS)
    document = await bring(world, credit())
    assert (document.columns["verdict"], document.columns["state"]) == ("right", Passing.FREE)


async def test_a_credit_of_what_we_have_not_is_held_until_it_comes(world: World) -> None:
    document = await bring(world, credit())
    assert document.columns["state"] == Passing.HELD
    assert "not received" in (await found(world, document))["held_because"]
    await bring(world, HOURS)
    await vetting.vet_waiting(world.hub)
    document = await kept(world, "CDR1-C")
    assert (document.columns["verdict"], document.columns["state"]) == ("right", Passing.FREE)
    assert (await found(world, document))["held_because"] == ""


async def test_a_credit_that_came_at_the_same_moment_as_its_original_is_woken(world: World) -> None:
    document = await bring(world, credit())
    await bring(world, HOURS)
    await world.store.commit(
        Unit().put(standing_put(await kept(world, "CDR1-C"), Standing(state=Passing.HELD, verdict="right")))
    )
    await vetting.wake_credits(world.hub)
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, document.columns["id"])).columns["state"] == Passing.FREE
    async with world.unchanged():
        await vetting.wake_credits(world.hub)


async def test_what_a_policy_holds_is_not_woken(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await bring(world, HOURS)
    await bring(world, but(credit(), total=("-6.00", "-7.20")))
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR1-C")).columns["state"] == Passing.HELD
    async with world.unchanged():
        await vetting.wake_credits(world.hub)
        await vetting.vet_waiting(world.hub)


async def test_a_credit_of_another_amount_is_wrong(world: World) -> None:
    await bring(world, but(HOURS, total=("5.52", "6.62")))
    await bring(world, credit())
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR1-C")).columns["verdict"] == "wrong"


async def test_a_credit_for_another_partys_driver_is_wrong_and_held_until_an_operator_lets_it_go(world: World) -> None:
    """Nobody but the party that was billed has anything to take back. OCPI mod_cdrs_credit_cdrs: all data is copied."""
    await bring(world, HOURS)
    document = await bring(world, but(credit(), cdr_token={**HOURS["cdr_token"], "country_code": "DE"}))
    assert (document.columns["verdict"], document.columns["state"]) == ("wrong", Passing.HELD)
    check = await found(world, document)
    assert "another party" in check["held_because"]
    (told,) = check["deviations"]
    assert (told["figure"], told["class"]) == ("cdr_token.party_id", "credit")
    assert (told["claimed"], told["computed"]) == ("DE*EEE", "NL*EEE")
    async with world.unchanged():
        await vetting.wake_credits(world.hub)
    await received.release(world.hub, document.key, actor="operator")
    assert (await kept(world, "CDR1-C")).columns["state"] == Passing.RELEASED


async def test_a_credit_for_another_partys_driver_that_comes_before_its_original_stays_held(world: World) -> None:
    await bring(world, but(credit(), cdr_token={**HOURS["cdr_token"], "party_id": "FFF"}))
    await bring(world, HOURS)
    await vetting.vet_waiting(world.hub)
    document = await kept(world, "CDR1-C")
    assert (document.columns["verdict"], document.columns["state"]) == ("wrong", Passing.HELD)


async def test_of_two_credits_of_one_cdr_the_second_is_wrong(world: World) -> None:
    await bring(world, HOURS)
    await bring(world, credit())
    second = await bring(world, but(credit(), id="CDR1-D"))
    assert second.columns["verdict"] == "wrong"
    (told,) = (await found(world, second))["deviations"]
    assert (told["figure"], told["class"]) == ("credit_reference_id", "credit")
    assert "CDR1-C" in told["why"]
    await world.store.commit(Unit().put(standing_put(await kept(world, "CDR1-C"), Standing())))
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR1-C")).columns["verdict"] == "right"


async def test_a_check_that_was_overtaken_changes_nothing(world: World) -> None:
    document = await bring(world, WRONG)
    await vetting.vet(world.hub, document)
    async with world.unchanged():
        await vetting.vet(world.hub, document)


async def test_a_received_cdr_is_the_business_of_the_tokens_owner_alone(world: World) -> None:
    await bring(world, HOURS)
    for by, count in (("e1", 1), ("e2", 0)):
        assert len((await world.ask("GET", world.at("sender/cdrs"), by=by)).data) == count
    (row,) = [row for row in await world.store.changes(after=0, limit=100) if row.change.module == "cdrs"]
    assert row.change.audience == "NL*EEE"
    assert world.peers.sent == []


async def test_a_zone_that_is_none_is_as_none(world: World) -> None:
    claim = Claim(cdr=CDR["2.2.1"].read(wired(EVENING, "2.2.1")).tree(), version="2.2.1", time_zone="../../etc/passwd")
    assert claim.case().time_zone is None
