"""Sessions and CDRs of other CPOs that reach nobody yet, and the rule that keeps each: for an operator to look at.

So do bills, ours too, for a party that its platform dropped (PUT credentials) before it took them: they go out when the
party is back, on whatever platform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from hub.control.listing import Filter
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs.owed import owed_of
from modules.cdrs.store import CDRS
from modules.cdrs.store import nobodys as nobodys_cdrs
from modules.sessions.store import nobodys as nobodys_sessions
from modules.tokens.whose import addressed

if TYPE_CHECKING:
    from hub.app import Program

ADDRESSED: Final = "addressed"
"""Shown for the state of what is for somebody."""
_LIMIT: Final = 8 * 1024 * 1024
_LOOKED_AT: Final = 10_000
"""No more are looked at; an installation that has as many has a rule to mend first."""
_A_STEP: Final = 200
_REFUSED: Final = frozenset({"refused"})


class _Nobodys(Protocol):
    def __call__(self, store: Store, *, after_seq: int = 0) -> Awaitable[list[Document]]: ...


_KINDS: Final[dict[str, _Nobodys]] = {"sessions": nobodys_sessions, "cdrs": nobodys_cdrs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One of them. `party`: whose driver it was, as far as is known."""

    document: Document
    party: str
    state: str
    rule: str


async def standing(hub: Hub, module: str, document: Document) -> Waiting:
    """How a session or CDR stands now that is kept for an audience, or for nobody yet."""
    if document.audience:
        rule = f"no partner is {document.audience} any more" if _is_nowhere(hub, document.audience) else ""
        return Waiting(document=document, party=document.audience, state=ADDRESSED, rule=rule)
    tree, goes = await addressed(hub, document.owner, module, parse(document.body, limit=_LIMIT))
    token = tree["cdr_token"]
    party = f"{token.get('country_code', '')}*{token.get('party_id', '')}".upper()
    return Waiting(document=document, party=party, state=goes.waits or ADDRESSED, rule=goes.rule)


def _is_nowhere(hub: Hub, party: str) -> bool:
    return party not in hub.settings.own_parties and hub.registry.find_party(Party.parse(party)) is None


async def _of_the_dropped(hub: Hub) -> AsyncIterator[Document]:
    """The CDRs that nobody has taken, of parties that were invited and that no partner claims any more."""
    invited = {str(claim.party) for partner in hub.registry.all() for claim in partner.invited}
    for party in sorted(invited):
        after = 0 if _is_nowhere(hub, party) else None
        while after is not None and (found := await _addressed_to(hub.store, party, after)):
            after = found[-1].seq
            owed = frozenset(await owed_of(hub, [document.key for document in found], besides=_REFUSED))
            for document in found:
                if document.key in owed:
                    yield document


async def _addressed_to(store: Store, party: str, after: int) -> list[Document]:
    return await store.select(CDRS, equal={"audience": party}, after_seq=after, limit=_A_STEP)


async def waiting(program: Program, module: str, *, partner: str | None = None) -> list[Waiting]:
    """What waits, the newest first: all, or what that partner brought or would get. Raises: NotFound."""
    parties = None if partner is None else _parties_of(program.hub.registry.get(partner))
    found: list[Waiting] = []
    looked_at = after = 0
    while looked_at < _LOOKED_AT and (part := await _KINDS[module](program.store, after_seq=after)):
        after, looked_at = part[-1].seq, looked_at + len(part)
        others = [document for document in part if document.owner != program.settings.party]
        found += [await standing(program.hub, module, document) for document in others]
    if module == "cdrs":
        found += [await standing(program.hub, module, each) async for each in _of_the_dropped(program.hub)]
        found.sort(key=lambda each: each.document.seq)
    return [each for each in reversed(found) if parties is None or not parties.isdisjoint(_both(each))]


def _parties_of(partner: Partner) -> frozenset[str]:
    """Those that it speaks for, and those that it may claim again."""
    return partner.parties | {str(claim.party) for claim in partner.invited}


def _both(each: Waiting) -> tuple[str, str]:
    return each.document.owner, each.party


async def part(program: Program, module: str, asked: Filter) -> tuple[list[Document], int]:
    """The part of them that is asked for, and how many there are. Raises: NotFound, InvalidRequest."""
    since = asked.since() or ""
    found = [each.document for each in await waiting(program, module, partner=asked.partner)]
    fitting = [document for document in found if document.last_updated >= since]
    return fitting[asked.offset : asked.offset + asked.limit], len(fitting)


async def warnings(program: Program, partner: str) -> list[str]:
    """How many that concern a partner wait by each rule, in sentences. Raises: NotFound."""
    said = []
    for module, words, command in (("sessions", "sessions", "session"), ("cdrs", "CDRs", "cdr")):
        rules = Counter((each.state, each.rule) for each in await waiting(program, module, partner=partner))
        said += [
            f"{words} that are {state}: {times}, {rule} (busbar {command} list --partner {partner} --withheld)"
            for (state, rule), times in sorted(rules.items())
        ]
    return said


async def shown(hub: Hub, module: str, document: Document) -> Tree:
    """`state` and `rule` of a session or CDR, for its view."""
    stands = await standing(hub, module, document)
    return {"state": str(stands.state), "rule": stands.rule}
