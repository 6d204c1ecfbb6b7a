"""Where a result may go (trap T-49)."""

from __future__ import annotations

import pytest

from hub.core.errors import InvalidRequest
from hub.core.registry import Endpoint
from hub.core.settings import Settings
from modules.commands.response_url import check_response_url, site_of
from tests.modules.commands.world import World


@pytest.mark.parametrize(
    "url",
    [
        "https://eee.example.com/1",
        "https://EEE.example.com:8443/1?x=%20",
        "https://callbacks.example.com/1",
        "https://example.com",
    ],
)
def test_the_partners_own_site_is_fine(world: World, url: str) -> None:
    check_response_url(world.hub, world.hub.registry.get("eee"), url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/1",
        "https://eee.example.com.evil.net/1",
        "https://evilexample.com/1",
        "https://169.254.169.254/latest",
        "https://[::1]/1",
        "https://localhost/1",
        "http://eee.example.com/1",
        "ftp://eee.example.com/1",
        "//eee.example.com/1",
        "https://eee.example.com@evil.net/1",
        "https://evil.net\\@eee.example.com/1",
        "https://evil.net@eee.example.com/1",
        "https://evil.net#@eee.example.com/",
        "https://eee.example.com:99999/",
        "https://eee.example.com\n.evil.net/",
        "https://[eee.example.com/",
        "https://",
        "https://./",
        "",
        "/1",
    ],
)
def test_everything_else_is_refused(world: World, url: str) -> None:
    with pytest.raises(InvalidRequest):
        check_response_url(world.hub, world.hub.registry.get("eee"), url)


def test_plain_http_is_for_allowed_networks_and_hosts_that_registered_so(world: World) -> None:
    partner = world.hub.registry.get("eee").model_copy(
        update={
            "versions_url": "http://127.0.0.1:9001/versions",
            "endpoints": (Endpoint(identifier="commands", url="http://emsp:9001/commands"),),
        }
    )
    check_response_url(world.hub, partner, "http://emsp:9002/1")
    check_response_url(world.hub, partner, "http://127.0.0.1:9002/1")
    check_response_url(world.hub, partner, "https://127.0.0.1:9002/1")
    for url in ("http://127.0.0.2:9001/1", "http://other:9001/1"):
        with pytest.raises(InvalidRequest):
            check_response_url(world.hub, partner, url)
    partner = partner.model_copy(update={"versions_url": "https://127.0.0.1:9001/versions"})
    with pytest.raises(InvalidRequest):
        check_response_url(world.hub, partner, "http://127.0.0.1:9001/1")
    world.hub.settings = Settings(_env_file=None, allow_networks=("127.0.0.0/8",))
    check_response_url(world.hub, partner, "http://127.0.0.1:9001/1")


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("a.b.example.com", "example.com"),
        ("example.com", "example.com"),
        ("api.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("emsp", "emsp"),
    ],
)
def test_a_site_is_the_registrable_domain(host: str, site: str) -> None:
    assert site_of(host) == site
