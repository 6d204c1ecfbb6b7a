"""The receipts that are kept beside our CDRs stand up to the second reading, with the CDR as the case."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modules.cdrs import service
from modules.cdrs.store import key_of
from tests.laws.alterations import altered
from tests.modules.cdrs.test_service import charged
from tests.verifier import refuse
from tests.world import OURS, World

pytestmark = pytest.mark.parametrize("version", ["2.3.0"])


def case_of(cdr: dict[str, Any], receipt: dict[str, Any]) -> dict[str, Any]:
    """What a CDR says of itself; only the time zone stands in its receipt alone."""
    stated = {"start": cdr["start_date_time"], "end": cdr["end_date_time"], "periods": cdr["charging_periods"]}
    kept = {name: cdr[name] for name in ("tariffs", "currency", "cdr_location")}
    return {"version": "2.3.0", "time_zone": receipt["time_zone"], **stated, **kept}


async def stored(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """A CDR of ours and its receipt."""
    (cdr,) = await (await charged(world)).cdrs()
    return cdr, await service.receipt(world.hub, key_of(OURS, cdr["id"]))


async def test_a_stored_receipt_is_what_its_cdr_makes_it(world: World) -> None:
    cdr, receipt = await stored(world)
    assert set(receipt["place"]) == {"location", "evse"}
    assert refuse(receipt, case_of(cdr, receipt)) == []


async def test_whatever_is_altered_in_a_stored_receipt_it_is_refused(world: World) -> None:
    cdr, receipt = await stored(world)
    case, expected = case_of(cdr, receipt), copy.deepcopy(receipt)
    tried = {how: refuse(receipt, case) for how in altered(receipt)}
    assert [how for how, reasons in tried.items() if not reasons] == []
    assert [how for how in tried if how.startswith("receipt/place/location")]
    assert [how for how in tried if how.startswith("receipt/place/evse")]
    assert receipt == expected


@pytest.mark.parametrize("name", ["name", "address", "postal_code", "city", "evse_id"])
async def test_a_receipt_of_another_place_is_refused(world: World, name: str) -> None:
    cdr, receipt = await stored(world)
    elsewhere = {**cdr["cdr_location"], name: "ANOTHER"}
    (reason,) = refuse(receipt, case_of({**cdr, "cdr_location": elsewhere}, receipt))
    assert reason.startswith("receipt/place/")
