"""A message of OICP, asked of the hub as the OCPI request of its partner, by the door that sockets come through too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from hub.core import trace
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Dispatcher
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json
from hub.core.operations import LARGE, Side
from hub.core.parties import Party
from hub.core.registry import Caller, Partner, TokenUse
from hub.core.request import Asked, body_at_hand

_HERE: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub answered: the HTTP status, the OCPI status code and message, and the data."""

    http: int
    code: int
    message: str
    data: Json

    @property
    def is_success(self) -> bool:
        return 200 <= self.http < 300 and 1000 <= self.code < 2000


class Inward:
    """The way in for interpreted partners."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def request(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: Json = None,
        query: Mapping[str, str] | None = None,
        sender: str = "",
        to: str = "",
    ) -> Answered:
        """Ask as `partner`, in the newest version; `sender` is the party of it that asks, `to` whom. Raises nothing."""
        segments = "".join(f"/{quote(segment, safe='')}" for segment in path)
        raw = b"" if body is None else encode(body)
        asked = Asked(
            method=method,
            path=f"/ocpi/{VERSIONS[-1]}/{side.value}/{module}{segments}".encode(),
            query=urlencode(query).encode() if query else b"",
            headers=_headers(raw, sender, to),
            address=_HERE,
            body=body_at_hand(raw),
            content=raw,
            caller=Caller(partner, TokenUse.LIVE, "", ""),
        )
        reply = await self._dispatcher.answer(asked)
        envelope = parse(reply.body, limit=8 * LARGE)
        return Answered(reply.status, envelope["status_code"], envelope.get("status_message", ""), envelope.get("data"))


def _headers(raw: bytes, sender: str, to: str) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"x-correlation-id", trace.correlation().encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(raw)).encode()),
    ]
    for name, text in ((b"from", sender), (b"to", to)):
        if text:
            party = Party.parse(text)
            headers.append((b"ocpi-" + name + b"-country-code", party.country_code.encode()))
            headers.append((b"ocpi-" + name + b"-party-id", party.party_id.encode()))
    return headers
