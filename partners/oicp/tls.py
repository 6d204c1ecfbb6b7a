"""TLS to and from partners: who may show us a certificate, and which one we show.

A client certificate is asked for and checked when there is one: by the authorities of BUSBAR_OICP_CLIENT_CA, or because
the operator gave us that very certificate (any issuer). Who shows none gets through the handshake and is refused in
OICP's words. No session is resumed: each connection is checked by what holds now.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

import structlog
from cryptography.hazmat.primitives import serialization

from hub.core.settings import Settings
from partners.oicp.certificates import Certificates, KeyPair
from partners.oicp.connections import Connection, Connections

log = structlog.get_logger()

_MOST_CONTEXTS: Final = 1_000


class FaceTls:
    """The context of our TLS port; what is trusted changes with the connections, for each handshake that comes."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        """Raises: OSError, ssl.SSLError, for files that cannot be used."""
        self._settings = settings
        self._connections = connections
        self._current = self._made()
        self.context = self._made()
        self.context.sni_callback = self._choose
        connections.on_change(self.renew)

    def renew(self) -> None:
        """Read everything again: the files too, which may have been replaced."""
        try:
            self._current = self._made()
        except (OSError, ssl.SSLError) as error:
            log.error("the files of the OICP port cannot be used; it goes on with those from before", error=str(error))

    def _choose(self, handshake: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        handshake.context = self._current

    def _made(self) -> ssl.SSLContext:
        settings = self._settings
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.oicp_certificate, settings.oicp_key or None)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        if settings.oicp_client_ca:
            context.load_verify_locations(settings.oicp_client_ca)
        for pem in (pem for each in self._connections.all() for pem in each.presented):
            context.load_verify_locations(cadata=pem)
        return context


class ClientContexts:
    """By connection, how to speak TLS to it; made once for each certificate and authority."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._made: dict[tuple[str, str, str], ssl.SSLContext] = {}

    def __call__(self, connection: Connection) -> ssl.SSLContext | None:
        """None: as to any server. A certificate that is not installed yet is not shown."""
        own = self._certificates.find(connection.client_certificate)
        pair = own.used if own is not None else None
        if pair is None and not connection.server_ca:
            return None
        at = (connection.client_certificate, pair.chain if pair is not None else "", connection.server_ca)
        context = self._made.get(at)
        if context is None:
            if len(self._made) >= _MOST_CONTEXTS:
                self._made.clear()
            context = self._made[at] = self._context(connection, pair)
        return context

    def _context(self, connection: Connection, pair: KeyPair | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=connection.server_ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if pair is not None:
            _load(context, pair.chain, self._certificates.key_of(connection.client_certificate, pair))
        return context


def _load(context: ssl.SSLContext, chain: str, key: bytes) -> None:
    """OpenSSL takes files alone: the key is in one for a moment, under a password that nobody else has."""
    password = token_urlsafe(32)
    private = serialization.load_pem_private_key(key, password=None)
    locked = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    descriptor, path = tempfile.mkstemp(prefix="busbar-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(chain.encode() + locked)
        context.load_cert_chain(path, password=password)
    finally:
        Path(path).unlink()
