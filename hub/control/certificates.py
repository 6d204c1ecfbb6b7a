"""Certificates that a charger trusts or shows: which it has, one more, one less; in the words of its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cryptography import x509

from hub.control.asks import CertificateAsked
from hub.control.stations import Called, StationRegister, register
from hub.core.errors import InvalidRequest, NotCapable, NotFound
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from partners.ocpp.desired.exchange import TIMEOUT_S, version_of

if TYPE_CHECKING:
    from hub.app import Program

_MANUFACTURER: Final = "ManufacturerRootCertificate"
_SINCE_201: Final = {
    "central": "CSMSRootCertificate",
    "manufacturer": _MANUFACTURER,
    "v2g": "V2GRootCertificate",
    "contract": "MORootCertificate",
}
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "1.6": {"central": "CentralSystemRootCertificate", "manufacturer": _MANUFACTURER},
    "2.0.1": _SINCE_201,
    "2.1": {**_SINCE_201, "vehicle": "OEMRootCertificate"},
}
"""By version: what a root certificate is for -> the protocol's name of its type."""
_LONGEST: Final[Mapping[str, int]] = {"1.6": 5500, "2.0.1": 5500, "2.1": 10_000}


async def installed(program: Program, identity: str) -> Called | Tree:
    """What a charger has. Raises: NotFound."""
    stations = await register(program)
    version = version_of(await stations.view(identity))
    found = await _installed(stations, identity, version)
    return found if not isinstance(found, list) else {"items": found, "total": len(found)}


async def install(program: Program, identity: str, ask: CertificateAsked, *, actor: str) -> Called | Tree:
    """Let a charger trust a root certificate. Raises: NotFound, InvalidRequest, NotCapable."""
    stations = await register(program)
    version = version_of(await stations.view(identity))
    kind = KINDS[version].get(ask.kind)
    if kind is None:
        raise NotCapable(f"OCPP {version} has certificates of {', '.join(KINDS[version])} only")
    serial = _serial(ask.certificate)
    if len(ask.certificate) > _LONGEST[version]:
        raise InvalidRequest(f"/certificate: OCPP {version} takes {_LONGEST[version]} characters at most")
    await _audit(program, actor, "station.certificate_installed", identity, f"{ask.kind} {serial}")
    payload = {"certificateType": kind, "certificate": ask.certificate}
    called = await _called(stations, identity, "InstallCertificate", payload)
    return called if called.outcome != "result" else {"status": _status(called), "serial": serial}


async def delete(program: Program, identity: str, serial: str, *, actor: str) -> Called | Tree:
    """Take a certificate away, by its serial number as the charger tells it. Raises: NotFound, also of the number."""
    stations = await register(program)
    found = await _installed(stations, identity, version_of(await stations.view(identity)))
    if not isinstance(found, list):
        return found
    row = next((row for row in found if row["serialNumber"].casefold() == serial.casefold()), None)
    if row is None:
        raise NotFound("the charger has no certificate of this serial number")
    await _audit(program, actor, "station.certificate_deleted", identity, serial)
    names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    payload = {"certificateHashData": {name: row[name] for name in names}}
    called = await _called(stations, identity, "DeleteCertificate", payload)
    return called if called.outcome != "result" else {"status": _status(called), "serial": row["serialNumber"]}


async def _installed(stations: StationRegister, identity: str, version: str) -> Called | list[Tree]:
    """All of them; 1.6 is asked for each type."""
    if version != "1.6":
        called = await _called(stations, identity, "GetInstalledCertificateIds", {})
        return _rows_of_2(called.payload or {}) if called.outcome == "result" else called
    found: list[Tree] = []
    for kind in KINDS[version].values():
        called = await _called(stations, identity, "GetInstalledCertificateIds", {"certificateType": kind})
        if called.outcome != "result":
            return called
        found += _rows((called.payload or {}).get("certificateHashData"), kind)
    return found


def _rows_of_2(payload: Tree) -> list[Tree]:
    found: list[Tree] = []
    chains = payload.get("certificateHashDataChain")
    for chain in chains if isinstance(chains, list) else ():
        if isinstance(chain, dict):
            kind = str(chain.get("certificateType"))
            found += _rows([chain.get("certificateHashData")], kind)
            found += _rows(chain.get("childCertificateHashData"), f"{kind}, below the one before")
    return found


def _rows(told: object, kind: str) -> list[Tree]:
    hashes = told if isinstance(told, list) else []
    return [
        {"type": kind, **row} for row in hashes if isinstance(row, dict) and isinstance(row.get("serialNumber"), str)
    ]


def _serial(pem: str) -> str:
    """Raises: InvalidRequest."""
    try:
        return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}"
    except ValueError:
        raise InvalidRequest("/certificate: is no certificate in PEM") from None


def _status(called: Called) -> str:
    return str((called.payload or {}).get("status"))


async def _called(stations: StationRegister, identity: str, action: str, payload: Tree) -> Called:
    return await stations.call(identity, action, payload, timeout_s=TIMEOUT_S, force=False)


async def _audit(program: Program, actor: str, action: str, identity: str, detail: str) -> None:
    await program.store.commit(Unit().audited(Audit(actor, action, identity, detail)))
