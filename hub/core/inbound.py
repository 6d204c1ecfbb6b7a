"""The one entry of JSON into Busbar, and the one exit.

`parse` is strict where a reader could be misled: two readers of the same bytes must see the same object.
Refused are more than `limit` bytes, anything but UTF-8, a repeated key, NaN and Infinity, a lone surrogate,
NUL, a nesting deeper than 32 and a number of more than 32 digits. Fractions and exponents become `Decimal`,
never float; one with an exponent keeps its text, so that fields which nobody here knows are written as they came.

How it is fast and strict at once: msgspec decodes (it is exact about JSON, UTF-8 and surrogates), and what it
lets pass is seen in the bytes, with searches that run in C. Depth is read off the brackets, digits off their
runs; both look at the *skeleton*, the bytes without their strings, only when a string could be what they see. A
repeated key shows in the count of quotes: a key that the decoder dropped took its two quotes along, so the
tree, written out again, has fewer of them than the bytes that came in. `tests/hub/core/test_inbound.py` holds
all of it against the parser of the standard library.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgspec

from hub.core.errors import TooLarge, Unreadable

Json: TypeAlias = Any
"""A tree of dict, list, str, int, Decimal, bool and None."""

MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 32

_NUL: Final = "the body holds a NUL character"
_LONG: Final = f"a number of the body has more than {MAX_DIGITS} digits, written out"
_LONG_NUMBER: Final = b"0" * (MAX_DIGITS + 1)
_DIGITS: Final = bytes.maketrans(b"0123456789", b"0" * 10)
_EXPONENT: Final = re.compile(rb"E[+-](?<=[0-9]E.)[0-9]")
"""Looks for the E first, which is quick. Ids have many of them before a sign, but after letters."""
_OPENING: Final = bytes.maketrans(b"[]", b"{}")
_NO_MARKS: Final = bytes(set(range(256)) - set(b'[]{}"'))


class UnfitJson(Unreadable):
    """The body is JSON, but not such as is taken: it could be read in two ways, or not be kept."""


class Written(Decimal):
    """A number that came with an exponent; arithmetic, and validation of a known field, give an ordinary Decimal."""

    __slots__ = ("text",)
    text: str


class _TooLong(ValueError):
    """A number has too many digits."""


def parse(body: bytes, *, limit: int) -> Json:
    """The tree that `body` holds; `limit` in bytes.

    Raises: TooLarge, Unreadable. Nothing else, whatever the bytes.
    """
    if len(body) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    escaped = b"\\" in body
    if escaped and b"\\u0000" in body.replace(b"\\\\", b""):
        raise UnfitJson(_NUL)
    quoted = _without_escapes(body) if escaped else body
    _check_depth(quoted)
    _check_digits(quoted)
    tree = _decode(body)
    if quoted.count(b'"') != _without_escapes(_ENCODER.encode(tree)).count(b'"'):
        raise UnfitJson("an object of the body repeats a key")
    return tree


def reread(body: bytes) -> Json:
    """The tree of a body that is ours: of what `encode` has written there is nothing to refuse."""
    return _DECODER.decode(body)


def encode(tree: Json) -> bytes:
    """`tree` as compact JSON; a Decimal becomes a number in plain notation, with the digits it has, `Written` its text.

    Raises: ValueError, for NaN, Infinity, an exponent beyond 64 and a lone surrogate.
    """
    out = _ENCODER.encode(tree)
    return _ENCODER.encode(_in_plain_notation(tree)) if _may_be_odd(out) else out


def in_plain_numbers(tree: Json) -> Json:
    """`tree` with an ordinary Decimal for each `Written`: msgspec takes no other for the number of a struct."""
    if isinstance(tree, Written):
        return Decimal(tree)
    if isinstance(tree, dict):
        return {key: in_plain_numbers(value) for key, value in tree.items()}
    return [in_plain_numbers(value) for value in tree] if isinstance(tree, list) else tree


def _may_be_odd(out: bytes) -> bool:
    """Could `out` hold a number that is not in plain notation?"""
    return _EXPONENT.search(out) is not None or b"NaN" in out or b"Infinity" in out


def _without_escapes(body: bytes) -> bytes:
    """`body` such that every quote left in it opens or closes a string."""
    return body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body


def _skeleton(quoted: bytes) -> bytes:
    """`quoted` without its strings."""
    return b"".join(quoted.split(b'"')[::2])


def _check_depth(quoted: bytes) -> None:
    """Raises: Unreadable, when it nests too deep."""
    if quoted.count(b"{") + quoted.count(b"[") <= MAX_DEPTH:
        return
    marks = quoted.translate(_OPENING, _NO_MARKS).replace(b'""', b"")
    if b'"' in marks:  # the first string with a bracket in it kept its opening quote
        marks = _skeleton(quoted).translate(_OPENING, _NO_MARKS)
    for _ in range(MAX_DEPTH):  # each round takes the innermost level away
        if b"{}" not in marks:
            break
        marks = marks.replace(b"{}", b"")
    if b"{}" in marks or marks.count(b"{") > MAX_DEPTH:
        raise UnfitJson(f"the body nests deeper than {MAX_DEPTH}")


def _check_digits(quoted: bytes) -> None:
    """Raises: Unreadable, when a number is too long."""
    if _LONG_NUMBER in quoted.translate(_DIGITS) and _LONG_NUMBER in _skeleton(quoted).translate(_DIGITS):
        raise UnfitJson(_LONG)


def _decode(body: bytes) -> Json:
    try:
        return _DECODER.decode(body)
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        if isinstance(error.__cause__, _TooLong):
            raise UnfitJson(_LONG) from error
        if b"\0" in body:
            raise Unreadable(_NUL) from error
        raise Unreadable(f"the body is not JSON: {error}"[:160]) from error


def _number(text: str) -> Decimal:
    """A number with a fraction or an exponent. Raises: _TooLong, when its plain notation has more than 32 digits."""
    if len(text) <= MAX_DIGITS and "e" not in text and "E" not in text:
        return Decimal(text)
    if len(text) > 2 * MAX_DIGITS or len(text.lower().partition("e")[2]) > 4:  # 1e9999 can be written out, just
        raise _TooLong
    plain = format(Decimal(text), "f")
    if sum(map(str.isdigit, plain)) > MAX_DIGITS:
        raise _TooLong
    number = Written(plain)
    number.text = text
    return number


def _as_written(value: object) -> msgspec.Raw:
    """What msgspec does not know: it looks for Decimal itself, so that ordinary bodies cost nothing more."""
    if isinstance(value, Written):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"JSON has no {type(value).__name__}")


def _in_plain_notation(tree: Json) -> Json:
    """`tree` with every Decimal written out; the rare way of `encode`."""
    if isinstance(tree, Written):
        return tree
    if isinstance(tree, Decimal):
        if not tree.is_finite() or abs(tree.adjusted()) > 2 * MAX_DIGITS:
            raise ValueError("not a number that JSON can carry")
        return msgspec.Raw(format(tree, "f").encode())
    if isinstance(tree, dict):
        return {key: _in_plain_notation(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_in_plain_notation(value) for value in tree]
    return tree


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_written)
_DECODER: msgspec.json.Decoder[Json] = msgspec.json.Decoder(float_hook=_number)
