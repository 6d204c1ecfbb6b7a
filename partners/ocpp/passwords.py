"""Chargers' passwords: minted by us or chosen by the operator, kept as fingerprints, checked in constant time.

The key of security profiles 1 and 2 travels as hexadecimal text in ChangeConfiguration (AuthorizationKey) and as raw
bytes in HTTP Basic, but many chargers send the text itself: both forms of one key are the same password.

Long ones have entropy of their own: a keyed hash is enough and takes microseconds, so that a thousand chargers that
come back at once are let in at once. Short ones get argon2id, two at a time beside the event loop; what was right once
is known again for a day by its keyed hash, in memory.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Final

import argon2

from hub.core.clock import Clock
from hub.core.errors import InvalidRequest
from partners.ocpp.register import Password

LONG: Final = 20
"""Characters from which on a password is hashed by key alone."""

KEPT_S: Final = 86_400.0
MOST_KEPT: Final = 20_000
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){8,32}")


def mint() -> str:
    """A new one: 20 random bytes as 40 hexadecimal digits, the longest that every charger of 1.6 takes."""
    return secrets.token_hex(20)


class Passwords:
    """Keeps and checks. `fingerprint` is a keyed hash (text to hexadecimal digits)."""

    def __init__(self, fingerprint: Callable[[str], str], clock: Clock) -> None:
        self._fingerprint = fingerprint
        self._clock = clock
        self._right: dict[tuple[str, str], float] = {}
        self._two_at_a_time = asyncio.Semaphore(2)
        self._argon2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    async def kept(self, password: str) -> Password:
        """What to store of a password. Raises: InvalidRequest, when it is too short or too long."""
        if not 8 <= len(password.encode()) <= 64:
            raise InvalidRequest("a charger's password has 8 to 64 characters")
        text = _canonical(password)
        if len(text) >= LONG:
            return Password("keyed", self._keyed(text))
        async with self._two_at_a_time:
            return Password("argon2", await asyncio.to_thread(self._argon2.hash, text))

    def is_known(self, presented: bytes, stored: Password) -> bool:
        """Is `presented` (the bytes behind the colon of Basic) this password, in either form, as far as costs nothing?

        The last word on a keyed one; of another, only that it was right within the last day.
        """
        keyed = [self._keyed(form) for form in _forms(presented)]
        if stored.scheme == "keyed":
            first, second = (hmac.compare_digest(each, stored.value) for each in keyed)
            return first or second
        now = self._clock.monotonic()
        return any(self._right.get((each, stored.value), now) > now for each in keyed)

    async def is_right(self, presented: bytes, stored: Password) -> bool:
        """Is it one that `is_known` cannot tell? Costs tens of milliseconds: ask a limiter first."""
        if stored.scheme != "argon2":
            return False
        for form in _forms(presented):
            if len(form) < LONG and await self._is_right_slowly(form, stored):
                return True
        return False

    async def _is_right_slowly(self, text: str, stored: Password) -> bool:
        async with self._two_at_a_time:
            try:
                await asyncio.to_thread(self._argon2.verify, stored.value, text)
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
                return False
        if len(self._right) >= MOST_KEPT:
            del self._right[next(iter(self._right))]
        self._right[self._keyed(text), stored.value] = self._clock.monotonic() + KEPT_S
        return True

    def _keyed(self, text: str) -> str:
        return self._fingerprint(f"ocpp-password/{text}")


def _forms(presented: bytes) -> list[str]:
    """How the key may have been written down: as the text that was sent, or as the hexadecimal form of the bytes."""
    try:
        text = _canonical(presented.decode())
    except UnicodeDecodeError:
        text = presented.decode("latin-1")
    return [text, presented.hex()]


def _canonical(password: str) -> str:
    return password.lower() if _HEX.fullmatch(password) else password


def is_hex(password: str) -> bool:
    """Is it hexadecimal text, as AuthorizationKey carries it?"""
    return _HEX.fullmatch(password) is not None
