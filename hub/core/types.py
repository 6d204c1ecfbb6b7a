"""The types of OCPI's tables: liberal in what is read, strict in what is written (types, transport_and_format).

Every field of a model is `Annotated` with one of the *markers* below. A marker says what the table of the spec says
(kind, length, values) and builds the validator from it, so that the wire models of older versions, the JSON Schemas and
the census all come from one statement.

    Text     CiString and ids are exact; display text may be twice as long when read; verbatim is never touched
    Number   Decimal of at most 20 digits; text of a number is read as the number; booleans and floats are refused
    Whole    int, the same
    Moment   every form of timestamp met in the field is read; an aware UTC datetime of millisecond precision
    OpenEnum any text is read (2.3.0 says so; we do it for all versions), only the version's own values are written
    Closed   the name of a `Literal`

null, an empty list and an absent field are the same thing. Unknown fields are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from hub.core.countries import ALPHA_3, LANGUAGES
from hub.core.inbound import encode
from hub.core.jsontypes import Tree

T = TypeVar("T")

ASCII: Final = r"^[\x20-\x7e]*$"
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
_FIGURE: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?"
    r"(?:[Zz]|([+\- ])(\d{2}):?(\d{2})?)?",
    re.ASCII,
)
_JS_MOMENT: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$"
_COORDINATE: Final = re.compile(r"-?[0-9]{1,3}\.[0-9]{5,7}", re.ASCII)
_NO_MOMENT: Final = "not a timestamp such as 2015-06-29T20:39:09Z"
_MAX_DIGITS: Final = 20
_MAX_WHOLE: Final = 2**63 - 1


def _fault(why: str) -> PydanticCustomError:
    return PydanticCustomError("ocpi", "{why}", {"why": why})


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


def _as_number(value: Any) -> Decimal:
    kind = type(value)
    if kind is int or (kind is str and _FIGURE.fullmatch(value)):
        value = Decimal(value)
    elif kind is not Decimal:
        raise _fault("not a number")
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MAX_DIGITS or not -_MAX_DIGITS <= exponent <= _MAX_DIGITS:
        raise _fault(f"not a finite number of at most {_MAX_DIGITS} digits")
    return Decimal(value)


def _as_whole(value: Any) -> int:
    if type(value) is not int:
        number = _as_number(value)
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
    if len(text) == 20 and text[19] == "Z" and text[10] == "T" and text[7] == "-":
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


def _as_moment(value: object) -> datetime:
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
    if moment.microsecond >= 1000:
        return moment.isoformat(timespec="milliseconds")[:23] + "Z"
    return moment.isoformat(timespec="seconds")[:19] + "Z"


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
    return Plain(kind, _as_whole, (("type", "integer"),))


def _as_weekday(value: object) -> int:
    day = _as_whole(value)
    if not 1 <= day <= 7:
        raise _fault("not a day between 1 and 7")
    return day


def weekday() -> Plain:
    """int(1): 1 is Monday, 7 is Sunday."""
    return Plain("int(1)", _as_weekday, (("type", "integer"), ("minimum", 1), ("maximum", 7)))


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
    """An enum that is read open. `is_open` is what the spec of the version at hand calls it."""

    name: str
    values: tuple[str, ...]
    is_open: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(min_length=1, max_length=100, pattern=ASCII)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Tree:
        if self.is_open:
            return {"type": "string", "minLength": 1, "maxLength": 100, "examples": list(self.values)}
        return {"type": "string", "enum": list(self.values)}


@dataclass(frozen=True, slots=True)
class Closed:
    """The name that the spec gives to a `Literal`."""

    name: str


def _coordinate(value: object, *, limit: int, most: int) -> str:
    """Numbers, commas and any precision are read; a coordinate in the spec's own form stays as it is."""
    text = value.strip().replace(",", ".") if type(value) is str else value
    number = _as_number(text)
    if abs(number) > most:
        raise _fault(f"not between -{most} and {most}")
    if type(text) is str and len(text) <= limit and _COORDINATE.fullmatch(text):
        return text
    return f"{number:.6f}"


def _latitude(value: object) -> str:
    return _coordinate(value, limit=10, most=90)


def _longitude(value: object) -> str:
    return _coordinate(value, limit=11, most=180)


def _language(value: object) -> object:
    if type(value) is str and len(value) != 2:
        head = re.split("[-_]", value.strip(), maxsplit=1)[0].lower()
        return LANGUAGES.get(head, head)
    return value


def _country(value: object) -> object:
    if type(value) is str and len(value) != 3:
        return ALPHA_3.get(value.strip().upper(), value)
    return value


CiString36 = Annotated[str, ci_string(36)]
CiString39 = Annotated[str, ci_string(39)]
CiString48 = Annotated[str, ci_string(48)]
Id36 = Annotated[str, ci_string(36, least=1)]
Id39 = Annotated[str, ci_string(39, least=1)]
CountryCode = Annotated[str, ci_string(2, least=2)]
PartyId = Annotated[str, ci_string(3, least=3)]
Currency = Annotated[str, exact(3, least=3, pattern=r"^[A-Za-z]{3}$")]
Country = Annotated[str, Read(exact(3), _country)]
Language = Annotated[str, Read(exact(2, least=2, pattern=ASCII), _language)]
Latitude = Annotated[str, Read(exact(10, pattern=r"^-?[0-9]{1,2}\.[0-9]{5,7}$"), _latitude)]
Longitude = Annotated[str, Read(exact(11, pattern=r"^-?[0-9]{1,3}\.[0-9]{5,7}$"), _longitude)]
Url = Annotated[str, url()]
ClockTime = Annotated[str, exact(5, pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")]
CalendarDate = Annotated[str, exact(10, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Number = Annotated[Decimal, Plain("number", _as_number, (("type", "number"),))]
Whole = Annotated[int, whole()]
Flag = Annotated[bool, Field(strict=True)]
DateTime = Annotated[
    datetime,
    Plain("DateTime", _as_moment, (("type", "string"), ("format", "date-time"), ("pattern", _JS_MOMENT))),
]
Many = Annotated[list[T], BeforeValidator(lambda value: [] if value is None else value)]
"""Cardinality *: nothing, null and an empty list are the same."""
Some = Annotated[list[T], Field(min_length=1)]
"""Cardinality +."""


def key_of(country_code: str, party_id: str, *parts: str) -> str:
    """The key under which an object is kept: `DE*ABC/loc1`. CiStrings that OCPI calls equal give equal keys."""
    tail = "/".join(part.lower().replace("~", "~0").replace("/", "~1") for part in parts)
    return f"{country_code.upper()}*{party_id.upper()}/{tail}"


class OcpiModel(BaseModel):
    """An OCPI object. Unknown fields are kept, and come out again; instances do not change."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def tree(self) -> Tree:
        """The object as JSON values: times as text, numbers as Decimal or int, nothing for null and empty lists."""
        out = {name: plain(value) for name, value in self.__dict__.items() if value is not None and value != []}
        if self.__pydantic_extra__:
            out.update({name: value for name, value in self.__pydantic_extra__.items() if value is not None})
        return out

    def json_bytes(self) -> bytes:
        """The object as JSON, in UTF-8."""
        return encode(self.tree())


def plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or kind is Decimal or kind is int:
        return value
    if kind is datetime:
        return moment_text(value)
    if kind is list:
        return [plain(item) for item in value]
    return value.tree() if isinstance(value, OcpiModel) else value


class DisplayText(OcpiModel):
    """Text for people, in one language. types_displaytext_class."""

    language: Language
    text: Annotated[str, string(512)]


ImageCategory = Annotated[
    str,
    OpenEnum("ImageCategory", ("CHARGER", "ENTRANCE", "LOCATION", "NETWORK", "OPERATOR", "OTHER", "OWNER")),
]


class Image(OcpiModel):
    """Where to find a picture, and of what. mod_locations_image_class."""

    url: Url
    thumbnail: Url | None = None
    category: ImageCategory
    type: Annotated[str, Text("CiString", 4, "display", accept=32, pattern=ASCII)]
    width: Annotated[int, whole("int(5)")] | None = None
    height: Annotated[int, whole("int(5)")] | None = None


class BusinessDetails(OcpiModel):
    """A company. mod_locations_businessdetails_class."""

    name: Annotated[str, string(100)]
    website: Url | None = None
    logo: Image | None = None


class TaxAmount(OcpiModel):
    """One tax on a price; `percentage` in percent. types_taxamount_class."""

    name: Annotated[str, string(None)]
    account_number: Annotated[str, string(None)] | None = None
    percentage: Number | None = None
    amount: Number


class Price(OcpiModel):
    """An amount in the currency of the object around it. types_price_class."""

    before_taxes: Number
    taxes: Many[TaxAmount] = Field(default_factory=list)


class PriceLimit(OcpiModel):
    """The least or most that a session costs. mod_tariffs_pricelimit_class."""

    before_taxes: Number
    after_taxes: Number | None = None
