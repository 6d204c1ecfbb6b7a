"""Responders and the operator's contract service, asked over HTTP: briefly, and no more often than needed.

A responder's URL is a charger's word, so it is called like any partner's: never into our own network. What it answered
is kept until its next update, and what failed for a minute: a car must not wait for the same silence again and again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog
from cryptography import x509

from hub.core.clock import Clock
from hub.core.errors import BusbarError
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.settings import Settings
from partners.ocpp.pnc import CertificateId, ExiAnswer, Status, Verdict, ocsp

log = structlog.get_logger()

_ANSWER_CAP: Final = 64 * 1024
_LONGEST_HELD: Final = timedelta(hours=24)
_FAILED_FOR: Final = timedelta(seconds=60)
_MOST_KEPT: Final = 10_000
_SERVICE_CAP: Final = 64 * 1024
_PASSED_ON: Final = (
    "action", "exiRequest", "iso15118SchemaVersion", "maximumContractCertificateChains", "prioritizedEMAIDs",
)  # fmt: skip


class Answered(Protocol):
    """Of a server."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...


class Fetches(Protocol):
    """The only HTTP client (`hub.core.outbound.Outbound`)."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline_s: float | None = None,
        cap: int | None = None,
    ) -> Answered:
        """Raises: errors.PeerFault's children."""
        ...


class AskedContracts:
    """See `partners.ocpp.pnc.Contracts`. `responders` may speak plain http to the world, `service` not."""

    def __init__(self, settings: Settings, clock: Clock, *, responders: Fetches, service: Fetches) -> None:
        """Raises: OSError, ValueError, for authorities that cannot be read."""
        self._settings, self._clock = settings, clock
        self._responders, self._service = responders, service
        self._trusted = _authorities(settings.contract_cas)
        self._kept: OrderedDict[tuple[CertificateId, str], tuple[Status, datetime]] = OrderedDict()

    @property
    def checks(self) -> bool:
        """See `Contracts`."""
        return self._settings.contract_ocsp

    async def status(self, certificate: CertificateId, url: str) -> Status:
        """See `Contracts`."""
        now = self._clock.now()
        if not self.checks:
            return Status(Verdict.FAILED)
        kept = self._kept.get((certificate, url))
        if kept is not None and kept[1] > now:
            return kept[0]
        found = await self._ask(certificate, url)
        failed = found.verdict is Verdict.FAILED
        until = now + _FAILED_FOR if failed else min(found.until or now, now + _LONGEST_HELD)
        self._kept[certificate, url] = (found, until)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _ask(self, certificate: CertificateId, url: str) -> Status:
        try:
            answer = await self._responders.request(
                "POST",
                url,
                headers={"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"},
                body=ocsp.question(certificate),
                deadline_s=self._settings.contract_timeout_s,
                cap=_ANSWER_CAP,
            )
        except (BusbarError, ValueError) as error:
            log.warning("responder not asked", why=str(error)[:200])
            return Status(Verdict.FAILED)
        if answer.status != 200:
            return Status(Verdict.FAILED)
        return ocsp.read(answer.body, certificate, self._trusted, self._clock.now())

    async def certificate(self, station: str, asked: Tree, *, longest: int) -> ExiAnswer | None:
        """See `Contracts`."""
        settings = self._settings
        if not settings.contract_service_url:
            return None
        token = settings.contract_service_token
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        told: Tree = {"station": station, **{name: asked[name] for name in _PASSED_ON if name in asked}}
        try:
            answer = await self._service.request(
                "POST",
                settings.contract_service_url,
                headers=headers,
                body=encode(told),
                deadline_s=settings.contract_timeout_s,
                cap=_SERVICE_CAP,
            )
            tree = parse(answer.body, limit=_SERVICE_CAP) if answer.status == 200 else None
        except BusbarError as error:
            log.warning("contract service not asked", station=station, why=error.message)
            return None
        return _exi_in(tree, longest) if isinstance(tree, dict) else None


def _exi_in(tree: Tree, longest: int) -> ExiAnswer | None:
    exi, remaining = tree.get("exiResponse"), tree.get("remainingContracts")
    if tree.get("status") != "Accepted" or not isinstance(exi, str) or not 0 < len(exi) <= longest:
        return None
    is_count = isinstance(remaining, int) and not isinstance(remaining, bool) and remaining >= 0
    return ExiAnswer(exi, remaining if is_count else None)


def _authorities(path: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(Path(path).read_bytes()) if path else []
