"""Values as they come over the wire, put into the one form in which they are kept.

Everything here takes what JSON gave and returns the value, or raises a fault that names no value: it may be a secret.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from pydantic_core import PydanticCustomError

from hub.core.clock import rfc3339, timestamp
from hub.core.countries import ALPHA_3, LANGUAGES

_FIGURE: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?"
    r"(?:[Zz]|([+\- ])(\d{2}):?(\d{2})?)?",
    re.ASCII,
)
_COORDINATE: Final = re.compile(r"-?[0-9]{1,3}\.[0-9]{5,7}", re.ASCII)
_NO_MOMENT: Final = "not a timestamp such as 2015-06-29T20:39:09Z"
_IN_SECONDS: Final = len("2015-06-29T20:39:09Z")
_IN_MILLISECONDS: Final = len("2015-06-29T20:39:09.000Z")
_MAX_DIGITS: Final = 20
_MAX_WHOLE: Final = 2**63 - 1


def _fault(why: str) -> PydanticCustomError:
    return PydanticCustomError("ocpi", "{why}", {"why": why})


def as_number(value: Any) -> Decimal:
    kind = type(value)
    if kind is int or (kind is str and _FIGURE.fullmatch(value)):
        value = Decimal(value)
    elif not isinstance(value, Decimal):
        raise _fault("not a number")
    if value.is_finite() and len(text := str(value)) <= _MAX_DIGITS and "E" not in text:
        return Decimal(value)
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MAX_DIGITS or not -_MAX_DIGITS <= exponent <= _MAX_DIGITS:
        raise _fault(f"not a finite number of at most {_MAX_DIGITS} digits")
    return Decimal(value)


def as_whole(value: Any) -> int:
    if type(value) is not int:
        number = as_number(value)
        if number != number.to_integral_value():
            raise _fault("not a whole number")
        value = int(number)
    if not -_MAX_WHOLE <= value <= _MAX_WHOLE:
        raise _fault("the number is too large")
    return int(value)


def parse_datetime(text: str) -> datetime:
    """A timestamp in any form met in the field, as an aware UTC datetime of millisecond precision.

    Offsets, none at all (then it is UTC), a space for `T` or for the `+` of a query string, 1970-1-1.
    Raises: ValueError, OverflowError.
    """
    if _is_plain(text):
        return datetime.fromisoformat(text)
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a timestamp")
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    second, fraction, sign, hours, minutes = match.groups()[5:]
    ms = int((fraction or "0").ljust(3, "0")[:3])
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    moment = datetime(year, month, day, hour, minute, int(second or 0), ms * 1000, zone)
    return moment.astimezone(UTC)


def timestamp_of(text: str) -> str:
    """A timestamp in any form met in the field, as `clock.timestamp` writes it. Raises: ValueError, OverflowError."""
    moment = parse_datetime(text)
    if not _is_plain(text):
        return timestamp(moment)
    return text if len(text) == _IN_MILLISECONDS else f"{text[:-1]}.000Z"


def _is_plain(text: str) -> bool:
    """Is it written as we write it, with three digits after the second or none, if it is a moment at all?"""
    length = len(text)
    if length != _IN_SECONDS and (length != _IN_MILLISECONDS or text[19] != "."):
        return False
    return text[-1] == "Z" and text[7:17:3] == "-T::"


def as_moment(value: object) -> datetime:
    try:
        if isinstance(value, str):
            return parse_datetime(value)
    except (ValueError, OverflowError):
        raise _fault(_NO_MOMENT) from None
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    raise _fault(_NO_MOMENT)


def moment_text(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ`, with `.fff` before the Z when there are milliseconds. types, DateTime."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    text = rfc3339(moment)
    return text[1:24].decode() + "Z" if moment.microsecond >= 1000 else text[1:20].decode() + "Z"


def as_moment_text(value: object) -> str:
    """The same as `moment_text` of `as_moment`."""
    moment = as_moment(value)
    if type(value) is str and _is_plain(value) and value[20:] != "000Z":
        return value
    return moment_text(moment)


def as_weekday(value: object) -> int:
    day = as_whole(value)
    if not 1 <= day <= 7:
        raise _fault("not a day between 1 and 7")
    return day


def _coordinate(value: object, *, limit: int, most: int) -> str:
    """Numbers, commas and any precision are read; a coordinate in the spec's own form stays as it is."""
    text = value.strip().replace(",", ".") if type(value) is str else value
    number = as_number(text)
    if abs(number) > most:
        raise _fault(f"not between -{most} and {most}")
    if type(text) is str and len(text) <= limit and _COORDINATE.fullmatch(text):
        return text
    return f"{number:.6f}"


def as_latitude(value: object) -> str:
    return _coordinate(value, limit=10, most=90)


def as_longitude(value: object) -> str:
    return _coordinate(value, limit=11, most=180)


def as_language(value: object) -> object:
    if type(value) is str and len(value) != 2:
        head = re.split("[-_]", value.strip(), maxsplit=1)[0].lower()
        return LANGUAGES.get(head, head)
    return value


def as_country(value: object) -> object:
    if type(value) is str and len(value) != 3:
        return ALPHA_3.get(value.strip().upper(), value)
    return value
