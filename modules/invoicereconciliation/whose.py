"""Whom a record of an invoice is for: a party that a CDR on it is with.

With direct billing the CDRs are of the record's owner and the other party pays them, with reverse billing the other way
round (mod_invoice_reconciliation_flow_and_lifecycle). Whoever gets a record learns which charges are on an invoice. So
a party that its owner names (OCPI-to) has it as soon as one CDR on it is known to be with that party; until then the
record waits, and where all its CDRs are here and none is, it can never be for that party. One for a party that is not
here yet waits for it too: what is told of meanwhile, nobody hears.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.unaddressed import Addressee
from modules.cdrs import service as cdrs
from modules.tokens.whose import are_of_one_platform

_A_STEP: Final = 200


class _Found(NamedTuple):
    """What is known of the CDRs with one id."""

    own: set[str]
    """Who pays those of the record's owner."""
    others: set[str]
    """Whose those are that the owner pays."""


async def addressee(hub: Hub, owner: str, cdr_ids: Sequence[str], named: str) -> Addressee:
    """Whom a record of `owner` with these CDRs is for; `named`: the party that its owner names, if it does.

    Where nobody is named, that is told by the first of its CDRs that is known.
    """
    known = here = 0
    for start in range(0, len(cdr_ids), _A_STEP):
        part = cdr_ids[start : start + _A_STEP]
        found = await _found(hub, owner, part)
        here += len(found)
        for cdr_id in part:
            own, others = found.get(cdr_id.upper(), _Found(set(), set()))
            if named and any(are_of_one_platform(hub, named, party) for party in own | others):
                return Addressee(named)
            if not named and len(own or others) == 1:
                return Addressee((own or others).pop())
            known += bool(own | others)
    if not here:
        return Addressee("", "none of its CDRs is here")
    why = f"none of its CDRs that are here is with {named}" if named else "nobody knows yet whom its CDRs are with"
    return Addressee("", why, is_final=bool(named) and known == len(cdr_ids))


def once_it_is_here(hub: Hub, goes: Addressee) -> Addressee:
    """The same, as long as we or a platform speak for that party; else it waits."""
    if not goes.party or goes.party == str(hub.settings.own_party):
        return goes
    is_here = hub.registry.holders(Party.parse(goes.party), frozenset(PartyRole))
    return goes if is_here else Addressee("", f"{goes.party} is not here")


async def _found(hub: Hub, owner: str, cdr_ids: Sequence[str]) -> dict[str, _Found]:
    """By id in capitals, of those CDRs that are here and of this owner, or such that it pays."""
    found: dict[str, _Found] = defaultdict(lambda: _Found(set(), set()))
    for document in await cdrs.find_all(hub.store, owner, cdr_ids):
        found[document.columns["id"].upper()].own.update({cdrs.payer(document)} - {"", owner})
    for document in await cdrs.with_ids(hub.store, cdr_ids):
        if document.owner != owner and cdrs.payer(document) == owner:
            found[document.columns["id"].upper()].others.add(document.owner)
    return found
