"""The HTTP protocol of the port for partners that speak OICP: over TLS, with the client's certificate in the scope.

The scope gets ASGI's extension `tls`; its chain holds the certificate that was shown and checked, or nothing.
"""

from __future__ import annotations

import asyncio
import ssl

from hub.core.inbound import encode
from hub.http_cork import CorkedHttp
from partners.oicp import answers


class TlsHttp(CorkedHttp):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        socket: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        shown = socket.getpeercert(binary_form=True) if socket is not None else None
        chain = [ssl.DER_cert_to_PEM_cert(shown)] if shown else []
        self._tls: dict[object, object] = {"client_cert_chain": chain}
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"tls": self._tls}

    def _worded(self, why: str) -> bytes:
        return encode(answers.unreadable(why))
