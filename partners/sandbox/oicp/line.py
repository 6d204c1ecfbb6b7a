"""A partner's own requests over TLS with its certificate, and what it thinks of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from partners.sandbox.complaints import Complaints
from partners.sandbox.oicp.check import check
from partners.sandbox.oicp.dirt import Dirt
from partners.sandbox.oicp.operations import OPERATIONS, Operation
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.wire import SUCCESS
from partners.sandbox.wire import Json, NotJsonError, decode, encode

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """A response: the HTTP status and the JSON, {} when there was none."""

    http: int
    tree: Mapping[str, Json]

    @property
    def code(self) -> str:
        """The status code. An answer of 200 without one is a success, as some pulls have none; else it is ""."""
        said = self.tree.get("StatusCode")
        if isinstance(said, dict):
            return str(said.get("Code"))
        return SUCCESS if self.http == 200 else ""

    @property
    def is_yes(self) -> bool:
        """Was it done?"""
        return self.http == 200 and self.code == SUCCESS

    def shown(self) -> dict[str, Json]:
        """For testers."""
        return {"http": self.http, "code": self.code, "answer": dict(self.tree)}


class Line:
    """One HTTP client that shows our certificate. Answers that break the rules become complaints."""

    def __init__(self, papers: Papers, complaints: Complaints, dirt: Dirt, *, timeout_s: float) -> None:
        self._complaints = complaints
        self._dirt = dirt
        self._client = httpx.AsyncClient(verify=papers.for_calling(), timeout=timeout_s, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self,
        base: str,
        name: str,
        party: str,
        tree: Json,
        *,
        query: Mapping[str, str] = _NOTHING,
        timeout_s: float | None = None,
    ) -> Answer:
        """One operation. Raises: httpx.HTTPError, when there is no answer."""
        operation = OPERATIONS[name]
        response = await self._client.post(
            operation.url(base, party),
            content=encode(self._dirt.bend(tree)),
            headers={"Content-Type": "application/json"},
            params=dict(query) or None,
            timeout=httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s,
        )
        answer = Answer(response.status_code, self._read(operation, response))
        for what in self._faults(operation, answer):
            self._complaints.add(f"answer to {operation.name}", what)
        return answer

    def _read(self, operation: Operation, response: httpx.Response) -> Mapping[str, Json]:
        try:
            tree = decode(response.content)
        except NotJsonError as error:
            if response.status_code == 200:
                self._complaints.add(f"answer to {operation.name}", f"HTTP 200: {error}")
            return {}
        return tree if isinstance(tree, dict) else {}

    def _faults(self, operation: Operation, answer: Answer) -> list[str]:
        if answer.http >= 500:
            return [f"HTTP {answer.http}"]
        if answer.http != 200 or (answer.code != SUCCESS and set(answer.tree) == {"StatusCode"}):
            return []
        return check(operation.answered, answer.tree)
