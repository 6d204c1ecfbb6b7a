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
        "https://EEE.example.com:443/1?x=%20",
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
        "https://eee.example.com:8443/1",
        "https://eee.example.com:22/1",
        "https://eee.example.com:0/1",
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
    check_response_url(world.hub, partner, "http://emsp:9001/1")
    check_response_url(world.hub, partner, "http://127.0.0.1:9001/1")
    check_response_url(world.hub, partner, "https://127.0.0.1:9001/1")
    for url in ("http://127.0.0.2:9001/1", "http://other:9001/1", "http://127.0.0.1:9002/1", "http://emsp:6379/1"):
        with pytest.raises(InvalidRequest):
            check_response_url(world.hub, partner, url)
    partner = partner.model_copy(update={"versions_url": "https://127.0.0.1:9001/versions"})
    with pytest.raises(InvalidRequest):
        check_response_url(world.hub, partner, "http://127.0.0.1:9001/1")
    world.hub.settings = Settings(_env_file=None, allow_networks=("127.0.0.0/8",))
    check_response_url(world.hub, partner, "http://127.0.0.1:9001/1")


def test_a_port_that_the_partner_registered_with_is_fine_on_all_of_its_site(world: World) -> None:
    url = "https://eee.example.com:8443/ocpi/versions"
    partner = world.hub.registry.get("eee").model_copy(update={"versions_url": url})
    for fine in ("https://eee.example.com:8443/1", "https://callbacks.example.com:8443/1", "https://example.com/1"):
        check_response_url(world.hub, partner, fine)


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example.com/ocpi/2.2.1/sender/commands/START_SESSION/1",
        "https://HUB.example.com:443/1",
        "https://hub.example.com./1",
        "http://hub.example.com:443/1",
        "https://hub.example.com:8443/1",
    ],
)
def test_no_result_is_sent_to_ourselves(world: World, url: str) -> None:
    """Though the partner is on the same site, and whatever port it has."""
    world.hub.settings = Settings(_env_file=None, public_url="https://hub.example.com", dev=True)
    partner = world.hub.registry.get("eee").model_copy(update={"versions_url": "https://eee.example.com:8443/versions"})
    with pytest.raises(InvalidRequest, match="leads to this hub"):
        check_response_url(world.hub, partner, url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("port", [8000, 9000, 9443])
def test_no_result_is_sent_to_a_port_of_ours_on_this_machine(world: World, host: str, port: int) -> None:
    """A partner beside us has ports of its own."""
    world.hub.settings = Settings(_env_file=None, dev=True, port=8000, ocpp_port=9000, public_url="https://hub.example")
    beside = f"http://{host}:9001/versions"
    also = Endpoint(identifier="commands", url=f"http://{host}:{port}/commands")
    known = world.hub.registry.get("eee").model_copy(update={"versions_url": beside, "endpoints": (also,)})
    check_response_url(world.hub, known, f"http://{host}:9001/1")
    with pytest.raises(InvalidRequest, match="leads to this hub"):
        check_response_url(world.hub, known, f"http://{host}:{port}/1")


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
