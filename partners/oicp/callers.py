"""Who calls, and may it speak for whom it says: certificate, path and body name the same operator or provider.

A certificate is known by its fingerprint, and belongs to one connection. The ids of a CPO or an EMP are its own; a hub
passes on what others ask, so there path and body need agree with each other only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from hub.core.errors import RoleLacksInterface, TooManyRequests, Unauthorized
from hub.core.jsontypes import Json, Tree
from hub.core.limits import RateLimiter, address_key
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.request import PEER
from partners.oicp.connections import INTERPRETER, Connection, Connections
from partners.oicp.ids import InvalidId, OperatorID, ProviderID
from partners.oicp.operations import Operation, may_ask
from partners.oicp.shown import Shown, from_header, from_pem
from partners.oicp.wire.faults import Finding, Unfit
from partners.oicp.wire.kinds import folded

Scope = Mapping[str, Any]


class Callers:
    """Who may come in."""

    def __init__(self, hub: Hub, connections: Connections) -> None:
        settings = hub.settings
        self._hub = hub
        self._connections = connections
        self._proxies = [ip_network(network) for network in settings.oicp_proxies]
        self._header = settings.oicp_certificate_header.lower().encode()
        self._failures = RateLimiter(
            rate_per_s=settings.failed_logins_per_min / 60, burst=settings.failed_logins_per_min
        )

    def caller(self, scope: Scope) -> tuple[Connection, Partner]:
        """Whose client certificate was shown. Raises: Unauthorized, TooManyRequests."""
        shown = self._shown(scope)
        if shown is None:
            raise self._refused(scope, "no client certificate was shown")
        connection = self._connections.by_fingerprint(shown.fingerprint)
        if connection is None:
            raise self._refused(scope, "this client certificate is not known")
        if shown.expires <= self._hub.clock.now():
            raise self._refused(scope, "this client certificate has ended")
        partner = self._hub.registry.find(connection.partner)
        if partner is None or partner.state is not State.CONNECTED or partner.interpreter != INTERPRETER:
            raise Unauthorized("this partner is locked")
        return connection, partner

    def _shown(self, scope: Scope) -> Shown | None:
        """From TLS where it ends here; else from the header, if a proxy of ours has put it there."""
        tls = (scope.get("extensions") or {}).get("tls")
        if tls is not None:
            chain = tls["client_cert_chain"]
            return from_pem(chain[0]) if chain else None
        told = [value for name, value in scope["headers"] if name == self._header]
        if len(told) != 1 or not self._is_proxy(scope):
            return None
        return from_header(told[0].decode("latin-1"))

    def _is_proxy(self, scope: Scope) -> bool:
        peer = scope.get(PEER) or scope.get("client") or ("", 0)
        try:
            address = ip_address(peer[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._proxies)

    def _refused(self, scope: Scope, why: str) -> Unauthorized | TooManyRequests:
        """Counted by address; whoever guesses too often is told so."""
        address = address_key((scope.get("client") or ("?", 0))[0])
        self._hub.logins.failed("oicp", address, why)
        wait_s = self._failures.take(address)
        return TooManyRequests(retry_after_s=max(1, round(wait_s))) if wait_s > 0 else Unauthorized(why)


def check_path(connection: Connection, operation: Operation, id_in_path: str) -> None:
    """May this partner ask this, as whom the path says? Raises: RoleLacksInterface, Unauthorized."""
    if not may_ask(connection.kind, operation):
        raise RoleLacksInterface(f"{operation.name} is not for a partner of the kind {connection.kind}")
    if connection.kind == "hub" and not (connection.operator_ids if operation.to == "cpo" else connection.provider_ids):
        raise RoleLacksInterface(
            f"{operation.name} is for one who is {operation.to.upper()} in this hub, as we are not"
        )
    if operation.has_id:
        _must_be_its_own(connection, operation, id_in_path)


def check_body(connection: Connection, operation: Operation, id_in_path: str, message: Tree) -> str:
    """Who asks: what path and body agree on. Raises: Unauthorized; Unfit, when the body's id is no text."""
    named = list(_named(operation, message))
    for said in named:
        if not operation.has_id:
            _must_be_its_own(connection, operation, said)
        elif _canonical(operation, said) != _canonical(operation, id_in_path):
            raise Unauthorized(f"the {operation.named[-1]} of the message is not the one of the path")
    return id_in_path or next(iter(named), "")


def _must_be_its_own(connection: Connection, operation: Operation, said: str) -> None:
    """Raises: Unauthorized."""
    canonical = _canonical(operation, said)
    if canonical and connection.kind == "hub":
        return
    if canonical is None or canonical not in {_canonical(operation, own) for own in connection.ids}:
        kind = "operator" if operation.by == "cpo" else "provider"
        raise Unauthorized(f"this {kind} is not the one of the client certificate")


def _named(operation: Operation, message: Tree) -> Iterator[str]:
    """What the body says, under each spelling that its reader would take; nothing is for the message's own check."""
    found: list[Json] = [message] if operation.named else []
    for name in operation.named:
        found = [value for each in found for value in _values(each, name)]
    for value in found:
        if not isinstance(value, str):
            raise Unfit((Finding("/" + "/".join(operation.named), "must be text"),))
        if value.strip():
            yield value


def _values(tree: Json, name: str) -> Iterator[Json]:
    """What stands under `name` in an object, or in the objects of a list."""
    if isinstance(tree, list):
        for each in tree:
            yield from _values(each, name)
    elif isinstance(tree, dict):
        yield from (value for key, value in tree.items() if folded(key) == folded(name) and value is not None)


def _canonical(operation: Operation, text: str) -> str | None:
    """None: this is no id of its kind."""
    try:
        return (OperatorID if operation.by == "cpo" else ProviderID).parse(text[:64]).canonical
    except InvalidId:
        return None
