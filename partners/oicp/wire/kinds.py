"""The kinds of values: how each is read from whoever writes it, and what OICP has it to be.

`read` takes what JSON gave and makes the best of it; a ValueError says that nothing can be made of it. `fault` says
what keeps a value from being written as it is. What `read` had to change, or `fault` says of what was read, is a
finding. `mend` writes a value that means one of OICP's in OICP's form, where we pass it on (`fitting`). No text here
holds a value: it may be a card's number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from hub.core.jsontypes import Tree
from hub.core.types.reading import as_number, parse_datetime
from partners.oicp.ids import InvalidId

_FOLD: Final = re.compile(r"[^a-z0-9]+")
_FLAGS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_LOOSE_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?\d*(?:([Zz])|([+-]\d{2}):?(\d{2})?)?", re.ASCII
)
_MOST_DIGITS: Final = 20
_NO_WORD: Final = "none of the words that OICP lists"


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of value."""

    read: Callable[[Any], Any]
    fault: Callable[[Any], str]
    schema: Mapping[str, Any]
    mend: Callable[[Any], Any] | None = None
    is_alone: bool = False
    """A list of one such value is none: it is billed, and another one may be missing from the list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: Any) -> Any:
        fault = self.fault(value)
        if fault:
            raise PydanticCustomError("oicp", "{fault}", {"fault": fault})
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        return dict(self.schema)


ANYTHING: Final = Kind(lambda value: value, lambda _: "", {})
"""A value that is not looked at: that of an object, whose fields are."""


def folded(text: str) -> str:
    """`text` without what spellings of one word differ in: case, spaces, signs."""
    return _FOLD.sub("", text.lower())


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return str(value)
    raise ValueError("not a text")


def text(most: int | None = None, *, least: int = 1, pattern: str = "") -> Kind:
    """A text of `least` to `most` characters."""
    matches = re.compile(pattern, re.ASCII).fullmatch if pattern else None

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return "not a text"
        if len(value) < least or (most is not None and len(value) > most):
            return f"a text of {least} to {most} characters is wanted"
        return "" if matches is None or matches(value) else "not in the form that OICP gives it"

    limits = {"minLength": least, **({"maxLength": most} if most else {})}
    return Kind(_as_text, fault, {"type": "string", **limits, **({"pattern": f"^(?:{pattern})$"} if pattern else {})})


def one_of(*values: str, is_closed: bool = False) -> Kind:
    """A word of a list, in any spelling. One that is not on it is kept as it is; `is_closed`: it cannot be read."""
    known = {folded(value): value for value in values}

    def read(value: Any) -> str:
        word = _as_text(value).strip()
        found = word if word in values else known.get(folded(word), word)
        if is_closed and found not in values:
            raise ValueError(_NO_WORD)
        return found

    def fault(value: Any) -> str:
        return "" if value in values else _NO_WORD

    return Kind(read, fault, {"type": "string", "enum": list(values)})


def identifier(parse: Callable[[str], object], pattern: str, *, is_needed: bool) -> Kind:
    """An id that `parse` reads. `is_needed`: without it nothing can be done, so what it cannot read is refused."""
    strict = text(pattern=pattern)

    def read(value: Any) -> str:
        word = _as_text(value).strip()
        problem = _refusal(parse, word)
        if problem and is_needed:
            raise ValueError(problem)
        return word

    return Kind(read, lambda value: strict.fault(value) or _refusal(parse, value), strict.schema)


def _refusal(parse: Callable[[str], object], word: str) -> str:
    try:
        parse(word)
    except InvalidId as fault:
        return fault.message
    return ""


def number(
    decimals: int | None = None, *, is_amount: bool = False, is_some: bool = False, is_alone: bool = False
) -> Kind:
    """A number, exact; `decimals` is how many OICP gives it behind the point.

    `is_amount`: it cannot be below 0; `is_some`: nor 0 itself. `is_alone`: never read from a list.
    """
    limits = {"exclusiveMinimum": 0} if is_some else {"minimum": 0} if is_amount else {}

    def fault(value: Any) -> str:
        if type(value) not in (int, Decimal) or not Decimal(value).is_finite():
            return "not a number"
        if limits and (value < 0 or (is_some and not value)):
            return f"a number {'above 0' if is_some else 'not below 0'} is wanted"
        exponent = Decimal(value).normalize().as_tuple().exponent
        too_fine = decimals is not None and isinstance(exponent, int) and -exponent > decimals
        return f"a number with at most {decimals} decimals is wanted" if too_fine else ""

    return Kind(_as_number, fault, {"type": "number", **limits}, is_alone=is_alone)


def _as_number(value: Any) -> int | Decimal:
    if type(value) is int and abs(value) < 10**_MOST_DIGITS:
        return value
    if isinstance(value, str):
        value = value.strip().replace(",", ".")
    try:
        return as_number(value)
    except PydanticCustomError as fault:
        raise ValueError(fault.message()) from None


def whole(least: int, most: int, *, is_kept: bool = False) -> Kind:
    """A whole number. One with a fraction is read as it is; `is_kept`: so is what is none at all, to be refused.

    Passed on it is rounded, half a unit up.
    """

    def read(value: Any) -> Any:
        try:
            found = Decimal(_as_number(value))
        except ValueError:
            if is_kept:
                return value
            raise
        return int(found) if found == found.to_integral_value() else found

    def fault(value: Any) -> str:
        fits = type(value) is int and least <= value <= most
        return "" if fits else f"a whole number from {least} to {most} is wanted"

    def mend(value: Any) -> int:
        return int(Decimal(value).to_integral_value(ROUND_HALF_UP))

    return Kind(read, fault, {"type": "integer", "minimum": least, "maximum": most}, None if is_kept else mend)


def flag() -> Kind:
    """Yes or no."""

    def read(value: Any) -> bool:
        try:
            return _FLAGS[_as_text(value).strip().lower()]
        except KeyError:
            raise ValueError("neither true nor false") from None

    def fault(value: Any) -> str:
        return "" if isinstance(value, bool) else "neither true nor false"

    return Kind(read, fault, {"type": "boolean"})


def moment() -> Kind:
    """A time with the offset of the place where it was. Without one it is read as UTC."""

    def read(value: Any) -> str:
        word = _as_text(value).strip()
        _instant(word)
        found = _LOOSE_MOMENT.fullmatch(word)
        if found is None:
            raise ValueError("not a time")
        day, minutes, seconds, fraction, _, hours, rest = found.groups()
        offset = f"{hours}:{rest or '00'}" if hours else "Z"
        return f"{day}T{minutes}{seconds or ':00'}{fraction or ''}{offset}"

    def fault(value: Any) -> str:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            return "a time with its offset is wanted"
        try:
            _instant(value)
        except ValueError as problem:
            return str(problem)
        return ""

    return Kind(read, fault, {"type": "string", "format": "date-time"})


def _instant(word: str) -> datetime:
    try:
        return parse_datetime(word)
    except (ValueError, OverflowError):
        raise ValueError("not a time") from None
