"""Whom a URL reaches that somebody gave us: its scheme, host and port, and whether that is ourselves.

What a name leads to is seen when we connect (`address_guard.py`); what is told by the URL itself is refused at once.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from hub.core.errors import InvalidRequest
from hub.core.settings import Settings

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)


class Target(NamedTuple):
    """What of a URL says whom it reaches."""

    scheme: str
    host: str
    port: int


def target_of(url: str, name: str) -> Target:
    """Scheme and host in lower case, and the port; `name` is what the URL is called in errors.

    Raises: InvalidRequest, also for what two readers could take for two hosts.
    """
    if _URL.fullmatch(url) is None:
        raise InvalidRequest(f"{name} is not an absolute https URL")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise InvalidRequest(f"{name} cannot be read") from None
    if not host or "@" in parts.netloc:
        raise InvalidRequest(f"{name} names no host")
    return Target(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port)


def is_ourselves(settings: Settings, target: Target) -> bool:
    """Our public address, or a port of ours on this machine; with which scheme does not matter."""
    ours = target_of(settings.base_url, "the public URL")
    if (target.host, target.port) == (ours.host, ours.port):
        return True
    ports = (settings.port, settings.ocpp_port, settings.ocpp_tls_port)
    return _is_here(target.host, settings.host) and target.port in ports


def is_loopback_name(host: str) -> bool:
    """Does this name, by what it is, stand for the machine that looks it up?"""
    return host == "localhost" or host.endswith(".localhost")


def _is_here(host: str, bound: str) -> bool:
    """Is it this machine, as far as its name tells?"""
    try:
        address = ip_address(host)
    except ValueError:
        return host == bound or is_loopback_name(host)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified or host == bound
