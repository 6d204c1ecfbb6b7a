"""The benchmark runs from end to end: its targets, its load and its report. Nothing here looks at speed."""

from __future__ import annotations

import json

import pytest

from bench import crawl, energy, fanout, fleet, flood, http, ocpp, pricing, report, roaming
from bench.__main__ import PARTS, options
from bench.harness import Effort, Figure, Findings, Sample

LEAST = Effort(rounds=1, seconds=0.05, locations=60, chargers=20)


def figure(*values: float, bound: float | None = None, at_least: bool = True, noise: float = 0.0) -> Figure:
    return Figure("part", "name", list(values), "x", bound, at_least, noise)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (figure(0.7, bound=0.7), "pass"),
        (figure(0.68, bound=0.7, noise=0.02), "missed"),
        (figure(0.68, bound=0.7, noise=0.05), "unsure"),
        (figure(9.0, bound=10.0, at_least=False), "pass"),
        (figure(11.0, bound=10.0, at_least=False, noise=0.05), "missed"),
        (figure(10.2, bound=10.0, at_least=False, noise=0.05), "unsure"),
        (figure(5.0), ""),
    ],
)
def test_a_goal_that_is_missed_by_less_than_the_noise_is_unsure(found: Figure, verdict: str) -> None:
    assert found.verdict == verdict


def test_the_median_of_the_rounds_counts() -> None:
    assert figure(0.1, 0.9, 0.8).value == 0.8


@pytest.mark.parametrize(
    ("crawls_with_a_slow_page", "verdict"),
    [((2,), "pass"), ((0, 2, 4), "unsure"), ((0, 1, 2, 3, 4), "missed")],
)
def test_a_page_that_is_slow_in_one_crawl_is_not_the_hubs_and_one_in_each_crawl_is(
    crawls_with_a_slow_page: tuple[int, ...], verdict: str
) -> None:
    steady = [9.0] + [3.0] * 99
    busy = [[*steady, 40.0 if turn in crawls_with_a_slow_page else 3.0] for turn in range(5)]
    slowest = next(each for each in crawl.figures(steady, busy, [steady]) if "change: slowest page" in each.name)
    assert slowest.verdict == verdict


def test_a_page_is_slow_as_a_rule_if_it_is_in_most_crawls() -> None:
    def slowest(*slow_places: int) -> float:
        busy = [[3.0] * place + [40.0] + [3.0] * (98 - place) for place in slow_places]
        return next(each for each in crawl.figures([3.0, 3.0], busy, [[3.0, 3.0]]) if "as a rule" in each.name).value

    assert slowest(5, 6, 7, 8, 9) == slowest(5, 5, 7, 8, 9) == 1.0
    assert slowest(5, 5, 5, 8, 9) == 40 / 3


async def test_two_partners_are_measured_through_the_hub_and_a_list_that_is_pulled_again() -> None:
    found = await roaming.measure(LEAST)
    assert all(each.value > 0 for each in found.figures if each.bound is not None)


def test_a_part_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["--only", "http,htpp"])
    assert "htpp" in capsys.readouterr().err


def test_all_parts_are_measured_unless_some_are_named() -> None:
    assert options([]).parts == list(PARTS)
    assert options(["--only", "fleet"]).parts == ["fleet"]


def test_the_report_shows_each_figure_with_its_goal_and_is_json_too() -> None:
    found = Findings("part", [figure(0.8, 0.7, bound=0.5)], {"ours": [Sample(100, 2.0, 12.5, 1.0, 3.0)]}, ["a note"])
    page = report.markdown([found], report.machine(), "make bench")
    assert "| part: name | 0.75 x | >= 0.5 | pass |" in page
    assert "a note" in page
    tree = json.loads(report.as_json([found], report.machine()))
    assert tree["figures"][0]["verdict"] == "pass"
    assert tree["samples"]["part"]["ours"][0]["rate"] == 50.0


async def test_http_is_measured_against_its_ceiling_and_the_usual_way() -> None:
    found = await http.measure(LEAST)
    assert {sample.requests > 0 for samples in found.samples.values() for sample in samples} == {True}
    assert all(each.value > 0 for each in found.figures if each.bound is not None)


async def test_a_change_reaches_every_receiver_and_the_ceiling_repeats_it() -> None:
    found = await fanout.measure(LEAST)
    assert {
        sample.requests % (fanout.PARTNERS * fanout.BURST) for each in found.samples.values() for sample in each
    } == {0}


async def test_chargers_tap_and_meter_at_the_hub_and_at_the_echo() -> None:
    found = await ocpp.measure(LEAST)
    assert set(found.samples) >= {"hub, Authorize", "hub, MeterValues", "echo, Authorize"}


async def test_others_are_heard_beside_a_flood_and_without_it() -> None:
    found = await flood.measure(LEAST)
    values = {figure.name: figure.values for figure in found.figures}
    assert min(*values["p99 without it"], *values["p99 beside it"]) > 0
    (a_second,) = values["frames of the flood that are taken a second"]
    assert a_second < 20  # the limit of frames: these count by their length


async def test_a_fleet_is_weighed_speaks_and_comes_back() -> None:
    found = Findings("fleet")
    await fleet.hold(found, 12, 0.0, LEAST)
    assert {figure.unit for figure in found.figures} == {"KiB", "x"}
    assert all(sample.requests for samples in found.samples.values() for sample in samples)
    assert await fleet.storm(3) > 0


async def test_prices_and_receipts_are_measured_in_cpu_time() -> None:
    found = await pricing.measure(LEAST)
    assert all(each.value > 0 for each in found.figures)
    assert [each.bound for each in found.figures if each.bound] == [25, 100, 1000]


async def test_a_site_is_shared_out_and_planned_in_cpu_time() -> None:
    found = await energy.measure(LEAST)
    assert all(each.value > 0 for each in found.figures)
    assert [each.bound for each in found.figures if each.bound] == [1000] * 4
