"""What the EMP, the CPO and the hub have alike: two ports, a receipt log, a mode, dirt, complaints, admin routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from starlette.applications import Starlette
from starlette.routing import Route

from partners.sandbox.admin import Action, as_json
from partners.sandbox.complaints import Complaints
from partners.sandbox.front import Front
from partners.sandbox.listener import Listener
from partners.sandbox.modes import Temper
from partners.sandbox.oicp.call import Caller, Handlers
from partners.sandbox.oicp.desk import Desk
from partners.sandbox.oicp.dirt import Dirt
from partners.sandbox.oicp.line import Line
from partners.sandbox.oicp.operations import OPERATIONS, located
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.wire import of_temper
from partners.sandbox.receipts import Receipts
from partners.sandbox.wire import Json

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
Actions = Sequence[tuple[str, str, Action]]
"""Method and name below `/sandbox/` of what is done when told."""


class Partner:
    """One partner. Its ports are bound when it is made; it listens when entered."""

    base: ClassVar[str] = "/oicp"
    is_hub: ClassVar[bool] = False

    def __init__(
        self,
        party: str,
        papers: Papers,
        *,
        port: int = 0,
        admin_port: int = 0,
        mode: str = "happy",
        seed: int = 0,
        slow_s: tuple[float, float] | None = None,
        receipts: Path | None = None,
        timeout_s: float = 65.0,
    ) -> None:
        """`receipts`: a file for the receipt log."""
        self.party = party
        self.papers = papers
        self.complaints = Complaints()
        self.temper = Temper(mode, seed=seed, slow_s=slow_s)
        self.dirt = Dirt()
        self.receipts = Receipts(receipts)
        self.line = Line(papers, self.complaints, self.dirt, timeout_s=timeout_s)
        self._oicp = Listener(port=port, tls=papers.for_serving(asks=self.is_hub))
        self._desk_for_testers = Listener(port=admin_port)
        self.url = self._oicp.url + self.base
        self.admin_url = self._desk_for_testers.url
        self._tasks: set[asyncio.Task[None]] = set()

    def _furnish(self, handlers: Handlers, actions: Actions) -> None:
        """The last step of making one."""
        desk = Desk(
            self.base, handlers, self.complaints, self.dirt, admits=self.admit, is_hub=self.is_hub
        )  # fmt: skip
        app = Starlette(routes=[Route(f"{self.base}/{{rest:path}}", desk.serve, methods=_METHODS)])
        self._front = Front(app, self.receipts, self.temper, under=self.base, refusal=of_temper)
        table = [*self._own_actions(), *actions]
        routes = [Route(f"/sandbox/{name}", as_json(action), methods=[method]) for method, name, action in table]
        self._admin = Starlette(routes=routes)

    async def __aenter__(self) -> Self:
        await self._oicp.start(self._front)
        await self._desk_for_testers.start(self._admin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._front.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.line.close()
        await asyncio.gather(self._oicp.stop(), self._desk_for_testers.stop())
        self.receipts.close()

    def admit(self, caller: Caller) -> None:
        """May the caller speak here? Raises: Refused."""
        raise NotImplementedError

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Do it beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def state(self) -> dict[str, Json]:
        """For testers."""
        return {
            "party": self.party,
            "url": self.url,
            "admin_url": self.admin_url,
            "fingerprint": self.papers.fingerprint,
            "mode": self.temper.name,
            "dirt": vars(self.dirt),
            "complaints": self.complaints.listed(),
        }

    def _of_these(self, names: Sequence[str]) -> Callable[[str], bool]:
        """Is a path one of these operations? Raises: KeyError, for a name that is none."""
        wanted = {OPERATIONS[name].name for name in names}

        def holds(path: str) -> bool:
            found = located(path.removeprefix(self.base))
            return found is not None and found[0].name in wanted

        return holds

    def _own_actions(self) -> Actions:
        async def state(_: Json) -> Json:
            return self.state()

        async def complaints(_: Json) -> Json:
            return self.complaints.listed()

        async def receipts(_: Json) -> Json:
            return [asdict(receipt) for receipt in self.receipts.all()]

        async def mode(body: Json) -> Json:
            """`{mode, seed?, only?, times?}`: for these operations only, and so many times; else for all and always."""
            only = self._of_these(body["only"]) if "only" in body else None
            self.temper.switch(body["mode"], seed=body.get("seed"), only=only, times=body.get("times"))
            return {"mode": self.temper.name}

        async def dirt(body: Mapping[str, Json]) -> Json:
            """`{spellings?, nulls?, texts?, wrong?}`"""
            return self.dirt.settle(**body)

        reads: Actions = [("GET", "state", state), ("GET", "complaints", complaints), ("GET", "receipts", receipts)]
        return [*reads, ("PUT", "mode", mode), ("PUT", "dirt", dirt)]
