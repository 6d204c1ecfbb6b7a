"""A receiver of webhooks on loopback, as an operator would write one, and alerts for it to hear of."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from hub.core.store import Store
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Alert
from partners.ocpp.watch.rules import Severity
from tests.ports import Port

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Heard:
    """A call that came, whatever it was answered."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def tree(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As https://standardwebhooks.com says it: by hand, not by our own code."""
        key = b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = b64encode(hmac.new(key, content, "sha256").digest()).decode()
        return self.headers.get("webhook-signature") == f"v1,{expected}"


@dataclass
class Receiver:
    """`answers`: the statuses of the next answers; then 204. `says`: the body of each."""

    port: Port = field(default_factory=Port)
    answers: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)
    says: bytes = b""
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}/alerts?team=north"

    @property
    def names(self) -> list[tuple[str, str]]:
        """What was told, and of which alert."""
        return [(call.tree["type"], call.tree["data"].get("id", "")) for call in self.heard]

    async def begin(self) -> None:
        app = web.Application()
        app.router.add_post("/alerts", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port.number).start()

    async def end(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def hears(self, number: int) -> None:
        """Until so many calls came."""
        async with asyncio.timeout(60):
            while len(self.heard) < number:
                self._came.clear()
                await self._came.wait()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append(Heard(headers, await request.read()))
        self._came.set()
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers=self.given, body=self.says or None)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.begin()
    try:
        yield receiver
    finally:
        await receiver.end()
        receiver.port.release()


def alert(alert_id: str, *, rule: str = "offline", severity: Severity = Severity.HIGH) -> Alert:
    return Alert(alert_id, rule, f"{alert_id.upper()}/E1", severity, AT, "its socket is gone")


async def opens(store: Store, one: Alert) -> None:
    await store.commit(rows.opened(one))


async def closes(store: Store, one: Alert) -> None:
    document = await store.get(rows.ALERTS, one.id)
    assert document is not None
    closed = Alert(one.id, one.rule, one.subject, one.severity, one.opened, one.seen, AT.replace(hour=13), "jo")
    await store.commit(rows.closed(closed, expect=document.version))
