"""Where a result may go: only to the partner that sent the command (trap T-49).

A response_url comes with each command, so it could aim our POST, with our credentials in it, at anybody. It must be
https, unless plain http is allowed there, and on the same *site* as the URLs that the partner registered with; on the
port that its scheme has, or one that it registered with (decision response-urls-keep-to-known-ports). It never leads to
ourselves: a result would then come back as a request of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hub.core.address_guard import AddressGuard
from hub.core.errors import InvalidRequest
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.targets import DEFAULT_PORTS, Target, is_ourselves, target_of

_GENERIC: Final = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})


def check_response_url(hub: Hub, partner: Partner, url: str) -> None:
    """May a result for `partner` go to `url`? Raises: InvalidRequest, when not.

    Where an interpreter speaks for the partner, the result goes to it and leaves by its ways.
    """
    if partner.interpreter:
        return
    target = target_of(url, "response_url")
    known = [each for each in _own_targets(partner) if site_of(each.host) == site_of(target.host)]
    if not known:
        raise InvalidRequest("response_url is not on the site of your platform")
    if is_ourselves(hub.settings, target) or (
        target.host == target_of(hub.settings.base_url, "the public URL").host and not _named(target, known)
    ):
        raise InvalidRequest("response_url leads to this hub")
    if target.port != DEFAULT_PORTS[target.scheme] and target.port not in {each.port for each in known}:
        raise InvalidRequest("response_url is on a port that your platform has not registered with")
    plain_http = AddressGuard(hub.settings.reachable_networks, only_listed=True)
    is_plain = any((each.scheme, each.host) == ("http", target.host) for each in known)
    if target.scheme != "https" and not is_plain and not plain_http.permits(target.host):
        raise InvalidRequest("response_url is not an https URL")


def _named(target: Target, known: list[Target]) -> bool:
    return target.host in {each.host for each in known}


def site_of(host: str) -> str:
    """The registrable domain: the last two labels, three under such as `co.uk`; an address is its own site."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    generic = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _GENERIC
    return ".".join(labels[-3 if generic else -2 :])


def _own_targets(partner: Partner) -> Iterator[Target]:
    for url in (partner.versions_url, *(endpoint.url for endpoint in partner.endpoints)):
        try:
            yield target_of(url, "a registered URL")
        except InvalidRequest:
            continue
