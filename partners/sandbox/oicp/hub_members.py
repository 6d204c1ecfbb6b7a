"""Who is connected to the hub, what their certificates are, and who has a contract with whom."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from partners.sandbox.oicp.call import Call, Caller, Refused
from partners.sandbox.oicp.ids import folded, is_of
from partners.sandbox.oicp.papers import fingerprint
from partners.sandbox.wire import Json

ROLES: Final = ("CPO", "EMP")
_WINDOW_S: Final = 60.0


@dataclass
class Member:
    """A partner in one role. `url`: where it serves; an EMP without one is known by the cards it uploads only.

    `without`: the operations, or the parties, that it has no contract for. `takes`: the ids beside its own under which
    it may name EVSEs, or contracts, as its sub-operators or sub-providers; `*` for whoever has nobody nearer.
    """

    role: str
    party: str
    fingerprint: str
    url: str | None = None
    locked: bool = False
    without: list[str] = field(default_factory=list)
    takes: list[str] = field(default_factory=list)

    def owns(self, long_id: str) -> bool:
        """Is an EvseID, or an EvcoID, of this partner?"""
        return self.nearness(long_id) >= 0

    def nearness(self, long_id: str) -> int:
        """How much of an EvseID, or an EvcoID, names this partner; -1: it is of somebody else."""
        return max((len(folded(party)) for party in (self.party, *self.takes) if is_of(long_id, party)), default=-1)

    def must_own(self, evse_id: str | None) -> None:
        """Raises: Refused, for an EVSE of somebody else."""
        if evse_id is not None and not self.owns(evse_id):
            raise Refused("018", evse_id)

    def deals(self, what: str) -> bool:
        """Is there a contract for an operation, or with another party?"""
        return folded(what) not in map(folded, self.without)


class Members:
    """All partners of one hub, by role and folded id: one that sells charging and has chargers too is two."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Member] = {}
        self.limits: dict[str, int] = {}
        """How often a partner may ask for an operation in a minute; what is not here has no limit."""
        self._asked: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def add(self, role: str, party: str, certificate: str, **rest: Json) -> Member:
        """A CPO or an EMP, or another word on one. `certificate` is the PEM text. Raises: ValueError, TypeError."""
        if role not in ROLES:
            raise ValueError(f"a role is one of {', '.join(ROLES)}")
        member = Member(role, party, fingerprint(certificate), **rest)
        self._all[role, folded(party)] = member
        return member

    def sender(self, call: Call) -> Member:
        """Who speaks. Raises: Refused."""
        found = self.find(call.caller.operation.role, call.party)
        if found is None:
            raise Refused("300", call.party, http=404)
        return found

    def find(self, role: str, party: str) -> Member | None:
        """None for one that is not connected."""
        return self._all.get((role, folded(party)))

    def of_role(self, role: str) -> list[Member]:
        """All CPOs, or all EMPs."""
        return [member for member in self._all.values() if member.role == role]

    def owner_of(self, role: str, long_id: str) -> Member | None:
        """Whose EVSE, or whose contract, it is."""
        owners = [member for member in self.of_role(role) if member.owns(long_id)]
        return max(owners, key=lambda member: member.nearness(long_id), default=None)

    def listed(self) -> list[Member]:
        """All of them."""
        return list(self._all.values())

    def admit(self, caller: Caller) -> None:
        """The certificate first, then the lock, the limit and the contract. Raises: Refused."""
        if not caller.party:
            if not any(member.fingerprint == caller.certificate for member in self._all.values()):
                raise Refused("017", "an unknown certificate", http=401)
            return
        self.speaking(caller, caller.party)

    def speaking(self, caller: Caller, party: str) -> Member:
        """Who speaks, if they may. Raises: Refused."""
        member = self.find(caller.operation.role, party)
        if member is None or member.fingerprint != caller.certificate:
            raise Refused("017", f"the certificate is not that of {party}", http=401)
        if member.locked:
            raise Refused("017", "this partner is locked", http=401)
        self._count(member, caller.operation.name)
        if not member.deals(caller.operation.name):
            raise Refused("210", caller.operation.name)
        return member

    def _count(self, member: Member, operation: str) -> None:
        most = self.limits.get(operation)
        if most is None:
            return
        now, recent = time.monotonic(), self._asked[member.party, operation]
        while recent and recent[0] < now - _WINDOW_S:
            recent.popleft()
        if len(recent) >= most:
            raise Refused("001", "too many requests", http=429)
        recent.append(now)
