"""What two partners can have of each other through the hub, and what is lost between their versions; before go-live.

Everything is read off the table of operations and the dialects: a use case is something that one side may ask or bring,
where the other side stands at the opposite interface of that module. What hangs on the values of one object (a tariff
with tax inside, say) cannot be told from tables; `busbar partner show` counts what was really lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hub.control.agreements import BROUGHT, SHARED
from hub.core.agreements import Verdict
from hub.core.dialect import VERSIONS, Gap, Wire
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.operations import CONFIG, RECEIVER, SENDER, Operation, Side, Wires
from hub.core.parties import PartyRole
from hub.core.registry import Partner, State
from modules.bookings import editions
from modules.bookings.wire import OLD, EitherEdition

if TYPE_CHECKING:
    from hub.app import Program

_SPEC: Final = re.compile(r"(?P<version>[0-9.]+):(?P<roles>[A-Za-z]+(,[A-Za-z]+)*)")
_OF_THE_HUB: Final = frozenset({"hubclientinfo"})
"""Modules in which a platform speaks with us alone: no agreement is asked."""
_OPPOSITE: Final = {SENDER: RECEIVER, RECEIVER: SENDER}


@dataclass(frozen=True)
class End:
    """One of the two: a partner, or whoever speaks that version in those roles."""

    name: str
    version: str
    roles: frozenset[PartyRole]
    partner: Partner | None = None

    @property
    def shown(self) -> Tree:
        return {"name": self.name, "version": self.version, "roles": sorted(role.value for role in self.roles)}

    def offers(self, module: str, side: Side) -> bool:
        """Has it such an endpoint, as far as we know it?"""
        if self.partner is None:
            return True
        if module == "bookings":
            return editions.identifier(self.partner, side.upper()) is not None
        return self.partner.endpoint(module, side.upper()) is not None

    def wire(self, wires: Wires) -> Wire[Any] | None:
        """In what words it says an object; None where its version has none."""
        wire = wires.get(self.version)
        if isinstance(wire, EitherEdition) and self.partner is not None and editions.edition_of(self.partner) == OLD:
            return wire.old
        return wire


@dataclass(frozen=True)
class UseCase:
    """What one end may ask or bring, by whichever methods."""

    operations: list[Operation] = field(default_factory=list)

    @property
    def first(self) -> Operation:
        return self.operations[0]

    def is_in(self, version: str) -> bool:
        return any(version in each.versions and version in (each.body or each.versions) for each in self.operations)


def matrix(program: Program, a: str, b: str) -> Tree:
    """All use cases between `a` and `b`, and what objects lose. Raises: NotFound, InvalidRequest."""
    ends = _end(program, a, "a"), _end(program, b, "b")
    ways = (ends, ends[::-1])
    return {
        "a": ends[0].shown,
        "b": ends[1].shown,
        "use_cases": [row for source, target in ways for row in _use_cases(program, source, target)],
        "losses": [row for source, target in ways for row in _losses(program, source, target)],
    }


def _end(program: Program, words: str, which: str) -> End:
    spec = _SPEC.fullmatch(words)
    if spec is None:
        partner = program.hub.registry.get(words)
        if partner.version is None:
            raise InvalidRequest(f"{words} has not registered yet: say its version and role, as in 2.2.1:EMSP")
        return End(words, partner.version, partner.roles, partner)
    version, roles = spec["version"], spec["roles"].upper().split(",")
    if version not in VERSIONS:
        raise InvalidRequest(f"/{which}: the versions are {', '.join(VERSIONS)}")
    if not set(roles) <= {role.value for role in PartyRole}:
        raise InvalidRequest(f"/{which}: the roles are {', '.join(role.value for role in PartyRole)}")
    return End(words, version, frozenset(map(PartyRole, roles)))


def _met(operations: Iterable[Operation], source: End, target: End) -> list[UseCase]:
    """What `source` could begin, if versions did not matter, where `target` is at the other side."""
    operations = tuple(operations)
    found: dict[tuple[str, ...], UseCase] = {}
    for operation in operations:
        if _is_begun_by_it(operation) and _stand_opposite(operations, operation, source, target):
            what = next(iter(operation.body.values())).model.__name__ if operation.body else operation.summary
            found.setdefault((operation.module, operation.side, what), UseCase()).operations.append(operation)
    return list(found.values())


def _is_begun_by_it(operation: Operation) -> bool:
    """Not what only reads, what is the result of another one, or answers for what nobody knows."""
    if operation.side is CONFIG or operation.method == "GET" or "{result_id}" in operation.shape:
        return False
    return operation.method != "POST" or operation.body is not None or not operation.shape[-1].startswith("{")


def _stand_opposite(operations: Iterable[Operation], begun: Operation, source: End, target: End) -> bool:
    across = {
        role
        for each in operations
        if each.module == begun.module and each.side is _OPPOSITE[begun.side]
        for role in each.callers & target.roles
    }
    return any(across - {role} for role in begun.callers & source.roles)


def _use_cases(program: Program, source: End, target: End) -> Iterator[Tree]:
    for case in _met(program.hub.operations, source, target):
        possible, why = _verdict(program, case, source, target)
        yield {
            "module": case.first.module,
            "from": source.name,
            "to": target.name,
            "what": case.first.summary.split(" OCPI ")[0].rstrip("."),
            "methods": sorted({each.method for each in case.operations}),
            "possible": possible,
            "why": why,
        }


def _verdict(program: Program, case: UseCase, source: End, target: End) -> tuple[bool, str]:
    """Is it possible, and why not, or how else than by being passed on."""
    for end in (source, target):
        if not case.is_in(end.version):
            return False, f"OCPI {end.version} has no such thing"
    refusal = _refusal(program, case, source, target)
    if refusal:
        return False, refusal
    module, side = case.first.module, case.first.side
    if target.offers(module, side):
        return True, ""
    lacks = f"{target.name} offers no {module} {side.upper()}"
    if side is RECEIVER and _is_listed(program.hub.operations, module, target):
        return True, f"{lacks}: it has to read our list"
    return False, lacks


def _is_listed(operations: Iterable[Operation], module: str, reader: End) -> bool:
    return any(
        each.listed and each.module == module and each.side is SENDER
        for each in operations
        if each.callers & reader.roles and reader.version in each.versions
    )


def _refusal(program: Program, case: UseCase, source: End, target: End) -> str:
    """The rule that keeps the one from the other; "" where none does, or one is not here yet.

    An object goes where its receiver may have it. A request goes where its sender reaches, and one that asks about an
    object (a real-time authorization) only where its sender may have that besides.
    """
    module, asker, other = case.first.module, source.partner, target.partner
    if module in _OF_THE_HUB or asker is None or other is None:
        return ""
    if not asker.state is other.state is State.CONNECTED:
        return ""
    agreements, is_object = program.hub.agreements, module in SHARED or module in BROUGHT
    if is_object and case.first.side is RECEIVER:
        return _denied(agreements.may(other, party, module) for party in sorted(asker.parties))
    refusal = _denied(agreements.reach(asker, party, module) for party in sorted(other.parties))
    if refusal or module not in SHARED:
        return refusal
    return _denied(agreements.may(asker, party, module) for party in sorted(other.parties))


def _denied(verdicts: Iterable[Verdict]) -> str:
    """Why none of the parties of a platform may; "" where one may."""
    found = list(verdicts)
    return "" if any(verdict.allowed for verdict in found) else "; ".join(dict.fromkeys(each.rule for each in found))


def _losses(program: Program, source: End, target: End) -> Iterator[Tree]:
    carried = {
        (module, here.model.__name__): here.gaps_to(there)
        for module, wires in _carried(tuple(program.hub.operations), source, target)
        if (here := source.wire(wires)) is not None and (there := target.wire(wires)) is not None
    }
    for (module, name), gaps in carried.items():
        wholes = [gap for (at, other), known in carried.items() if at == module and other != name for gap in known]
        for gap in gaps:
            if not any(_is_in(gap, whole) for whole in wholes):
                yield {
                    "module": module,
                    "from": source.name,
                    "to": target.name,
                    "object": name,
                    "field": gap.pointer,
                    "value": gap.value,
                    "what": gap.what.value,
                    "note": gap.note,
                }


def _carried(operations: Sequence[Operation], source: End, target: End) -> Iterator[tuple[str, Wires]]:
    """The objects that `source` brings to `target`: by itself, as a result, or in answer. Lists hold the same."""
    for each in operations:
        if each.side is CONFIG or not {source.version, target.version} <= set(each.versions):
            continue
        if each.body is not None and _stand_opposite(operations, each, source, target):
            yield each.module, each.body
        if each.answer is not None and each.method != "GET" and _stand_opposite(operations, each, target, source):
            yield each.module, each.answer


def _is_in(gap: Gap, whole: Gap) -> bool:
    """Is it said already, of an object of which this one is a part (an EVSE of a location)?"""
    return whole.pointer.endswith(f"/*{gap.pointer}") and whole[1:] == gap[1:]
