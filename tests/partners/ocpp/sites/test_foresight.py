"""Plans beside the loop, and what they say of each charge."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.rules import Policy
from partners.ocpp.sites.foresight import Foresight
from partners.ocpp.sites.form import SiteForm
from partners.ocpp.sites.register import Known
from tests.partners.ocpp.energy.garage import CALM, car, garage
from tests.partners.ocpp.energy.site_days import MORNING
from tests.partners.ocpp.sites.yard import grid

HOUR = timedelta(hours=1)


async def test_whom_a_plan_lets_wait_is_known_to_wait_and_whose_departure_nobody_knows_is_left_to_the_policy() -> None:
    rules = replace(CALM, policy=Policy.DEPARTURE)
    known = Known("yard", msgspec.convert(grid(16, "E0"), SiteForm, strict=False), garage(7000, 3), rules, {}, {})
    soon = car(0, wanted_wh=4000, departure=MORNING + HOUR)
    late = car(1, wanted_wh=4000, departure=MORNING + 9 * HOUR)
    facts, work = Facts((soon, late, car(2))), list[Coroutine[Any, Any, None]]()
    foresight = Foresight()
    assert foresight.into(known, facts, MORNING, begin=work.append, changed=lambda: None) == facts
    await work.pop()
    heeded = foresight.into(known, facts, MORNING, begin=work.append, changed=lambda: None)
    assert [(each.planned_ma, each.planned_later) for each in heeded.charges] == [
        (7000, True),
        (0, True),
        (None, False),
    ]
    assert work == []
