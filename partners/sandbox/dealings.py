"""What an eMSP does of its own accord: push tokens, pull lists, send commands, limit charges."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from partners.sandbox.check import check
from partners.sandbox.connection import Connection, endpoint
from partners.sandbox.drivers import Drivers
from partners.sandbox.handshake import Handshake
from partners.sandbox.house import House
from partners.sandbox.mirror import Mirror
from partners.sandbox.receivers import Receivers
from partners.sandbox.wire import COMMANDS, Json, Party, now_text

_OWN_TOKENS = ("START_SESSION", "RESERVE_NOW")
_GRACE_S = 5.0


@dataclass(frozen=True)
class CommandOutcome:
    """`answer` is what the hub said at once, `result` the charger's answer; None when none came in time."""

    answer: Mapping[str, Json]
    result: Mapping[str, Json] | None


class Dealings(Connection):
    """One eMSP's requests to its hub. All raise NotRegisteredError, HubRefusedError and httpx.HTTPError."""

    def __init__(
        self, house: House, handshake: Handshake, receivers: Receivers, mirror: Mirror, drivers: Drivers
    ) -> None:
        super().__init__(house, handshake)
        self._receivers = receivers
        self._mirror = mirror
        self._drivers = drivers

    async def push_token(self, given: Mapping[str, Json], *, to: Party | None = None) -> dict[str, Json]:
        """PUT a token, whole or filled up from its uid, to all CPOs or to one. OCPI mod_tokens_put_method."""
        token = self._drivers.token(given)
        answer = await self._ask("PUT", self._token_url(token), body=token, to=to or self._hub().hub)
        answer.require("PUT token")
        self._drivers.keep(token)
        return token

    async def patch_token(self, uid: str, change: Mapping[str, Json], *, to: Party | None = None) -> None:
        """PATCH a token pushed before; `last_updated` is added. OCPI mod_tokens_patch_method."""
        change = {"last_updated": now_text(), **change}
        token = {**self._drivers.tokens[uid], **change}
        answer = await self._ask("PATCH", self._token_url(token), body=change, to=to or self._hub().hub)
        answer.require("PATCH token")
        self._drivers.keep(token)

    async def pull(
        self,
        module: str,
        *,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int | None = None,
    ) -> list[Json]:
        """All pages of a list, into the mirror. Sessions need a date_from: by default 30 days ago."""
        hub = self._hub()
        if module == "sessions" and date_from is None:
            date_from = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
        given = {"date_from": date_from, "date_to": date_to, "limit": None if limit is None else str(limit)}
        query = {name: value for name, value in given.items() if value is not None}
        url = endpoint(hub.endpoints, module, "SENDER")
        found = []
        async for tree in self._line.pages(module, url, hub.their_token, to=hub.hub, query=query):
            found.append(tree)
            self._mirror.take_in(module, (hub.hub.country_code, hub.hub.party_id), tree)
        return found

    async def command(self, command: str, body: Mapping[str, Json], *, to: Party | None = None) -> CommandOutcome:
        """Send one and wait for its result, as long as the answer says. OCPI mod_commands.

        A `token` given as a mere uid becomes the Token object. Without `to` the routing is open.
        """
        identity, waiting = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        self._receivers.commands[identity] = waiting
        place = self._house.ocpi_url("commands", command, identity)
        whole = {"response_url": place, **self._with_token(command, body)}
        for breach in check(self._rules.version, COMMANDS[command], whole):
            raise ValueError(f"{command} {breach}")
        url = f"{endpoint(self._hub().endpoints, 'commands', 'RECEIVER')}/{command}"
        answer = (await self._ask("POST", url, body=whole, to=to)).require(command)
        for breach in check(self._rules.version, "CommandResponse", answer):
            self._complaints.add(f"answer to {command}", breach)
        if answer["result"] != "ACCEPTED":
            return CommandOutcome(answer, None)
        return CommandOutcome(answer, await _within(waiting, answer.get("timeout", 30) + _GRACE_S))

    async def limit(
        self, method: str, session_id: str, given: Mapping[str, Json], *, to: Party | None = None
    ) -> CommandOutcome:
        """PUT a charging profile (`given`), DELETE it, or GET what is active (`{"duration": seconds}`).

        OCPI mod_charging_profiles_receiver_interface.
        """
        identity, waiting = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        self._receivers.commands[identity] = waiting
        place = {"response_url": self._house.ocpi_url("chargingprofiles", method, identity)}
        url = f"{endpoint(self._hub().endpoints, 'chargingprofiles', 'RECEIVER')}/{quote(session_id, safe='')}"
        if method == "PUT":
            answered = await self._ask("PUT", url, body={"charging_profile": dict(given), **place}, to=to)
        else:
            query = {**place, **{name: str(value) for name, value in given.items()}}
            answered = await self._line.ask(method, url, self._hub().their_token, to=to, query=query)
        answer = answered.require(f"{method} chargingprofiles")
        for breach in check(self._rules.version, "ChargingProfileResponse", answer):
            self._complaints.add(f"answer to {method} chargingprofiles", breach)
        if answer["result"] != "ACCEPTED":
            return CommandOutcome(answer, None)
        return CommandOutcome(answer, await _within(waiting, answer["timeout"] + _GRACE_S))

    def _with_token(self, command: str, body: Mapping[str, Json]) -> dict[str, Json]:
        whole = dict(body)
        if command in _OWN_TOKENS:
            given = whole.get("token")
            if isinstance(given, str):
                whole["token"] = self._drivers.tokens.get(given) or self._drivers.token({"uid": given})
            if self._rules.owner_in_body and "authorization_reference" not in whole:
                whole["authorization_reference"] = self._drivers.new_reference(whole["token"]["uid"])
            self._drivers.tokens.setdefault(whole["token"]["uid"], whole["token"])
        return whole

    def _token_url(self, token: Mapping[str, Json]) -> str:
        url = endpoint(self._hub().endpoints, "tokens", "RECEIVER")
        party, uid = self._house.party, quote(token["uid"], safe="")
        return f"{url}/{party.country_code}/{party.party_id}/{uid}?type={token['type']}"


async def _within(waiting: asyncio.Future[dict[str, Json]], seconds: float) -> Mapping[str, Json] | None:
    try:
        return await asyncio.wait_for(asyncio.shield(waiting), seconds)
    except TimeoutError:
        return None
