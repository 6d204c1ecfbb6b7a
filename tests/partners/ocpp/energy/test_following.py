"""A plan that is followed: each moment is allocated by itself, with turns and calm, and the energy still comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from partners.ocpp.energy.ahead import followed
from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.planning import Plan, plan
from partners.ocpp.energy.rules import Policy, Rules
from tests.partners.ocpp.energy.optimum import EVENING, best_kwh
from tests.partners.ocpp.energy.site_days import MORNING, SiteDay, dealt

RULES = Rules(policy=Policy.DEPARTURE, reserves_idle=False)
QUARTER = timedelta(minutes=15)


def moments(day: SiteDay, planned: Plan) -> list[datetime]:
    """Whenever something changes, and every quarter of an hour."""
    found = {MORNING + number * QUARTER for number in range(97)} | {slot.begin for slot in planned.slots}
    found |= {moment for steps in (*day.limits.values(), *day.loads.values()) for moment, _ in steps.changes}
    found |= {moment for car in day.cars for moment in (car.charge.arrival, car.leaves)}
    return sorted(moment for moment in found if MORNING <= moment <= EVENING)


def energy_kwh(day: SiteDay) -> float:
    """What is served when the morning's plan is followed; who is told to rise does so when the others have fallen."""
    charges = {car.charge.id: car.charge for car in day.cars}
    facts = Facts(tuple(charges.values()), limits=day.limits, loads=day.loads)
    planned = plan(day.site, facts, RULES, MORNING, EVENING)
    for begin, end in pairwise(moments(day, planned)):
        for until in (begin, end):
            here = [charges[car.charge.id] for car in day.cars if car.here(begin)]
            allocation = allocate(day.site, planned.into(facts.with_charges(*here), begin), RULES, begin)
            for share in allocation.shares:
                charges[share.charge] = followed(day.site, charges[share.charge], share, until)
    return sum((car.charge.wanted_wh or 0) - (charges[car.charge.id].wanted_wh or 0) for car in day.cars) / 1000


def test_following_a_plan_moment_by_moment_serves_within_three_percent_of_the_optimum() -> None:
    days = [dealt(seed, calm=True) for seed in range(60)]
    assert sum(map(energy_kwh, days)) >= 0.97 * sum(map(best_kwh, days))
