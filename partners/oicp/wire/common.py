"""What many messages have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Final

from partners.oicp.wire.enums import DayType, HashFunctionType, RFIDType
from partners.oicp.wire.kinds import Kind, number, text
from partners.oicp.wire.message import Message, OneOf
from partners.oicp.wire.values import (
    ClockText,
    Count,
    EvcoIDText,
    Flag,
    LanguageCodeType,
    Moment,
    PartnerSessionID,
    SessionIDText,
    UIDText,
)

_CODE: Final = text(pattern="[0-9]{3}")


def _code(value: object) -> str:
    """A code that came as a number has lost its leading zeros."""
    word: str = _CODE.read(value)
    return word.strip().zfill(3)


class StatusCodeType(Message):
    """How it went. Codes that the specification does not list are met, and read."""

    bare = "Code"

    Code: Annotated[str, Kind(_code, _CODE.fault, _CODE.schema)]
    Description: Annotated[str, text(200)] | None = None
    AdditionalInfo: Annotated[str, text(1000)] | None = None


class Acknowledgement(Message):
    """The answer to most messages. Some errors come without a Result."""

    lenient = frozenset({"Result"})

    Result: Flag
    StatusCode: StatusCodeType
    SessionID: SessionIDText | None = None
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None


class RFIDMifareFamilyIdentificationType(Message):
    """A card, as it is read at a charger."""

    bare = "UID"

    UID: UIDText


class RFIDIdentificationType(Message):
    """A card, as its provider knows it: in authentication data and charge detail records only."""

    lenient = frozenset({"RFID"})

    UID: UIDText
    EvcoID: EvcoIDText | None = None
    RFID: RFIDType
    PrintedNumber: Annotated[str, text(150)] | None = None
    ExpiryDate: Moment | None = None


class LegacyHashDataType(Message):
    """Of OICP 2.1, and not used any more."""

    lenient = frozenset({"Function"})

    Function: Annotated[str, text(10)]
    Salt: Annotated[str, text(100)] | None = None
    Value: Annotated[str, text(20)] | None = None


class HashedPINType(Message):
    """A PIN in authentication data."""

    lenient = frozenset({"Function"})

    Value: Annotated[str, text(pattern=r"[0-9A-Za-z.+/=\\$]{10,100}")]
    Function: HashFunctionType
    LegacyHashData: LegacyHashDataType | None = None


class QRCodeIdentificationType(Message):
    """A contract and its PIN: plain where somebody asks, hashed in authentication data."""

    EvcoID: EvcoIDText
    HashedPIN: HashedPINType | None = None
    PIN: Annotated[str, text(20)] | None = None


class PlugAndChargeIdentificationType(Message):
    """A contract, told by the car."""

    bare = "EvcoID"

    EvcoID: EvcoIDText


class RemoteIdentificationType(Message):
    """A contract, told by its provider."""

    bare = "EvcoID"

    EvcoID: EvcoIDText


class IdentificationType(OneOf):
    """Who it is, in one of five ways. Hubs fill in several; then the first one here that fits the operation counts."""

    RFIDMifareFamilyIdentification: RFIDMifareFamilyIdentificationType | None = None
    RFIDIdentification: RFIDIdentificationType | None = None
    QRCodeIdentification: QRCodeIdentificationType | None = None
    PlugAndChargeIdentification: PlugAndChargeIdentificationType | None = None
    RemoteIdentification: RemoteIdentificationType | None = None


class InfoTextType(Message):
    """A text for people."""

    lenient = frozenset({"lang"})
    bare = "value"

    lang: LanguageCodeType
    value: Annotated[str, text(150)]


_NORTH: Final = r"-?(90\.0{1,6}|[0-8]?[0-9]\.[0-9]{1,6})"
_EAST: Final = r"-?(180\.0{1,6}|(1[0-7][0-9]|[0-9]{1,2})\.[0-9]{1,6})"
_SIXTIETHS: Final = r"° ?[0-5]?[0-9]' ?[0-5]?[0-9]\.[0-9]+''"
_NO_SIXTIETHS: Final = r"° ?0{1,2}' ?0{1,2}\.0+''"
"""The patterns of the specification, that let pass only what lies on earth."""


class GeoCoordinatesGoogleType(Message):
    """Latitude and longitude in one text."""

    bare = "Coordinates"

    Coordinates: Annotated[str, text(pattern=rf"{_NORTH}(\s*,\s*| +){_EAST}")]


class GeoCoordinatesDecimalDegreeType(Message):
    """In degrees."""

    Longitude: Annotated[str, text(pattern=_EAST)]
    Latitude: Annotated[str, text(pattern=_NORTH)]


class GeoCoordinatesDegreeMinuteSecondsType(Message):
    """In degrees, minutes and seconds."""

    Longitude: Annotated[str, text(pattern=rf"-?(180{_NO_SIXTIETHS}|(1[0-7][0-9]|[0-9]{{1,2}}){_SIXTIETHS})")]
    Latitude: Annotated[str, text(pattern=rf"-?(90{_NO_SIXTIETHS}|[0-8]?[0-9]{_SIXTIETHS})")]


class GeoCoordinatesType(OneOf):
    """A point, WGS 84, in one of three forms."""

    is_said_once = True

    Google: GeoCoordinatesGoogleType | None = None
    DecimalDegree: GeoCoordinatesDecimalDegreeType | None = None
    DegreeMinuteSeconds: GeoCoordinatesDegreeMinuteSecondsType | None = None


class SearchCenterType(Message):
    """A circle; `Radius` in km."""

    GeoCoordinates: GeoCoordinatesType
    Radius: Annotated[Decimal, number(1)]


class PeriodType(Message):
    """From `begin` to `end` on a day, local time."""

    begin: ClockText
    end: ClockText


class OpeningTimesType(Message):
    """Open on some days in these periods."""

    Period: list[PeriodType]
    on: DayType


class Page(Message):
    """One page of many. Only the list itself is needed to go on."""

    lenient: ClassVar[frozenset[str]] = frozenset(
        {"number", "size", "totalElements", "last", "totalPages", "first", "numberOfElements"}
    )

    number: Count
    size: Count
    totalElements: Count
    last: Flag
    totalPages: Count
    first: Flag
    numberOfElements: Count
    StatusCode: StatusCodeType | None = None
