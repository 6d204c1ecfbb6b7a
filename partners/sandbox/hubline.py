"""The eMSP's own requests to the hub, and what it thinks of the answers."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from partners.sandbox.check import check
from partners.sandbox.complaints import Complaints
from partners.sandbox.wire import OBJECT_OF, Json, NotJsonError, Party, Rules, decode, encode, present

_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_NOTHING: Mapping[str, str] = MappingProxyType({})


class HubRefusedError(Exception):
    """The hub answered, but not with success."""


@dataclass(frozen=True)
class Answer:
    """A response: the HTTP status, lower-case headers, the envelope (empty when there was none)."""

    http: int
    headers: Mapping[str, str]
    tree: Mapping[str, Json]

    @property
    def status_code(self) -> int | None:
        """The OCPI status code."""
        code = self.tree.get("status_code")
        return code if isinstance(code, int) else None

    @property
    def data(self) -> Json:
        """What the envelope holds."""
        return self.tree.get("data")

    def require(self, doing: str) -> Json:
        """The data of a success. Raises HubRefusedError."""
        if self.status_code is None or self.status_code // 1000 != 1:
            message = self.tree.get("status_message", "")
            raise HubRefusedError(f"{doing}: HTTP {self.http}, OCPI {self.status_code} {message}".rstrip())
        return self.data


class HubLine:
    """One HTTP client with the manners of one version. Answers that break the rules become complaints."""

    def __init__(self, rules: Rules, party: Party, complaints: Complaints, *, timeout_s: float = 30.0) -> None:
        self._rules = rules
        self._party = party
        self._complaints = complaints
        self._client = httpx.AsyncClient(timeout=timeout_s, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        url: str,
        token: str,
        *,
        body: Json = None,
        to: Party | None = None,
        functional: bool = True,
        query: Mapping[str, str] = _NOTHING,
    ) -> Answer:
        """One request. `to` None leaves the receiver open. Raises httpx.HTTPError when there is no answer."""
        headers = self._headers(token, to=to, functional=functional)
        content = None if body is None else encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        response = await self._client.request(method, url, headers=headers, content=content, params=dict(query) or None)
        answer = Answer(response.status_code, response.headers, self._read(method, url, response))
        self._judge(f"answer to {method} {httpx.URL(url).path}", answer, headers, functional=functional)
        return answer

    async def pages(
        self, module: str, url: str, token: str, *, to: Party | None, query: Mapping[str, str]
    ) -> AsyncIterator[Json]:
        """Every object of a paginated list, following Link. OCPI transport_and_format_pagination."""
        seen, totals, following = 0, set(), url
        where = f"list of {module}"
        while following:
            first = following == url
            answer = await self.ask("GET", following, token, to=to, query=query if first else _NOTHING)
            for tree in answer.require(where) or ():
                seen += 1
                for breach in check(self._rules.version, OBJECT_OF[module], tree):
                    self._complaints.add(where, breach)
                yield tree
            totals.add(self._total(where, answer))
            link = _NEXT.search(answer.headers.get("link", ""))
            following = link[1] if link else ""
        if len(totals) == 1 and totals != {seen}:
            self._complaints.add(where, f"X-Total-Count says {totals.pop()}, but {seen} were listed")

    def _headers(self, token: str, *, to: Party | None, functional: bool) -> dict[str, str]:
        headers = {"Authorization": present(token, self._rules)}
        if self._rules.message_ids:
            headers |= {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
        if self._rules.routing and functional:
            headers["OCPI-from-country-code"] = self._party.country_code
            headers["OCPI-from-party-id"] = self._party.party_id
            if to is not None:
                headers["OCPI-to-country-code"] = to.country_code
                headers["OCPI-to-party-id"] = to.party_id
        return headers

    def _read(self, method: str, url: str, response: httpx.Response) -> Mapping[str, Json]:
        where = f"answer to {method} {httpx.URL(url).path}"
        try:
            tree = decode(response.content)
        except NotJsonError as error:
            self._complaints.add(where, f"HTTP {response.status_code}: {error}")
            return {}
        if not isinstance(tree, dict):
            self._complaints.add(where, "the answer is not an envelope")
            return {}
        return tree

    def _judge(self, where: str, answer: Answer, asked: Mapping[str, str], *, functional: bool) -> None:
        for text in self._faults(answer, asked, functional=functional):
            self._complaints.add(where, text)

    def _faults(self, answer: Answer, asked: Mapping[str, str], *, functional: bool) -> list[str]:
        faults = [f"envelope {b}" for b in check(self._rules.version, "Envelope", answer.tree)]
        code = answer.status_code
        if code is not None and code // 1000 == 1 and answer.http not in (200, 201):
            faults.append(f"success {code} under HTTP {answer.http}")
        ids = ("X-Request-ID", "X-Correlation-ID") if self._rules.message_ids else ()
        repeated = answer.headers
        faults += [f"{name} is not repeated" for name in ids if repeated.get(name.lower()) != asked[name]]
        if self._rules.routing and functional and answer.http in (200, 201):
            faults += self._routing_faults(answer.headers)
        return faults

    def _routing_faults(self, headers: Mapping[str, str]) -> list[str]:
        to = (headers.get("ocpi-to-country-code", ""), headers.get("ocpi-to-party-id", ""))
        sender = headers.get("ocpi-from-country-code", ""), headers.get("ocpi-from-party-id", "")
        faults = [] if self._party.is_same(*to) else [f"the answer is addressed to {to[0]}*{to[1]}, not to us"]
        return faults if all(sender) else [*faults, "the answer does not say who it is from"]

    def _total(self, where: str, answer: Answer) -> int:
        limit, total = answer.headers.get("x-limit", ""), answer.headers.get("x-total-count", "")
        if not total.isdecimal():
            self._complaints.add(where, "X-Total-Count is missing or not a number")
        if self._rules.message_ids and not limit.isdecimal():
            self._complaints.add(where, "X-Limit is missing or not a number")
        return int(total) if total.isdecimal() else -1
