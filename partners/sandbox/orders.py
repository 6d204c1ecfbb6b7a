"""Commands as a CPO takes them: an answer at once, the result later at the response_url. OCPI mod_commands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from partners.sandbox.call import Call, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.house import House
from partners.sandbox.wire import COMMANDS, Json

_TIMEOUT_S = 30


class Orders:
    """One CPO's desk for commands."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._rules = house.rules
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer, self._result, self._delay_s = "ACCEPTED", "ACCEPTED", 0.1
        self.taken: list[dict[str, Json]] = []
        """The commands that came, each as `{command, body}`."""

    def settle(self, *, answer: str = "ACCEPTED", result: str = "ACCEPTED", delay: float = 0.1) -> Mapping[str, Json]:
        """What is answered from now on, and what comes of it `delay` seconds later; "" for a result: none comes."""
        self._answer, self._result, self._delay_s = answer, result, float(delay)
        return {"answer": answer, "result": result, "delay": self._delay_s}

    async def take(self, call: Call) -> Reply:
        """One command. OCPI mod_commands_cpo_interface."""
        command = call.path[0] if len(call.path) == 1 else ""
        if command not in COMMANDS:
            self._house.complaints.add(call.where, "the URL is not {command}")
            raise Refused(404, 2000, "no such command")
        for breach in check(self._rules.version, COMMANDS[command], call.tree):
            self._house.complaints.add(call.where, breach)
            raise Refused(200, 2001, breach)
        self.taken.append({"command": command, "body": call.tree})
        if self._answer == "ACCEPTED" and self._result:
            task = asyncio.create_task(self._report(call.tree["response_url"], self._result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        timeout = {} if self._rules.version == "2.1.1" else {"timeout": _TIMEOUT_S}
        return Reply({"result": self._answer, **timeout})

    async def _report(self, url: str, result: str) -> None:
        await asyncio.sleep(self._delay_s)
        registration = self._house.accounts.registration
        if registration is None:
            return
        try:
            answer = await self._house.line.ask(
                "POST", url, registration.their_token, body={"result": result}, to=registration.hub
            )
        except httpx.HTTPError as error:
            self._house.complaints.add(f"result to {httpx.URL(url).path}", f"not taken: {type(error).__name__}")
            return
        if answer.status_code is None or answer.status_code // 1000 != 1:
            self._house.complaints.add(f"result to {httpx.URL(url).path}", f"refused: {answer.status_code}")

    async def close(self) -> None:
        """Results that did not leave yet never will."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
