"""The partners: who may connect, as whom, and how we reach them.

A partner is a *platform*: it may speak for several parties, claims them in its credentials, and may claim only what it
was invited as. Tokens are named by direction: `our_token` is the one we issued (they present it), `their_token` the one
they issued (we present it). We keep only fingerprints of the former; the latter is sealed.

States: invited -> connected -> (blocked | unregistered). A rotation leaves two live tokens of ours until the new one is
first used, or the overlap ends (credentials, PUT).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator

from hub.core import auth, secrets
from hub.core.auth import Form
from hub.core.errors import Conflict, NotFound, Unauthorized
from hub.core.parties import Party, PartyRole, RoleClaim
from hub.core.store import Store
from hub.core.units import ABSENT, ANY, Change, Kind, Put, Unit

PARTNERS: Final = Kind("partners", columns=("state",))
_ATTEMPTS: Final = 5
_RENEWABLE: Final = timedelta(days=1)

PartyText = Annotated[
    Party, PlainValidator(lambda v: v if isinstance(v, Party) else Party.parse(v)), PlainSerializer(str)
]


class State(StrEnum):
    """Where a partner stands."""

    INVITED = "invited"
    CONNECTED = "connected"
    BLOCKED = "blocked"
    UNREGISTERED = "unregistered"


class TokenUse(StrEnum):
    """What a token that we issued is good for."""

    REGISTRATION = "registration"
    """Token A: versions and credentials only, until it is consumed."""
    LIVE = "live"
    OVERLAP = "overlap"
    """Replaced by a rotation; answers until the new one is first seen, or `until`."""
    PROBE = "probe"
    """Given out in our own registration with them, before they answered. Of who is connected it is as good as LIVE: who
    presents it has taken it."""
    RENEWAL = "renewal"
    """An OVERLAP token beyond its time, for a day, where its successor was never seen: it may have been lost."""


REGISTERING: Final = frozenset({TokenUse.REGISTRATION, TokenUse.PROBE, TokenUse.RENEWAL})
"""What such a token opens is versions and credentials; of the rest it does not even learn what there is (REQ-006)."""


class IssuedToken(BaseModel):
    """A token of ours, as its fingerprint."""

    model_config = ConfigDict(frozen=True)
    fingerprint: str
    use: TokenUse
    until: datetime | None = None
    renews: bool = False
    """OVERLAP: it was replaced by their own PUT, whose answer they may not have heard."""


class Claim(BaseModel):
    """A role that a partner has, or may claim."""

    model_config = ConfigDict(frozen=True)
    role: PartyRole
    party: PartyText
    business_name: str = ""

    @property
    def pair(self) -> RoleClaim:
        return RoleClaim(self.role, self.party)


class Endpoint(BaseModel):
    """One endpoint of a partner's version details. `role` is SENDER or RECEIVER; "" on 2.1.1, which has none."""

    model_config = ConfigDict(frozen=True)
    identifier: str
    role: str = ""
    url: str


class Partner(BaseModel):
    """A platform that connects to us."""

    model_config = ConfigDict(frozen=True)
    name: str
    state: State = State.INVITED
    invited: tuple[Claim, ...] = ()
    claims: tuple[Claim, ...] = ()
    version: str | None = None
    versions_url: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    our_tokens: tuple[IssuedToken, ...] = ()
    their_token: str = ""
    """Sealed."""
    token_form: Form = "base64"  # noqa: S105 - a form of encoding
    quirks: tuple[str, ...] = ()
    represents: str = ""
    """The only party that this connection stands for, on our side (`DE*ABC`); "": all that the partner may see."""
    pulled: dict[str, str] = {}
    """Per module, the time up to which we have pulled."""
    told: tuple[str, ...] = ()
    """A hub: the roles in the credentials of ours that it has (`CPO DE*ABC`), see `modules/credentials/told.py`."""
    newly_told: tuple[str, ...] = ()
    """Parties among them whose objects it may have refused before, and which are still to be sent again."""
    untold: str = ""
    """Why it could not be told what these roles are now."""
    since: str = ""
    switches: dict[str, str] = {}
    """What an operator decided about this partner, in the words of the module that asks."""
    interpreter: str = ""
    """Who speaks to it in its own protocol; "": it speaks OCPI. Its endpoints' URLs have this as their scheme."""
    busy_until: datetime | None = None
    """We are exchanging credentials with it, at most until then; see `partners/ocpi/turn.py`."""
    unsettled: bool = False
    """Nobody heard how our last exchange of credentials with it ended: it is to be made again, while one of our tokens
    of it is still good."""

    def is_busy(self, now: datetime) -> bool:
        """May nobody else exchange credentials with it just now?"""
        return self.busy_until is not None and now < self.busy_until

    @cached_property
    def roles(self) -> frozenset[PartyRole]:
        return frozenset(claim.role for claim in (self.claims or self.invited))

    @property
    def is_hub(self) -> bool:
        """Is it a hub of OCPI, with parties of its own behind it?"""
        return PartyRole.HUB in self.roles and not self.interpreter

    @property
    def is_direct(self) -> bool:
        """Is it the platform of its parties itself, and no hub of any protocol?"""
        return not self.is_hub and not self.interpreter

    @cached_property
    def parties(self) -> frozenset[str]:
        """The parties it speaks for, as text (`NL*EEE`)."""
        return frozenset(str(claim.party) for claim in (self.claims or self.invited))

    def parties_as(self, roles: Collection[PartyRole]) -> frozenset[str]:
        """Those of its parties that it speaks for in one of `roles`; in another role they may be on other platforms."""
        return frozenset(str(claim.party) for claim in (self.claims or self.invited) if claim.role in roles)

    @cached_property
    def party(self) -> str:
        """The first of its parties, for the routing headers."""
        claims = self.claims or self.invited
        return str(claims[0].party) if claims else ""

    def stands_for(self, party: str) -> bool:
        """Does it meet this party here: is it on a connection for that one, or for all?"""
        return self.represents in ("", party)

    def speaks_for(self, party: Party, roles: Iterable[PartyRole]) -> bool:
        """Has it claimed `party` in one of `roles`?"""
        wanted = frozenset(roles)
        return any(claim.party == party and claim.role in wanted for claim in self.claims)

    def endpoint(self, identifier: str, side: str) -> str | None:
        """The URL of its endpoint, without a trailing slash. `side` is `SENDER` or `RECEIVER`."""
        return self._addresses.get((identifier, side))

    @cached_property
    def _addresses(self) -> Mapping[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for endpoint in self.endpoints:
            for side in ("SENDER", "RECEIVER"):
                if endpoint.role in ("", side):
                    found.setdefault((endpoint.identifier, side), endpoint.url.rstrip("/"))
        return found

    def __copy__(self) -> Self:
        """What was worked out of the fields is not copied: `model_copy` changes them afterwards."""
        copied = super().__copy__()
        for name in ("roles", "parties", "party", "_addresses"):
            copied.__dict__.pop(name, None)
        return copied


class Caller:
    """Who is calling: the partner, and which use the presented token has. What each request asks is worked out once."""

    __slots__ = ("_speaks_for", "fingerprint", "is_registered", "parties", "partner", "roles", "token", "use")

    def __init__(self, partner: Partner, use: TokenUse, fingerprint: str, token: str) -> None:
        self.partner = partner
        self.roles = partner.roles
        self.parties = partner.parties
        self._speaks_for: dict[frozenset[PartyRole], frozenset[Party]] = {}
        self.use = use
        self.is_registered = use not in REGISTERING and partner.state is not State.UNREGISTERED
        self.fingerprint = fingerprint
        self.token = token
        """As presented, for the echo in GET credentials; never stored, never logged."""

    def speaks_for(self, party: Party, roles: frozenset[PartyRole]) -> bool:
        """Has its partner claimed `party` in one of `roles`?"""
        spoken_for = self._speaks_for.get(roles)
        if spoken_for is None:
            claimed = frozenset(claim.party for claim in self.partner.claims if claim.role in roles)
            spoken_for = self._speaks_for[roles] = claimed
        return party in spoken_for


class Registry:
    """All partners, in memory, written through to the store. One process writes; others reload on a change."""

    def __init__(self, store: Store, pepper: bytes, seal: secrets.Seal) -> None:
        self._store = store
        self._pepper = pepper
        self._seal = seal
        self._partners: dict[str, Partner] = {}
        self._versions: dict[str, int] = {}
        self._by_fingerprint: dict[str, tuple[str, IssuedToken]] = {}
        self._by_header: dict[bytes, Caller] = {}
        self._holders: dict[Party, list[tuple[PartyRole, Partner]]] = {}
        self._blocked: dict[Party, list[tuple[PartyRole, Partner]]] = {}
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []
        self._changing = asyncio.Lock()
        self.heard: Callable[[str], None] = _nobody_listens
        """Called with the name of each partner that made a request which was let in."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever the partners are other ones than before."""
        self._listeners.append(callback)

    async def load(self) -> None:
        """Read all partners. Called at start, and when another process has changed one."""
        revision = -1
        while revision != self._store.revision(PARTNERS):  # what we read must not be older than what we know
            revision = self._store.revision(PARTNERS)
            documents = await self._store.select(PARTNERS, limit=100_000)
        self._partners = {}
        self._versions = {}
        for document in documents:
            partner = Partner.model_validate_json(document.body)
            self._partners[partner.name] = partner
            self._versions[partner.name] = document.version
        self._index()
        self._revision = revision

    async def refresh(self) -> None:
        """Reload if somebody else wrote a partner."""
        if self._revision != self._store.revision(PARTNERS):
            await self.load()

    def _index(self) -> None:
        self._by_header.clear()
        self._by_fingerprint = {
            token.fingerprint: (partner.name, token)
            for partner in self._partners.values()
            for token in partner.our_tokens
        }
        self._holders, self._blocked = {}, {}
        for partner in self.all():
            held = {State.CONNECTED: self._holders, State.BLOCKED: self._blocked}.get(partner.state, {})
            for claim in partner.claims:
                held.setdefault(claim.party, []).append((claim.role, partner))
        for listener in self._listeners:
            listener()

    def all(self) -> list[Partner]:
        """In order of their names."""
        return [self._partners[name] for name in sorted(self._partners)]

    def get(self, name: str) -> Partner:
        """Raises: NotFound."""
        try:
            return self._partners[name]
        except KeyError:
            raise NotFound(f"there is no partner named {name!r}") from None

    def find(self, name: str) -> Partner | None:
        return self._partners.get(name)

    def connected(self) -> list[Partner]:
        return [partner for partner in self.all() if partner.state is State.CONNECTED]

    def holder_of(self, party: Party, roles: Collection[PartyRole], *, behind: str = "") -> Partner | None:
        """The connected partner that speaks for `party` in one of `roles`.

        A party of 2.1.1 may have several connections, each standing for one party of ours: then that of `behind`.
        """
        found = [held for role, held in self._holders.get(party, ()) if role in roles]
        if len(found) > 1 or (found and found[0].represents):
            found = [held for held in found if not behind or held.stands_for(behind)]
            found.sort(key=lambda held: (held.represents != behind, held.represents))
        return found[0] if found else None

    def holders(self, party: Party, roles: Collection[PartyRole]) -> list[Partner]:
        """All connected partners that speak for `party` in one of `roles`, on whatever connections."""
        return [held for role, held in self._holders.get(party, ()) if role in roles]

    def rivals(self, partner: Partner, claim: Claim) -> list[Partner]:
        """Other partners with the same claim, on connections that are not each for another party of ours.

        They are connected or blocked: who is blocked does not come in by another door. A hub behind which a party is
        said to be is no rival of the party's own platform.
        """
        held = [
            other
            for holders in (self._holders, self._blocked)
            for role, other in holders.get(claim.party, ())
            if role is claim.role
        ]
        found = [other for other in held if other.name != partner.name and _overlap(other, partner)]
        return [other for other in found if not other.is_hub] if partner.is_direct else found

    def known(self, header: bytes) -> Caller | None:
        """Who presented this very Authorization header before, if that has not changed meanwhile."""
        return self._by_header.get(header)

    def caller(self, header: bytes, now: datetime) -> Caller:
        """Who presents this Authorization header. Raises: Unauthorized, always with the same words."""
        known = self._by_header.get(header)
        if known is not None:
            return known
        for token in auth.candidates(header):
            fingerprint = secrets.fingerprint(token, self._pepper)
            name, issued = self._by_fingerprint.get(fingerprint, ("", None))
            use = _use_of(issued, self._partners[name], now) if issued is not None else None
            if issued is None or use is None:
                continue
            caller = Caller(self._partners[name], use, fingerprint, token)
            if caller.partner.state is State.BLOCKED:
                break
            if issued.until is None and len(self._by_header) < 10_000:
                self._by_header[header] = caller
            return caller
        raise Unauthorized

    def read_callers_anew(self) -> None:
        """What a caller may do has changed: nothing that was worked out for one holds any more."""
        self._by_header.clear()

    def find_party(
        self, party: Party, roles: Collection[PartyRole] = frozenset(PartyRole), *, behind: str = ""
    ) -> Partner | None:
        """A partner, connected or not, that speaks for `party` or was invited as it.

        First one that is it in one of `roles`, then one that meets `behind`, then one that is connected.
        """

        def rank(partner: Partner) -> tuple[bool, bool, bool]:
            is_it = str(party) in partner.parties_as(roles)
            return not is_it, bool(behind) and not partner.stands_for(behind), partner.state is not State.CONNECTED

        return min((partner for partner in self.all() if str(party) in partner.parties), key=rank, default=None)

    def fingerprint(self, token: str) -> str:
        return secrets.fingerprint(token, self._pepper)

    def sealed(self, token: str) -> str:
        """A token that we are to present, as it is stored."""
        return self._seal.seal(token)

    def unit(self, partner: Partner, *, new: bool = False) -> Unit:
        """A unit that writes `partner`; add to it, then `commit` it here."""
        expect = ABSENT if new else self._versions.get(partner.name, ANY)
        put = Put(PARTNERS, partner.name, partner.model_dump_json().encode(), columns=(partner.state,), expect=expect)
        return Unit().put(put).tells(Change("partners", partner.name))

    async def commit(self, partner: Partner, unit: Unit) -> Partner:
        """Commit a unit made by `unit`, and know the partner from now on. Raises: Conflict."""
        versions = await self._store.commit(unit)
        self._partners[partner.name] = partner
        self._versions[partner.name] = versions[0]
        self._revision = self._store.revision(PARTNERS)
        self._index()
        return partner

    def replaces_another(self, caller: Caller) -> bool:
        """Is this the first use of a token that a rotation issued?"""
        return caller.use is TokenUse.LIVE and len(caller.partner.our_tokens) > 1

    async def settle(self, caller: Caller) -> None:
        """The new token was used: the one it replaced is void from now on."""
        await self.change(caller.partner.name, _without_overlap)

    async def change(
        self, name: str, change: Callable[[Partner], Partner], also: Callable[[Unit], Unit] = lambda unit: unit
    ) -> Partner:
        """Write what `change` makes of the partner as it is; `also` adds to the unit. One change at a time.

        `change` is called again when somebody else was faster; what it raises ends this, and nothing is written. The
        same partner returned means that there is nothing to write. Raises: NotFound, Conflict.
        """
        async with self._changing:
            for _ in range(_ATTEMPTS):
                partner = self.get(name)
                changed = change(partner)
                if changed is partner:
                    return partner
                try:
                    return await self.commit(changed, also(self.unit(changed)))
                except Conflict:
                    await self.load()
        raise Conflict

    async def save(self, partner: Partner) -> Partner:
        """Commit `partner` alone. Raises: Conflict."""
        return await self.commit(partner, self.unit(partner))


def _overlap(one: Partner, other: Partner) -> bool:
    return not one.represents or not other.represents or one.represents == other.represents


def _without_overlap(partner: Partner) -> Partner:
    kept = tuple(token for token in partner.our_tokens if token.use is not TokenUse.OVERLAP)
    return partner.model_copy(update={"our_tokens": kept}) if len(kept) != len(partner.our_tokens) else partner


def _nobody_listens(name: str) -> None:
    """Where no lane runs, nobody needs to know that a partner is alive."""


def _use_of(token: IssuedToken, partner: Partner, now: datetime) -> TokenUse | None:
    """What a token that is presented is good for; None, when it is void."""
    if token.use is TokenUse.PROBE and partner.state is State.CONNECTED:
        return TokenUse.LIVE
    if token.until is None or now < token.until:
        return token.use
    return TokenUse.RENEWAL if token.renews and now < token.until + _RENEWABLE else None
