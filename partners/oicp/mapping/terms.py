"""What one protocol asks for and the other does not tell, as agreed with a partner; and what a translation loses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hub.core.errors import InvalidRequest
from partners.oicp.ids import OperatorStyle, ProviderStyle

T = TypeVar("T")

_INDEX: Final = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Terms:
    """How objects are translated for a partner. All of it is configuration; the defaults suit most."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    language: str = "en"
    """Of texts that OCPI gives in no language, and the one that is taken where OICP gives several."""
    hotline: str = ""
    """`+4912345678`, for locations without a help_phone. OICP asks for one: with neither, EVSEs are not told."""
    operator_name: str = ""
    """For locations that name no operator."""
    postal_code: str = "-"
    """For places without one, which OICP asks for."""
    house_number: str = "-"
    """For addresses without one, which OICP asks for."""
    calibration_law: Literal["Local", "External", "Not Available"] = "Not Available"
    """Where drivers find calibration law data. External binds: every CDR must carry signed values then."""
    dynamic_info: Literal["true", "false", "auto"] = "auto"
    """Is the status of EVSEs told besides? `auto` leaves it to the hub to see."""
    rfid_modes: tuple[str, ...] = ("NFC RFID Classic", "NFC RFID DESFire")
    """The cards that a reader reads; OCPI knows readers alone."""
    rfid_type: Literal["mifareCls", "mifareDes", "calypso", "nfc", "mifareFamily"] = "mifareFamily"
    """The kind of cards in authentication data, which OCPI does not tell."""
    geo_format: Literal["Google", "DecimalDegree", "DegreeMinuteSeconds"] = "Google"
    """How points are written."""
    operator_style: OperatorStyle = "DE*ABC"
    provider_style: ProviderStyle = "DE-DCB"
    countries: Mapping[str, str] = field(default_factory=dict)
    """Calling code, or operator with one, to country: see `OperatorID.party`."""
    time_zone: str = ""
    """IANA name of the zone of all its places; "": that of the town nearest to each."""
    out_of_service: Literal["OUTOFORDER", "INOPERATIVE"] = "OUTOFORDER"
    """What OutOfService is in OCPI."""
    publishes_restricted: bool = True
    """Are places with restricted access shown to drivers, with the restriction; or not at all?"""
    reverses_uids: bool = False
    """Does this partner read the bytes of a card from the other end?"""
    rejected_is_unreachable: bool = False
    """Is an order that was REJECTED told as "no contact to the EVSE", and not as "in use"?"""
    clamps_reservations: bool = False
    """Is a reservation of more than 99 minutes made for 99, and not refused?"""
    parking_fee: Literal["PARKING_TIME", "refused"] = "PARKING_TIME"
    """A PARKING FEE of OICP does not say when it applies. OCPI's applies while the car does not charge."""
    time_step_s: int = 1
    """step_size of prices for time, which OICP does not tell; s."""
    default_price: Decimal | None = None
    """Of EVSEs without a product: OICP asks for one where prices are pushed."""
    default_currency: str = "EUR"
    default_unit: Literal["HOUR", "KILOWATT_HOUR", "MINUTE"] = "KILOWATT_HOUR"
    product_power: Decimal | None = None
    """MaximumProductChargingPower, kW, of all products. None, and 0: of each that of the strongest EVSE that has it."""


_TERMS: Final = TypeAdapter(Terms)


def terms_of(options: Mapping[str, Any]) -> Terms:
    """Terms as they are configured. Raises: InvalidRequest, which names the option at fault."""
    try:
        return _TERMS.validate_python(dict(options))
    except ValidationError as faults:
        first = faults.errors(include_input=False, include_url=False)[0]
        name = "/".join(str(part) for part in first["loc"]) or "terms"
        raise InvalidRequest(f"{name}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """Something in the words of the other protocol.

    `lost`: JSON pointers, in the form it came from, of what did not arrive as it was; `*` for any index.
    `warnings`: what an operator should look at, without secrets.
    """

    value: T
    lost: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Notes:
    """What is lost and odd, while a translation is under way. A pointer is that of `Mapped.lost`, with indexes."""

    lost: dict[str, None] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)

    def lose(self, *pointers: str, warn: str = "") -> None:
        self.lost.update(dict.fromkeys(_INDEX.sub("/*", pointer) for pointer in pointers))
        if warn:
            self.warn(warn)

    def lose_all(self, tree: Mapping[str, Any], names: Iterable[str], path: str = "") -> None:
        """Those of `names` that `tree` has something under."""
        self.lose(*(f"{path}/{name}" for name in names if tree.get(name) not in (None, [], {}, "")))

    def lose_blanks(self, tree: Any, path: str = "") -> None:
        """Texts at any depth that hold nothing: OICP has no such."""
        if isinstance(tree, str) and not tree.strip():
            self.lose(path)
        elif isinstance(tree, Mapping | list):
            named = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
            for name, value in named:
                self.lose_blanks(value, f"{path}/{name}")

    def warn(self, words: str) -> None:
        self.warnings[words] = None

    def cut(self, text: str, most: int, path: str) -> str:
        """`text`, no longer than `most` characters."""
        if len(text) <= most:
            return text
        self.lose(path, warn=f"{_INDEX.sub('/*', path)} is cut to {most} characters")
        return text[:most].rstrip()

    def mapped(self, value: T) -> Mapped[T]:
        return Mapped(value, tuple(self.lost), tuple(self.warnings))
