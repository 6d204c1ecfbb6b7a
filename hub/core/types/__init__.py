"""The types of OCPI's tables: liberal in what is read, strict in what is written (types, transport_and_format).

Every field of a model is `Annotated` with a marker of `markers`, so that the wire models of older versions, the JSON
Schemas and the census all come from one statement. `reading` puts values in order: any form of timestamp, numbers sent
as text, long language codes. null, an empty list and an absent field are the same thing. Unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.types.markers import ASCII, OpenEnum, Plain, Read, Text, ci_string, exact, string, url, whole
from hub.core.types.reading import as_country, as_language, as_latitude, as_longitude, as_moment, as_number
from hub.core.types.reading import moment_text as moment_text
from hub.core.types.reading import parse_datetime as parse_datetime
from hub.core.types.reading import timestamp_of as timestamp_of

T = TypeVar("T")

_JS_MOMENT: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$"

CiString36 = Annotated[str, ci_string(36)]
CiString39 = Annotated[str, ci_string(39)]
CiString48 = Annotated[str, ci_string(48)]
Id36 = Annotated[str, ci_string(36, least=1)]
Id39 = Annotated[str, ci_string(39, least=1)]
CountryCode = Annotated[str, ci_string(2, least=2)]
PartyId = Annotated[str, ci_string(3, least=3)]
Currency = Annotated[str, exact(3, least=3, pattern=r"^[A-Za-z]{3}$")]
Country = Annotated[str, Read(exact(3), as_country)]
Language = Annotated[str, Read(exact(2, least=2, pattern=ASCII), as_language)]
Latitude = Annotated[str, Read(exact(10, pattern=r"^-?[0-9]{1,2}\.[0-9]{5,7}$"), as_latitude)]
Longitude = Annotated[str, Read(exact(11, pattern=r"^-?[0-9]{1,3}\.[0-9]{5,7}$"), as_longitude)]
Url = Annotated[str, url()]
ClockTime = Annotated[str, exact(5, pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")]
CalendarDate = Annotated[str, exact(10, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Number = Annotated[Decimal, Plain("number", as_number, (("type", "number"),))]
Whole = Annotated[int, whole()]
Flag = Annotated[bool, Field(strict=True)]
DateTime = Annotated[
    datetime,
    Plain("DateTime", as_moment, (("type", "string"), ("format", "date-time"), ("pattern", _JS_MOMENT))),
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
        out: Tree = {name: value for name, value in self.__dict__.items() if value is not None}
        for name, read in _unlike_json(type(self)):
            if name in out:
                value = out[name]
                if value == []:
                    del out[name]
                else:
                    out[name] = read(value)
        if self.__pydantic_extra__:
            out.update({name: value for name, value in self.__pydantic_extra__.items() if value is not None})
        return out

    def json_bytes(self) -> bytes:
        """The object as JSON, in UTF-8."""
        return encode(self.tree())


@cache
def _unlike_json(model: type[OcpiModel]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields of `model` whose values may be none of JSON's own (times, lists, objects), and what makes them so."""
    unlike = {
        name: field.annotation for name, field in model.model_fields.items() if not _is_like_json(field.annotation)
    }
    return tuple((name, moment_text if annotation is datetime else plain) for name, annotation in unlike.items())


def _is_like_json(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return all(map(_is_like_json, get_args(annotation)))
    if origin is Annotated:
        return _is_like_json(get_args(annotation)[0])
    return origin is Literal or annotation in (str, bool, int, Decimal, NoneType)


def plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or kind is Decimal or kind is int:
        return value
    if kind is datetime:
        return moment_text(value)
    if kind is list:
        return [plain(item) for item in value]
    return value.tree() if isinstance(value, OcpiModel) else value


class OcpiPart(OcpiModel):
    """What a PATCH says of an object: the fields that it sets, null among them."""

    def tree(self) -> Tree:
        known, extra = type(self).model_fields, self.__pydantic_extra__ or {}
        return {
            name: plain(getattr(self, name)) if name in known else extra[name] for name in sorted(self.model_fields_set)
        }


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
