"""A charge whose energy nobody measured is held, and not billed as nothing; what was measured in part is billed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modules.sessions import service as sessions
from partners.ocpp.events import Flag
from tests.partners.ocpp.points2 import VERSIONS, begin, end, event, point2
from tests.partners.ocpp.site import Payload, Site, a_site, recently, until

HALF = timedelta(minutes=30)
HELD = "nobody measured its energy"
NONE = "without a meter value that can be read"


async def told(site: Site, *parts: Payload) -> None:
    async with await point2(site) as cp:
        await cp.boot()
        for part in parts:
            await cp.call("TransactionEvent", part)


async def the_doubt(site: Site) -> str:
    """Why the only charge is held; its Session goes on for its partner, and there is no CDR."""
    assert await site.cdrs() == []
    (session,) = await site.sessions()
    assert session["status"] == "ACTIVE"
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], doubt["severity"], doubt["session_id"]) == (True, "hard", session["id"])
    return str(doubt["reasons"][0])


@pytest.mark.parametrize(
    ("register", "why"),
    [
        (None, f"its end came {NONE}"),
        (10**12, f"its end came {NONE}"),
        (500, "its meter ran backwards, from 1 to 0.5 kWh"),
        (-5, "its meter ran backwards, from 1 to -0.005 kWh"),
    ],
)
async def test_an_end_of_2x_that_says_nothing_of_the_meter_is_held(site: Site, register: int | None, why: str) -> None:
    began = recently()
    ended = end(began + HALF)
    values = [{"timestamp": ended["timestamp"], "sampledValue": [{"value": register, "context": "Transaction.End"}]}]
    told_of_it = {**ended, "meterValue": values} if register is not None else _without(ended, "meterValue")
    await told(site, begin(began), told_of_it)
    assert f"{HELD}: {why}" in await the_doubt(site)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("first", "last"), [(1000, 10**9), (1000, 500), (None, None)])
async def test_a_charge_that_is_held_is_told_as_free_to_nobody(
    site: Site, version: str, first: int | None, last: int | None
) -> None:
    began = recently()
    parts = [
        parted if wh is not None else _without(parted, "meterValue")
        for parted, wh in ((begin(began, wh=first or 0), first), (end(began + HALF, wh=last or 0), last))
    ]
    async with await point2(site, version=version) as cp:
        await cp.boot()
        await cp.call("TransactionEvent", parts[0])
        for _ in range(2):
            assert await cp.call("TransactionEvent", parts[1]) == {}
    await the_doubt(site)
    (session,) = await site.sessions()
    assert "total_cost" not in session
    await sessions.release(site.hub, session["id"], actor="jo", kwh=Decimal(2))
    (session,) = await site.sessions()
    assert session["total_cost"]["before_taxes"] == Decimal("0.6")


async def test_an_end_that_puts_a_bill_on_hold_again_is_answered_without_the_estimate(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.boot()
        await cp.call("TransactionEvent", begin(began))
        await cp.event("Updated", began + HALF / 2, wh=3000)
        await cp.call("TransactionEvent", begin(began + HALF, "T2"))
        (session,) = [each for each in await site.sessions() if each["status"] == "COMPLETED"]
        assert session["total_cost"]["before_taxes"] == Decimal("0.6")
        assert await cp.call("TransactionEvent", end(began + HALF, wh=10**9)) == {}
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], doubt["session_id"]) == (True, session["id"])


@pytest.mark.parametrize("stop", [{}, {"meterStop": 10**12}, {"meterStop": 500}, {"meterStop": "much"}])
async def test_a_stop_of_16_that_says_nothing_of_the_meter_is_held(site: Site, stop: Payload) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        timestamp = (began + HALF).isoformat()
        await cp.call("StopTransaction", {"transactionId": number, "timestamp": timestamp, **stop})
    assert HELD in await the_doubt(site)


async def test_a_start_without_a_register_is_held_unless_something_was_sampled(site: Site) -> None:
    began = recently()
    started = _without(begin(began), "meterValue")
    await told(site, started, end(began + HALF))
    assert f"its start came {NONE}" in await the_doubt(site)
    sampled = event("Updated", began + HALF / 2, wh=2000, evse=1)
    await told(site, sampled)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 4
    assert Flag.METER_START_MISSING in cdr["remark"]


async def test_an_end_without_a_register_is_billed_up_to_the_last_sample_and_marked(site: Site) -> None:
    began = recently()
    sampled = event("Updated", began + HALF / 2, wh=4000, evse=1)
    await told(site, begin(began), sampled, _without(end(began + HALF), "meterValue"))
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], Flag.METER_STOP_MISSING in cdr["remark"]) == (3, True)


async def test_a_register_that_fell_is_billed_by_its_rising_parts_where_any_was_sampled(site: Site) -> None:
    began = recently()
    sampled = event("Updated", began + HALF / 2, wh=4000, evse=1)
    await told(site, begin(began), sampled, end(began + HALF, wh=500))
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], Flag.METER_FELL in cdr["remark"]) == (3, True)


@pytest.mark.parametrize(
    ("sampled", "last", "is_odd"),
    [
        (23000, 21000, True),
        (21001, 20999, True),
        (20340, 20340, False),
        (20350, 20345, False),  # the samples are of 10 Wh
        (20999, 20000, False),  # the stop is one of whole kWh
        (19000, 21000, False),
    ],
)
async def test_a_sample_that_shows_more_than_the_end_is_told_and_the_end_counts(
    site: Site, sampled: int, last: int, is_odd: bool
) -> None:
    began = recently()
    await told(
        site, begin(began, wh=18000), event("Updated", began + HALF / 2, wh=sampled, evse=1), end(began + HALF, wh=last)
    )
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == Decimal(last - 18000) / 1000
    assert (Flag.SAMPLE_ABOVE_STOP in cdr.get("remark", "")) == is_odd
    assert [(each["held"], each["severity"], each["reasons"]) for each in await site.doubts("CP1")] == (
        [(False, "hard", [Flag.SAMPLE_ABOVE_STOP])] if is_odd else []
    )


async def test_of_16_too_a_sample_that_shows_more_than_the_stop_is_told(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began, meter=20000))["transactionId"]
        value = {"timestamp": (began + HALF / 2).isoformat(), "sampledValue": [{"value": "23000"}]}
        await cp.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]})
        timestamp = (began + HALF).isoformat()
        await cp.call("StopTransaction", {"transactionId": number, "timestamp": timestamp, "meterStop": 21000})
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], Flag.SAMPLE_ABOVE_STOP in cdr["remark"]) == (1, True)


async def test_the_register_of_the_start_told_twice_is_no_measurement(site: Site) -> None:
    began = recently()
    again = event("Updated", began + timedelta(seconds=20), wh=1000, evse=1)
    await told(site, begin(began), again, _without(end(began + HALF), "meterValue"))
    assert HELD in await the_doubt(site)


@pytest.mark.parametrize(
    ("state", "reason"), [("EVConnected", "EVDisconnected"), (None, "Timeout")], ids=["never charged", "no car came"]
)
async def test_a_charge_that_gave_nothing_by_its_chargers_word_is_not_held(
    site: Site, state: str | None, reason: str
) -> None:
    began = recently()
    info: dict[str, Any] = {"chargingState": state} if state is not None else {}
    started = event("Started", began, tag="04A1B2C3", evse=1, info=info)
    ended = event("Ended", began + HALF, seq=1, info={"stoppedReason": reason})
    await told(site, started, ended)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 0


async def test_an_end_that_is_only_estimated_is_held_where_nothing_was_measured(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.start(began)
        await cp.status(1, "Available", began + HALF)
    assert HELD in await the_doubt(site)


async def test_what_was_measured_and_comes_late_is_billed_by_itself_be_it_nothing(site: Site) -> None:
    began = recently()
    await told(site, begin(began), _without(end(began + HALF), "meterValue"))
    assert HELD in await the_doubt(site)
    await told(site, event("Updated", began + HALF / 2, wh=1000, evse=1))
    (cdr,), (session,) = await site.cdrs(), await site.sessions()
    assert (cdr["total_energy"], session["status"]) == (0, "COMPLETED")
    (doubt,) = await site.doubts("CP1")
    assert not doubt["held"]


@pytest.mark.parametrize("kwh", [sessions.AS_METERED, Decimal("7.5")])
async def test_an_operator_bills_it_as_measured_or_for_a_figure(site: Site, kwh: sessions.AsMetered | Decimal) -> None:
    began = recently()
    await told(site, begin(began), end(began + HALF, wh=500))
    (session,) = await site.sessions()
    await sessions.release(site.hub, session["id"], actor="jo", kwh=kwh)
    ((cdr,), (session,)) = await site.cdrs(), await site.sessions()
    billed = Decimal(0) if kwh == sessions.AS_METERED else kwh
    assert (cdr["total_energy"], session["status"], session["kwh"]) == (billed, "COMPLETED", billed)


async def test_one_that_is_dropped_is_billed_by_nothing_that_comes_later(site: Site) -> None:
    began = recently()
    await told(site, begin(began), _without(end(began + HALF), "meterValue"))
    (session,) = await site.sessions()
    await sessions.drop(site.hub, session["id"], actor="jo")
    await told(site, event("Updated", began + HALF / 2, wh=3000, evse=1))
    ((session,), cdrs) = await site.sessions(), await site.cdrs()
    assert (session["status"], cdrs) == ("INVALID", [])


async def test_it_is_held_over_a_restart(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        began = recently()
        await told(site, begin(began), _without(end(began + HALF), "meterValue"))
        await site.restart()
        assert HELD in await the_doubt(site)
        await told(site, event("Updated", began + HALF / 2, wh=3000, evse=1))
        await until(lambda: _billed(site))


async def _billed(site: Site) -> bool:
    return len(await site.cdrs()) == 1


def _without(part: Payload, name: str) -> Payload:
    return {key: value for key, value in part.items() if key != name}
