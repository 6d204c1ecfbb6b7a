"""Partners that speak OICP in the operator's hands, and the certificates that we show them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hub.control.oicp_asks import OicpCertificate, OicpCertificateAsked, OicpConnection
from hub.core.address_guard import AddressGuard
from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.settings import LOOPBACK, Settings
from partners.oicp.certificates import OwnCertificate
from partners.oicp.connections import Connection
from partners.oicp.door import Door
from partners.oicp.expiry import TOLD_DAYS, end_of

if TYPE_CHECKING:
    from hub.app import Program


async def _door(program: Program) -> Door:
    await program.oicp_door.refresh()
    return program.oicp_door


async def connections(program: Program) -> list[Tree]:
    """All, by their partners' names."""
    return [_shown(program, each) for each in (await _door(program)).connections.all()]


async def connection(program: Program, name: str) -> Tree:
    """One. Raises: NotFound."""
    return _shown(program, (await _door(program)).connections.get(name))


async def connect(program: Program, name: str, ask: OicpConnection, *, actor: str) -> tuple[bool, Tree]:
    """Make or change a connection. Returns: whether it is new, and how it is now. Raises: Conflict, InvalidRequest."""
    door = await _door(program)
    asked = ask.connection(name)
    if not _goes_over_tls(asked.base_url, program.hub.settings):
        raise InvalidRequest("/base_url: OICP goes over TLS, so it begins with https://")
    if asked.client_certificate and door.certificates.find(asked.client_certificate) is None:
        raise InvalidRequest("/client_certificate: there is none of this name; ask for one first")
    is_new = await door.connections.connect(asked, actor=actor)
    return is_new, _shown(program, asked)


def _goes_over_tls(base_url: str, settings: Settings) -> bool:
    """Or does it stay on this machine, and partners may live there, as in development?"""
    parts = urlsplit(base_url)
    if parts.scheme != "http":
        return True
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    is_loopback = AddressGuard(LOOPBACK, only_listed=True).permits(host)
    return is_loopback and AddressGuard(settings.reachable_networks, only_listed=True).permits(host)


async def disconnect(program: Program, name: str, *, actor: str) -> Tree:
    """End a connection. Raises: NotFound, Conflict."""
    await (await _door(program)).connections.disconnect(name, actor=actor)
    return {"deleted": name}


def _shown(program: Program, connection: Connection) -> Tree:
    """As it was asked for, with how it stands. Certificates are shown by what they are and when they end."""
    partner = program.hub.registry.find(connection.partner)
    now = program.hub.clock.now()
    ends = [end_of("", pem) for pem in connection.presented]
    return {
        **connection.model_dump(exclude={"presented", "partner", "prices"}),
        "prices": connection.tariffs(),
        "name": connection.partner,
        "state": partner.state.value if partner is not None else "",
        "parties": [f"{claim.role} {claim.party}" for claim in partner.claims] if partner is not None else [],
        "certificates": [{"fingerprint": end.fingerprint, **_ends(end.expires, now)} for end in ends],
    }


def _ends(expires: datetime | None, now: datetime) -> Tree:
    if expires is None:
        return {"expires": None, "days": None, "ends_soon": False}
    days = (expires - now).days
    return {"expires": timestamp(expires), "days": days, "ends_soon": days <= TOLD_DAYS[0]}


async def certificates(program: Program) -> list[Tree]:
    """All of ours, by name."""
    door = await _door(program)
    return [_own(program, door, each) for each in door.certificates.all()]


async def certificate(program: Program, name: str) -> Tree:
    """One of ours. Raises: NotFound."""
    door = await _door(program)
    return _own(program, door, door.certificates.get(name))


async def ask_certificate(program: Program, ask: OicpCertificateAsked, *, actor: str) -> Tree:
    """A new key and its signing request; what is in use stays so until the answer is installed.

    Raises: InvalidRequest, Conflict.
    """
    door = await _door(program)
    asked = await door.certificates.ask(ask.name, ask.subject, key_type=ask.key, actor=actor)
    return _own(program, door, asked)


async def install_certificate(program: Program, name: str, ask: OicpCertificate, *, actor: str) -> Tree:
    """Use the certificate that was issued for our request. Raises: NotFound, InvalidRequest, Conflict."""
    door = await _door(program)
    return _own(program, door, await door.certificates.install(name, ask.certificate, actor=actor))


async def remove_certificate(program: Program, name: str, *, actor: str) -> Tree:
    """Forget a certificate and its key. Raises: NotFound; Conflict, when a connection shows it."""
    door = await _door(program)
    shown_to = _shown_to(door, name)
    if shown_to:
        raise Conflict(f"{name} is shown to {', '.join(shown_to)[:120]}")
    await door.certificates.remove(name, actor=actor)
    return {"deleted": name}


def _shown_to(door: Door, name: str) -> list[str]:
    return [each.partner for each in door.connections.all() if each.client_certificate == name]


def _own(program: Program, door: Door, own: OwnCertificate) -> Tree:
    """All but the keys. `csr` is there as long as we wait for its certificate."""
    used = own.used
    return {
        "name": own.name,
        "in_use": used is not None,
        "csr": own.asked.csr if own.asked is not None else None,
        "certificate": used.chain if used is not None else None,
        **_ends(used.expires if used is not None else None, program.hub.clock.now()),
        "shown_to": _shown_to(door, own.name),
    }
