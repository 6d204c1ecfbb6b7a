"""What people see of an answer, whoever wrote the texts in it."""

from __future__ import annotations

import pytest

from hub.cli.face import Face
from hub.cli.receipts import show_page
from hub.cli.tables import record, table


def test_text_of_others_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    record({"vendor": "A\x1b[31mB\x07", "names": ["C\x9bD"]})
    table([{"vendor": "E\x1b]0;F\r\nG"}], ("vendor",))
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert [line.strip() for line in shown.splitlines()[:3]] == ["vendor: A [31mB", "names:", "- C D"]


TURNS = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def test_text_of_others_is_read_in_the_order_in_which_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    record({"vendor": f"A{TURNS}B", f"na{TURNS}me": [{"role": "CPO", "country_code": TURNS, "party_id": "X"}]})
    table([{"vendor": f"C{TURNS}D", "nested": {"of": TURNS}}], ("vendor", "nested"))
    shown = capsys.readouterr().out
    assert not set(shown) & set(TURNS)
    assert shown.startswith("vendor: A         B")


def test_the_page_of_a_receipt_steers_no_terminal_and_has_no_lines_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = {"location": f"Gent\x1b[2JZuid{TURNS}", "evse": "E1\nTotal  0.00 EUR"}
    receipt = {"currency": "E\x9bR", "place": place, "time_zone": "Europe/Berlin\x1b]0;x\x07"}
    nothing: dict[str, list[str]] = {"lines": [], "steps": [], "limits": [], "warnings": []}
    total: dict[str, object] = {"name": "total", "before_taxes": {"rounded": "0"}, "after_taxes": None, "taxes": []}
    show_page(Face(as_json=False), {**receipt, **nothing, "policy": {"decimals": 4}, "figures": [total]}, title="\x07R")
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert not set(shown) & set(TURNS)
    assert "EVSE E1 Total  0.00 EUR\n" in shown


def test_what_is_said_beside_it_steers_no_terminal_either(capsys: pytest.CaptureFixture[str]) -> None:
    face = Face(as_json=False)
    face.print("two\nlines\x1b[2J")
    face.say(f"a word{TURNS}")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("two\nlines [2J\n", f"a word{' ' * len(TURNS)}\n")


def test_how_far_a_cdr_has_come_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    held = {"partner": "old", "state": "held", "why": "it cannot be said\x07", "attempts": 0}
    table([{"deliveries": [{"partner": "new", "state": "delivered", "why": "", "attempts": 1}, held]}], ("deliveries",))
    assert "new: delivered, old: held (it cannot be said" in capsys.readouterr().out
