"""`kill -9` of the hub while a charger of 2.x tells of a charge: what was acknowledged is billed, once."""

from __future__ import annotations

import pytest

from tests.walks.site import Site
from tests.walks.test_crashes import assert_billed_once, crash_at, crash_at_start
from tests.walks.test_taps import assert_nobody_complains

VERSIONS = ("2.0.1", "2.1")


@pytest.mark.parametrize(
    ("failpoint", "ocpp"),
    [
        ("ocpp.in.before_commit", "2.0.1"),
        ("ocpp.in.after_commit", "2.1"),
        ("ocpp.in.before_reply", "2.0.1"),
        ("cdr.create.before_commit", "2.1"),
        ("cdr.create.after_commit", "2.0.1"),
    ],
)
async def test_a_hub_killed_at_the_end_of_a_charge_of_2_x_bills_it_once(site: Site, failpoint: str, ocpp: str) -> None:
    emsp = site.emsps["2.2.1"]

    crashed = await crash_at(site, emsp, f"{failpoint}=kill", ocpp=ocpp)

    assert crashed.unanswered
    await assert_billed_once(site, emsp, crashed.token, "10")
    assert_nobody_complains(site)


@pytest.mark.parametrize("ocpp", VERSIONS)
async def test_a_hub_killed_before_it_answered_a_start_of_2_x_knows_the_charge_once(site: Site, ocpp: str) -> None:
    await crash_at_start(site, site.emsps["2.3.0"], site.place(ocpp))
