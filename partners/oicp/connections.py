"""Who speaks OICP with us: what OICP needs to know of a partner beside what the registry has of it.

To the registry such a partner is one of the newest OCPI version whose interpreter is `oicp`: its ids are its parties,
its endpoints have the scheme `oicp:`. Both are written in one unit, so neither is ever there without the other.

Of a hub, its ids are *ours* there: as which operators and providers we take part in it. The parties behind it are
learned as they come to light, and then are claims of that partner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from pydantic import BaseModel, ConfigDict

from hub.core.delivery import lane_from_now_on
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, NotFound
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Claim, Endpoint, Partner, State
from hub.core.units import Audit, Delete, Kind, Put, Unit
from partners.oicp.ids import OperatorID, OperatorStyle, ProviderID, ProviderStyle
from partners.oicp.operations import Operation, PartnerKind

log = structlog.get_logger()

INTERPRETER: Final = "oicp"
OICP_CONNECTIONS: Final = Kind("oicp_connections")
MOST_LEARNED: Final = 5_000
"""Parties behind one hub; there are some thousand in all of Europe."""

_TO_A_CPO: Final = (("commands", "RECEIVER"), ("tokens", "RECEIVER"))
_TO_AN_EMP: Final = (
    *(("locations", "RECEIVER"), ("tariffs", "RECEIVER"), ("sessions", "RECEIVER"), ("cdrs", "RECEIVER")),
    ("tokens", "SENDER"),
)
_OFFERED: Final[Mapping[PartnerKind, tuple[tuple[str, str], ...]]] = {
    "cpo": _TO_A_CPO,
    "emp": _TO_AN_EMP,
    "hub": (*_TO_A_CPO, *_TO_AN_EMP),
}
"""Which interfaces of OCPI can be said to a partner of a kind in OICP."""


class Connection(BaseModel):
    """One connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    partner: str
    kind: PartnerKind
    """What the other end is."""
    party: str = ""
    """Of a hub: the party under which agreements name it (`DE*HBJ`)."""
    base_url: str = ""
    """What the paths of the operations are appended to; "": it serves nothing, and only asks."""
    operator_ids: tuple[str, ...] = ()
    """Of a CPO: its own. Of a hub: ours, as a CPO there."""
    provider_ids: tuple[str, ...] = ()
    """Of an EMP: its own. Of a hub: ours, as an EMP there."""
    fingerprints: tuple[str, ...] = ()
    """SHA-256 of the client certificates that it presents, in hexadecimal."""
    presented: tuple[str, ...] = ()
    """Those of them that we have whole, in PEM: they are trusted whoever issued them, and are watched for their end."""
    client_certificate: str = ""
    """The name of the certificate that we present (`certificates.py`); "": none."""
    server_ca: str = ""
    """PEM: who may have issued its server's certificate; "": the authorities that this machine trusts."""
    operator_style: OperatorStyle = "DE*ABC"
    provider_style: ProviderStyle = "DE-DCB"
    countries: dict[str, str] = {}
    """Calling code, or operator, of DIN SPEC 91286 -> country, where the code does not tell."""
    terms: dict[str, Any] = {}
    """How objects are translated for it, see `mapping.Terms`."""
    limits: dict[str, int] = {}
    """Operation -> how often a minute, where it is another number than OICP's."""
    learns: bool = False
    """May parties that come to light behind it become its claims?"""

    @property
    def ids(self) -> tuple[str, ...]:
        """Who the other end is; of a hub, who we are there."""
        return self.operator_ids + self.provider_ids

    def limit_per_min(self, operation: Operation) -> int:
        """How often a minute `operation` may be asked, in either direction; 0: not limited by itself."""
        return self.limits.get(operation.name, operation.limit_per_min)


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
        if known is None:
            partner = _joined(Partner(name=name, since=self._hub.clock.now().isoformat()), connection, claims)
            lane = await lane_from_now_on(self._hub.store, name)
            unit = self._with(registry.unit(partner, new=True).put(lane), connection, actor)
            await registry.commit(partner, unit)
        else:
            kept = self._learned(known, connection)
            lane = await lane_from_now_on(self._hub.store, name)
            is_back = known.state is State.UNREGISTERED

            def joined(unit: Unit) -> Unit:
                return self._with(unit.put(lane) if is_back else unit, connection, actor)

            await registry.change(name, lambda partner: _joined(partner, connection, (*claims, *kept)), joined)
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
        gone = {"state": State.UNREGISTERED, "endpoints": (), "claims": ()}

        def ended(unit: Unit) -> Unit:
            unit.delete(Delete(OICP_CONNECTIONS, name))
            return unit.audited(Audit(actor, "oicp.disconnected", name))

        await self._hub.registry.change(name, lambda partner: partner.model_copy(update=gone), ended)
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
        if not connection.learns or len(partner.claims) >= MOST_LEARNED or str(claim.party) in _own(self._hub):
            return False
        is_known = any(held.pair == claim.pair for held in partner.claims)
        return not is_known and not self._hub.registry.rivals(partner, claim)

    def _must_be_free(self, connection: Connection, claims: tuple[Claim, ...], known: Partner | None) -> None:
        """Raises: Conflict."""
        registry, name = self._hub.registry, connection.partner
        if known is not None and known.interpreter != INTERPRETER and known.state is not State.UNREGISTERED:
            raise Conflict(f"{name} is a partner that speaks OCPI; unregister it first")
        for claim in claims:
            if str(claim.party) in _own(self._hub):
                raise Conflict(f"{claim.party} is our own party")
            for rival in registry.rivals(Partner(name=name), claim):
                raise Conflict(f"{claim.role} {claim.party} is connected as {rival.name}")
        for fingerprint in connection.fingerprints:
            holder = self._by_fingerprint.get(fingerprint)
            if holder is not None and holder.partner != name:
                raise Conflict(f"a client certificate is that of {holder.partner} already")

    def _learned(self, known: Partner, connection: Connection) -> tuple[Claim, ...]:
        """What came to light behind a hub stays when the connection is changed."""
        before = self._known.get(known.name)
        if before is None or before.kind != connection.kind or connection.kind != "hub":
            return ()
        return tuple(claim for claim in known.claims if claim.role is not PartyRole.HUB)


def claims_of(connection: Connection) -> tuple[Claim, ...]:
    """The roles that a partner has by its connection. Raises: InvalidRequest, for an id that is none."""
    if connection.kind == "hub":
        return (Claim(role=PartyRole.HUB, party=Party.parse(connection.party)),)
    if connection.kind == "cpo":
        operators = (OperatorID.parse(text).party(connection.countries) for text in connection.operator_ids)
        return tuple(Claim(role=PartyRole.CPO, party=party) for party in dict.fromkeys(operators))
    providers = (ProviderID.parse(text).party() for text in connection.provider_ids)
    return tuple(Claim(role=PartyRole.EMSP, party=party) for party in dict.fromkeys(providers))


def _joined(partner: Partner, connection: Connection, claims: tuple[Claim, ...]) -> Partner:
    """As the registry knows it: of the newest version, at addresses that only our interpreter understands."""
    endpoints = tuple(
        Endpoint(identifier=module, role=side, url=f"{INTERPRETER}:{module}")
        for module, side in _OFFERED[connection.kind]
    )
    state = partner.state if partner.state is State.BLOCKED else State.CONNECTED
    return partner.model_copy(
        update={
            "state": state,
            "version": VERSIONS[-1],
            "interpreter": INTERPRETER,
            "invited": claims,
            "claims": claims,
            "endpoints": endpoints,
        }
    )


def _own(hub: Hub) -> tuple[str, str]:
    return hub.settings.own_parties
