"""`busbar price` with cases: one, or one a line; where it matters, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
import pytest

from hub.control.batch import LINE_LIMIT, Pricer, lines_of
from hub.control.ready import CompiledTariffs
from hub.core.inbound import parse
from modules.tariffs.pricing import page_of
from tests.hub.invoked import invoked

ROOT: Final = Path(__file__).parents[2]
BUSBAR: Final = [sys.executable, "-c", "from hub.cli import main; main()", "price"]
EXAMPLES: Final = ROOT / "tests" / "data" / "tariffs_spec_examples.json"
TARIFF: Final[dict[str, Any]] = {
    "id": "T1",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.5, "vat": 19, "step_size": 1}]}],
}
CDR: Final[dict[str, Any]] = {
    "start_date_time": "2026-05-04T10:00:00Z",
    "end_date_time": "2026-05-04T11:00:00Z",
    "charging_periods": [{"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}],
}
CASE: Final[dict[str, Any]] = {
    "name": "ten kWh",
    "kind": "cdr",
    "ocpi_version": "2.2.1",
    "timezone": "Europe/Berlin",
    "tariffs": [TARIFF],
    "cdr": CDR,
}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


class Ran(NamedTuple):
    code: int
    out: bytes
    err: str


def run(*words: str, stdin: bytes = b"") -> Ran:
    ran = invoked("price", *words, stdin=stdin)
    return Ran(ran.exit_code, ran.stdout_bytes, ran.stderr)


def run_apart(*words: str, stdin: bytes = b"") -> Ran:
    """As a process of its own."""
    command = [*BUSBAR, *words]
    ran = subprocess.run(command, env=environment(), input=stdin, capture_output=True, timeout=100, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr.decode())


def batch(*lines: Any, options: tuple[str, ...] = (), run: Callable[..., Ran] = run) -> tuple[int, list[Any], str]:
    """The exit code, the results and what was said. A line is a case, or its bytes."""
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    ran = run("--batch", "-", *options, stdin=b"\n".join(written) + b"\n")
    return ran.code, [json.loads(line) for line in ran.out.splitlines()], ran.err


def case(**changes: Any) -> dict[str, Any]:
    return {**CASE, **changes}


def cdr(**changes: Any) -> dict[str, Any]:
    return case(cdr={**CDR, **changes})


def result(**changes: Any) -> Any:
    return Pricer().of_line(json.dumps(case(**changes)).encode())


def test_all_examples_of_the_specification_cost_what_it_says() -> None:
    examples = json.loads(EXAMPLES.read_text())
    code, results, said = batch(*examples, options=("--tolerance", "0.00005"), run=run_apart)
    assert [each["name"] for each in results] == [each["name"] for each in examples]
    assert [each["name"] for each in results if each["error"] or not each["check"]["ok"]] == []
    for example, priced in zip(examples, results, strict=True):
        for figure, amount in example["expected"].items():
            if figure.startswith("total_") and isinstance(amount, dict):
                same(priced[figure], amount, Decimal(example["tolerance"]))
            elif figure.startswith("total_"):
                assert priced[figure] is None
    assert (code, len(results)) == (0, 81)
    assert said.startswith("81 priced, 0 not priced, 0 differ")


def same(ours: Any, stated: dict[str, str | None], tolerance: Decimal) -> None:
    """The stated amounts have four places."""
    for name, amount in stated.items():
        if amount is not None:
            assert abs(Decimal(ours[name]) - Decimal(amount)) <= tolerance + Decimal("0.00005")


def test_a_result_has_exact_amounts_as_text() -> None:
    third = {**TARIFF, "elements": [{"price_components": [{"type": "TIME", "price": 1, "step_size": 1, "vat": 20.0}]}]}
    period = {"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "TIME", "volume": 0.3333}]}
    priced = result(tariffs=[third], cdr={**CDR, "end_date_time": "2026-05-04T10:20:00Z", "charging_periods": [period]})
    assert priced["total_cost"] == {"excl": "0.333333333333", "incl": "0.4"}
    assert priced["taxes_by_percentage"] == {"20": "0.066666666667"}
    assert priced["billed"] == {"energy_kwh": "0", "time_s": "1200", "parking_s": "0", "reservation_s": "0"}
    assert (priced["total_energy_cost"], priced["error"], priced["warnings"]) == (None, None, [])
    assert priced["receipt"]["currency"] == "EUR"
    assert "check" not in priced


def test_a_case_may_be_priced_in_the_reading_of_a_partner() -> None:
    assert result(policy={"decimals": 0})["total_cost"]["incl"] == "6"
    wrong: tuple[Any, ...] = (
        {"decimals": 13},
        {"decimals": "4"},
        {"rounding": "down"},
        {"no_such": 1},
        [],
        {"decimals": True},
    )
    for policy in wrong:
        assert result(policy=policy)["error"]["code"] == "unfit_case", policy


def test_what_a_case_expects_or_its_cdr_states_is_checked() -> None:
    told = batch(
        case(expected={"total_cost": {"excl": "5.00", "incl": None}, "total_time_cost": None}),
        case(expected={"total_cost": {"excl": "5.02"}, "warnings": ["gone"], "billed": {"energy_kwh": 11}}),
        cdr(total_cost={"excl_vat": 5, "incl_vat": 5.96}),
        cdr(total_cost={"excl_vat": 5, "incl_vat": 5.97}),
        {**cdr(total_cost=5.5), "ocpi_version": "2.1.1"},
        cdr(total_cost={"excl_vat": -5}, credit=True, credit_reference_id="CDR1"),
        options=("--no-receipt",),
    )
    code, results, said = told
    assert [each["check"]["ok"] for each in results] == [True, False, True, False, False, True]
    assert [each["figure"] for each in results[1]["check"]["differences"]] == [
        "total_cost.excl",
        "billed.energy_kwh",
        "warnings",
    ]
    assert [each["check"].get("verdict") for each in results[2:4]] == ["within_tolerance", "wrong"]
    (told_of,) = results[3]["check"]["deviations"]
    assert told_of.pop("why")
    assert told_of == {"figure": "total_cost.after_taxes", "claimed": "5.97", "computed": "5.95", "difference": "0.02",
                       "class": "tax", "tolerable": False}  # fmt: skip
    assert "receipt" not in results[0]
    assert code == 1
    assert said.startswith("6 priced, 0 not priced, 3 differ")


def test_a_timeline_is_cut_and_priced() -> None:
    parking = {"type": "PARKING_TIME", "price": 6, "step_size": 1}
    tariff = {**TARIFF, "elements": [{"price_components": [*TARIFF["elements"][0]["price_components"], parking]}]}
    expected = {"boundaries": ["2026-05-04T11:30:00.000Z"], "total_parking_cost": {"excl": 3}}
    priced = result(kind="timeline", timeline=COURSE, tariffs=[tariff], expected=expected)
    assert priced["boundaries"] == ["2026-05-04T11:30:00Z"]
    assert (priced["total_energy_cost"]["excl"], priced["total_parking_cost"]["excl"]) == ("5.25", "3")
    assert priced["check"]["ok"]


def period(start: str, *dimensions: dict[str, Any]) -> dict[str, Any]:
    return {"start_date_time": start, "dimensions": list(dimensions)}


def timeline(**changes: Any) -> dict[str, Any]:
    return case(kind="timeline", timeline={"start": TEN, **changes})


HOUR: Final = {"type": "TIME", "volume": 1}
TEN: Final = "2026-05-04T10:00:00Z"
COURSE: Final[dict[str, Any]] = {
    "start": "2026-05-04T10:00:00Z",
    "end": "2026-05-04T12:00:00Z",
    "states": [{"at": TEN, "state": "CHARGING"}, {"at": "2026-05-04T11:30:00Z", "state": "FINISHED"}],
    "meter": [{"at": "2026-05-04T10:00:00Z", "kwh": 100}, {"at": "2026-05-04T11:00:00Z", "kwh": "110.5"}],
}
LATE_RESERVATION: Final = [{"at": TEN, "state": "CHARGING"}, {"at": "2026-05-04T11:00:00Z", "state": "RESERVED"}]
NIGHT: Final = {
    **TARIFF,
    "elements": [{**TARIFF["elements"][0], "restrictions": {"start_time": "22:00", "end_time": "06:00"}}],
}
IN_TWO_TARIFFS: Final = {
    **CDR,
    "charging_periods": [
        {**period(TEN, {"type": "ENERGY", "volume": 5}), "tariff_id": "T1"},
        {**period("2026-05-04T10:30:00Z", {"type": "ENERGY", "volume": 5}), "tariff_id": "T2"},
    ],
}
BAD: Final[list[tuple[Any, str]]] = [
    (cdr(charging_periods=[{**CDR["charging_periods"][0], "tariff_id": "T9"}]), "unknown_tariff"),
    (case(tariffs=[{**TARIFF, "end_date_time": "2020-01-01T00:00:00Z"}]), "no_tariff_in_force"),
    (case(tariffs=[{**TARIFF, "elements": []}]), "unfit_tariff"),
    (case(tariffs=[{**TARIFF, "elements": [{"price_components": [{"type": "X"}]}]}]), "unfit_tariff"),
    (case(tariffs=[TARIFF, {**TARIFF, "id": "T2", "currency": "SEK"}], cdr=IN_TWO_TARIFFS), "several_currencies"),
    (case(tariffs=[]), "unfit_case"),
    (case(tariffs=[1]), "unfit_case"),
    (case(tariffs={}), "unfit_case"),
    (case(tariffs=[NIGHT], timezone=None), "unfit_session"),
    (case(tariffs=[NIGHT], timezone="Mars/Olympus"), "unknown_time_zone"),
    (case(timezone="Mars/Olympus"), "unknown_time_zone"),
    (case(timezone=7), "unfit_case"),
    (case(ocpi_version="3.0"), "unfit_case"),
    (case(kind="song"), "unfit_case"),
    (case(cdr=[]), "unfit_case"),
    (case(reservation_expired="no"), "unfit_case"),
    (cdr(start_date_time="soon"), "unfit_session"),
    (cdr(start_date_time="9999-12-31T23:59:59Z"), "unfit_session"),
    (cdr(end_date_time=None), "unfit_session"),
    (cdr(charging_periods=[]), "unfit_session"),
    (cdr(charging_periods=None), "unfit_session"),
    (case(kind="session", session={**CDR, "charging_periods": []}), "unfit_session"),
    (cdr(charging_periods=3), "unfit_case"),
    (cdr(charging_periods=[3]), "unfit_case"),
    (cdr(charging_periods=[period(TEN, {"type": "TIME", "volume": -1})]), "unfit_session"),
    (cdr(charging_periods=[period(TEN, {"type": "ENERGY", "volume": "NaN"})]), "unfit_session"),
    (cdr(charging_periods=[period(TEN, {"type": "ENERGY", "volume": [1]})]), "unfit_session"),
    (cdr(charging_periods=[{**period(TEN, HOUR), "tariff_id": 5}]), "unfit_case"),
    (cdr(charging_periods=[period(TEN, {"type": ["TIME"], "volume": 1})]), "unfit_case"),
    (cdr(charging_periods=[period(TEN, {"type": "TYME", "volume": 1})]), "unfit_case"),
    (cdr(charging_periods=[period(TEN, HOUR), period(TEN, HOUR)]), "overlapping_periods"),
    (cdr(charging_periods=[period(TEN, HOUR), period("2026-05-04T10:30:00Z", HOUR)]), "overlapping_periods"),
    (cdr(charging_periods=[period("2026-05-04T09:30:00Z", HOUR)]), "period_outside_session"),
    (cdr(end_date_time="2026-05-04T09:00:00Z"), "end_before_start"),
    (timeline(end="2028-05-04T10:00:00Z"), "unfit_session"),
    (timeline(end="2026-05-04T09:00:00Z"), "end_before_start"),
    (timeline(end=TEN, states=[{"at": TEN, "state": "DREAMING"}]), "unfit_session"),
    (timeline(end=TEN, meter=[{"at": TEN, "kwh": "a lot"}]), "unfit_session"),
    (timeline(end="2026-05-04T12:00:00Z", states=LATE_RESERVATION), "unfit_session"),
    (7, "unfit_case"),
    (b"not JSON", "not_json"),
    (b"\xff\xfe", "not_json"),
    (json.dumps(CASE).replace("10}", "NaN}").encode(), "not_json"),
    (json.dumps(CASE).replace("10}", "Infinity}").encode(), "not_json"),
    (json.dumps(CASE).replace("10}", "1" * 5000 + "}").encode(), "unfit_json"),
    (json.dumps(CASE).replace("10}", "1e999}").encode(), "unfit_json"),
    (json.dumps(CASE).replace("10}", "-1e-99999}").encode(), "unfit_json"),
    (case(name="a\0b"), "unfit_json"),
    (b'{"name": "a\0b"}', "not_json"),
    (json.dumps(CASE).replace('"kind"', '"name": "again", "kind"').encode(), "unfit_json"),
    (b"[" * 100_000 + b"]" * 100_000, "unfit_json"),
]  # fmt: skip


def test_what_is_bad_has_a_name_and_the_next_line_is_priced() -> None:
    code, results, said = batch(*(line for bad, _ in BAD for line in (bad, CASE)), run=run_apart)
    assert [each["error"]["code"] for each in results[::2]] == [code for _, code in BAD]
    assert {each["total_cost"]["excl"] for each in results[1::2]} == {"5"}
    assert all(each["error"]["message"] for each in results[::2])
    assert code == 1
    assert said.startswith(f"{len(BAD)} priced, {len(BAD)} not priced, 0 differ")


def test_it_is_said_what_json_is_not_taken_for() -> None:
    digits, nul = "a number of the body has more than 32 digits, written out", "the body holds a NUL character"
    for line, message in ((b'{"a": 1e999}', digits), (b'{"a": "\\u0000"}', nul), (b'{"a": "\0"}', nul)):
        assert Pricer().of_line(line)["error"]["message"] == message


def test_the_mark_of_utf_8_at_the_start_of_a_file_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(CASE).encode() + b"\n")
    assert run("--batch", str(path), "--no-receipt").code == run(str(path), "--no-receipt").code == 0
    assert list(lines_of(BytesIO(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"))) == [(1, b"a"), (2, b"\xef\xbb\xbfb")]
    assert list(lines_of(BytesIO(b"\xef\xbb\xbf\n"))) == list(lines_of(BytesIO(b"\xef\xbb\xbf"))) == []


def test_a_line_that_is_too_long_is_passed_over_without_being_held() -> None:
    huge = case(tariffs=[{**TARIFF, "elements": TARIFF["elements"] * 120_000}])
    written = json.dumps(huge).encode()
    assert len(written) > 10_000_000
    _, results, _ = batch(written, CASE)
    assert [each["error"] and each["error"]["code"] for each in results] == ["too_large", None]
    assert list(lines_of(BytesIO(b"a" * 11 + b"\nb\n\n" + b"c" * 10), limit=10)) == [
        (1, None),
        (2, b"b"),
        (4, b"c" * 10),
    ]
    assert LINE_LIMIT < 10_000_000


def test_a_result_says_of_which_line_it_is() -> None:
    _, results, _ = batch(CASE, b"not JSON", b"", case(name=None))
    assert [(each["line"], each["name"]) for each in results] == [(1, "ten kWh"), (2, None), (4, None)]


def test_a_choice_between_tariffs_is_told() -> None:
    both = [TARIFF, {**TARIFF, "id": "T2"}]
    for priced in (result(tariffs=both), result(tariffs=both, kind="timeline", timeline=COURSE)):
        assert priced["warnings"] == ["several_tariffs_fit"]
        assert priced["receipt"]["warnings"] == [{"code": "several_tariffs_fit", "period": None, "subject": "T1, T2"}]
        assert "T1, T2" in page_of(priced["receipt"])


@pytest.mark.parametrize(
    ("readings", "warnings"),
    [
        ([100, 105, 110], []),
        ([100, 100, 100], []),
        ([100, 110, 105, 115], ["meter_runs_backwards"]),
        ([50, 5], ["meter_runs_backwards", "negative_energy"]),
        ([100], ["single_meter_reading"]),
    ],
)
def test_a_meter_that_cannot_be_right_is_warned_of(readings: list[int], warnings: list[str]) -> None:
    meter = [{"at": f"2026-05-04T10:{10 * n:02}:00Z", "kwh": kwh} for n, kwh in enumerate(readings)]
    for order in (meter, meter[::-1]):
        priced = result(kind="timeline", timeline={**COURSE, "meter": order})
        assert priced["warnings"] == warnings
        assert len(page_of(priced["receipt"]).partition("Notes")[2].splitlines()) == len(warnings) + bool(warnings)


def read_at(*readings: tuple[str, object]) -> dict[str, Any]:
    """The timeline, from 10:00 to 12:00, priced with other readings."""
    meter = [{"at": f"2026-05-04T{at}Z", "kwh": kwh} for at, kwh in readings]
    priced: dict[str, Any] = result(kind="timeline", timeline={**COURSE, "meter": meter})
    return priced


@pytest.mark.parametrize(
    ("readings", "kwh", "warnings"),
    [
        ([("09:00:00", 0), ("11:00:00", 20)], "10", ["meter_read_outside"]),
        ([("10:00:00", 0), ("14:00:00", 20)], "10", ["meter_read_outside"]),
        ([("08:00:00", 0), ("14:00:00", 60)], "20", ["meter_read_outside"]),
        ([("09:00:00", 0), ("10:00:00", 7), ("12:00:00", 10), ("13:00:00", 99)], "3", ["meter_read_outside"]),
        ([("09:59:00", 0), ("12:01:00", 10)], "10", []),
        ([("09:58:59", 0), ("10:00:30", 1), ("12:00:00", 10)], "9", ["meter_read_outside"]),
        ([("09:30:00", 0), ("11:00:00", 1)], "0.6667", ["meter_read_outside"]),
        ([("09:30:00", 0), ("09:59:30", 5), ("12:00:00", 9)], "4", ["meter_read_outside"]),
        ([("12:00:10", 0), ("12:00:30", 5)], "5", []),
    ],
)
def test_a_meter_reading_outside_says_what_the_meter_showed_at_the_edge(
    readings: list[tuple[str, int]], kwh: str, warnings: list[str]
) -> None:
    for order in (readings, readings[::-1]):
        priced = read_at(*order)
        lines = [line for line in priced["receipt"]["lines"] if line["dimension"] == "ENERGY"]
        assert sum(Decimal(line["quantity"]) for line in lines) == Decimal(kwh)
        assert priced["warnings"] == warnings


@pytest.mark.parametrize(
    "readings",
    [[("09:00:00", 0), ("10:00:00", 7)], [("12:00:10", 0), ("12:02:30", 5)], [("09:00:00", 0), ("10:01:00", 7)]],
)
def test_where_one_meter_reading_is_left_no_energy_is_billed(readings: list[tuple[str, int]]) -> None:
    priced = read_at(*readings)
    assert priced["warnings"] == ["meter_read_outside", "single_meter_reading"]
    assert not [line for line in priced["receipt"]["lines"] if line["dimension"] == "ENERGY"]
    notes = " ".join(page_of(priced["receipt"]).partition("Notes")[2].split())
    assert "says at most what it showed at the edge" in notes
    assert "read only once in the charge" in notes


@pytest.mark.parametrize("readings", [[("08:00:00", 0), ("09:00:00", 9)], [("13:00:00", 0)]])
def test_where_all_meter_readings_are_on_one_side_of_the_timeline_there_is_no_price(
    readings: list[tuple[str, int]],
) -> None:
    error = read_at(*readings)["error"]
    assert error["code"] == "unfit_session"
    assert "every meter reading was taken more than a minute" in error["message"]


@pytest.mark.parametrize("unsaid", [{}, {"tax_included": None}])
def test_a_tariff_that_does_not_say_whether_taxes_are_included_is_warned_of(unsaid: dict[str, Any]) -> None:
    silent, said = TARIFF | unsaid, TARIFF | {"tax_included": "NO"}
    priced, other = (result(tariffs=[each], ocpi_version="2.3.0") for each in (silent, said))
    assert (priced["warnings"], other["warnings"]) == (["tax_included_missing"], [])
    assert priced["total_cost"] == other["total_cost"] == {"excl": "5", "incl": "5.95"}
    assert result(tariffs=[TARIFF], ocpi_version="2.2.1")["warnings"] == []


def test_results_may_go_to_a_file(tmp_path: Path) -> None:
    cases, results = tmp_path / "cases.jsonl", tmp_path / "results.jsonl"
    cases.write_text(json.dumps(CASE) + "\n")
    ran = run("--batch", str(cases), "--output", str(results), "--json")
    assert (ran.code, ran.out) == (0, b"")
    assert json.loads(ran.err) == {"priced": 1, "not_priced": 0, "differing": 0, "stopped": False}
    assert json.loads(results.read_text())["name"] == "ten kWh"
    same_file = run("--batch", str(cases), "--output", str(cases))
    assert (same_file.code, cases.read_text()) == (2, json.dumps(CASE) + "\n")
    assert run("--batch", str(tmp_path / "no.jsonl")).code == 3


def test_one_case_is_shown_with_its_receipt(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case(expected={"total_cost": {"excl": 4}})))
    people = run(str(path))
    assert (people.code, b"Total" in people.out, b"total_cost.excl" in people.out) == (1, True, True)
    programs = run("-", "--json", stdin=json.dumps(CASE).encode())
    assert (programs.code, json.loads(programs.out)["total_cost"]["incl"]) == (0, "5.95")
    bad = run("-", "--json", stdin=json.dumps(case(tariffs=[])).encode())
    assert (bad.code, json.loads(bad.err)["error"]["code"]) == (1, "unfit_case")
    assert run().code == run("--tolerance", "-1", str(path)).code == 2


def test_ctrl_c_and_a_closed_pipe_end_it_without_a_traceback() -> None:
    line = json.dumps(CASE).encode() + b"\n"
    with started() as process:
        process.stdin.write(line)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["name"] == "ten kWh"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stdout.read() == b""
        assert process.stderr.read().startswith(b"1 priced")
    with started() as process:
        process.stdout.close()
        with suppress(BrokenPipeError):  # it may be gone before it has read all
            process.stdin.write(line * 500)
            process.stdin.close()
        assert process.wait(20) == 1
        assert process.stderr.read() == b""


class Started(subprocess.Popen[bytes]):
    """A batch that reads from us."""

    stdin: Any
    stdout: Any
    stderr: Any


def started() -> Started:
    pipe = subprocess.PIPE
    return Started([*BUSBAR, "--batch", "-"], env=environment(), stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.timeout(180)
def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    output = tmp_path / "results.jsonl"
    command = [*BUSBAR, "--batch", "-", "--no-receipt", "--output", str(output)]
    with Started(command, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        resident = [memory_after(process, thousand) for thousand in thousands(20)]
        process.stdin.close()
        assert process.wait(60) == 0
    assert len(output.read_bytes().splitlines()) == 20_000
    assert resident[-1] - resident[4] < 4 * 1024 * 1024


def thousands(count: int) -> Iterator[bytes]:
    """A thousand lines at a time, with two hundred tariffs that never came before."""
    for thousand in range(count):
        each = (case(name=f"{thousand}/{n}", tariffs=[{**TARIFF, "id": f"{thousand}/{n // 5}"}]) for n in range(1000))
        yield b"".join(json.dumps(line).encode() + b"\n" for line in each)


def memory_after(process: Started, lines: bytes) -> int:
    process.stdin.write(lines)
    process.stdin.flush()
    return int(psutil.Process(process.pid).memory_info().rss)


def test_compiled_tariffs_are_kept_up_to_a_size() -> None:
    tree = parse(json.dumps(TARIFF).encode(), limit=1000)
    kept = CompiledTariffs(kept_bytes=10_000)
    first = kept.get(tree, "2.2.1")
    assert kept.get(dict(tree), "2.2.1") is first
    assert kept.get(tree, "2.1.1") is not first
    for n in range(5):
        kept.get({**tree, "id": str(n)}, "2.2.1")
    assert kept.get(tree, "2.2.1") is not first
