"""Where a result may go: only to the partner that sent the command (trap T-49).

A response_url comes with each command, so it could aim our POST, with our credentials in it, at anybody. It must be
https, unless plain http is allowed there, and on the same *site* as the URLs that the partner registered with; on the
port that its scheme has, or one that it registered with (decision response-urls-keep-to-known-ports). It never leads to
ourselves: a result would then come back as a request of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from hub.core.address_guard import AddressGuard
from hub.core.errors import InvalidRequest
from hub.core.ports import Hub
from hub.core.registry import Partner

_URL: Final = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
_GENERIC: Final = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})


class _Target(NamedTuple):
    """What of a URL says whom it reaches."""

    scheme: str
    host: str
    port: int


def check_response_url(hub: Hub, partner: Partner, url: str) -> None:
    """May a result for `partner` go to `url`? Raises: InvalidRequest, when not.

    Where an interpreter speaks for the partner, the result goes to it and leaves by its ways.
    """
    if partner.interpreter:
        return
    target = _target(url)
    known = [each for each in _own_targets(partner) if site_of(each.host) == site_of(target.host)]
    if not known:
        raise InvalidRequest("response_url is not on the site of your platform")
    if _is_ourselves(hub, target) or (target.host == _target(hub.settings.base_url).host and not _named(target, known)):
        raise InvalidRequest("response_url leads to this hub")
    if target.port != _PORTS[target.scheme] and target.port not in {each.port for each in known}:
        raise InvalidRequest("response_url is on a port that your platform has not registered with")
    plain_http = AddressGuard(hub.settings.reachable_networks, only_listed=True)
    is_plain = any((each.scheme, each.host) == ("http", target.host) for each in known)
    if target.scheme != "https" and not is_plain and not plain_http.permits(target.host):
        raise InvalidRequest("response_url is not an https URL")


def _is_ourselves(hub: Hub, target: _Target) -> bool:
    """Our public address, or a port of ours on this machine; with which scheme does not matter."""
    settings = hub.settings
    ours = _target(settings.base_url)
    if (target.host, target.port) == (ours.host, ours.port):
        return True
    ports = (settings.port, settings.ocpp_port, settings.ocpp_tls_port)
    return _is_here(target.host, settings.host) and target.port in ports


def _is_here(host: str, bound: str) -> bool:
    """Is it this machine, as far as its name tells? What a name leads to, the address guard sees."""
    try:
        address = ip_address(host)
    except ValueError:
        return host in (bound, "localhost") or host.endswith(".localhost")
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified or host == bound


def _named(target: _Target, known: list[_Target]) -> bool:
    return target.host in {each.host for each in known}


def site_of(host: str) -> str:
    """The registrable domain: the last two labels, three under such as `co.uk`; an address is its own site."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    generic = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _GENERIC
    return ".".join(labels[-3 if generic else -2 :])


def _own_targets(partner: Partner) -> Iterator[_Target]:
    for url in (partner.versions_url, *(endpoint.url for endpoint in partner.endpoints)):
        try:
            yield _target(url)
        except InvalidRequest:
            continue


def _target(url: str) -> _Target:
    """Scheme and host in lower case, and the port.

    Raises: InvalidRequest, also for what two readers could take for two hosts.
    """
    if _URL.fullmatch(url) is None:
        raise InvalidRequest("response_url is not an absolute https URL")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise InvalidRequest("response_url cannot be read") from None
    if not host or "@" in parts.netloc:
        raise InvalidRequest("response_url names no host")
    return _Target(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)
