"""What an operator has credited can be billed anew, under another id; and never beside a bill that stands."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import Conflict, InvalidRequest
from modules.cdrs.store import CDRS
from modules.sessions import service
from modules.sessions.charge import Reading
from modules.tariffs import service as tariffs
from tests.modules.cdrs.test_service import take_back
from tests.modules.sessions.charging import Charging, minute
from tests.modules.sessions.test_service import with_reservation_prices
from tests.world import NOW, OURS, World, tariff

D = Decimal
AS_METERED: service.AsMetered = "as metered"


@pytest.fixture
def charging(world: World) -> Charging:
    return Charging(world)


async def billed(charging: Charging) -> Any:
    """A charge of 10 kWh in half an hour. Returns: its CDR."""
    await charging.begin()
    await charging.meter((10, "104"))
    await charging.end(30, "110")
    charging.world.clock.passed_s = 3600
    return await credited(charging)


async def credited(charging: Charging) -> Any:
    """The newest CDR, which is then taken back by an operator."""
    cdr = (await charging.cdrs())[-1]
    await take_back(charging.world, cdr["id"])
    return cdr


async def bill(
    charging: Charging, kwh: Decimal | service.AsMetered = AS_METERED, *, end: datetime | None = None
) -> Any:
    """The CDR that is issued anew."""
    before = {cdr["id"] for cdr in await charging.cdrs()}
    await service.release(charging.world.hub, charging.facts.session_id, actor="jo", kwh=kwh, end=end)
    (anew,) = [cdr for cdr in await charging.cdrs() if cdr["id"] not in before]
    return anew


def standing(cdrs: list[Any]) -> list[str]:
    """The ids of the bills that nobody took back."""
    credited = {cdr.get("credit_reference_id") for cdr in cdrs}
    return [cdr["id"] for cdr in cdrs if not cdr.get("credit") and cdr["id"] not in credited]


def without_id(cdr: Any) -> Any:
    return {name: value for name, value in cdr.items() if name not in ("id", "last_updated")}


async def test_what_was_credited_is_billed_anew_as_it_was_measured(charging: Charging) -> None:
    cdr = await billed(charging)
    session = await charging.session()
    anew = await bill(charging)
    assert anew["id"] not in (cdr["id"], f"{cdr['id']}-C")
    assert len(anew["id"]) <= 39
    assert without_id(anew) == without_id(cdr)
    assert standing(await charging.cdrs()) == [anew["id"]]
    assert await charging.session() == session, "as it was told"
    assert await charging.audited("cdr.") == ["cdr.issued", "cdr.credited", "cdr.released", "cdr.issued"]


async def test_it_is_billed_anew_for_a_figure_of_the_operators(charging: Charging) -> None:
    await billed(charging)
    anew = await bill(charging, D("7.5"), end=minute(25))
    assert (anew["total_energy"], anew["remark"]) == (D("7.5"), "energy and end were set by the operator")
    await credited(charging)
    again = await bill(charging, D(8))
    assert (again["total_energy"], again["end_date_time"]) == (8, anew["end_date_time"])
    assert again["remark"].count("the energy was set by the operator") == 1
    await credited(charging)
    third = await bill(charging, D(9))
    assert third["remark"] == again["remark"]
    assert standing(await charging.cdrs()) == [third["id"]]
    await charging.restart()
    await charging.correct(40, "112")
    assert standing(await charging.cdrs()) == [third["id"]], "a figure is final"


async def test_what_an_operator_has_set_is_not_measured(charging: Charging) -> None:
    await billed(charging)
    await bill(charging, D(8))
    await credited(charging)
    async with charging.world.unchanged():
        with pytest.raises(InvalidRequest, match="say the figure"):
            await bill(charging)


async def test_a_charge_never_has_two_bills(charging: Charging) -> None:
    await charging.begin()
    async with charging.world.unchanged():
        with pytest.raises(InvalidRequest, match=r"is not held$"):
            await bill(charging)
    await charging.end(30, "110")
    (cdr,) = await charging.cdrs()
    for _ in range(2):
        async with charging.world.unchanged():
            for kwh in (AS_METERED, D(4)):
                with pytest.raises(InvalidRequest, match=r"busbar cdr credit 'DE\*BSB/"):
                    await bill(charging, kwh)
            with pytest.raises(InvalidRequest, match="take its CDR back first"):
                await service.drop(charging.world.hub, charging.facts.session_id, actor="jo")
        if standing(await charging.cdrs()) == [cdr["id"]]:
            await credited(charging)
            await bill(charging)


async def test_of_two_operators_at_once_one_bills(charging: Charging) -> None:
    await billed(charging)
    hub, session_id = charging.world.hub, charging.facts.session_id
    both = [service.release(hub, session_id, actor=actor, kwh=AS_METERED) for actor in ("jo", "al")]
    said = await asyncio.gather(*both, return_exceptions=True)
    (refused,) = (each for each in said if each is not None)
    assert isinstance(refused, Conflict | InvalidRequest)
    assert len(standing(await charging.cdrs())) == 1


async def test_a_bill_that_was_credited_for_good_can_be_dropped(charging: Charging) -> None:
    await billed(charging)
    session = await charging.session()
    await service.drop(charging.world.hub, charging.facts.session_id, actor="jo")
    assert (standing(await charging.cdrs()), await charging.session()) == ([], session)
    async with charging.world.unchanged():
        with pytest.raises(InvalidRequest, match="for good"):
            await bill(charging)
    await charging.restart()
    await charging.correct(40, "112")
    assert standing(await charging.cdrs()) == []


@pytest.mark.parametrize("version", ["2.3.0"])
async def test_who_cannot_be_told_of_the_credit_is_not_billed_anew(charging: Charging) -> None:
    await billed(charging)
    anew = await bill(charging)
    lowest = {document.columns["id"]: document.columns["lowest"] for document in await charging.world.documents(CDRS)}
    assert lowest[anew["id"]] == "2.2.1"


def element(restrictions: dict[str, Any], **prices: str) -> dict[str, Any]:
    components = [{"type": name, "price": D(price), "vat": D(19), "step_size": 1} for name, price in prices.items()]
    return {"price_components": components, "restrictions": restrictions}


INTRICATE = [
    element({"max_kwh": D("3.3")}, ENERGY="0.30", PARKING_TIME="2"),
    element({"max_power": D(8), "max_kwh": D(9)}, ENERGY="0.40", TIME="1"),
    element({"start_time": "12:20", "end_time": "20:00"}, ENERGY="0.50"),
    element({}, ENERGY="0.60", TIME="0.50", PARKING_TIME="3"),
]


async def test_an_intricate_price_comes_out_the_same_again(charging: Charging) -> None:
    """Thresholds in kWh and kW, a time of day, parking: all is cut where it was."""
    await tariffs.put(charging.world.store, OURS, "T1", {**tariff(), "elements": INTRICATE}, now=NOW)
    await charging.begin(kwh="100.0004")
    steps = [(5, "102.1", 11), (11, "104.7", 7.5), (17, "106.9", 3), (25, "110.4444", 22)]
    readings = [Reading(minute(at), D(kwh), kw=D(str(kw)), ampere=D(str(kw)) * 3) for at, kwh, kw in steps]
    charging.facts.readings = readings
    await charging.meter((33, "111"), states=[(12, "SUSPENDED_EV"), (16, "CHARGING"), (34, "FINISHING")])
    await charging.end(47, "113.3333")
    cdr = await credited(charging)
    assert len(cdr["charging_periods"]) >= 5
    anew = await bill(charging)
    assert without_id(anew) == without_id(cdr)


@pytest.mark.parametrize("expired", [True, False])
async def test_a_reservation_that_was_credited_is_billed_anew(charging: Charging, *, expired: bool) -> None:
    await tariffs.put(charging.world.store, OURS, "T1", with_reservation_prices(), now=NOW)
    await charging.reserve()
    charging.world.clock.passed_s = 1200
    await charging.end_reservation(expired=expired)
    cdr = await credited(charging)
    anew = await bill(charging)
    assert without_id(anew) == without_id(cdr)


async def test_a_charge_after_a_reservation_is_billed_anew_with_it(charging: Charging) -> None:
    await tariffs.put(charging.world.store, OURS, "T1", with_reservation_prices(), now=NOW)
    await charging.reserve()
    await charging.begin(20)
    await charging.end(50, "110")
    cdr = await credited(charging)
    assert without_id(await bill(charging)) == without_id(cdr)


async def test_the_price_is_that_of_the_start_whatever_the_tariff_says_today(charging: Charging) -> None:
    cdr = await billed(charging)
    await tariffs.put(charging.world.store, OURS, "T1", tariff(price="9.00"), now=NOW)
    assert without_id(await bill(charging)) == without_id(cdr)
