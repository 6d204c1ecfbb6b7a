"""A webhook: where it is, what it hears of, and the secret that its calls are signed with."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hub.core.units import Document, Kind, Put

WEBHOOKS: Final = Kind("webhooks")
LANE: Final = "webhook/"
MODULE: Final = "webhooks"
"""The changes by which all processes hear of another webhook; no lane has anything to send of them."""
TRY: Final = "try"
"""What such a change says when the receiver is known to be well: its lane need not wait."""
MOST: Final = 20
"""Of all. Each has a lane, which wakes at every change."""


class Webhook(msgspec.Struct, frozen=True):
    """`secret` is sealed, "" without one. No `rules`, no `severities`: all."""

    id: str
    url: str
    created: datetime
    created_by: str
    secret: str = ""
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def lane(self) -> str:
        """The name of its lane; no partner has a `/` in its name."""
        return f"{LANE}{self.id}"

    @property
    def about(self) -> str:
        """What its secret is sealed for."""
        return f"webhook/{self.id}/secret"

    def hears_of(self, rule: str, severity: str) -> bool:
        """Are alerts of this rule, with this severity, for it?"""
        return rule in (self.rules or (rule,)) and severity in (self.severities or (severity,))


def webhook_in(document: Document) -> Webhook:
    return msgspec.json.decode(document.body, type=Webhook)


def webhook_put(webhook: Webhook, *, expect: int) -> Put:
    return Put(WEBHOOKS, webhook.id, msgspec.json.encode(webhook), expect=expect)
