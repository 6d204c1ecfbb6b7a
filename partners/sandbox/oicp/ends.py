"""An EMP or a CPO: a partner that is connected to one hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from partners.sandbox.oicp.call import Caller, Refused
from partners.sandbox.oicp.line import Answer
from partners.sandbox.oicp.papers import Papers, fingerprint
from partners.sandbox.oicp.partner import Actions, Partner
from partners.sandbox.wire import Json


class NoHubError(ValueError):
    """Nobody said where the hub is."""


class End(Partner):
    """One end of the roaming. `hub` is the hub's base URL; with `hub_certificate` no other one may speak here."""

    def __init__(
        self, party: str, papers: Papers, *, hub: str | None = None, hub_certificate: Path | None = None, **rest: Any
    ) -> None:
        super().__init__(party, papers, **rest)
        self.hub = hub
        self.hub_fingerprint = fingerprint(hub_certificate.read_text(encoding="ascii")) if hub_certificate else None

    def admit(self, caller: Caller) -> None:
        """The hub, and nobody else where it is known. A hub without a certificate is served, with a complaint."""
        if caller.certificate is None:
            self.complaints.add(caller.where, "no certificate was shown")
        if self.hub_fingerprint is not None and caller.certificate != self.hub_fingerprint:
            self.complaints.add(caller.where, "the certificate is not the hub's")
            raise Refused("017", "another certificate than the hub's", http=401)

    async def ask(self, name: str, tree: Json, **how: Any) -> Answer:
        """One operation of the hub. Raises: NoHubError; httpx.HTTPError."""
        if self.hub is None:
            raise NoHubError("tell me the hub first: PUT /sandbox/hub")
        return await self.line.ask(self.hub, name, self.party, tree, **how)

    def state(self) -> dict[str, Json]:
        """For testers."""
        return super().state() | {"hub": self.hub}

    def _own_actions(self) -> Actions:
        async def meet(body: Json) -> Json:
            """`{url, certificate?}`: where the hub is, and the PEM text of its certificate."""
            self.hub = body["url"]
            self.hub_fingerprint = fingerprint(body["certificate"]) if body.get("certificate") else None
            return {"hub": self.hub, "fingerprint": self.hub_fingerprint}

        async def raw(body: Json) -> Json:
            """`{operation, body, query?}`: any message, right or wrong, as it stands."""
            return (await self.ask(body["operation"], body["body"], query=body.get("query") or {})).shown()

        return [*super()._own_actions(), ("PUT", "hub", meet), ("POST", "raw", raw)]
