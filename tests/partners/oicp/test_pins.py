"""PINs as they are kept and compared: no time, no count and no log line tells whose contract is known."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import bcrypt
import pytest

from partners.oicp import pins
from partners.oicp.answers import Code, Refused
from partners.oicp.mapping.tokens import QR_CODE
from partners.oicp.pins import MOST_COST, MOST_IN_CLEAR, PinWork, cost_of, fits, hash_in, with_hashes
from tests.world import until

PIN = "4711"


def a_hash(pin: str = PIN, cost: int = 4) -> str:
    return bcrypt.hashpw(pin.encode(), bcrypt.gensalt(cost)).decode()


def code(**pin: Any) -> dict[str, Any]:
    return {QR_CODE: {"EvcoID": "DE-DCB-C12345678-X", **pin}}


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The work of bcrypt that was done, in rounds."""
    done: list[int] = []
    hashpw, checkpw = bcrypt.hashpw, bcrypt.checkpw

    def counted(password: bytes, salt: bytes) -> bytes:
        done.append(2 ** int(salt[4:6]))
        return hashpw(password, salt)

    def compared(password: bytes, kept: bytes) -> bool:
        done.append(2 ** int(kept[4:6]))
        return checkpw(password, kept)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    monkeypatch.setattr(bcrypt, "checkpw", compared)
    return done


def test_the_right_pin_fits_and_no_other_one() -> None:
    assert fits(PIN, a_hash(), cost=4)
    assert not fits("4712", a_hash(), cost=4)
    assert not fits(PIN, "", cost=4)
    assert not fits(a_hash(), a_hash(), cost=4)


@pytest.mark.parametrize(
    "kept",
    [a_hash(), a_hash("4712"), a_hash(cost=6), "", "no hash"],
    ids=["the right one", "another", "a dearer one", "none", "no hash"],
)
def test_a_comparison_is_the_same_work_with_whatever_it_compares(rounds: list[int], kept: str) -> None:
    fits(PIN, kept, cost=7)
    assert sum(rounds) == 2**7


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_hashes_of_each_spelling_of_bcrypt_are_compared(prefix: str) -> None:
    assert fits(PIN, prefix + a_hash()[4:], cost=4)


def test_a_pin_is_compared_as_far_as_bcrypt_goes_whatever_its_letters() -> None:
    pin = "\U0001f511" * 20
    kept = bcrypt.hashpw(pin.encode()[:72], bcrypt.gensalt(4)).decode()
    assert fits(pin, kept, cost=4)


@pytest.mark.parametrize(
    "value",
    [
        f"$2b${MOST_COST + 1}$" + a_hash()[7:],
        "$2b$31$" + a_hash()[7:],
        "$2b$03$" + a_hash()[7:],
        a_hash()[:-1],
        "d41d8cd98f00b204e9800998ecf8427e",
        a_hash().replace("$2b$", "$1$"),
    ],
    ids=["too dear", "dearest", "too cheap", "cut", "MD5", "another algorithm"],
)
def test_what_is_no_hash_or_costs_what_nobody_means_is_refused_and_not_repeated(value: str) -> None:
    assert cost_of(value) is None
    with pytest.raises(Refused) as refused:
        with_hashes([code(HashedPIN={"Value": value, "Function": "Bcrypt"})])
    assert refused.value.code is Code.DATA_ERROR
    assert value not in refused.value.info


def test_a_pin_in_clear_is_hashed_and_gone() -> None:
    [kept] = with_hashes([code(PIN=PIN)])
    assert PIN not in str({**kept[QR_CODE], "HashedPIN": ""})
    assert fits(PIN, hash_in(kept), cost=10)


def test_beside_a_hash_no_pin_is_kept() -> None:
    [kept] = with_hashes([code(PIN=PIN, HashedPIN={"Value": a_hash(), "Function": "Bcrypt", "LegacyHashData": {}})])
    assert set(kept[QR_CODE]) == {"EvcoID", "HashedPIN"}


def test_a_code_without_a_pin_is_of_no_use_and_refused() -> None:
    with pytest.raises(Refused):
        with_hashes([code()])


def test_more_pins_in_clear_than_can_be_hashed_in_time_are_refused_at_once(rounds: list[int]) -> None:
    with pytest.raises(Refused):
        with_hashes([code(PIN=PIN)] * (MOST_IN_CLEAR + 1))
    assert rounds == []


async def test_few_are_compared_at_once_beside_the_loop_and_too_many_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, at_once, most = threading.Event(), 0, 0
    counting = threading.Lock()

    def slow(pin: str, kept: str, *, cost: int) -> bool:
        nonlocal at_once, most
        with counting:
            at_once += 1
            most = max(most, at_once)
        go_on.wait(60)
        with counting:
            at_once -= 1
        return True

    monkeypatch.setattr(pins, "fits", slow)
    work = PinWork()
    asked = [asyncio.create_task(work.fits(PIN, "", cost=4)) for _ in range(40)]
    await until(lambda: at_once == 2)
    go_on.set()
    said = await asyncio.gather(*asked, return_exceptions=True)
    assert most == 2
    assert [type(each) for each in said] == [bool] * 32 + [Refused] * 8
    assert await work.fits(PIN, "", cost=4)
