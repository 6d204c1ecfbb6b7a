"""What to tell chargers for longer than one moment: the allocations to come, as far as limits and wishes are known.

A charger that was told ahead keeps a limit that falls at six even when the hub is away at six. Each allocation is
worked out from the facts as they would be had all been told the one before, and taken what they were given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.planning import Plan
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.shares import Allocation, Share
from partners.ocpp.energy.site import Site
from partners.ocpp.energy.units import UJ_PER_WH, together_mv


@dataclass(frozen=True, slots=True)
class Period:
    """A current on each phase, from `begin` until `until`: a period of a charging schedule."""

    begin: datetime
    until: datetime
    ma: int


def allocate_ahead(
    site: Site, facts: Facts, rules: Rules, now: datetime, until: datetime, plan: Plan | None = None
) -> tuple[Allocation, ...]:
    """The allocation at `now` and those to come, one each time that something known of changes, before `until`."""
    found: list[Allocation] = []
    at = now
    while at < until:
        planned = facts if plan is None else plan.into(facts, at)
        allocation = allocate(site, planned, rules, at)
        found.append(allocation)
        change = plan.next_after(at) if plan is not None else None
        ends = min(allocation.until, until, *([change] if change is not None else ()))
        facts = facts.with_charges(*_followed(site, facts.charges, allocation, rules, ends))
        at = ends
    return tuple(found)


def periods(allocations: Iterable[Allocation], charge: str) -> tuple[Period, ...]:
    """What `charge` is to be told, equal neighbours joined."""
    found: list[Period] = []
    for allocation in allocations:
        share = allocation.of(charge)
        if found and found[-1].ma == share.ma:
            found[-1] = replace(found[-1], until=share.until)
        else:
            if found:
                found[-1] = replace(found[-1], until=share.begin)
            found.append(Period(share.begin, share.until, share.ma))
    return tuple(found)


def _followed(
    site: Site, charges: Iterable[Charge], allocation: Allocation, rules: Rules, until: datetime
) -> Iterable[Charge]:
    shares = {share.charge: share for share in allocation.shares}
    for charge in charges:
        share = shares.get(charge.id)
        yield charge if share is None else followed(site, charge, share, until)


def followed(site: Site, charge: Charge, share: Share, until: datetime) -> Charge:
    """`charge` at `until`, had it been told `share` and taken it all."""
    told = share.told if share.tell else charge.told
    wanted = charge.wanted_wh
    if wanted is not None:
        uw = share.ma * together_mv(site.volts_mv, share.phases)
        taken_uj = uw * ((until - share.begin) // timedelta(microseconds=1)) // 10**6
        wanted = max(wanted - taken_uj // UJ_PER_WH, 0)
    return replace(charge, told=told, turn=share.turn, wanted_wh=wanted)
