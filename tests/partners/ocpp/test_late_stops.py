"""A charge that seems over waits a while for its stop, and is billed once: with the stop, or by our estimate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.partners.ocpp.site import Site, a_site, recently

HOUR = timedelta(hours=1)
WAIT_S = 60


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Site]:
    """A site that waits for late stops."""
    async with a_site(tmp_path, ocpp_late_stop_s=WAIT_S) as made:
        yield made


async def unplugged_in_silence(site: Site, began: datetime) -> int:
    """A charge whose connector is Available again, with one sample of 5 kWh and no stop."""
    async with await site.point() as cp:
        number: int = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 6000, number)
        await cp.status(1, "Available", began + HOUR)
    return number


async def later(site: Site, seconds: float) -> None:
    await site.gateway.transactions.pass_time(datetime.now(UTC) + timedelta(seconds=seconds))


async def test_a_stop_that_comes_in_time_makes_the_only_bill(patient: Site) -> None:
    began = recently()
    number = await unplugged_in_silence(patient, began)
    assert (await patient.cdrs(), [s["status"] for s in await patient.sessions()]) == ([], ["ACTIVE"])

    async with await patient.point() as cp:
        await cp.meter(began + HOUR * 3 / 4, 9000, number)
        await cp.stop(began + HOUR, number, 11000)

    (cdr,) = await patient.cdrs()
    assert (cdr["total_energy"], cdr.get("remark")) == (Decimal(10), None)
    (session,) = await patient.sessions()
    assert (session["status"], session["kwh"]) == ("COMPLETED", Decimal(10))


async def test_a_stop_that_never_comes_is_estimated_when_the_time_is_over(patient: Site) -> None:
    await unplugged_in_silence(patient, recently())

    await later(patient, WAIT_S - 10)
    assert await patient.cdrs() == []
    await later(patient, WAIT_S + 10)
    await later(patient, WAIT_S + 20)

    (cdr,) = await patient.cdrs()
    assert cdr["total_energy"] == Decimal(5)
    assert "the end is estimated" in cdr["remark"]
    (record,) = await patient.records()
    assert (record.state, record.ending) == ("ended", "estimated")


async def test_the_wait_goes_on_over_a_restart(patient: Site) -> None:
    await unplugged_in_silence(patient, recently())

    await patient.restart()
    await later(patient, WAIT_S - 10)
    assert await patient.cdrs() == []
    await later(patient, WAIT_S + 10)
    assert len(await patient.cdrs()) == 1

    await patient.restart()
    await later(patient, WAIT_S + 20)
    assert len(await patient.cdrs()) == 1


async def test_a_sample_after_the_estimate_is_billed_once_when_all_is_quiet_again(patient: Site) -> None:
    began = recently()
    number = await unplugged_in_silence(patient, began)
    await later(patient, WAIT_S + 10)

    async with await patient.point() as cp:
        for minutes, register in ((40, 7000), (50, 8000)):
            await cp.meter(began + timedelta(minutes=minutes), register, number)
    assert len(await patient.cdrs()) == 1
    await later(patient, WAIT_S + 10)

    _, credit, corrected = await patient.cdrs()
    assert (credit["credit"], corrected["total_energy"]) == (True, Decimal(7))
