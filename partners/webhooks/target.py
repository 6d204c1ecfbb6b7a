"""Where a webhook may be: as other URLs that are given to us, nowhere inside, unless that is allowed."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from hub.core.address_guard import AddressGuard
from hub.core.errors import InvalidRequest
from hub.core.settings import Settings
from hub.core.targets import Target, is_loopback_name, is_ourselves, target_of

_LOOPBACK: Final = "127.0.0.1"


def check_target(settings: Settings, url: str) -> None:
    """May a webhook be at `url`? What a name leads to is seen with each call. Raises: InvalidRequest."""
    target = target_of(url, "/url: the URL")
    if is_ourselves(settings, target):
        raise InvalidRequest("/url: the URL leads to this hub")
    address = _address(target)
    networks = settings.reachable_networks
    if address and not AddressGuard(networks).permits(address):
        raise InvalidRequest("/url: its address is not public; BUSBAR_ALLOW_NETWORKS lists exceptions")
    if target.scheme == "https":
        return
    is_allowed = AddressGuard(networks, only_listed=True).permits(address) if address else bool(networks)
    if not is_allowed:
        raise InvalidRequest("/url: plain http is for networks that BUSBAR_ALLOW_NETWORKS lists; use https")


def _address(target: Target) -> str:
    """The address, if the URL names one; "" for a name."""
    if is_loopback_name(target.host):
        return _LOOPBACK
    try:
        return str(ip_address(target.host))
    except ValueError:
        return ""
