"""Agreements: who may see whose objects, and whom a partner's requests may reach.

What holds without any agreement is the setting `sharing`: `open` lets opposite roles see each other (a CPO's objects
are for eMSPs and their like, an eMSP's for CPOs: transport_and_format, Broadcast Push), `closed` lets nobody. An
agreement is a rule for a viewer (a partner by name, or a party), an owner (a party) and a module, each of which may be
`*`. It is about one direction: what the viewer may have of the owner's, and what it may ask of it; the viewer of tokens
is a CPO. What brings an object, to all or to one party, goes where its receiver may have it, whatever its sender may
ask of that. The most specific rule that fits decides: a named viewer before a named owner before a named module; of two
equals the one that denies.

A change that lets a viewer have objects of an owner is written with the word that its lane owes them (`opened.py`).
What a viewer has already, no rule takes back.

Every request and every delivery asks here, so the answers are kept in memory. They stand until a partner or an
agreement changes, in this process at once, in another one when it looks (`refresh`).
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from hub.core.agreement_rules import ALL, Agreement, Verdict
from hub.core.errors import InvalidRequest, NotFound
from hub.core.opened import HAS_A_LANE, Opened
from hub.core.operations import CPO, EMSP_LIKE, RECEIVER, Operation
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Partner, Registry
from hub.core.settings import Settings
from hub.core.store import Store
from hub.core.units import Audit, Change, Delete, Kind, Put, Unit

__all__ = ["AGREED", "AGREEMENTS", "Agreement", "Agreements", "Verdict", "writers_of"]

AGREEMENTS: Final = Kind("agreements")
AGREED: Final = "agreements"
"""The module of a change of agreements: wakes who looks at them, in each process. No lane sends it."""

_READCPOS: Final = EMSP_LIKE | {PartyRole.NAP, PartyRole.SCSP}
_READ_EMSPS: Final = CPO | {PartyRole.HUB}
_OWN: Final = CPO | {PartyRole.EMSP}
"""As what our own party owns objects: it has chargers, and drivers."""
_WRITING: Final = frozenset({"PUT", "POST", "PATCH"})


class Agreements:
    """All agreements, in memory, written through to the store."""

    def __init__(self, store: Store, registry: Registry, settings: Settings, operations: Iterable[Operation]) -> None:
        self._store = store
        self._registry = registry
        self._settings = settings
        self._writers = writers_of(operations)
        self._rules: dict[str, Agreement] = {}
        self._revision = -1
        self._changing = asyncio.Lock()
        self._forget()
        registry.on_change(self._forget)

    def _forget(self) -> None:
        self._seen: dict[tuple[str, str, str], Verdict] = {}
        self._reached: dict[tuple[str, str, str], Verdict] = {}
        self._met: dict[tuple[str, str, PartyRole], bool] = {}
        self._owners: dict[tuple[str, str], tuple[str, ...]] = {}
        self._rules_of: dict[str, list[Agreement]] = {}
        self._roles: Mapping[str, frozenset[PartyRole]] | None = None
        self._known_roles: Mapping[str, frozenset[PartyRole]] | None = None

    async def load(self) -> None:
        """Read all agreements. Called at the start."""
        revision = self._store.revision(AGREEMENTS)
        found = await self._store.select(AGREEMENTS, limit=100_000)
        rules = [msgspec.json.decode(document.body, type=Agreement) for document in found]
        self._now({rule.key: rule for rule in rules}, revision)

    async def refresh(self) -> None:
        """Read again, if another process wrote one."""
        if self._revision != self._store.revision(AGREEMENTS):
            await self.load()

    def _now(self, rules: dict[str, Agreement], revision: int) -> None:
        self._rules, self._revision = rules, revision
        self._forget()
        self._registry.read_callers_anew()

    def all(self) -> list[Agreement]:
        """The most specific first: in the order in which they decide."""
        return sorted(sorted(self._rules.values(), key=lambda rule: rule.key), key=lambda rule: rule.rank, reverse=True)

    async def put(self, rule: Agreement, *, actor: str, shared: Collection[str] = ()) -> bool:
        """Make or change an agreement. Viewers are brought what they may have by it in the modules of `shared`.

        Returns: True if it is new. Raises: InvalidRequest.
        """
        rule = self._checked(rule)
        put = Put(AGREEMENTS, rule.key, msgspec.json.encode(rule))
        unit = Unit().put(put).audited(Audit(actor, "agreement.put", rule.key, str(rule)))
        async with self._changing:
            await self.refresh()
            is_new = rule.key not in self._rules
            await self._change(rule, unit, {**self._rules, rule.key: rule}, shared)
        return is_new

    async def remove(self, rule: Agreement, *, actor: str, shared: Collection[str] = ()) -> None:
        """End an agreement: what holds without it holds again, as in `put`. Raises: NotFound, InvalidRequest."""
        rule = self._checked(rule)
        unit = Unit().delete(Delete(AGREEMENTS, rule.key)).audited(Audit(actor, "agreement.removed", rule.key))
        async with self._changing:
            await self.refresh()
            if rule.key not in self._rules:
                raise NotFound("there is no such agreement")
            rest = {key: kept for key, kept in self._rules.items() if key != rule.key}
            await self._change(rule, unit, rest, shared)

    async def _change(self, rule: Agreement, unit: Unit, rules: dict[str, Agreement], shared: Collection[str]) -> None:
        """Commit that `rule` came or went, so that `rules` hold, with whom it lets in."""
        for opened in self._opened(rule, rules, shared):
            unit.put(opened.put())
        await self._store.commit(unit.tells(Change(AGREED, rule.key)))
        self._now(rules, self._store.revision(AGREEMENTS))

    def _opened(self, rule: Agreement, rules: dict[str, Agreement], shared: Collection[str]) -> Iterable[Opened]:
        """Who may have under `rules` whose objects that it may not have now; all of it is of what `rule` speaks.

        Of owners that are not connected, too: it is owed when they are.
        """
        then = copy.copy(self)
        then._rules = rules  # noqa: SLF001 - it is one of us
        then._forget()  # noqa: SLF001
        modules = [module for module in shared if rule.module in (ALL, module)]
        for viewer in self._registry.all():
            if viewer.state in HAS_A_LANE and rule.is_for(viewer):
                found = {module: self._new(then, viewer, rule, module) for module in modules}
                if any(found.values()):
                    yield Opened(viewer.name, {module: owners for module, owners in found.items() if owners})

    def _new(self, then: Agreements, viewer: Partner, rule: Agreement, module: str) -> tuple[str, ...]:
        owners = self._roles_of_known() if rule.owner == ALL else (rule.owner,)
        return tuple(
            owner
            for owner in owners
            if (then.may(viewer, owner, module).allowed and not self.may(viewer, owner, module).allowed)
            or (then.could(viewer, owner, module) and not self.could(viewer, owner, module))
        )

    def opened_by(self, joining: Partner, claims: Iterable[Claim]) -> Iterable[Opened]:
        """Who may have objects once `joining` is connected as `claims` that it may not have now.

        Those that its connection is for, where their owner is connected already: for others, and not for them. Of an
        owner that is new all is pulled, and told as it comes.
        """
        owners = {str(each.party) for each in claims if self._registry.holders(each.party, {each.role})}
        for viewer in self._registry.all():
            if viewer.state in HAS_A_LANE and joining.represents in viewer.parties:
                found = {
                    module: tuple(each for each in sorted(owners) if not self.may(viewer, each, module).allowed)
                    for module in self._writers
                }
                if any(found.values()):
                    yield Opened(viewer.name, {module: new for module, new in found.items() if new})

    def _checked(self, rule: Agreement) -> Agreement:
        """Parties as we write them. A viewer with a `*` in it is a party, as no partner's name has one."""
        viewer = rule.viewer if rule.viewer == ALL or "*" not in rule.viewer else str(Party.parse(rule.viewer))
        owner = rule.owner if rule.owner == ALL else str(Party.parse(rule.owner))
        if not viewer or "/" in viewer or (rule.module != ALL and rule.module not in self._writers):
            raise InvalidRequest("an agreement names a viewer, an owner and a module that partners share")
        return msgspec.structs.replace(rule, viewer=viewer, owner=owner)

    def may(self, viewer: Partner, owner: str, module: str) -> Verdict:
        """May `viewer` have the objects of `owner` (`NL*AAA`) in `module`?"""
        at = (viewer.name, owner, module)
        verdict = self._seen.get(at)
        if verdict is None:
            verdict = self._seen[at] = self._may(viewer, owner, module, self._all_roles())
        return verdict

    def could(self, viewer: Partner, owner: str, module: str) -> bool:
        """As `may`, if every partner that is known were connected: is it that alone which keeps `owner` from it?"""
        return self._may(viewer, owner, module, self._roles_of_known()).allowed

    def _may(self, viewer: Partner, owner: str, module: str, all_roles: Mapping[str, frozenset[PartyRole]]) -> Verdict:
        if self.is_own(viewer, owner, module):
            return Verdict(False, "nothing goes back to its owner")
        if viewer.represents and viewer.represents != owner:
            return Verdict(False, f"this connection stands for {viewer.represents} alone")
        roles = all_roles.get(owner, frozenset()) & self._owning(module)
        if not roles:
            return Verdict(False, f"{owner} is not connected in a role that has {module}")
        if not self._meets(owner, roles, viewer):
            return Verdict(False, f"{owner} has no connection for {viewer.party}")
        return self.by_rule(viewer, owner, module) or self._by_default(
            any(viewer.roles & (_READCPOS if role is PartyRole.CPO else _READ_EMSPS) for role in roles)
        )

    def is_own(self, viewer: Partner, owner: str, module: str) -> bool:
        """Is `viewer` itself, on whatever connection, who writes the objects of `owner` in `module`?

        One party may be on two platforms, the one with its chargers, the other with its drivers: these are two.
        """
        return owner in viewer.parties_as(self._owning(module))

    def _owning(self, module: str) -> frozenset[PartyRole]:
        return self._writers.get(module, CPO)

    def may_be_sent(self, viewer: Partner, owner: str, module: str) -> Verdict:
        """May `viewer` have what `owner` has addressed to it? As `may`; but what was addressed by an owner that is not
        connected now is kept back by a rule alone, and what is ours too, as we do not share but send it.
        """
        is_ours = owner == self._settings.party
        is_there = not self._all_roles().get(owner, frozenset()).isdisjoint(self._owning(module))
        if self.is_own(viewer, owner, module) or (is_there and not is_ours):
            return self.may(viewer, owner, module)
        if viewer.represents and viewer.represents != owner:
            return Verdict(False, f"this connection stands for {viewer.represents} alone")
        is_open = is_ours or self._settings.sharing != "closed"
        return self.by_rule(viewer, owner, module) or Verdict(is_open, f"default: {self._settings.sharing}")

    def senders(self, viewer: Partner, module: str) -> tuple[str, ...]:
        """The parties that `viewer` may have what they addressed to it, sorted; connected or not."""
        parties = {self._settings.party, *(party for other in self._registry.all() for party in other.parties)}
        return tuple(sorted(party for party in parties if self.may_be_sent(viewer, party, module).allowed))

    def owners(self, viewer: Partner, module: str) -> tuple[str, ...]:
        """The parties whose objects `viewer` may have, sorted. Viewers of one class get the same tuple."""
        at = (viewer.name, module)
        found = self._owners.get(at)
        if found is None:
            found = tuple(sorted(p for p in self._all_roles() if self.may(viewer, p, module).allowed))
            found = self._owners[at] = next((same for same in self._owners.values() if same == found), found)
        return found

    def reach(self, sender: Partner, party: str, module: str) -> Verdict:
        """May a request of `sender` in `module` go to `party`?"""
        at = (sender.name, party, module)
        verdict = self._reached.get(at)
        if verdict is None:
            verdict = self._reached[at] = self._reach(sender, party, module)
        return verdict

    def _reach(self, sender: Partner, party: str, module: str) -> Verdict:
        if party in (self._settings.party, self._settings.hub):
            return Verdict(True, "this hub")
        if sender.represents and sender.represents != party:
            return Verdict(False, f"this connection stands for {sender.represents} alone")
        roles = self._all_roles().get(party)
        if roles is None:
            return Verdict(False, f"{party} is not connected")
        if not self._meets(party, roles, sender):
            return Verdict(False, f"{party} has no connection for {sender.party}")
        is_opposite = (CPO & sender.roles and roles & _READCPOS) or (CPO & roles and sender.roles & _READCPOS)
        return self.by_rule(sender, party, module) or self._by_default(bool(is_opposite))

    def _meets(self, party: str, roles: Collection[PartyRole], other: Partner) -> bool:
        """Is a connection of `party` for one of the parties of `other`, or for all? Our own party meets everybody."""
        held = self._registry.holders(Party.parse(party), roles)
        return not held or _is_for_one_of(other.parties, held)

    def peers(self, partner: Partner) -> tuple[Claim, ...]:
        """The roles of other platforms with which `partner` has to do through us, by default or by any agreement."""
        return tuple(
            claim
            for other in self._registry.connected()
            if other.name != partner.name
            for claim in other.claims
            if any(self._meet(partner, str(claim.party), module) for module in self._writers)
        )

    def meets(self, viewer: Partner, party: str, role: PartyRole) -> bool:
        """Has `viewer` to do with `party` in that role, in any module, be it connected or not?

        Whoever it meets it may know to be there. An agreement goes for all roles of a party.
        """
        at = (viewer.name, party, role)
        met = self._met.get(at)
        if met is None:
            met = self._met[at] = self._has_to_do(viewer, party, role)
        return met

    def _has_to_do(self, viewer: Partner, party: str, role: PartyRole) -> bool:
        if party in viewer.parties_as({role}) or viewer.represents not in ("", party):
            return False
        known = [each for each in self._registry.all() if party in each.parties_as({role})]
        if known and not _is_for_one_of(viewer.parties, known):
            return False
        is_opposite = bool(viewer.roles & (_READCPOS if role is PartyRole.CPO else _READ_EMSPS))
        default = self._by_default(is_opposite)
        return any((self.by_rule(viewer, party, module) or default).allowed for module in self._writers)

    def _meet(self, partner: Partner, party: str, module: str) -> bool:
        return self.reach(partner, party, module).allowed or self.may(partner, party, module).allowed

    def by_rule(self, viewer: Partner, owner: str, module: str) -> Verdict | None:
        """What was agreed of these; None: nothing, so that the default holds."""
        rules = self._rules_of.get(viewer.name)
        if rules is None:
            rules = self._rules_of[viewer.name] = [rule for rule in self._rules.values() if rule.is_for(viewer)]
        fitting = [rule for rule in rules if rule.fits(owner, module)]
        if not fitting:
            return None
        rule = max(fitting, key=lambda rule: rule.rank)
        return Verdict(rule.allow, f"agreement: {rule}")

    def _by_default(self, is_opposite: bool) -> Verdict:
        if self._settings.sharing == "closed":
            return Verdict(False, "default: closed")
        words = "opposite roles" if is_opposite else "not of opposite roles"
        return Verdict(is_opposite, f"default: {words}")

    def _all_roles(self) -> Mapping[str, frozenset[PartyRole]]:
        """What each connected party is, our own among them."""
        if self._roles is None:
            self._roles = self._roles_among(self._registry.connected())
        return self._roles

    def _roles_of_known(self) -> Mapping[str, frozenset[PartyRole]]:
        """The same of those that are not connected, too."""
        if self._known_roles is None:
            self._known_roles = self._roles_among(self._registry.all())
        return self._known_roles

    def _roles_among(self, partners: Iterable[Partner]) -> Mapping[str, frozenset[PartyRole]]:
        roles: dict[str, frozenset[PartyRole]] = {self._settings.party: _OWN}
        for partner in partners:
            for claim in partner.claims or partner.invited:
                party = str(claim.party)
                roles[party] = roles.get(party, frozenset()) | {claim.role}
        return roles


def _is_for_one_of(parties: Iterable[str], connections: Collection[Partner]) -> bool:
    return any(connection.stands_for(party) for party in parties for connection in connections)


def writers_of(operations: Iterable[Operation]) -> dict[str, frozenset[PartyRole]]:
    """By module, the roles that own its objects: those that may write them to a receiver."""
    found: dict[str, frozenset[PartyRole]] = {}
    for operation in operations:
        if operation.routed:
            writes = operation.side is RECEIVER and operation.method in _WRITING
            found.setdefault(operation.module, frozenset())
            found[operation.module] |= operation.callers if writes else frozenset()
    return {module: roles or CPO for module, roles in found.items()}
