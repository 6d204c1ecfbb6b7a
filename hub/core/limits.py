"""How often somebody may do something: a token bucket a key, in memory.

A bucket is kept as one number, the moment at which it will be full again (the generic cell rate algorithm).
The number of keys is bounded: the one that was used least recently, whose bucket is the fullest, goes
first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

MAX_KEYS: Final = 10_000


class RateLimiter:
    """At most `burst` at once, and `rate_per_s` a second for long, for each key."""

    def __init__(
        self,
        *,
        rate_per_s: float,
        burst: int,
        max_keys: int = MAX_KEYS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_s = 1 / rate_per_s
        self._tolerance_s = (burst - 1) / rate_per_s + 1e-9
        self._max_keys = max_keys
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}

    def take(self, key: str) -> float:
        """Count one for `key`. Returns: 0 when it may, else the seconds to wait (and nothing is counted)."""
        now = self._monotonic()
        full_at = max(self._full_at.pop(key, now), now)
        wait_s = full_at - now - self._tolerance_s
        self._full_at[key] = full_at if wait_s > 0 else full_at + self._interval_s
        if len(self._full_at) > self._max_keys:
            del self._full_at[next(iter(self._full_at))]
        return max(wait_s, 0.0)

    def wait_s(self, key: str) -> float:
        """The seconds until `key` may again, 0 for now. Counts nothing."""
        now = self._monotonic()
        return max(self._full_at.get(key, now) - now - self._tolerance_s, 0.0)


def address_key(host: str) -> str:
    """The key of a client's address: an IPv6 caller has a whole /64 to call from, so that counts as one."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return address.exploded[:19]
    return host
