"""A partner's connection to its hub: register, renew, end, and ask."""

from __future__ import annotations

from collections.abc import Mapping

from partners.sandbox.handshake import Handshake
from partners.sandbox.house import House
from partners.sandbox.hubline import Answer
from partners.sandbox.registration import Registration, mint_token
from partners.sandbox.wire import Json, Party


class NotRegisteredError(RuntimeError):
    """There is no hub to deal with."""


class EndpointMissingError(LookupError):
    """The hub's version details do not list what we need."""


class Connection:
    """One partner's requests to its hub. All raise NotRegisteredError, HubRefusedError and httpx.HTTPError."""

    def __init__(self, house: House, handshake: Handshake) -> None:
        self._house = house
        self._rules = house.rules
        self._accounts = house.accounts
        self._line = house.line
        self._complaints = house.complaints
        self._handshake = handshake

    async def register(self, versions_url: str, token_a: str) -> Registration:
        """The whole dance with an invitation. OCPI credentials_registration."""
        endpoints = await self._handshake.look_up(versions_url, token_a)
        await self._credentials("POST", endpoint(endpoints, "credentials"), token_a, endpoints)
        return self._hub()

    async def rotate(self) -> Registration:
        """New tokens on both sides. OCPI credentials_put_method."""
        hub = self._hub()
        endpoints = await self._handshake.look_up(hub.versions_url, hub.their_token)
        await self._credentials("PUT", endpoint(endpoints, "credentials"), hub.their_token, endpoints)
        return self._hub()

    async def unregister(self) -> None:
        """End it; neither token is good afterwards. OCPI credentials_delete_method."""
        hub = self._hub()
        url = endpoint(hub.endpoints, "credentials")
        answer = await self._line.ask("DELETE", url, hub.their_token, functional=False)
        answer.require("DELETE credentials")
        self._accounts.part()

    async def send(
        self, method: str, module: str, path: str = "", *, role: str = "RECEIVER", body: Json = None, to: Party | None
    ) -> Answer:
        """Push what is ours to the hub, for one party or (`to` None) for all. Raises: as all here."""
        url = endpoint(self._hub().endpoints, module, role) + (f"/{path}" if path else "")
        answer = await self._ask(method, url, body=body, to=to or self._hub().hub)
        answer.require(f"{method} {module}")
        return answer

    async def _ask(self, method: str, url: str, *, body: Json, to: Party | None) -> Answer:
        return await self._line.ask(method, url, self._hub().their_token, body=body, to=to)

    async def _credentials(self, method: str, url: str, token: str, endpoints: dict[str, str]) -> None:
        ours = mint_token()
        self._accounts.pending.add(ours)
        try:
            body = self._handshake.credentials(ours)
            answer = await self._line.ask(method, url, token, body=body, functional=False)
            self._handshake.concluded(answer.require(f"{method} credentials"), ours, endpoints)
        finally:
            self._accounts.pending.discard(ours)

    def _hub(self) -> Registration:
        if self._accounts.registration is None:
            raise NotRegisteredError("not registered with a hub")
        return self._accounts.registration


def endpoint(endpoints: Mapping[str, str], module: str, role: str | None = None) -> str:
    """The URL of a module's interface. 2.1.1 knows no roles; for credentials the role does not matter."""
    for name, url in endpoints.items():
        identifier, _, offered = name.partition(" ")
        if identifier == module and (role is None or offered in ("", role)):
            return url.rstrip("/")
    raise EndpointMissingError(f"{module} {role or ''}".strip())
