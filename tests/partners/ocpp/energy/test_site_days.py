"""Ten thousand dealt days: no limit is exceeded on any phase of any node at any time, and every ampere has a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.reasons import Held
from partners.ocpp.energy.shares import Allocation, Share
from tests.partners.ocpp.energy.played import Played
from tests.partners.ocpp.energy.referee import Flow, Referee
from tests.partners.ocpp.energy.site_days import SiteDay, dealt

DAYS = 10_000
BLOCKS = 10


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_limit_is_exceeded_and_every_ampere_has_a_reason(block: int) -> None:
    for seed in range(block, DAYS, BLOCKS):
        day = dealt(seed)
        for _, allocation in Played(day, Referee(day.site)).run():
            for share in allocation.shares:
                assert sum(each.ma for each in share.slices) == share.ma
                assert share.hold is not None


def test_what_is_said_to_hold_a_charge_really_does() -> None:
    kinds = set()
    for seed in range(DAYS, DAYS + 300):
        day = dealt(seed)
        referee = Referee(day.site)
        for facts, allocation in Played(day, referee).run():
            for share in allocation.shares:
                kinds.add(share.hold.why if share.hold is not None else None)
                assert is_true(day, referee, facts, allocation, share), (seed, allocation.begin, share)
    assert kinds >= set(Held) - {Held.PAUSE, Held.QUIET}, "some reason that comes up in an hour never did"


def is_true(day: SiteDay, referee: Referee, facts: Facts, allocation: Allocation, share: Share) -> bool:
    """Would a step more exceed the limit that is named, or what the EVSE, the vehicle or the wish allow?"""
    assert share.hold is not None
    evse, row = day.site.evse[share.evse], (share.hold.node or "", share.hold.phase)
    others = {each.evse: flow(each, each.then_ma) for each in allocation.shares}
    fixed = {each.evse: each.ma for each in allocation.reserved}
    charge = next(each for each in facts.charges if each.id == share.charge)
    match share.hold.why:
        case Held.LIMIT:
            calm = all(each.hold is None or each.hold.why is not Held.QUIET for each in allocation.shares)
            more = {**others, **fixed, share.evse: flow(share, share.then_ma + evse.step_ma)}
            return not calm or row in referee.over(facts, allocation.begin, more)
        case Held.TOO_LITTLE:
            alone = {**fixed, share.evse: flow(share, evse.least_ma)}
            return row in referee.over(facts, allocation.begin, alone)
        case Held.EVSE:
            return share.then_ma == evse.most_ma
        case Held.VEHICLE:
            return share.then_ma == charge.most_ma
        case Held.WISH:
            wish = charge.wish.at(allocation.begin)
            return wish is not None and share.then_ma <= wish < share.then_ma + max(evse.least_ma, evse.step_ma)
        case Held.OTHERS_FIRST:
            return share.ma < share.then_ma
        case _:
            return True


def flow(share: Share, ma: int) -> Flow:
    """`ma` on the phases of a share."""
    first, second, third = (ma if phase in share.phases else 0 for phase in (1, 2, 3))
    return first, second, third


def test_the_same_facts_give_the_same_shares_in_whatever_order_they_come() -> None:
    for seed in range(200):
        day = dealt(seed)
        for facts, allocation in Played(day, Referee(day.site)).run():
            again = allocate(day.site, facts.with_charges(*reversed(facts.charges)), day.rules, allocation.begin)
            assert {each.charge: each for each in again.shares} == {each.charge: each for each in allocation.shares}


def test_one_charge_more_never_makes_the_others_exceed_a_limit() -> None:
    for seed in range(300):
        day = dealt(seed, calm=True)
        for moment in day.moments[::4]:
            here = [replace(car.charge, told=None) for car in day.cars if car.here(moment)]
            for count in range(1, len(here) + 1):
                facts = Facts(tuple(here[:count]), limits=day.limits, loads=day.loads)
                shares = allocate(day.site, facts, day.rules, moment).shares
                drawn = {each.evse: flow(each, each.then_ma) for each in shares}
                alone = Referee(day.site).over(facts, moment, {})
                assert Referee(day.site).over(facts, moment, drawn) == alone


def test_the_referee_sees_a_hub_that_gives_too_much() -> None:
    caught = 0
    for seed in range(100):
        day = dealt(seed)
        bigger = tuple(replace(n, limit=replace(n.limit, ma=(99_000, 99_000, 99_000), mw=None)) for n in day.site.nodes)
        played = Played(replace(day, site=replace(day.site, nodes=bigger)), Referee(day.site))
        try:
            list(played.run())
        except AssertionError:
            caught += 1
    assert caught > 50
