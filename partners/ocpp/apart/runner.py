"""Errands that other processes leave for a gateway: taken, done in their time, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Final

import structlog
from msgspec.structs import replace

from hub.core import trace
from hub.core.errors import BusbarError, Conflict, NotReady
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Place
from hub.core.secrets import Seal
from hub.core.types import parse_datetime
from hub.core.units import Change, ChangeRow, Delete, Unit
from partners.ocpp.apart.errands import (
    ASKED,
    DONE,
    ERRANDS,
    MODULE,
    TAKEN,
    Errand,
    Sealing,
    errand_in,
    errand_put,
    is_for,
)
from partners.ocpp.apart.limits import answer_of, limits_in
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.unplaced import Verdict

log = structlog.get_logger()

MOST_AT_ONCE: Final = 512
"""Errands that one gateway does at the same time; those beyond are answered at once."""
SWEEP_S: Final = 5.0
_LEFT_AFTER: Final = timedelta(minutes=10)
_A_STEP: Final = 500

Does = Callable[[ChargerOrders, Tree, float], Awaitable[Tree]]
"""What is asked, and how many seconds it may take -> what is answered."""


async def _remote_start(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    named = {name: asked[name] for name in ("id_tag", "token_type")}
    return {"outcome": await here.remote_start(Place(**asked["place"]), **named, timeout_s=timeout_s)}


async def _remote_stop(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    station, transaction = asked["station"], asked["transaction"]
    return {"outcome": await here.remote_stop(station, transaction=transaction, timeout_s=timeout_s)}


async def _unlock(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    return {"outcome": await here.unlock(Place(**asked["place"]), timeout_s=timeout_s)}


async def _reserve(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    named = {name: asked[name] for name in ("reservation", "id_tag", "token_type", "parent_tag", "expiry")}
    return {"outcome": await here.reserve(Place(**asked["place"]), **named, timeout_s=timeout_s)}


async def _cancel_reservation(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    station, reservation = asked["station"], asked["reservation"]
    return {"outcome": await here.cancel_reservation(station, reservation=reservation, timeout_s=timeout_s)}


async def _limit(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    limits = limits_in(asked["limits"])
    named = {name: asked[name] for name in ("transaction", "number")}
    return {"outcome": await here.limit(asked["station"], **named, limits=limits, timeout_s=timeout_s)}


async def _unlimit(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    return {"outcome": await here.unlimit(asked["station"], number=asked["number"], timeout_s=timeout_s)}


async def _restore(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    limits = None if asked["limits"] is None else limits_in(asked["limits"])
    named = {name: asked[name] for name in ("transaction", "number")}
    return {"outcome": await here.restore(asked["station"], **named, limits=limits, timeout_s=timeout_s)}


async def _limits(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    named = {name: asked[name] for name in ("transaction", "duration_s", "unit")}
    return answer_of(await here.limits(asked["station"], **named, timeout_s=timeout_s))


async def _prefer(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    departure, need_kwh = asked["departure"], asked["need_kwh"]
    heeded = await here.prefer(
        asked["station"],
        transaction=asked["transaction"],
        departure=None if departure is None else parse_datetime(departure),
        need_kwh=None if need_kwh is None else Decimal(need_kwh),
        timeout_s=timeout_s,
    )
    return {"heeded": heeded}


async def _call(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    named = {name: asked[name] for name in ("action", "payload", "force")}
    return asdict(await here.call(asked["station"], **named, timeout_s=timeout_s))


async def _change_password(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    return asdict(await here.change_password(asked["station"], asked["password"], actor=asked["actor"]))


async def _settle_unplaced(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    verdict = Verdict(**{name: asked[name] for name in Verdict._fields})
    await here.settle_unplaced(asked["name"], verdict, actor=asked["actor"])
    return {"settled": True}


async def _view(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    return here.view(asked["station"])


async def _messages(here: ChargerOrders, asked: Tree, timeout_s: float) -> Tree:
    return {"items": here.messages(asked["station"], limit=asked["limit"])}


DOES: Final[dict[str, Does]] = {
    "remote_start": _remote_start,
    "remote_stop": _remote_stop,
    "unlock": _unlock,
    "reserve": _reserve,
    "cancel_reservation": _cancel_reservation,
    "limit": _limit,
    "unlimit": _unlimit,
    "restore": _restore,
    "limits": _limits,
    "prefer": _prefer,
    "call": _call,
    "change_password": _change_password,
    "settle_unplaced": _settle_unplaced,
    "view": _view,
    "messages": _messages,
}


class Runner:
    """The doing side, for the gateway `name`."""

    def __init__(self, hub: Hub, seal: Seal, here: ChargerOrders) -> None:
        self._hub, self._here, self._sealing = hub, here, Sealing(seal)
        self._name = ""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sweeping: asyncio.Task[None] | None = None

    def start(self, name: str) -> None:
        """From now on what is left for `name` is done."""
        self._name = name
        self._hub.store.on_commit(self._committed)
        self._sweeping = asyncio.create_task(self._sweep(), name="errands' sweep")

    async def stop(self) -> None:
        """Take nothing more, and let go of what runs: its asker finds it unheard."""
        self._name = ""
        tasks = [*self._running.values(), *([self._sweeping] if self._sweeping is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        for row in rows:
            if self._name and is_for(self._name, row.change):
                self._begin(row.change.key)

    def _begin(self, key: str) -> None:
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._done(key), name=f"errand {key}")
            self._running[key].add_done_callback(lambda _: self._running.pop(key, None))

    async def _sweep(self) -> None:
        """What a lost notification kept from us, and what nobody came for."""
        while True:
            await self._hub.clock.sleep(SWEEP_S)
            try:
                left = await self._hub.store.select(ERRANDS, equal={"owner": self._name}, limit=_A_STEP)
                long_ago = self._hub.clock.now() - _LEFT_AFTER
                for document in left:
                    if errand_in(document).until < long_ago:
                        await self._hub.store.commit(Unit().delete(Delete(ERRANDS, document.key)))
                    elif document.columns["state"] == ASKED:
                        self._begin(document.key)
            except BusbarError as fault:
                log.warning("errands were not looked for", why=fault.message)
            except Exception as error:  # the sweep must go on for those that come later
                log.exception("errands were not looked for", error=type(error).__name__)

    async def _done(self, key: str) -> None:
        try:
            document = await self._hub.store.get(ERRANDS, key)
            if document is None or document.columns["state"] != ASKED:
                return
            errand = errand_in(document)
            trace.begin(correlation_id=errand.correlation_id)
            unit = Unit().put(errand_put(key, self._name, errand, TAKEN, expect=document.version))
            (version,) = await self._hub.store.commit(unit)
            answer = await self._answer(key, errand)
            done = replace(errand, answer=self._sealing.closed(key, answer))
            unit = Unit().put(errand_put(key, self._name, done, DONE, expect=version))
            await self._hub.store.commit(unit.tells(Change(MODULE, key, what=DONE)))
        except Conflict:
            log.info("errand was taken back", errand=key)
        except NotReady as fault:
            log.warning("errand has no answer", errand=key, why=fault.message)

    async def _answer(self, key: str, errand: Errand) -> Tree:
        left_s = (errand.until - self._hub.clock.now()).total_seconds()
        if left_s <= 0:
            log.warning("errand came too late", errand=errand.name, late_s=round(-left_s, 1))
            return {"unbegun": True}
        if len(self._running) > MOST_AT_ONCE:
            return {"crowded": True}
        try:
            return await DOES[errand.name](self._here, self._sealing.opened(key, errand.asked), left_s)
        except BusbarError as fault:
            return {"fault": type(fault).__name__, "message": fault.message}
        except Exception as error:  # whatever it is, the asker must not wait for nothing
            log.exception("errand failed", errand=errand.name, error=type(error).__name__)
            return {"fault": "", "message": "the process that holds the charger's socket failed"}
