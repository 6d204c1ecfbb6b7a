"""What chargers are told for longer than a moment."""

from __future__ import annotations

from datetime import timedelta

from partners.ocpp.energy.ahead import Period, allocate_ahead, followed, periods
from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.planning import plan
from partners.ocpp.energy.site import Limit
from partners.ocpp.energy.timeline import Steps
from tests.partners.ocpp.energy.garage import CALM, at_once, car, each_phase, garage
from tests.partners.ocpp.energy.site_days import MORNING

MINUTE = timedelta(minutes=1)


def test_a_limit_that_will_fall_is_told_ahead() -> None:
    falls = {"grid": Steps(Limit(), ((MORNING + 20 * MINUTE, Limit(each_phase(10_000))),))}
    facts = Facts((car(0),), limits=falls)
    found = allocate_ahead(garage(32_000, 1), facts, CALM, MORNING, MORNING + 40 * MINUTE)
    assert periods(found, "C0") == (
        Period(MORNING, MORNING + 20 * MINUTE, 32_000),
        Period(MORNING + 20 * MINUTE, MORNING + 50 * MINUTE, 10_000),
    )


def test_what_follows_a_plan_serves_what_the_plan_promised() -> None:
    soon = car(0, wanted_wh=20_000, departure=MORNING + 60 * MINUTE)
    late = car(1, wanted_wh=20_000, departure=MORNING + 180 * MINUTE)
    site, facts, end = garage(32_000, 2), Facts((soon, late)), MORNING + 180 * MINUTE
    planned = plan(site, facts, CALM, MORNING, end)
    charges = {charge.id: charge for charge in facts.charges}
    for allocation in allocate_ahead(site, facts, CALM, MORNING, end, planned):
        for share in allocation.shares:
            until = min(allocation.until, planned.next_after(allocation.begin) or allocation.until, end)
            charges[share.charge] = followed(site, charges[share.charge], share, until)
    assert {name: charge.wanted_wh for name, charge in charges.items()} == {"C0": 0, "C1": 0}


def test_a_charge_that_takes_what_it_was_told_wants_less_afterwards() -> None:
    site, charge = garage(16_000, 1), car(0, wanted_wh=11_040)
    share = at_once(site, charge).of("C0")
    later = followed(site, charge, share, MORNING + 30 * MINUTE)
    assert (later.wanted_wh, later.told, later.turn) == (5520, share.told, share.turn)
