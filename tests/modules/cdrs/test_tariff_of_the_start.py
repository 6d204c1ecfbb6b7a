"""A CDR that names its tariff alone is checked with the version that was in force at the start of its session."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import parse
from modules.cdrs import vetting
from modules.cdrs.store import CHECKS
from modules.cdrs.wire import CDR
from modules.tariffs.wire import TARIFF
from tests.modules.cdrs.check.records import OWNER, cdr, component, element, period, tariff
from tests.modules.cdrs.test_received import actions, switch
from tests.world import NOW, World

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

LONG_AGO, BEFORE, AFTER, LATER = (f"2026-05-04T0{hour}:00:00Z" for hour in (1, 5, 7, 8))
START, NEXT = "06:00", "06:30"


def at_price(price: str, updated: str, **more: Any) -> dict[str, Any]:
    """Tariff TE, as it was changed at a moment."""
    return tariff(element(component("ENERGY", price, 1, None)), id="TE", last_updated=updated, **more)


async def push(world: World, *versions: dict[str, Any], version: str = "", to: str = "") -> None:
    version = version or world.version
    for tree in versions:
        names = "" if version == "2.1.1" else f"{OWNER['country_code']}/{OWNER['party_id']}/"
        path = world.at(f"receiver/tariffs/{names or 'BE/AAA/'}TE", version=version)
        headers = [("OCPI-to-country-code", to[:2]), ("OCPI-to-party-id", to[3:])] if to else []
        said = await world.ask("PUT", path, by="c1", body=TARIFF[version].write(tree)[0], headers=headers)
        assert said.code == 1000


async def withdraw(world: World) -> None:
    assert (await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/TE"), by="c1")).code == 1000


async def check_of(world: World, total: str, *embedded: dict[str, Any], start: str = START, **more: Any) -> Any:
    """What is found of a minute with 10 kWh, for that total."""
    more = {"id": f"CDR-{start}", "session_id": f"S-{start}", **more}
    tree = cdr([*embedded], [period(start, "TE", energy="10")], f"{start}:59", total=(total,), **more)
    wired = CDR[world.version].write(tree)[0]
    assert (await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=wired)).code == 1000
    await vetting.vet_waiting(world.hub)
    check = await world.store.get(CHECKS, f"BE*AAA/{tree['id']}")
    assert check is not None
    return parse(check.body, limit=2**20)


def classes(check: Any) -> set[str]:
    return {deviation["class"] for deviation in check["deviations"]}


async def test_it_is_right_at_the_price_that_held_at_the_start_though_that_was_changed_since(
    world_on_both: World,
) -> None:
    await push(world_on_both, at_price("0.45", BEFORE), at_price("0.61", AFTER))
    check = await check_of(world_on_both, "4.50")
    assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], [])


async def test_it_is_stale_at_the_price_of_today(world_on_both: World) -> None:
    await push(world_on_both, at_price("0.45", BEFORE), at_price("0.61", AFTER))
    check = await check_of(world_on_both, "6.10")
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})
    assert check["deviations"][0]["computed"] == Decimal("4.5")
    assert "changed after the start" in check["deviations"][0]["why"]


async def test_of_several_changes_the_last_before_the_start_counts(world_on_both: World) -> None:
    prices = [("0.30", LONG_AGO), ("0.45", BEFORE), ("0.61", AFTER), ("0.70", LATER)]
    await push(world_on_both, *(at_price(price, at) for price, at in prices))
    assert (await check_of(world_on_both, "4.50"))["verdict"] == "right"


async def test_who_sends_the_same_tariff_again_with_another_time_changed_nothing(world: World) -> None:
    await push(world, at_price("0.45", BEFORE), at_price("0.45", AFTER), at_price("0.45", LATER))
    check = await check_of(world, "4.50")
    assert (check["verdict"], check["warnings"]) == ("right", [])
    check = await check_of(world, "5.00", start=NEXT)
    assert check["verdict"] == "wrong"


async def test_a_tariff_that_was_withdrawn_after_the_start_counts(world_on_both: World) -> None:
    await push(world_on_both, at_price("0.45", BEFORE))
    await withdraw(world_on_both)
    assert (await check_of(world_on_both, "4.50"))["verdict"] == "right"


async def test_a_tariff_that_was_withdrawn_before_the_start_does_not(world: World) -> None:
    await push(world, at_price("0.45", "2026-05-01T00:00:00Z"))
    world.clock.passed_s = -timedelta(days=1).total_seconds()
    await withdraw(world)
    world.clock.passed_s = 0
    assert (await check_of(world, "4.50"))["verdict"] == "cannot_be_checked"


async def test_by_a_later_version_alone_it_may_be_right_with_a_note(world: World) -> None:
    await push(world, at_price("0.61", AFTER))
    check = await check_of(world, "6.10")
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_of_after_the_start"])


@pytest.mark.parametrize("more", [{}, {"currency": "CHF"}, {"start_date_time": AFTER}])
async def test_by_a_later_version_alone_it_cannot_be_called_wrong(world: World, more: dict[str, Any]) -> None:
    await push(world, at_price("0.61", AFTER, **more))
    check = await check_of(world, "4.50")
    assert (check["verdict"], classes(check)) == ("cannot_be_checked", {"missing_tariff"})
    assert "only as it was after the start" in check["why"]


async def test_what_is_wrong_by_itself_is_wrong_whatever_the_tariff(world: World) -> None:
    await push(world, at_price("0.61", AFTER))
    check = await check_of(world, "4.50", total_energy=Decimal(12))
    assert (check["verdict"], classes(check)) == ("wrong", {"energy", "missing_tariff"})


async def test_a_tariff_in_the_cdr_that_is_from_after_the_start_gives_way_to_the_one_that_held(world: World) -> None:
    then, now = at_price("0.45", BEFORE), at_price("0.61", AFTER)
    await push(world, then, now)
    check = await check_of(world, "6.10", now)
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})
    assert "changed after the start" in check["deviations"][0]["why"]
    check = await check_of(world, "4.50", now, start=NEXT)
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_of_after_the_start"])


async def test_a_tariff_in_the_cdr_from_after_the_start_is_noted_where_nothing_else_is_known(world: World) -> None:
    check = await check_of(world, "6.10", at_price("0.61", AFTER))
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_of_after_the_start"])
    check = await check_of(world, "4.50", at_price("0.61", AFTER), start=NEXT)
    assert check["verdict"] == "wrong"


async def test_a_tariff_in_the_cdr_that_was_only_touched_since_is_no_news(world: World) -> None:
    await push(world, at_price("0.45", BEFORE), at_price("0.61", LATER))
    check = await check_of(world, "4.50", at_price("0.45", AFTER))
    assert (check["verdict"], check["warnings"]) == ("right", [])


async def test_the_tariff_that_was_addressed_to_the_drivers_party_counts(world: World) -> None:
    await push(world, at_price("0.45", LONG_AGO))
    await push(world, at_price("0.40", BEFORE), at_price("0.61", AFTER), to="NL*EEE")
    assert (await check_of(world, "4.00"))["verdict"] == "right"


async def test_a_change_that_did_not_say_when_it_was_made_counts_from_when_it_came(world: World) -> None:
    await push(world, at_price("0.45", BEFORE), version="2.1.1")
    elements = TARIFF["2.1.1"].write(at_price("0.61", BEFORE))[0]["elements"]
    path = world.at("receiver/tariffs/BE/AAA/TE", version="2.1.1")
    assert (await world.ask("PATCH", path, by="c1", body={"elements": elements})).code == 1000
    assert (await check_of(world, "4.50"))["verdict"] == "right"


async def test_a_version_in_the_cdr_that_was_replaced_before_the_start_is_stale(world_on_both: World) -> None:
    """Told or not: its party said afterwards that another one holds."""
    then = at_price("0.80", LONG_AGO)
    await push(world_on_both, then, at_price("0.45", BEFORE))
    check = await check_of(world_on_both, "8.00", then)
    assert (check["verdict"], classes(check), check["warnings"]) == ("wrong", {"stale_tariff"}, ["tariff_not_as_told"])
    assert [each["computed"] for each in check["deviations"]] == [Decimal("4.5")]
    assert "was told and in force at the start" in check["deviations"][0]["why"]
    assert f"of {LONG_AGO} was replaced before the start: " in check["why"]
    assert check["why"].endswith("the total before taxes is 8 EUR by it, 4.5 by what was told")
    never = at_price("0.99", "2026-05-04T03:00:00Z")
    check = await check_of(world_on_both, "9.90", never, start=NEXT)
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})


async def test_it_is_right_by_what_was_told_though_it_holds_a_version_that_was_replaced(world: World) -> None:
    then = at_price("0.80", LONG_AGO)
    await push(world, then, at_price("0.45", BEFORE))
    check = await check_of(world, "4.50", then)
    assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], ["tariff_not_as_told"])


async def test_a_newer_version_in_the_cdr_that_was_never_told_is_believed_with_a_note_of_both_prices(
    world_on_both: World,
) -> None:
    await push(world_on_both, at_price("0.45", LONG_AGO))
    check = await check_of(world_on_both, "9.90", at_price("0.99", BEFORE))
    assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], ["tariff_never_told"])
    assert check["why"].endswith(
        f"; its tariff TE of {BEFORE} was never told: the total before taxes is 9.9 EUR by it, 4.5 by what was told"
    )
    check = await check_of(world_on_both, "4.50", at_price("0.99", BEFORE), start=NEXT)
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})


async def test_what_is_wrong_by_it_too_is_held_for_its_mistakes(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await push(world, at_price("0.45", LONG_AGO))
    check = await check_of(world, "12.00", at_price("0.99", BEFORE))
    assert (check["verdict"], check["warnings"]) == ("wrong", ["tariff_never_told"])
    assert check["held_because"] == f"wrong: {', '.join(sorted(classes(check)))}"


async def test_so_is_one_of_another_rate_of_tax(world: World) -> None:
    await push(world, at_price("0.45", LONG_AGO))
    taxed = tariff(element(component("ENERGY", "0.45", 1, "19")), id="TE", last_updated=BEFORE)
    check = await check_of(world, "4.50", taxed)
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_never_told"])
    assert check["why"].endswith("the total after taxes is 5.355 EUR by it, 4.5 by what was told")


async def test_one_version_in_two_texts_leaves_open_which_of_them_held(world_on_both: World) -> None:
    await push(world_on_both, at_price("0.45", BEFORE))
    check = await check_of(world_on_both, "5.00", at_price("0.50", BEFORE))
    assert (check["verdict"], classes(check)) == ("cannot_be_checked", {"stale_tariff"})
    assert check["warnings"] == ["tariff_not_as_told"]
    assert [(each["claimed"], each["computed"]) for each in check["deviations"]] == [(Decimal(5), Decimal("4.5"))]
    assert check["why"] == (
        f"its tariff TE of {BEFORE} was told with other prices:"
        " the total before taxes is 5 EUR by it, 4.5 by what was told"
    )
    check = await check_of(world_on_both, "7.00", at_price("0.50", BEFORE), start=NEXT)
    assert check["verdict"] == "wrong"


async def test_an_announced_version_without_the_time_at_which_it_begins_is_another_text_of_it(world: World) -> None:
    await push(world, at_price("0.45", LONG_AGO), at_price("0.99", BEFORE, start_date_time=LATER))
    check = await check_of(world, "9.90", at_price("0.99", BEFORE))
    assert (check["verdict"], check["warnings"]) == ("cannot_be_checked", ["tariff_not_as_told"])
    check = await check_of(world, "4.50", at_price("0.99", BEFORE), start=NEXT)
    assert check["verdict"] == "right"


async def test_one_version_in_two_texts_is_right_by_what_was_told(world: World) -> None:
    """Many have only those elements of a tariff in a CDR that priced it: what comes to the same needs no note."""
    both = [element(component("ENERGY", price, 1, None)) for price in ("0.45", "0.90")]
    await push(world, tariff(*both, id="TE", last_updated=BEFORE))
    check = await check_of(world, "4.50", at_price("0.45", BEFORE))
    assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], [])
    check = await check_of(world, "4.50", at_price("0.50", BEFORE), start=NEXT)
    assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], ["tariff_not_as_told"])


async def test_what_was_told_as_of_a_later_day_replaces_nothing_before_it(world: World) -> None:
    then = at_price("0.80", LONG_AGO)
    await push(world, then, at_price("0.45", BEFORE, start_date_time="2026-05-05T00:00:00Z"))
    check = await check_of(world, "8.00", then)
    assert (check["verdict"], check["warnings"]) == ("right", [])


async def push_at(world: World, clock: str, tree: dict[str, Any]) -> None:
    """Tell a tariff at that time of the day."""
    then = datetime.fromisoformat(f"2026-05-04T{clock}:00+00:00")
    world.clock.passed_s = (then - NOW).total_seconds()
    await push(world, tree)
    world.clock.passed_s = 0


LATE = pytest.mark.parametrize("as_of", [LONG_AGO, BEFORE])
"""Of the time of the version before, and of one between that and the start."""


@LATE
async def test_what_was_told_after_the_start_is_believed_with_a_note_of_both_prices_whatever_time_it_is_of(
    world_on_both: World, as_of: str
) -> None:
    now = at_price("0.90", as_of)
    await push_at(world_on_both, "05:30", at_price("0.30", LONG_AGO))
    await push_at(world_on_both, "07:00", now)
    note = "was told only after the start: the total before taxes is 9 EUR by it, 3 by what was told"
    for at, embedded in ((START, [now]), (NEXT, [])):
        check = await check_of(world_on_both, "9.00", *embedded, start=at)
        assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], ["tariff_told_late"])
        assert f"its tariff TE of {as_of.removesuffix('Z')}" in check["why"]
        assert check["why"].endswith(note)


@LATE
async def test_the_price_that_was_told_at_the_start_is_right_whatever_was_told_since(
    world_on_both: World, as_of: str
) -> None:
    then = at_price("0.30", LONG_AGO)
    await push_at(world_on_both, "05:30", then)
    await push_at(world_on_both, "07:00", at_price("0.90", as_of))
    await push_at(world_on_both, "08:30", at_price("0.95", LATER))
    for at, embedded in ((START, [then]), (NEXT, [])):
        check = await check_of(world_on_both, "3.00", *embedded, start=at)
        assert (check["verdict"], check["deviations"], check["warnings"]) == ("right", [], [])


@LATE
async def test_another_price_than_either_is_wrong(world: World, as_of: str) -> None:
    now = at_price("0.90", as_of)
    await push_at(world, "05:30", at_price("0.30", LONG_AGO))
    await push_at(world, "07:00", now)
    for at, embedded in ((START, [now]), (NEXT, [])):
        assert (await check_of(world, "8.00", *embedded, start=at))["verdict"] == "wrong"
    older = at_price("0.80", "2026-05-04T00:30:00Z")
    check = await check_of(world, "8.00", older, start="06:10")
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})
    check = await check_of(world, "9.00", at_price("0.30", LONG_AGO), start="06:20")
    assert (check["verdict"], classes(check)) == ("wrong", {"stale_tariff"})


async def test_what_was_told_again_before_the_start_counts_also_as_of_the_same_time(world: World) -> None:
    then, now = at_price("0.30", LONG_AGO), at_price("0.90", LONG_AGO)
    await push_at(world, "05:30", then)
    await push_at(world, "05:45", now)
    check = await check_of(world, "9.00", now)
    assert (check["verdict"], check["warnings"]) == ("right", [])
    assert (await check_of(world, "3.00", start=NEXT))["verdict"] == "wrong"


async def test_of_what_was_first_told_after_the_start_nothing_is_noted(world: World) -> None:
    """Nobody said anything else by then, and a line may have been down."""
    await push_at(world, "07:00", at_price("0.45", BEFORE))
    check = await check_of(world, "4.50")
    assert (check["verdict"], check["warnings"]) == ("right", [])


async def test_what_was_withdrawn_and_told_again_as_it_was_is_no_news(world: World) -> None:
    await push_at(world, "05:30", at_price("0.45", BEFORE))
    await withdraw(world)
    await push_at(world, "11:00", at_price("0.45", BEFORE))
    check = await check_of(world, "4.50", at_price("0.45", BEFORE))
    assert (check["verdict"], check["warnings"]) == ("right", [])


@pytest.mark.parametrize("price", ["0.30", "0.40"])
async def test_a_tariff_that_was_told_in_another_currency_is_noted_whatever_it_comes_to(
    world: World, price: str
) -> None:
    await push(world, at_price("0.30", LONG_AGO, currency="SEK"))
    check = await check_of(world, f"{Decimal(price) * 10:f}", at_price(price, BEFORE))
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_never_told"])
    assert check["why"].endswith(f"its tariff TE of {BEFORE} was never told: it is in EUR, and what was told in SEK")


async def test_so_is_one_that_was_told_in_it_only_after_the_start(world: World) -> None:
    await push_at(world, "05:30", at_price("0.30", LONG_AGO, currency="SEK"))
    await push_at(world, "07:00", at_price("0.30", LONG_AGO))
    check = await check_of(world, "3.00")
    assert (check["verdict"], check["warnings"]) == ("right", ["tariff_told_late"])
    assert check["why"].endswith("was told only after the start: it is in EUR, and what was told in SEK")


async def test_a_bill_in_the_currency_that_was_told_is_not_right_by_a_text_in_another(world: World) -> None:
    await push(world, at_price("0.90", BEFORE))
    check = await check_of(world, "3.00", at_price("0.30", BEFORE, currency="SEK"))
    assert check["verdict"] == "wrong"
    assert check["why"].endswith("was told with other prices: it is in SEK, and what was told in EUR")


@pytest.mark.parametrize("policy", ["flag", "hold"])
async def test_who_wants_to_be_told_of_wrong_bills_is_told_of_prices_that_were_told_late(
    world: World, policy: str
) -> None:
    await switch(world, cdr_policy=policy)
    await push_at(world, "05:30", at_price("0.30", LONG_AGO))
    await push_at(world, "07:00", at_price("0.90", LONG_AGO))
    await check_of(world, "9.00")
    told = {name: detail for name, _, detail in await actions(world)}
    assert told["cdr.flagged"].endswith("the total before taxes is 9 EUR by it, 3 by what was told")
    assert "cdr.withheld" not in told


@pytest.mark.parametrize("policy", ["flag", "hold"])
async def test_who_wants_to_be_told_of_wrong_bills_is_told_of_prices_that_were_never_told(
    world: World, policy: str
) -> None:
    await switch(world, cdr_policy=policy)
    await push(world, at_price("0.45", LONG_AGO))
    await check_of(world, "9.90", at_price("0.99", BEFORE))
    told = {name: detail for name, _, detail in await actions(world)}
    assert told["cdr.flagged"].endswith("the total before taxes is 9.9 EUR by it, 4.5 by what was told")
    assert "cdr.withheld" not in told
