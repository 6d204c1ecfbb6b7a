"""Where a webhook may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.errors import InvalidRequest
from partners.webhooks.target import check_target
from tests.hub.house import settings_in

INSIDE = [
    "https://127.0.0.1/hook",
    "https://localhost:8443/hook",
    "https://hooks.localhost/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.7/hook",
    "https://[::1]/hook",
    "https://[::ffff:10.0.0.7]/hook",
]
OPEN = ["https://hooks.example.com/a?b=c", "https://93.184.215.14/hook"]
PLAIN = ["http://hooks.example.com/a", "http://93.184.215.14/hook"]
ODD = ["https://user:pass@hooks.example.com/", "ftp://hooks.example.com/", "https:///hook", "https://a b/"]


@pytest.mark.parametrize("url", [*INSIDE, *PLAIN, *ODD])
def test_nothing_inside_and_nothing_in_plain_text(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidRequest, match="/url"):
        check_target(settings_in(tmp_path, dev=False), url)


@pytest.mark.parametrize("url", OPEN)
def test_what_is_public_is_open(tmp_path: Path, url: str) -> None:
    check_target(settings_in(tmp_path, dev=False), url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.7/hook", "https://10.0.0.7/hook", "http://alerts.example.internal/hook"]
)
def test_a_network_that_is_listed_is_open_also_in_plain_text(tmp_path: Path, url: str) -> None:
    check_target(settings_in(tmp_path, dev=False, allow_networks=("10.0.0.0/24",)), url)


def test_in_development_this_machine_is_open_but_for_ourselves(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, dev=True, port=8123)
    check_target(settings, "http://localhost:9000/hook")
    for url in ("http://localhost:8123/hook", "http://127.0.0.1:8123/"):
        with pytest.raises(InvalidRequest, match="leads to this hub"):
            check_target(settings, url)
