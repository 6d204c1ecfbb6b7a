"""What an operator may send about partners that speak OICP, and about the certificates that we show them."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import Field, field_validator, model_validator

from hub.control.asks import Ask, Name, Represented
from hub.core.dialect import VERSIONS
from hub.core.errors import InvalidRequest
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from modules.tariffs.wire import TARIFF
from partners.oicp.certificates import Subject
from partners.oicp.connections import Connection
from partners.oicp.ids import OperatorStyle, ProviderStyle
from partners.oicp.mapping.terms import terms_of
from partners.oicp.operations import OPERATIONS, PartnerKind

_Id = Annotated[str, Field(min_length=5, max_length=12)]
_Pem = Annotated[str, Field(min_length=1, max_length=20_000)]


class OicpConnection(Ask):
    """A partner that speaks OICP: what it is, its ids (of a hub: ours there), how it calls us, how we call it.

    A client certificate is given by its fingerprint (SHA-256), or whole in PEM: then it is trusted whoever issued it.
    """

    kind: PartnerKind
    party: Represented = ""
    base_url: Annotated[str, Field(max_length=255, pattern=r"^(https?://[!-~]+)?$")] = ""
    operator_ids: Annotated[tuple[_Id, ...], Field(max_length=1000)] = ()
    provider_ids: Annotated[tuple[_Id, ...], Field(max_length=1000)] = ()
    fingerprints: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    certificates: Annotated[tuple[_Pem, ...], Field(max_length=20)] = ()
    client_certificate: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")] = ""
    server_ca: Annotated[str, Field(max_length=100_000)] = ""
    operator_style: OperatorStyle = "DE*ABC"
    provider_style: ProviderStyle = "DE-DCB"
    countries: dict[Annotated[str, Field(max_length=10)], Annotated[str, Field(pattern="^[A-Z]{2}$")]] = Field(
        default_factory=dict
    )
    terms: dict[str, Any] = Field(default_factory=dict)
    prices: Annotated[tuple[dict[str, Any], ...], Field(max_length=50)] = ()
    """Tariffs of OCPI: what charges at a CPO cost that tells no prices."""
    limits: dict[str, Annotated[int, Field(ge=1, le=100_000)]] = Field(default_factory=dict)
    push_size: Annotated[int, Field(ge=1, le=10_000)] = 2_000
    data_every_s: Annotated[int, Field(ge=10, le=604_800)] = 86_400
    status_every_s: Annotated[int, Field(ge=10, le=86_400)] = 120
    leaves_cards: bool = False
    pushes_prices: bool = False
    pulls_prices: bool = False
    learns: bool | None = None

    @field_validator("fingerprints")
    @classmethod
    def _are_sha_256(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(each.replace(":", "").lower() for each in given)
        if any(len(each) != hashlib.sha256().digest_size * 2 or not _is_hex(each) for each in plain):
            raise ValueError("a fingerprint is 64 hexadecimal digits, the SHA-256 of the certificate")
        return plain

    @field_validator("base_url")
    @classmethod
    def _is_a_base(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (not parts.hostname or parts.query or parts.fragment or parts.username is not None):
            raise ValueError("is http(s)://host[:port][/path]")
        return url.rstrip("/")

    @field_validator("limits")
    @classmethod
    def _name_operations(cls, limits: dict[str, int]) -> dict[str, int]:
        if unknown := set(limits) - set(OPERATIONS):
            raise ValueError(f"{min(unknown)[:40]} is no operation of OICP")
        return limits

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        needed = {"cpo": self.operator_ids, "emp": self.provider_ids, "hub": self.operator_ids + self.provider_ids}
        if not needed[self.kind]:
            raise ValueError("a CPO has operator_ids, an EMP provider_ids; of a hub, they are ours there")
        if (self.kind == "cpo" and self.provider_ids) or (self.kind == "emp" and self.operator_ids):
            raise ValueError("a CPO has no provider_ids, and an EMP no operator_ids")
        if (self.kind == "hub") != bool(self.party):
            raise ValueError("a hub has a party, by which agreements name it; of others their ids are their parties")
        return self

    def connection(self, partner: str) -> Connection:
        """Raises: InvalidRequest, for what is no certificate."""
        presented = tuple(_certificate(pem, f"/certificates/{at}") for at, pem in enumerate(self.certificates))
        if self.server_ca:
            _certificate(self.server_ca, "/server_ca")
        shown = [
            *self.fingerprints,
            *(hashlib.sha256(each.public_bytes(Encoding.DER)).hexdigest() for each in presented),
        ]
        given = self.model_dump(exclude={"fingerprints", "certificates", "learns", "prices"})
        self._check_terms()
        return Connection(
            partner=partner,
            fingerprints=tuple(dict.fromkeys(shown)),
            presented=tuple(each.public_bytes(Encoding.PEM).decode() for each in presented),
            learns=self.kind == "hub" if self.learns is None else self.learns,
            prices=tuple(encode(_tariff(tree, f"/prices/{at}")).decode() for at, tree in enumerate(self.prices)),
            **given,
        )

    def _check_terms(self) -> None:
        """Raises: InvalidRequest."""
        try:
            terms_of({**self.terms, "countries": self.countries})
        except InvalidRequest as fault:
            raise InvalidRequest(f"/terms: {fault.message}") from None


def _tariff(tree: Tree, pointer: str) -> Tree:
    """In our form; whose it is and since when does not matter here. Raises: InvalidRequest."""
    unsaid = {"country_code": "XX", "party_id": "XXX", "last_updated": "2020-01-01T00:00:00Z"}
    try:
        read: Tree = TARIFF[VERSIONS[-1]].read({**unsaid, **tree}).tree()
    except InvalidRequest as fault:
        raise InvalidRequest(f"{pointer}{fault.message}") from None
    return read


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def _certificate(pem: str, pointer: str) -> x509.Certificate:
    """The first one. Raises: InvalidRequest."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise InvalidRequest(f"{pointer}: is no certificate in PEM") from None


class OicpCertificateAsked(Ask):
    """Whom a certificate of ours is to name. Its key is made here and never leaves."""

    name: Name
    common_name: Annotated[str, Field(min_length=1, max_length=64)]
    organization: Annotated[str, Field(max_length=64)] = ""
    country: Annotated[str, Field(pattern="^([A-Z]{2})?$")] = ""
    key: Literal["ec", "rsa"] = "ec"

    @property
    def subject(self) -> Subject:
        return Subject(self.common_name, self.organization, self.country)


class OicpCertificate(Ask):
    """The certificate that was issued for our request, and those of who issued it, in PEM."""

    certificate: Annotated[str, Field(min_length=1, max_length=100_000)]


class OicpOperator(Ask):
    """What OICP asks of a CPO and OCPI does not tell. What is not named stays as it was; null takes it back."""

    hotline: Annotated[str, Field(pattern=r"^\+[0-9]{5,15}$")] | None = None
    """`+4912345678`. Without it, EVSEs at locations without a help_phone are not told to partners of OICP."""
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    operator_name: Annotated[str, Field(max_length=100)] | None = None
    postal_code: Annotated[str, Field(max_length=10)] | None = None
    house_number: Annotated[str, Field(max_length=10)] | None = None
    calibration_law: Literal["Local", "External", "Not Available"] | None = None
    dynamic_info: Literal["true", "false", "auto"] | None = None
    rfid_modes: tuple[Literal["NFC RFID Classic", "NFC RFID DESFire"], ...] | None = None
    default_price: Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")] | None = None
    """`0.60`, without tax: what EVSEs without a product cost. Without it, tariffs of OCPI are no products for EMPs."""
    default_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    default_unit: Literal["HOUR", "KILOWATT_HOUR", "MINUTE"] | None = None
    product_power: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}(\.[0-9]{1,3})?$")] | None = None
    """`22`, kW: the charging power of all its products. Without it, of each that of the strongest EVSE that has it."""
