"""Plug and charge (ISO 15118): who can say whether a certificate was revoked, and who gives cars their contracts.

A charger asks us both, and we hold neither: the one is asked of the OCSP responder that the certificate names, the
other of a service that the operator has a contract with. Both are behind one port, so that a hub without them says so
honestly, and nothing that was not looked at is called good.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from hub.core.jsontypes import Tree


class CertificateId(NamedTuple):
    """A certificate by what a charger tells of it: OCSPRequestDataType of 2.x, all of it hexadecimal digits."""

    algorithm: str
    issuer_name: str
    issuer_key: str
    serial: str

    @classmethod
    def of(cls, told: Tree) -> CertificateId:
        """From OCSPRequestDataType or CertificateHashDataType."""
        names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
        return cls(*(str(told.get(name, "")) for name in names))


class Verdict(StrEnum):
    """What a responder says; FAILED: nobody could be asked, or the answer cannot be trusted."""

    GOOD = "Good"
    REVOKED = "Revoked"
    UNKNOWN = "Unknown"
    FAILED = "Failed"


class Status(NamedTuple):
    """`answer` is the responder's own, as it came (DER), if it is about the certificate and of now.

    `until`: when it is to be asked again.
    """

    verdict: Verdict
    answer: bytes = b""
    until: datetime | None = None


class ExiAnswer(NamedTuple):
    """What a car is to be given, as the service wrote it. `remaining`: contracts that are left (2.1)."""

    exi: str
    remaining: int | None = None


class Contracts(Protocol):
    """The port."""

    @property
    def checks(self) -> bool:
        """Are responders asked?"""
        ...

    async def status(self, certificate: CertificateId, url: str) -> Status:
        """Was it revoked? Raises nothing: what cannot be asked has FAILED."""
        ...

    async def certificate(self, station: str, asked: Tree, *, longest: int) -> ExiAnswer | None:
        """The answer to a Get15118EVCertificate; None: there is no service, or it did not give one."""
        ...


class Nobody:
    """Where nothing is configured."""

    checks = False

    async def status(self, certificate: CertificateId, url: str) -> Status:
        """See `Contracts`."""
        return Status(Verdict.FAILED)

    async def certificate(self, station: str, asked: Tree, *, longest: int) -> ExiAnswer | None:
        """See `Contracts`."""
        return None


NOBODY: Final[Contracts] = Nobody()
