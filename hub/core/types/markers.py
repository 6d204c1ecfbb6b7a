"""What the tables of the spec say of a field (kind, length, values), as annotations that make validator and schema.

Text      CiString and ids are exact; display text may be twice as long when read; verbatim is never touched
Read      text that is put in order before it is looked at
Plain     what one function reads: number, int, DateTime
OpenEnum  any text is read (2.3.0 says so; we do it for all versions), only the version's own values are written
Closed    the name of a `Literal`
ByName    a list whose items a PATCH may name and change in part
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hub.core.jsontypes import Tree
from hub.core.types.reading import as_weekday, as_whole

ASCII: Final = r"^[\x20-\x7e]*$"
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `limit` characters (None = no limit), named `kind` in the tables of the spec.

    `style`: exact text is refused when longer; display text is read up to `accept` (default 2 x limit) and shortened
    when written; verbatim text is display text that may hold anything and is never altered.
    """

    kind: str
    limit: int | None
    style: Literal["exact", "display", "verbatim"]
    least: int = 0
    accept: int | None = None
    pattern: str = _PRINTABLE

    @property
    def readable(self) -> int | None:
        """How many characters are read."""
        if self.limit is None or self.style == "exact":
            return self.limit
        return self.accept or 2 * self.limit

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(
            min_length=self.least or None,
            max_length=self.readable,
            pattern=None if self.style == "verbatim" else self.pattern,
            coerce_numbers_to_str=True,
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        out: Tree = {"type": "string"}
        if self.least:
            out["minLength"] = self.least
        if self.limit is not None:
            out["maxLength"] = self.limit
        if self.kind == "URL":
            out["format"] = "uri"
        elif self.style != "verbatim" and self.pattern != _PRINTABLE:
            out["pattern"] = self.pattern
        return out


def ci_string(limit: int | None, *, least: int = 0) -> Text:
    """CiString(n): case-insensitive, printable ASCII. types, CiString."""
    return Text("CiString", limit, "exact", least, pattern=ASCII)


def string(limit: int | None, *, accept: int | None = None) -> Text:
    """string(n): display text without control characters. types, String."""
    return Text("string", limit, "display", accept=accept)


def exact(limit: int, *, least: int = 0, pattern: str = _PRINTABLE) -> Text:
    """string(n) that is an identifier or has a form of its own: never shortened."""
    return Text("string", limit, "exact", least, pattern=pattern)


def verbatim(limit: int) -> Text:
    """string(n) whose every character counts, such as a signature."""
    return Text("string", limit, "verbatim")


def url() -> Text:
    """URL: string(255). types, URL."""
    return Text("URL", 255, "verbatim")


@dataclass(frozen=True, slots=True)
class Plain:
    """A type that one function reads: `kind` in the tables of the spec, what JSON Schema says of it."""

    kind: str
    read: Any
    schema: tuple[tuple[str, Any], ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        return dict(self.schema)


def whole(kind: str = "int") -> Plain:
    """int, or int(n) with n digits."""
    return Plain(kind, as_whole, (("type", "integer"),))


def weekday() -> Plain:
    """int(1): 1 is Monday, 7 is Sunday."""
    return Plain("int(1)", as_weekday, (("type", "integer"), ("minimum", 1), ("maximum", 7)))


@dataclass(frozen=True, slots=True)
class Read:
    """Text that is put in order by `function` before the `text` marker looks at it."""

    text: Text
    function: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = self.text.__get_pydantic_core_schema__(source, handler)
        return core_schema.no_info_before_validator_function(self.function, inner)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        return self.text.__get_pydantic_json_schema__(schema, handler)


@dataclass(frozen=True, slots=True)
class OpenEnum:
    """An enum that is read open. `is_open` is what the spec of the version at hand calls it; `newer` are values that
    only newer versions list."""

    name: str
    values: tuple[str, ...]
    is_open: bool = True
    newer: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(min_length=1, max_length=100, pattern=ASCII)
        return core_schema.no_info_before_validator_function(self._spelled, text)

    def _spelled(self, value: Any) -> Any:
        """`rfid` is RFID: a value that differs in case alone is no other value."""
        if type(value) is str and value not in self.values:
            upper = value.upper()
            if upper in self.values or upper in self.newer:
                return upper
        return value

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        if self.is_open:
            return {"type": "string", "minLength": 1, "maxLength": 100, "examples": list(self.values)}
        return {"type": "string", "enum": list(self.values)}


@dataclass(frozen=True, slots=True)
class Closed:
    """The name that the spec gives to a `Literal`."""

    name: str


@dataclass(frozen=True, slots=True)
class ByName:
    """A list whose items a PATCH of the whole may carry in part, each named by this field of it."""

    name: str
