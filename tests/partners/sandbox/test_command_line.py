"""What the sandbox's command line says when it cannot begin."""

from __future__ import annotations

import argparse
import json
import socket

import pytest

from partners.sandbox.__main__ import _arguments, _partner


def asked(*words: str) -> argparse.Namespace:
    return _arguments().parse_args(["emsp", *words])


def test_the_help_says_where_a_charger_takes_the_version_of_its_firmware_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        _arguments().parse_args(["charger", "--help"])
    assert "a first line `version: 2.0.0`" in " ".join(capsys.readouterr().out.split())


async def test_a_party_that_is_none_or_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for words in (("--party", "nonsense"), ("--port", str(taken.getsockname()[1]))):
            assert await _partner(asked(*words)) == 1
            assert json.loads(capsys.readouterr().out)["error"]
