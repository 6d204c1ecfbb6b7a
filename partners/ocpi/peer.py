"""Calls to OCPI partners: their addresses, our credentials, the headers, and what their answers mean.

An answer counts as success only when both layers say so: HTTP 2xx and an OCPI code of 1xxx. Everything else becomes one
of `PeerFault`'s children, with both codes, and the caller decides whether to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from hub.core import auth, trace
from hub.core.answers import SUCCESS, is_success
from hub.core.errors import EndpointsMissing, PeerFault, PeerNonsense, PeerRefused, Unreadable
from hub.core.inbound import parse
from hub.core.lane_faults import Fate, judge
from hub.core.operations import SENDER, Side
from hub.core.outbound import Outbound, OutboundAnswer
from hub.core.parties import Party
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from hub.core.secrets import Seal
from hub.core.settings import Settings
from partners.ocpi.marks import Mark, is_same

_LARGEST: Final = 10 * 1024 * 1024
_LONGEST_PLAIN: Final = 500
_UNRESERVED: Final = "-._~"


class OcpiPeers:
    """The port `Peers`, over HTTP."""

    def __init__(
        self, outbound: Outbound, seal: Seal, settings: Settings, unrouted: frozenset[str] = frozenset()
    ) -> None:
        """`unrouted`: modules whose requests carry no routing headers."""
        self._outbound = outbound
        self._seal = seal
        self._settings = settings
        self._unrouted = unrouted
        self._heads: dict[tuple[str, str, str, bool], dict[str, str]] = {}
        self.answered: Callable[[str], None] = _nobody_listens
        """Called with the name of each partner that answered a request."""
        self.doubted: Callable[[str], None] = _nobody_listens
        """Called with the name of a partner that a request did not reach, or that gave no answer of its own."""

    async def send(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
        known: Mark | None = None,
    ) -> PeerAnswer:
        """See `hub.core.ports.Peers.send`; `known` as in `understood`."""
        base = partner.endpoint(module, "SENDER" if side is SENDER else "RECEIVER")
        if base is None:
            raise EndpointsMissing(f"{partner.name} offers no {module} {side.value}")
        url = base + _below(path)
        if query:
            url = f"{url}?{urlencode(query)}"
        return await self._exchange(
            *(partner, method, url, body),
            to=to,
            sender=sender,
            deadline_s=deadline_s,
            known=known,
            routed=module not in self._unrouted,
        )

    async def get(
        self,
        partner: Partner,
        url: str,
        *,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
        known: Mark | None = None,
    ) -> PeerAnswer:
        """See `hub.core.ports.Peers.get`; also for the next page of a list. `known` as in `understood`."""
        routed = not any(url.startswith(partner.endpoint(name, "SENDER") or "\n") for name in self._unrouted)
        return await self._exchange(
            *(partner, "GET", url, None), to=to, sender=sender, deadline_s=deadline_s, known=known, routed=routed
        )

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.post_to`."""
        return await self._exchange(partner, "POST", url, body, to=to, sender=sender)

    async def _exchange(
        self,
        partner: Partner,
        method: str,
        url: str,
        body: bytes | None,
        *,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
        known: Mark | None = None,
        routed: bool = True,
    ) -> PeerAnswer:
        headers = {
            **self._head(partner, to, sender, routed),
            "X-Request-ID": trace.new_request_id(),
            "X-Correlation-ID": trace.correlation(),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        cap = self._outbound.page_cap if method == "GET" else None
        try:
            answer = understood(
                await self._outbound.request(method, url, headers=headers, body=body, deadline_s=deadline_s, cap=cap),
                known,
            )
        except PeerFault as fault:
            (self.answered if is_answer(fault) else self.doubted)(partner.name)
            raise
        self.answered(partner.name)
        return answer

    def _head(self, partner: Partner, to: str, sender: str, routed: bool) -> dict[str, str]:
        """What every request to this partner carries; opened and put together once per registration."""
        at = (partner.their_token, to, sender, routed)
        head = self._heads.get(at)
        if head is None:
            if len(self._heads) > 10_000:
                self._heads.clear()
            head = self._heads[at] = self._make_head(partner, to, sender, routed)
        return head

    def _make_head(self, partner: Partner, to: str, sender: str, routed: bool) -> dict[str, str]:
        head = {"Authorization": auth.present(self._seal.open(partner.their_token), partner.token_form)}
        if partner.version == "2.1.1" or not routed:
            return head
        receiver = Party.parse(to or partner.party)
        speaker = Party.parse(sender or self._settings.party)
        head["OCPI-to-country-code"] = receiver.country_code
        head["OCPI-to-party-id"] = receiver.party_id
        head["OCPI-from-country-code"] = speaker.country_code
        head["OCPI-from-party-id"] = speaker.party_id
        return head


def is_answer(fault: PeerFault) -> bool:
    """Did the partner itself answer, though with an error? Then it is there, and what was asked is another matter."""
    return judge(fault).fate is not Fate.DOWN


def _nobody_listens(name: str) -> None:
    """Where nobody asks who is there."""


@lru_cache(maxsize=4096)
def _below(path: tuple[str, ...]) -> str:
    return "".join(f"/{quote(segment, safe=_UNRESERVED)}" for segment in path)


def understood(answer: OutboundAnswer, known: Mark | None = None) -> PeerAnswer:
    """The OCPI answer inside an HTTP answer. 204 is success without data. Raises: PeerRefused, PeerNonsense.

    known: how the page looked the last time; one that looks the same is not read again.
    """
    if known is not None and answer.status == 200 and is_same(answer.body, known):
        return PeerAnswer(200, SUCCESS, None, answer.headers, answer.body, unread=True)
    if answer.status == 204 or (answer.status in (200, 201) and _is_plain_success(answer.body)):
        return PeerAnswer(answer.status, SUCCESS, None, answer.headers)
    code, message, data = _envelope(answer)
    if not 200 <= answer.status < 300:
        raise PeerRefused(
            message or f"HTTP {answer.status}",
            http=answer.status,
            status_code=code,
            retry_after_s=answer.retry_after_s,
        )
    if code is None:
        raise PeerNonsense("the answer is not an OCPI envelope", answered=True, said=data)
    if not is_success(code):
        raise PeerRefused(message or f"OCPI {code}", http=answer.status, status_code=code)
    return PeerAnswer(answer.status, code, data, answer.headers, answer.body)


class _Acknowledged(msgspec.Struct, forbid_unknown_fields=True):
    """An envelope that holds nothing."""

    status_code: Literal[1000]
    status_message: str = ""
    timestamp: str = ""


_ACKNOWLEDGED: Final = msgspec.json.Decoder(_Acknowledged)


def _is_plain_success(body: bytes) -> bool:
    """Is it what nearly all receivers answer? The general reading comes to the same, at ten times the cost."""
    if len(body) > _LONGEST_PLAIN or body.count(b'"status_code"') != 1:
        return False
    try:
        _ACKNOWLEDGED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def _envelope(answer: OutboundAnswer) -> tuple[int | None, str, object]:
    """(status code, message, data); no code where there is no envelope. A code as text is understood."""
    try:
        tree = parse(answer.body, limit=_LARGEST)
    except Unreadable:
        return None, "", None
    if not isinstance(tree, dict):
        return None, "", None
    code = tree.get("status_code")
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    message = tree.get("status_message")
    return (
        code if isinstance(code, int) else None,
        message[:120] if isinstance(message, str) else "",
        tree.get("data"),
    )
