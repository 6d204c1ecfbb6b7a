"""Orders as a CPO takes them: an answer at once, the result later at the response_url.

OCPI mod_commands, mod_charging_profiles.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from partners.sandbox.call import Call, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.house import House
from partners.sandbox.wire import COMMANDS, Json, now_text

_TIMEOUT_S = 30


class Orders:
    """One CPO's desk for commands and charging profiles."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._rules = house.rules
        self._tasks: set[asyncio.Task[None]] = set()
        self._answer, self._result, self._delay_s = "ACCEPTED", "ACCEPTED", 0.1
        self.taken: list[dict[str, Json]] = []
        """The commands that came, each as `{command, body}`."""
        self.profiles: list[dict[str, Json]] = []
        """What came of charging profiles, each as `{method, session, body}`."""

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
        return self._answered(call.tree["response_url"], {"result": self._result})

    async def limit(self, call: Call) -> Reply:
        """One order about the limits of a session. OCPI mod_charging_profiles_receiver_interface."""
        if len(call.path) != 1:
            self._house.complaints.add(call.where, "the URL is not {session_id}")
            raise Refused(404, 2000, "nothing is here")
        asked = call.tree if call.method == "PUT" else dict(call.query)
        for breach in self._breaches(call.method, asked):
            self._house.complaints.add(call.where, breach)
            raise Refused(200, 2001, breach)
        self.profiles.append({"method": call.method, "session": call.path[0], "body": asked})
        shown = {"profile": self._shown(call.path[0])} if call.method == "GET" and self._result == "ACCEPTED" else {}
        return self._answered(asked["response_url"], {"result": self._result, **shown})

    def _breaches(self, method: str, asked: Mapping[str, Json]) -> list[str]:
        if method == "PUT":
            return check(self._rules.version, "SetChargingProfile", asked)
        names = ("duration", "response_url") if method == "GET" else ("response_url",)
        return [f"?{name}: is required" for name in names if name not in asked]

    def _shown(self, session: str) -> Json:
        """The profile that was last set, as one that is active from now on."""
        put = [each["body"] for each in self.profiles if (each["method"], each["session"]) == ("PUT", session)]
        profile = put[-1]["charging_profile"] if put else {"charging_rate_unit": "A"}
        return {"start_date_time": now_text(), "charging_profile": profile}

    def _answered(self, response_url: str, result: dict[str, Json]) -> Reply:
        if self._answer == "ACCEPTED" and self._result:
            task = asyncio.create_task(self._report(response_url, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        timeout = {} if self._rules.version == "2.1.1" else {"timeout": _TIMEOUT_S}
        return Reply({"result": self._answer, **timeout})

    async def _report(self, url: str, result: dict[str, Json]) -> None:
        await asyncio.sleep(self._delay_s)
        registration = self._house.accounts.registration
        if registration is None:
            return
        try:
            answer = await self._house.line.ask("POST", url, registration.their_token, body=result, to=registration.hub)
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
