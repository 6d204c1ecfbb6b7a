"""Who speaks OICP with us: all connections, each written with its partner's row in one unit.

Neither is ever there without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from hub.core.delivery import lane_from_now_on
from hub.core.errors import Conflict, NotFound
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Claim, Partner, State
from hub.core.units import Audit, Delete, Kind, Put, Unit
from partners.oicp.connection import INTERPRETER, Connection, claims_of, joined

__all__ = ["INTERPRETER", "OICP_CONNECTIONS", "Connection", "Connections"]

log = structlog.get_logger()

OICP_CONNECTIONS: Final = Kind("oicp_connections")
OICP_PULLS: Final = Kind("oicp_pulls")
"""How far pulls of a hub are: of one that comes back all is pulled once more."""
OICP_RELEASED: Final = Kind("oicp_released")
"""CPOs that came from behind a hub, and have not told of their EVSEs by themselves yet: see `moved_evses`."""
MOST_LEARNED: Final = 5_000
"""Parties behind one hub; there are some thousand in all of Europe."""


class Connections:
    """All connections, in memory, written through to the store."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, Connection] = {}
        self._by_fingerprint: dict[str, Connection] = {}
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever the connections are other ones than before."""
        self._listeners.append(callback)

    async def load(self) -> None:
        """Read all. Called at the start."""
        revision = self._hub.store.revision(OICP_CONNECTIONS)
        found = await self._hub.store.select(OICP_CONNECTIONS, limit=100_000)
        read = [Connection.model_validate_json(document.body) for document in found]
        self._known = {connection.partner: connection for connection in read}
        self._by_fingerprint = {shown: each for each in read for shown in each.fingerprints}
        self._revision = revision
        for listener in self._listeners:
            listener()

    async def refresh(self) -> None:
        """Read again, if another process wrote one."""
        if self._revision != self._hub.store.revision(OICP_CONNECTIONS):
            await self.load()

    def all(self) -> list[Connection]:
        """In order of their partners' names."""
        return [self._known[name] for name in sorted(self._known)]

    def of(self, partner: str) -> Connection | None:
        """The connection with that partner."""
        return self._known.get(partner)

    def get(self, partner: str) -> Connection:
        """Raises: NotFound."""
        try:
            return self._known[partner]
        except KeyError:
            raise NotFound(f"there is no OICP connection with a partner named {partner!r}") from None

    def by_fingerprint(self, fingerprint: str) -> Connection | None:
        """Whose client certificate this is."""
        return self._by_fingerprint.get(fingerprint)

    async def connect(self, connection: Connection, *, actor: str) -> bool:
        """Make a connection, or change what is said of one. Returns: True if the partner is new as one of OICP.

        Raises: Conflict (the name, a party or a certificate is another partner's), InvalidRequest.
        """
        registry, name = self._hub.registry, connection.partner
        claims = claims_of(connection)
        known = registry.find(name)
        self._must_be_free(connection, claims, known)
        await self.release(claims, to=name, actor=actor)
        if known is None:
            partner = joined(Partner(name=name, since=self._hub.clock.now().isoformat()), connection, claims)
            lane = await lane_from_now_on(self._hub.store, name)
            unit = self._with(registry.unit(partner, new=True).put(lane), connection, actor)
            await registry.commit(partner, unit)
        else:
            kept = self._learned(known, connection)
            lane = await lane_from_now_on(self._hub.store, name)
            is_back = known.state is State.UNREGISTERED

            def recorded(unit: Unit) -> Unit:
                if is_back:
                    unit.put(lane).delete(Delete(OICP_PULLS, name))
                return self._with(unit, connection, actor)

            await registry.change(name, lambda partner: joined(partner, connection, (*claims, *kept)), recorded)
        is_new = name not in self._known
        await self.load()
        return is_new

    @staticmethod
    def _with(unit: Unit, connection: Connection, actor: str) -> Unit:
        put = Put(OICP_CONNECTIONS, connection.partner, connection.model_dump_json().encode())
        detail = f"{connection.kind} {' '.join(connection.ids)}"
        return unit.put(put).audited(Audit(actor, "oicp.connected", connection.partner, detail))

    async def disconnect(self, name: str, *, actor: str) -> None:
        """End a connection: the partner's calls are refused from now on. Raises: NotFound, Conflict."""
        self.get(name)

        def ended(unit: Unit) -> Unit:
            unit.delete(Delete(OICP_CONNECTIONS, name))
            return unit.audited(Audit(actor, "oicp.disconnected", name))

        await self._hub.registry.change(name, _unregistered, ended)
        await self.load()

    async def learn(self, connection: Connection, role: PartyRole, party: Party) -> Partner:
        """A party came to light behind a hub: from now on it is a claim of that partner, if it may be.

        It may not when the connection does not learn, or the party is ours or connected by itself.
        """
        claim = Claim(role=role, party=party)
        partner = self._hub.registry.get(connection.partner)
        if not self._may_learn(connection, partner, claim):
            return partner

        def with_it(known: Partner) -> Partner:
            if any(held.pair == claim.pair for held in known.claims):
                return known
            return known.model_copy(update={"claims": (*known.claims, claim)})

        log.info("party learned", partner=partner.name, role=role.value, party=str(party))
        return await self._hub.registry.change(
            partner.name,
            with_it,
            lambda unit: unit.audited(Audit(partner.name, "oicp.party_learned", partner.name, f"{role} {party}")),
        )

    def _may_learn(self, connection: Connection, partner: Partner, claim: Claim) -> bool:
        if len(partner.claims) >= MOST_LEARNED or any(held.pair == claim.pair for held in partner.claims):
            return False
        return self._may_be_behind(connection, claim)

    def _may_be_behind(self, connection: Connection, claim: Claim) -> bool:
        """Is it neither ours nor another partner's, who may also be invited or blocked?"""
        if not connection.learns or str(claim.party) in _own(self._hub):
            return False
        others = (each for each in self._hub.registry.all() if each.name != connection.partner)
        return not any(_is_of(other, claim) for other in others if other.state is not State.UNREGISTERED)

    def is_elsewhere(self, connection: Connection, role: PartyRole, party: Party) -> bool:
        """Is this party ours, or connected by itself, and so not behind `connection`?"""
        claim = Claim(role=role, party=party)
        return str(party) in _own(self._hub) or self.rivals(self._hub.registry.get(connection.partner), claim) != []

    def rivals(self, partner: Partner, claim: Claim) -> list[Partner]:
        """Who is connected as that party by the word of an operator; behind a hub anybody may come to light."""
        return [each for each in self._hub.registry.rivals(partner, claim) if not self._has_learned(each, claim)]

    def _has_learned(self, partner: Partner, claim: Claim) -> bool:
        connection = self.of(partner.name)
        return connection is not None and connection.kind == "hub" and claim.role is not PartyRole.HUB

    async def release(self, claims: Iterable[Claim], *, to: str, actor: str) -> None:
        """Parties that came to light behind a hub are connected by themselves now, as `to`. Raises: Conflict."""
        for claim in claims:
            for partner in self._hub.registry.rivals(Partner(name=to), claim):
                if self._has_learned(partner, claim):
                    await self._release(partner.name, claim, to, actor)

    async def _release(self, name: str, claim: Claim, to: str, actor: str) -> None:
        def without(partner: Partner) -> Partner:
            kept = tuple(held for held in partner.claims if held.pair != claim.pair)
            return partner.model_copy(update={"claims": kept, "invited": kept})

        audit = Audit(actor, "oicp.party_released", name, f"{claim.role} {claim.party} to {to}")

        def noted(unit: Unit) -> Unit:
            if claim.role is PartyRole.CPO:
                unit.put(Put(OICP_RELEASED, str(claim.party), name.encode()))
            return unit.audited(audit)

        await self._hub.registry.change(name, without, noted)

    def _must_be_free(self, connection: Connection, claims: tuple[Claim, ...], known: Partner | None) -> None:
        """Raises: Conflict."""
        name = connection.partner
        if known is not None and known.interpreter != INTERPRETER and known.state is not State.UNREGISTERED:
            raise Conflict(f"{name} is a partner that speaks OCPI; unregister it first")
        for claim in claims:
            if str(claim.party) in _own(self._hub):
                raise Conflict(f"{claim.party} is our own party")
            for rival in self.rivals(Partner(name=name, interpreter=INTERPRETER), claim):
                raise Conflict(f"{claim.role} {claim.party} is connected as {rival.name}")
        for fingerprint in connection.fingerprints:
            holder = self._by_fingerprint.get(fingerprint)
            if holder is not None and holder.partner != name:
                raise Conflict(f"a client certificate is that of {holder.partner} already")

    def _learned(self, known: Partner, connection: Connection) -> tuple[Claim, ...]:
        """What came to light behind a hub stays when the connection is changed, and is there again with the hub."""
        if connection.kind != "hub" or known.interpreter != INTERPRETER or PartyRole.HUB not in known.roles:
            return ()
        held = (claim for claim in known.claims or known.invited if claim.role is not PartyRole.HUB)
        return tuple(claim for claim in held if self._may_be_behind(connection, claim))


def _unregistered(partner: Partner) -> Partner:
    """It keeps who it was, to be that again if it comes back."""
    gone = {"state": State.UNREGISTERED, "endpoints": (), "claims": (), "invited": partner.claims}
    return partner.model_copy(update=gone)


def _is_of(partner: Partner, claim: Claim) -> bool:
    return any(held.pair == claim.pair for held in (partner.claims or partner.invited))


def _own(hub: Hub) -> tuple[str, str]:
    return hub.settings.own_parties
