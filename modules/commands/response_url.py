"""Where a result may go: only to the partner that sent the command (trap T-49).

A response_url comes with each command, so it could aim our POST, with our credentials in it, at anybody. It must be
https, unless plain http is allowed there, and on the same *site* as the URLs that the partner registered with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from hub.core.address_guard import AddressGuard
from hub.core.errors import InvalidRequest
from hub.core.ports import Hub
from hub.core.registry import Partner

_URL: Final = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)
_GENERIC: Final = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})


def check_response_url(hub: Hub, partner: Partner, url: str) -> None:
    """May a result for `partner` go to `url`? Raises: InvalidRequest, when not."""
    scheme, host = _target(url)
    own = list(_own_targets(partner))
    if site_of(host) not in {site_of(known) for _, known in own}:
        raise InvalidRequest("response_url is not on the site of your platform")
    plain_http = AddressGuard(hub.settings.reachable_networks, only_listed=True)
    if scheme != "https" and ("http", host) not in own and not plain_http.permits(host):
        raise InvalidRequest("response_url is not an https URL")


def site_of(host: str) -> str:
    """The registrable domain: the last two labels, three under such as `co.uk`; an address is its own site."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    generic = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _GENERIC
    return ".".join(labels[-3 if generic else -2 :])


def _own_targets(partner: Partner) -> Iterator[tuple[str, str]]:
    for url in (partner.versions_url, *(endpoint.url for endpoint in partner.endpoints)):
        try:
            yield _target(url)
        except InvalidRequest:
            continue


def _target(url: str) -> tuple[str, str]:
    """Scheme and host in lower case. Raises: InvalidRequest, also for what two readers could take for two hosts."""
    if _URL.fullmatch(url) is None:
        raise InvalidRequest("response_url is not an absolute https URL")
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise InvalidRequest("response_url cannot be read") from None
    if not host or "@" in parts.netloc:
        raise InvalidRequest("response_url names no host")
    return parts.scheme, host
