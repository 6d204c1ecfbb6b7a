"""What people see of an answer, whoever wrote the texts in it."""

from __future__ import annotations

import pytest

from hub.cli.tables import record, table


def test_text_of_others_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    record({"vendor": "A\x1b[31mB\x07", "names": ["C\x9bD"]})
    table([{"vendor": "E\x1b]0;F\r\nG"}], ("vendor",))
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert [line.strip() for line in shown.splitlines()[:3]] == ["vendor: A [31mB", "names:", "- C D"]
