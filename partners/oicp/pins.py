"""PINs of QR codes: hashed as EMPs leave them with us (bcrypt), and compared so that time tells nothing.

A comparison takes the time of one hash of a given cost, whatever it is compared with: a dearer hash, a cheaper one, or
none at all because nobody has this contract. A cost of n is 2**n rounds, and 2**n + 2**n + 2**(n+1) + ... + 2**(m-1) is
2**m: what a hash is too cheap by is made up for with hashes of no use. Few run at once, in threads of their own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import bcrypt

from partners.oicp.answers import Code, Refused
from partners.oicp.mapping.tokens import QR_CODE, without_pin

Identification = Mapping[str, Any]

USUAL_COST: Final = 10
MOST_COST: Final = 14
"""About a second of a processor. Each step more is twice that: a few such PINs would stop the hub."""
MOST_IN_CLEAR: Final = 200
"""PINs of one push that are hashed here: about 20 s."""
_LEAST_COST: Final = 4
_FORM: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_OF_NO_USE: Final = "$2b${:02d}$......................"
_LONGEST: Final = 72
"""Bytes of which bcrypt takes notice; what stands behind them was left out wherever the hash was made, too."""
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 32


def cost_of(hashed: str) -> int | None:
    """The cost of a hash; None for what is no hash of bcrypt, or one of a cost that nobody means."""
    match = _FORM.fullmatch(hashed)
    cost = int(match[1]) if match is not None else 0
    return cost if _LEAST_COST <= cost <= MOST_COST else None


def hashed(pin: str) -> str:
    """As we keep a PIN. It takes its time."""
    return bcrypt.hashpw(_bytes(pin), bcrypt.gensalt(USUAL_COST)).decode()


def fits(pin: str, kept: str, *, cost: int) -> bool:
    """Is it the PIN of this hash? Of none ("") it never is; either takes the time of `cost`."""
    known = cost_of(kept)
    made = bcrypt.hashpw(_bytes(pin), _salt(_LEAST_COST)) if known is None else None
    is_right = made is None and bcrypt.checkpw(_bytes(pin), kept.encode())
    for each in range(known or _LEAST_COST, cost):
        bcrypt.hashpw(_bytes(pin), _salt(each))
    return is_right


def with_hashes(identifications: Iterable[Identification]) -> list[Identification]:
    """As they are kept: a PIN that came in clear is hashed, and goes. Raises: Refused, for one that is of no use."""
    known = list(identifications)
    if sum(_is_in_clear(each) for each in known) > MOST_IN_CLEAR:
        raise Refused(Code.DATA_ERROR, info=f"more than {MOST_IN_CLEAR} PINs in clear: they are to be hashed")
    return [_with_hash(each) if each.get(QR_CODE) else each for each in known]


def hash_in(identification: Identification) -> str:
    """The hash of its PIN; "" without one."""
    return str(((identification.get(QR_CODE) or {}).get("HashedPIN") or {}).get("Value", ""))


def _is_in_clear(identification: Identification) -> bool:
    return bool((identification.get(QR_CODE) or {}).get("PIN")) and not hash_in(identification)


def _with_hash(identification: Identification) -> Identification:
    """Raises: Refused."""
    value, pin = hash_in(identification), identification[QR_CODE].get("PIN")
    if value and cost_of(value) is None:
        raise Refused(Code.DATA_ERROR, info=f"a HashedPIN is no hash of bcrypt with a cost of at most {MOST_COST}")
    if not value and not pin:
        raise Refused(Code.DATA_ERROR, info="a QR code has neither HashedPIN nor PIN")
    kept = {"Value": value or hashed(pin), "Function": "Bcrypt"}
    return {**identification, QR_CODE: {**without_pin(identification)[QR_CODE], "HashedPIN": kept}}


class PinWork:
    """Hashes and comparisons beside the event loop, a few at once."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pins")
        self._waiting = 0

    async def fits(self, pin: str, kept: str, *, cost: int) -> bool:
        """See `fits`. Raises: Refused, while too many wait."""
        if self._waiting >= _MOST_WAITING:
            raise Refused(Code.HUB_ERROR, info="too many PINs are to be compared just now")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, lambda: fits(pin, kept, cost=cost))
        future.add_done_callback(self._is_done)
        return await future

    async def hashed(self, pin: str) -> str:
        """See `hashed`. Of a PIN that is right already: it waits for its turn, however many do."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hashed, pin)

    def _is_done(self, future: object) -> None:
        self._waiting -= 1


def _bytes(pin: str) -> bytes:
    return pin.encode()[:_LONGEST]


def _salt(cost: int) -> bytes:
    return _OF_NO_USE.format(cost).encode()
