"""Pushes of one partner, each after the answer to the one before: what we make of them meanwhile is in no one's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub.core.units import Document, Kind, Unit
from partners.oicp import cards, prices
from partners.sandbox.oicp.samples import prices as some_prices
from partners.sandbox.oicp.samples import product
from tests.partners.oicp.bridged import Bridged, bridged


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",), base_url="")
        yield made


async def _push_products(bridge: Bridged, action: str, number: int, price: int) -> Any:
    data = some_prices({"OperatorID": "DE*ABC", "ProviderID": "*", "PricingProductDataRecords": [{}]})
    data["PricingProductDataRecords"] = [
        product({"ProductID": f"P{each}", "PricePerReferenceUnit": price}) for each in range(number)
    ]
    message = {"ActionType": action, "PricingProductData": data}
    return await bridge.ask("abc", "PushPricingProductData", message, id="DE*ABC")


async def _push_cards(bridge: Bridged, action: str, number: int, printed: int) -> Any:
    records = [
        {
            "Identification": {
                "RFIDIdentification": {"UID": f"{each:020X}", "RFID": "desfire", "PrintedNumber": f"{printed}"}
            }
        }
        for each in range(number)
    ]
    data = {"ProviderID": "DE-DCB", "AuthenticationDataRecord": records}
    message = {"ActionType": action, "ProviderAuthenticationData": data}
    return await bridge.ask("dcb", "PushAuthenticationData", message, id="DE-DCB")


Push = Callable[[Bridged, str, int, int], Awaitable[Any]]


class _MeanwhileHere:
    """The store, on which our own work makes one row after the other whenever a push has looked at what is there."""

    def __init__(self, bridge: Bridged, kind: Kind, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._bridge, self._store, self._kind, self._work = bridge, bridge.world.hub.store, kind, work
        self._written, self._is_at_work = 0, False

    async def get_many(self, kind: Kind, keys: Sequence[str], **how: Any) -> Any:
        found = await self._store.get_many(kind, keys, **how)
        if kind is self._kind:
            await self._next_row()
        return found

    async def _next_row(self) -> None:
        """Or none, where the work waits for the push."""
        if not self._is_at_work:
            self._is_at_work = True
            self._bridge.world.hub.background.start(self._work(), name="made of them")
        before = self._written
        for _ in range(40):
            if self._written > before:
                return
            await asyncio.sleep(0.005)

    async def commit(self, unit: Unit) -> Any:
        done = await self._store.commit(unit)
        self._written += any(write.kind is self._kind for write in unit.writes)
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def _tariffs(bridge: Bridged) -> None:
    await bridge.oicp.price_tariffs.catch_up()


async def _tokens(bridge: Bridged) -> None:
    await bridge.oicp.card_tokens.catch_up()


@pytest.mark.parametrize(
    ("push", "kind", "work"),
    [(_push_products, prices.OICP_PRICES, _tariffs), (_push_cards, cards.OICP_CARDS, _tokens)],
)
async def test_a_push_is_taken_however_many_rows_of_the_one_before_are_still_to_be_made_something_of(
    bridge: Bridged, push: Push, kind: Kind, work: Callable[[Bridged], Coroutine[Any, Any, None]]
) -> None:
    await push(bridge, "insert", 40, 1)
    bridge.world.hub.store = _MeanwhileHere(bridge, kind, partial(work, bridge))
    assert (await push(bridge, "update", 40, 2))["Result"] is True


class _AnotherProcess:
    """The store, on which another process of this hub is faster: it has written just before we first do."""

    def __init__(self, bridge: Bridged, kind: Kind, done: Callable[[Document], Any]) -> None:
        self._store, self._kind, self._done = bridge.world.hub.store, kind, done
        self._is_faster = True

    async def commit(self, unit: Unit) -> Any:
        if self._is_faster and any(write.kind is self._kind for write in unit.writes):
            self._is_faster = False
            for document in await self._store.select(self._kind, limit=10):
                await self._store.commit(Unit().put(self._done(document)))
        return await self._store.commit(unit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _made_a_tariff(document: Document) -> Any:
    return replace(prices.read(document), due=prices.DONE).put(expect=document.version)


def _made_a_token(document: Document) -> Any:
    return replace(cards.read(document), due=cards.NEVER).put(expect=document.version)


_OTHERS: Iterable[tuple[Push, Kind, Callable[[Document], Any]]] = (
    (_push_products, prices.OICP_PRICES, _made_a_tariff),
    (_push_cards, cards.OICP_CARDS, _made_a_token),
)


@pytest.mark.parametrize(("push", "kind", "done"), _OTHERS)
@pytest.mark.parametrize("action", ["update", "delete", "fullLoad"])
async def test_a_push_is_taken_though_another_process_makes_something_of_its_rows(
    bridge: Bridged, push: Push, kind: Kind, done: Callable[[Document], Any], action: str
) -> None:
    await push(bridge, "insert", 2, 1)
    bridge.world.hub.store = _AnotherProcess(bridge, kind, done)
    assert (await push(bridge, action, 2, 2))["Result"] is True
