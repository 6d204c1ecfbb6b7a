"""Charges whose EVSE nobody knows stand among those that are held, with their way out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.core.units import Unit
from partners.ocpp import journal
from partners.ocpp.journal import Lack, Record
from tests.hub.house import House


async def unplaced(house: House, number: int, *, lacks: Lack | None = None, trouble: str = "") -> str:
    """One on record. Returns: what it is called."""
    now = house.program.hub.clock.now()
    record = Record(
        f"CP1/{number:032x}", "CP1", journal.UNPLACED, number=f"T{number}", allowed="ALLOWED", energy_kwh=Decimal(5),
        start=now - timedelta(hours=1), end=now, meter_start_wh=Decimal(1000), meter_stop_wh=Decimal(6000),
        lacks=lacks, trouble=trouble, held_since=now,
    )  # fmt: skip
    await house.program.store.commit(Unit().put(journal.record_put(record)))
    return record.key.rpartition("/")[2]


async def test_they_are_listed_before_sessions_that_are_held_page_by_page(house: House) -> None:
    await house.furnish()
    names = [await unplaced(house, number) for number in (1, 2, 3)]
    found: list[str] = []
    for offset in (0, 2, 4):
        told = (await house.ask("GET", f"/api/v1/transactions?held=true&limit=2&offset={offset}")).tree
        assert told["total"] == 3
        found += [row["session_id"] for row in told["items"]]
    assert found == names[::-1]
    assert (await house.ask("GET", "/api/v1/transactions?held=true&station=CP9")).tree["items"] == []
    assert (await house.ask("GET", "/api/v1/transactions")).tree["items"] == []


async def test_what_is_not_said_or_cannot_be_is_refused_and_dropping_ends_it(house: House) -> None:
    await house.furnish()
    name = await unplaced(house, 1)
    path = f"/api/v1/transactions/{name}"
    asked = {"location": "LOC1", "evses": {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}}, "security_profile": 0}
    assert (await house.ask("PUT", "/api/v1/stations/CP1", {**asked, "protocol": "ocpp2.0.1"})).status == 200
    assert (await house.ask("POST", f"{path}/release")).status == 422
    assert (await house.ask("POST", f"{path}/release", {"evse_uid": "E9"})).status == 422
    assert (await house.ask("POST", f"{path}/correct", {"kwh": 1})).status == 422
    told = await house.ask("POST", f"{path}/drop")
    assert (told.status, told.tree["decided"]) == (200, "dropped")
    assert (await house.ask("GET", "/api/v1/transactions?held=true")).tree["total"] == 0
    session = await house.charge()
    assert (await house.ask("POST", f"/api/v1/transactions/{session}/release", {"evse_uid": "E1"})).status == 422


async def test_what_is_not_on_record_is_not_found_whatever_is_asked_of_it(house: House) -> None:
    await house.furnish()
    for verb, asked in (
        ("release", None),
        ("release", {"evse_uid": "E1"}),
        ("release", {"token": "CARD1"}),
        ("correct", {"kwh": 1}),
        ("drop", None),
    ):
        told = await house.ask("POST", f"/api/v1/transactions/nobody/{verb}", asked)
        assert (told.status, told.tree["error"]["code"]) == (404, "not_found")


async def test_they_are_counted_with_the_charges_that_are_held(house: House) -> None:
    await house.furnish()
    await unplaced(house, 1)
    await house.charge(kwh=2_147_483)
    assert "busbar_held_charges 2.0" in (await house.http.get("/metrics")).text


@pytest.mark.parametrize(
    ("lack", "why"),
    [
        (Lack.LOCATION, "EVSE 1, connector 1 is on no location: put it on one and release {}"),
        (Lack.BEGIN, "only its end was reported: release {} if the card that ended it is to pay"),
        (Lack.TOKEN, "nobody's token was told: release {} if the card that ended it is to pay"),
        (Lack.CONSENT, "its token was refused: release {} if its token may charge by now"),
    ],
)
async def test_each_says_what_it_lacks_and_what_to_do(house: House, lack: Lack, why: str) -> None:
    await house.furnish()
    trouble = why.partition(":")[0] + "; the charge is not billed"
    name = await unplaced(house, 1, lacks=lack, trouble=trouble)
    (row,) = (await house.ask("GET", "/api/v1/transactions?held=true")).tree["items"]
    assert row["doubt"].startswith(why.format(name))
