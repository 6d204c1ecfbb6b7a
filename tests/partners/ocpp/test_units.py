"""Charges whose start and stop count in another unit than their samples, a factor of 1000 away."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from partners.ocpp.events import Flag, Transaction
from partners.ocpp.ledger import apply, blank, settle
from tests.partners.ocpp.said import sample, start, stop
from tests.partners.ocpp.site import Payload, Site, recently

HOUR = timedelta(hours=1)


def told(first: int, last: int | None, *samples: str, minutes: float = 60) -> Transaction:
    """A charge by start, stop and the samples between them, the first of which is at its start."""
    every = minutes / max(len(samples) - 1, 1)
    said = [sample(n * every, kwh, transaction=1) for n, kwh in enumerate(samples)]
    ends = [] if last is None else [stop(minutes, transaction=1, meter=last)]
    (charge,) = settle([start(meter=first, assigned=1), *said, *ends])
    return charge


def figures(charge: Transaction) -> tuple[Decimal, Decimal | None, bool]:
    return charge.energy_kwh, charge.otherwise.energy_kwh if charge.otherwise else None, charge.by_samples


@pytest.mark.parametrize(
    ("first", "last", "samples", "larger"),
    [
        (15, 25, ["15", "20", "25"], "10"),
        (15, 25, ["15", "20"], "10"),
        (15, 25, ["15.7", "20", "24.9"], "9.2"),
        (15, 15, ["15.1", "15.6"], "0.5"),
        (0, 10, ["0", "5", "10"], "10"),
        (12_345, 12_365, ["12350"], "20"),
    ],
)
def test_a_meter_that_counts_kwh_has_the_figure_of_its_samples_too(
    first: int, last: int, samples: list[str], larger: str
) -> None:
    charge = told(first, last, *samples)
    assert figures(charge) == (Decimal(larger), Decimal(last - first) / 1000, True)
    assert Flag.UNITS_DIFFER in charge.flags


@pytest.mark.parametrize(
    ("first", "last", "samples", "larger"),
    [
        (15_000, 25_000, ["0.015", "0.02", "0.025"], "10"),
        (15_400, 25_600, ["0.015", "0.02", "0.025"], "10.2"),
        (0, 10_000, ["0", "0.005", "0.010"], "10"),
    ],
)
def test_samples_that_count_kwh_under_another_unit_have_the_smaller_figure(
    first: int, last: int, samples: list[str], larger: str
) -> None:
    charge = told(first, last, *samples)
    assert (charge.energy_kwh, charge.by_samples) == (Decimal(larger), False)
    assert charge.otherwise is not None
    assert [reading.energy_kwh for reading in charge.readings] == [Decimal(kwh) * 1000 for kwh in samples]


@pytest.mark.parametrize(
    ("first", "last", "samples"),
    [
        (15_000, 25_000, ["15", "20", "25"]),
        (1000, 8000, ["1", "4.5", "8.05"]),
        (0, 10_000, ["0", "5", "10"]),
        (3, 10_003, ["2.5", "5", "7.5"]),
        (0, 10_000, ["0.002", "0.005"]),
        (0, 10_000, ["0", "0"]),
        (0, 0, ["0", "0.4"]),
        (3_200_000, 3_210_000, ["0", "5", "10"]),
        (3, 10_003, ["3200", "3205", "3210"]),
        (1000, 8000, []),
    ],
)
def test_a_meter_that_is_of_one_unit_or_of_another_meter_has_one_figure(
    first: int, last: int, samples: list[str]
) -> None:
    said = [sample(n, kwh, transaction=1) for n, kwh in enumerate(samples)]
    (charge,) = settle([start(meter=first, assigned=1), *said, stop(600, transaction=1, meter=last)])
    assert figures(charge) == (Decimal(last - first) / 1000, None, False)
    assert Flag.UNITS_DIFFER not in charge.flags


def test_while_it_goes_on_the_first_sample_tells_and_the_rest_is_the_same_one_by_one() -> None:
    events = [start(meter=15), *(sample(n, str(15 + n), transaction=1) for n in (0, 5, 10))]
    book, next_id = blank("CP1"), 1
    for event in events:
        applied = apply(book, event, next_id=next_id)
        book, next_id = applied.book, applied.next_id
    (charge,) = book.transactions.values()
    assert figures(charge) == (Decimal(10), Decimal("0.01"), True)
    assert settle([applied.event for applied in [apply(blank("CP1"), events[0], next_id=1)]] + events[1:]) == [charge]


def test_a_start_of_a_few_wh_is_no_start_of_as_many_kwh() -> None:
    assert figures(told(3, None, "3.5", "7")) == (Decimal("6.997"), None, False)


async def charged(
    site: Site, first: int, last: int, *samples: tuple[int, str], unit: str, lasted: timedelta = HOUR
) -> datetime:
    """A charge at 22 kW. Returns: when it began."""
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began, meter=first))["transactionId"]
        for minutes, value in samples:
            values: Payload = {"value": value, "measurand": "Energy.Active.Import.Register", "unit": unit}
            moment = {"timestamp": (began + timedelta(minutes=minutes)).isoformat(), "sampledValue": [values]}
            await cp.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [moment]})
        await cp.stop(began + lasted, number, last)
    return began


STEPS = ((0, "15"), (30, "20"), (60, "25"))
IN_WH = ((0, "15000"), (30, "20000"), (60, "25000"))


@pytest.mark.parametrize(
    ("first", "last", "samples", "unit"),
    [
        (15, 25, STEPS, "kWh"),
        (15_000, 25_000, IN_WH, "kWh"),
        (15_000, 25_000, STEPS, "Wh"),
        (15_000_000, 25_000_000, IN_WH, "Wh"),
    ],
    ids=["start and stop in kWh", "samples too large", "samples too small", "start and stop in mWh"],
)
async def test_the_figure_that_the_connector_can_give_is_billed_and_the_operator_sees_the_doubt(
    site: Site, first: int, last: int, samples: tuple[tuple[int, str], ...], unit: str
) -> None:
    await charged(site, first, last, *samples, unit=unit)
    (session,), (cdr,) = await site.sessions(), await site.cdrs()
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (Decimal(10), Decimal("3.00"))
    assert (session["status"], session["kwh"]) == ("COMPLETED", Decimal(10))
    assert "factor of 1000" in cdr["remark"]
    (doubt,) = await site.doubts("CP1")
    assert (doubt["severity"], doubt["held"]) == ("hard", False)
    (record,) = await site.records()
    assert record.energy_kwh == Decimal(10)


async def test_samples_in_kwh_beside_a_start_and_stop_in_wh_are_as_it_should_be(site: Site) -> None:
    await charged(site, 15_000, 25_000, *STEPS, unit="kWh")
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr.get("remark"), await site.doubts("CP1")) == (Decimal(10), None, [])


@pytest.mark.parametrize("clock", ["told at once", "far too fast"])
async def test_what_cannot_be_decided_is_held_with_both_figures(site: Site, clock: str) -> None:
    lasted = timedelta(0) if clock == "told at once" else timedelta(minutes=5)
    await charged(site, 15, 25, (0, "15"), (0, "20"), (0, "25"), unit="kWh", lasted=lasted)
    (session,) = await site.sessions()
    assert (await site.cdrs(), session["status"], session["kwh"]) == ([], "ACTIVE", Decimal("0.01"))
    (doubt,) = await site.doubts("CP1")
    assert doubt["held"] is True
    assert "start and stop say 0.01 kWh, the samples 10 kWh" in doubt["reasons"][0]


async def test_a_running_session_is_never_shown_with_the_thousandfold(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began, meter=15_000))["transactionId"]
        for minutes in (1, 31):
            await cp.meter(began + timedelta(minutes=minutes), (15 + minutes // 3) * 1_000_000, number)
            (session,) = await site.sessions()
            assert session["kwh"] <= Decimal("0.01"), minutes
        await cp.stop(began + HOUR, number, 26_000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == Decimal(11)


async def test_a_running_session_of_a_meter_that_counts_kwh_shows_what_its_samples_say(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began, meter=15))["transactionId"]
        for minutes, kwh in ((2, 15), (32, 20)):
            await cp.meter(began + timedelta(minutes=minutes), kwh * 1000, number)
        await site.gateway.transactions.pass_time(site.hub.clock.now())
    (session,) = await site.sessions()
    assert (session["status"], session["kwh"]) == ("ACTIVE", Decimal(5))
