"""Tokens and seals."""

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from secrets import token_bytes

import pytest

from hub.core.secrets import BrokenSealError, Keys, Seal, fingerprint, matches, mint_token


def test_a_token_is_46_printable_characters_and_never_base64() -> None:
    tokens = {mint_token() for _ in range(200)}
    assert len(tokens) == 200
    for token in tokens:
        assert token.startswith("bb_")
        assert len(token) == 46
        assert token.isascii()
        assert token.isprintable()
        with pytest.raises(NotBase64):
            b64decode(token, validate=True)


def test_a_fingerprint_is_hmac_sha256_and_differs_by_pepper() -> None:
    expected = hmac.new(b"p" * 32, b"bb_token", hashlib.sha256).hexdigest()
    assert fingerprint("bb_token", b"p" * 32) == expected
    assert fingerprint("bb_token", b"q" * 32) != expected


def test_any_text_has_a_fingerprint() -> None:
    assert len(fingerprint("\ud800é", b"p" * 32)) == 64


def test_only_the_right_token_matches() -> None:
    stored = fingerprint("bb_token", b"p" * 32)
    assert matches("bb_token", stored, b"p" * 32)
    assert not matches("bb_tokem", stored, b"p" * 32)


def test_a_sealed_text_opens_again_and_looks_different_each_time() -> None:
    seal = Seal(token_bytes(32))
    first, second = seal.seal("canary é"), seal.seal("canary é")
    assert first != second
    assert "canary" not in first
    assert seal.open(first) == seal.open(second) == "canary é"


def test_a_sealed_text_that_was_changed_cut_or_moved_does_not_open() -> None:
    seal = Seal(token_bytes(32))
    sealed = seal.seal("canary", about="DE*AAA")
    swapped = sealed[:-6] + ("B" if sealed[-6] == "A" else "A") + sealed[-5:]
    for broken in (swapped, sealed[:-8], sealed[:10], "", ".", "é." + sealed, sealed.replace(".", "")):
        with pytest.raises(BrokenSealError):
            seal.open(broken, about="DE*AAA")
    with pytest.raises(BrokenSealError):
        seal.open(sealed, about="DE*BBB")
    assert seal.open(sealed, about="DE*AAA") == "canary"


def test_after_a_rotation_old_seals_open_and_are_known_as_old() -> None:
    old, new = token_bytes(32), token_bytes(32)
    sealed = Seal(old).seal("canary")
    rotated = Seal(new, old)
    assert rotated.open(sealed) == "canary"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal("canary"))
    with pytest.raises(BrokenSealError, match="not at hand"):
        Seal(new).open(sealed)


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = Keys.from_secret(b"s" * 32)
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}
    assert keys == Keys.from_secret(b"s" * 32)
    assert keys != Keys.from_secret(b"t" * 32)


def test_short_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Keys.from_secret(b"s" * 31)
    with pytest.raises(ValueError, match="32"):
        Seal(b"s" * 31)
