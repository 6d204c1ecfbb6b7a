"""Two HTTP clients: the operator's, for the hub's management API, and a tester's, for an eMSP's own desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

import httpx

from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree

_LIMIT: Final = 16 * 1024 * 1024
_TIMEOUT_S: Final = 45.0
T = TypeVar("T")


class AskFailed(Exception):
    """The other end said no, or nothing. The text has what it said."""


class Caller:
    """JSON over HTTP at one base URL; numbers come as Decimals. All raise AskFailed."""

    def __init__(self, base_url: str, *, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url
        self._client = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)

    async def get(self, path: str) -> Any:
        return await self._ask("GET", path, None)

    async def put(self, path: str, tree: Json) -> Any:
        return await self._ask("PUT", path, tree)

    async def patch(self, path: str, tree: Json) -> Any:
        return await self._ask("PATCH", path, tree)

    async def post(self, path: str, tree: Json = None) -> Any:
        return await self._ask("POST", path, {} if tree is None else tree)

    async def close(self) -> None:
        await self._client.aclose()

    async def answers(self, path: str) -> bool:
        """Is `path` answered with success by now?"""
        try:
            return (await self._client.get(path)).is_success
        except httpx.HTTPError:
            return False

    async def _ask(self, method: str, path: str, tree: Json) -> Any:
        body = {} if tree is None else {"content": encode(tree), "headers": {"Content-Type": "application/json"}}
        try:
            answer = await self._client.request(method, path, **body)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise AskFailed(f"{method} {self.base_url}{path}: {type(error).__name__}") from error
        if not answer.is_success:
            raise AskFailed(f"{method} {self.base_url}{path}: {answer.status_code} {answer.text[:300]}")
        return parse(answer.content, limit=_LIMIT) if answer.content else None


class Management(Caller):
    """What an operator does with the hub, as far as the demo needs it."""

    async def invite(self, name: str, role: Json) -> Tree:
        """Token A, and where to begin."""
        invited: Tree = await self.post("/api/v1/partners", {"name": name, "roles": [role]})
        return invited

    async def items(self, subject: str, **query: str) -> list[Tree]:
        """A list: `cdrs`, `sessions`, `tokens`, ..."""
        asked = "&".join(f"{name}={value}" for name, value in {"limit": "1000", **query}.items())
        listed: list[Tree] = (await self.get(f"/api/v1/{subject}?{asked}"))["items"]
        return listed


async def until(
    condition: Callable[[], Awaitable[bool]] | Callable[[], bool], *, timeout_s: float, what: str, every_s: float = 0.03
) -> None:
    """Come back when `condition` holds. Raises: AskFailed, naming `what` did not happen."""
    end = asyncio.get_running_loop().time() + timeout_s
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        if asyncio.get_running_loop().time() > end:
            raise AskFailed(f"{what} did not happen within {timeout_s:.0f} s")
        await asyncio.sleep(every_s)


async def together(*works: Coroutine[Any, Any, T]) -> list[T]:
    """All at the same time; when one fails the others are cancelled, and its exception is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Until the first has ended; the others are cancelled. Raises: what that one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
