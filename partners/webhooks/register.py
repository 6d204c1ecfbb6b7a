"""All webhooks: kept, known in memory, and as receivers for the lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from hub.core.delivery import LANES, REFUSED, lane_from_now_on
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.lane import Receiver
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Change, ChangeRow, Delete, Unit
from partners.webhooks.calling import Caller
from partners.webhooks.model import MODULE, MOST, TRY, WEBHOOKS, Webhook, webhook_in, webhook_put
from partners.webhooks.receiver import WebhookReceiver

_MOST_REFUSED: Final = 100_000


class Webhooks:
    """In each process; the one that has the lanes is told by `on_change`, and by `on_try` whose lane need not wait."""

    def __init__(self, store: Store, caller: Caller) -> None:
        self._store, self._caller = store, caller
        self._known: dict[str, Webhook] = {}
        self._revision: int | None = None
        self._listeners: list[Callable[[], None]] = []
        self.on_try: Callable[[str], None] = lambda lane: None
        store.on_commit(self._committed)

    def on_change(self, callback: Callable[[], None]) -> None:
        self._listeners.append(callback)

    def receivers(self) -> dict[str, Receiver]:
        """By the names of their lanes: those that are to hear of anything."""
        enabled = [webhook for webhook in self._known.values() if webhook.enabled]
        return {webhook.lane: WebhookReceiver(self._store, self._caller, webhook) for webhook in enabled}

    async def refresh(self) -> None:
        """Read them again, if somebody wrote one."""
        revision = self._store.revision(WEBHOOKS)
        if revision != self._revision:
            documents = await self._store.select(WEBHOOKS, limit=MOST * 10)
            self._known = {webhook.id: webhook for webhook in map(webhook_in, documents)}
            self._revision = revision
            for listener in self._listeners:
                listener()

    async def all(self) -> list[Webhook]:
        """The oldest first."""
        await self.refresh()
        return list(self._known.values())

    async def get(self, webhook_id: str) -> Webhook:
        """Raises: NotFound."""
        await self.refresh()
        if webhook_id not in self._known:
            raise NotFound("there is no such webhook")
        return self._known[webhook_id]

    async def add(self, webhook: Webhook, *, audit: Audit) -> None:
        """From now on it hears of what happens. Raises: Conflict, when it is there; InvalidRequest, for too many."""
        others = await self.all()
        if any(other.url == webhook.url for other in others):
            raise Conflict("a webhook with this URL is there already")
        if len(others) >= MOST:
            raise InvalidRequest(f"there are {MOST} webhooks, which is the most")
        unit = Unit().put(webhook_put(webhook, expect=ABSENT)).put(await lane_from_now_on(self._store, webhook.lane))
        await self._commit(unit, webhook, audit)

    async def switch(self, webhook: Webhook, *, enabled: bool, audit: Audit) -> Webhook:
        """Let it hear of nothing, or again of what happens from now on. Raises: Conflict."""
        document = await self._store.get(WEBHOOKS, webhook.id)
        if document is None:
            raise Conflict
        switched = replace(webhook_in(document), enabled=enabled)
        unit = Unit().put(webhook_put(switched, expect=document.version))
        if enabled and not webhook.enabled:
            unit.put(await lane_from_now_on(self._store, webhook.lane))
        await self._commit(unit, webhook, audit)
        return switched

    async def remove(self, webhook: Webhook, *, audit: Audit) -> None:
        """It hears of nothing more, and nothing is kept of it."""
        unit = Unit().delete(Delete(WEBHOOKS, webhook.id)).delete(Delete(LANES, webhook.lane))
        refused = await self._store.select(REFUSED, equal={"partner": webhook.lane}, limit=_MOST_REFUSED)
        for document in refused:
            unit.delete(Delete(REFUSED, document.key))
        await self._commit(unit, webhook, audit)

    async def may_be_tried(self, webhook: Webhook) -> None:
        """Its receiver is well: what waits for it need not wait any more."""
        await self._store.commit(Unit().tells(Change(MODULE, webhook.id, what=TRY)))

    async def _commit(self, unit: Unit, webhook: Webhook, audit: Audit) -> None:
        await self._store.commit(unit.tells(Change(MODULE, webhook.id)).audited(audit))
        await self.refresh()

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        for row in rows:
            if row.change.module == MODULE and row.change.what == TRY and row.change.key in self._known:
                self.on_try(self._known[row.change.key].lane)
