"""One OICP call to a partner: our certificate, one deadline, its rate limits, and what went wrong told apart.

What a partner decides comes in an HTTP 200 and is returned, a no like a yes. Everything else is a `PeerFault`: a
PeerRefused holds the HTTP status and, where the body had a StatusCode, that as `status_code`.
"""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import structlog

from hub.core.errors import EndpointsMissing, PeerNonsense, PeerRefused, Unreadable
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.limits import RateLimiter
from hub.core.outbound import Outbound, OutboundAnswer
from hub.core.ports import Hub
from partners.oicp.connections import Connection
from partners.oicp.operations import OPERATIONS, Operation, serves
from partners.oicp.wire import REQUESTS, write

log = structlog.get_logger()

_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_LATIN: Final = re.compile(r"charset=\"?(iso-8859-1|latin-?1|windows-1252)", re.IGNORECASE)
_LONGEST_ID: Final = 100
_MOMENT_S: Final = 5.0
"""So long a driver can wait until a partner may be asked again."""
_LARGEST_REFUSAL: Final = 64 * 1024

Contexts = Callable[[Connection], ssl.SSLContext | None]
"""How to speak TLS to a partner."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner answered; `process_id` is its own name of the exchange, for its support."""

    http: int
    tree: Tree
    process_id: str = ""


class Client:
    """Calls to all partners that speak OICP."""

    def __init__(self, hub: Hub, outbound: Outbound, contexts: Contexts) -> None:
        self._hub = hub
        self._outbound = outbound
        self._contexts = contexts
        self._limiters: dict[tuple[str, int], RateLimiter] = {}

    async def call(
        self,
        connection: Connection,
        operation_name: str,
        message: Mapping[str, Any],
        *,
        id: str = "",  # noqa: A002 - the word of OICP's paths
        query: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        cap: int | None = None,
        wait: bool = False,
    ) -> Answer:
        """Ask a partner; `id` is the operator or provider of the path.

        Where it has been asked as often as it may, we wait until it may be asked again: with `wait` as long as that
        takes, else for a moment, and give up with a PeerRefused of 429.
        Raises: EndpointsMissing, when it serves no such thing; PeerUnreachable (it never left us), PeerTimeout,
        PeerNonsense (it may have had its effect), PeerRefused; NotSayable, for no such message.
        """
        operation = OPERATIONS[operation_name]
        if not connection.base_url or not serves(connection.kind, operation):
            raise EndpointsMissing(f"{connection.partner} serves no {operation.name}")
        patience_s = math.inf if wait else min(_MOMENT_S, (deadline_s or math.inf) / 2)
        waited_s = await self._take(connection, operation, patience_s)
        began = self._hub.clock.monotonic()
        answered = await self._outbound.request(
            "POST",
            _url(connection, operation, id, query),
            headers=_HEADERS,
            body=encode(write(REQUESTS[operation.name], message)),
            deadline_s=deadline_s if wait or deadline_s is None else deadline_s - waited_s,
            cap=cap,
            tls=self._contexts(connection),
        )
        process_id = _printable(answered.headers.get("Process-ID", ""))
        took_s = round(self._hub.clock.monotonic() - began, 3)
        asked = {"partner": connection.partner, "operation": operation.name}
        log.info("oicp call", **asked, http=answered.status, process_id=process_id, took_s=took_s)
        return Answer(answered.status, _understood(answered, cap or self._outbound.object_cap), process_id)

    async def _take(self, connection: Connection, operation: Operation, patience_s: float) -> float:
        """Returns: the seconds that were waited. Raises: PeerRefused, as the partner would."""
        limit, waited_s = connection.limit_per_min(operation), 0.0
        if not limit:
            return waited_s
        limiter = self._limiters.get((operation.name, limit))
        if limiter is None:
            limiter = self._limiters[operation.name, limit] = _limiter(limit, self._hub.clock.monotonic)
        while (wait_s := limiter.take(connection.partner)) > 0:
            if waited_s + wait_s > patience_s:
                raise PeerRefused(
                    f"{connection.partner} may be asked {operation.name} {limit} times a minute",
                    http=429,
                    retry_after_s=wait_s,
                )
            await self._hub.clock.sleep(wait_s)
            waited_s += wait_s
        return waited_s


def _limiter(per_min: int, monotonic: Callable[[], float]) -> RateLimiter:
    """In no minute more than `per_min`: nine tenths flow, a tenth may come at once."""
    burst = max(1, per_min // 10)
    return RateLimiter(rate_per_s=max(per_min - burst, 1) / 60, burst=burst, monotonic=monotonic)


def _url(connection: Connection, operation: Operation, id_in_path: str, query: Mapping[str, str] | None) -> str:
    path = operation.path.replace("{id}", quote(id_in_path, safe=""))
    return f"{connection.base_url}{path}" + (f"?{urlencode(query)}" if query else "")


def _understood(answered: OutboundAnswer, limit: int) -> Tree:
    """Raises: PeerRefused, PeerNonsense."""
    if not 200 <= answered.status < 300:
        raise _refused(answered)
    try:
        tree = parse(_utf8(answered), limit=limit)
    except Unreadable as fault:
        raise PeerNonsense(f"the partner's answer cannot be read: {fault.message}") from None
    if not isinstance(tree, dict):
        raise PeerNonsense("the partner's answer is no JSON object")
    return tree


def _refused(answered: OutboundAnswer) -> PeerRefused:
    """What partners send with an HTTP error: a StatusCode, a list of fields, a page of a firewall, or nothing."""
    code, words = None, ""
    if len(answered.body) <= _LARGEST_REFUSAL:
        code, words = _said(answered)
    return PeerRefused(
        words or f"the partner answered HTTP {answered.status}",
        http=answered.status,
        status_code=code,
        retry_after_s=_retry_after(answered.headers.get("Retry-After", "")),
    )


def _said(answered: OutboundAnswer) -> tuple[int | None, str]:
    try:
        tree = parse(_utf8(answered), limit=_LARGEST_REFUSAL)
    except Unreadable:
        return None, ""
    if not isinstance(tree, dict):
        return None, ""
    status = tree.get("StatusCode")
    told = status if isinstance(status, dict) else {}
    code = str(told.get("Code", ""))
    words = told.get("AdditionalInfo") or told.get("Description") or tree.get("message") or ""
    return int(code) if code.isascii() and code.isdigit() and len(code) <= 4 else None, _printable(str(words))


def _retry_after(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _utf8(answered: OutboundAnswer) -> bytes:
    """The body; some hubs announce Latin-1, and mean it now and then."""
    try:
        answered.body.decode()
    except UnicodeDecodeError:
        if _LATIN.search(answered.headers.get("Content-Type", "")):
            return answered.body.decode("latin-1").encode()
    return answered.body


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:_LONGEST_ID]
