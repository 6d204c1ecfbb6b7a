"""One call of a webhook, and what an answer means."""

from __future__ import annotations

from typing import Final

from hub.core.clock import Clock
from hub.core.errors import PeerRefused, PeerUnreachable
from hub.core.outbound import Outbound
from hub.core.secrets import BrokenSealError, Seal
from partners.webhooks.events import Event
from partners.webhooks.model import Webhook
from partners.webhooks.signing import headers, key_of

_JSON: Final = {"Content-Type": "application/json"}


class Caller:
    """Tells webhooks of events."""

    def __init__(self, outbound: Outbound, seal: Seal, clock: Clock) -> None:
        self._outbound, self._seal, self._clock = outbound, seal, clock

    async def call(self, webhook: Webhook, event: Event) -> int:
        """Returns: the status of the answer, 2xx. Raises: PeerFault's children; PeerRefused for any other answer."""
        at = int(self._clock.now().timestamp())
        given = {**_JSON, **headers(event.id, at, event.body, self._key(webhook))}
        answer = await self._outbound.request("POST", webhook.url, headers=given, body=event.body, reads=False)
        if not 200 <= answer.status < 300:
            raise PeerRefused(f"HTTP {answer.status}", http=answer.status, retry_after_s=answer.retry_after_s)
        return answer.status

    def _key(self, webhook: Webhook) -> bytes | None:
        if not webhook.secret:
            return None
        try:
            return key_of(self._seal.open(webhook.secret, about=webhook.about))
        except BrokenSealError:
            raise PeerUnreachable("its secret was sealed with a key that is not at hand") from None
