"""Who is asked for a card on no list that the asker may have: its probable owner, and never everybody by default.

    what we have learned                    who is asked
    --------------------------------------  ----------------------------------------------------------------------
    it is on a list all the same            its eMSPs: it is of another type, for another CPO, or not for the asker
    an eMSP allowed this uid before         that eMSP; first of all where lists say invalid, as cards change hands
    it is the contract id of a card we know  that card's eMSP
    it begins as a contract id (eMI3)       the eMSP that it names; if that is not here, hubs that may know it
    nearly all cards that begin so          their eMSP (`prefixes`)
    nothing                                 those that are interpreted, in whose protocols all are asked, and
                                            the one other eMSP that gave us no list, if there is no second one

The last two rows are the setting `ask_unknown_tokens` = `probable`. With `listless` all that gave us no list are asked
instead, with `all` all, with `none` nobody. Who is known to be the owner and may not be asked stands for nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from hub.core.dialect import VERSIONS
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.routing import Receiver
from hub.core.store import Store
from hub.core.units import Put
from modules.tokens.decision import is_valid, rank, ranked
from modules.tokens.prefixes import RFID, Prefixes
from modules.tokens.store import LEARNED, TOKENS, by_contract, by_uid, learned_put
from modules.tokens.unknown import Flights, UnknownTokens
from modules.tokens.wire import TOKEN

_EMI3: Final = re.compile(r"([A-Za-z]{2})-?([A-Za-z0-9]{3})-?C[A-Za-z0-9]{8}(-?[A-Za-z0-9])?", re.ASCII)
"""A contract id (eMI3): country, provider, `C`, eight characters, and often a check digit."""
_MOST: Final = 50
"""Partners that are asked at once about a card of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process remembers of cards on no list."""

    prefixes: Prefixes = field(default_factory=Prefixes)
    unknown: UnknownTokens = field(default_factory=UnknownTokens)
    flights: Flights = field(default_factory=Flights)


_memories: WeakKeyDictionary[Store, Memory] = WeakKeyDictionary()


def memory(hub: Hub) -> Memory:
    """That of this hub."""
    known = _memories.get(hub.store)
    if known is None:
        known = _memories[hub.store] = Memory()
    return known


async def whom_to_ask(hub: Hub, uid: str, token_type: str, candidates: Sequence[Receiver]) -> list[Receiver]:
    """Those of `candidates` that are asked for a card on no list, each platform once; `token_type` may be ""."""
    owners = await _owners_known(hub.store, uid)
    if owners:
        return _of(candidates, *owners)
    contract = _EMI3.fullmatch(uid)
    named = f"{contract[1]}*{contract[2]}".upper() if contract else ""
    setting = hub.settings.ask_unknown_tokens
    if setting == "none" or _is_here(hub, named):
        return _of(candidates, named)
    if setting == "probable" and token_type in ("", RFID):
        owner = await memory(hub).prefixes.owner_of(hub.store, uid)
        if owner:
            return _of(candidates, owner)
    possible = _once_each(candidates)
    if contract and token_type not in ("", RFID):
        possible = [each for each in possible if PartyRole.HUB in each.partner.roles]
    strangers = [each for each in possible if setting == "all" or await _gave_no_list(hub, each.partner)]
    return strangers if setting != "probable" else _agreed_to_it(possible, strangers)


def can_be_asked(partner: Partner) -> bool:
    """Does it offer real-time authorization, as an eMSP?"""
    return bool(partner.roles & EMSP_LIKE) and partner.endpoint("tokens", "SENDER") is not None


def learned(token: Tree) -> Put:
    """The write of a token that an eMSP allowed: whom to ask the next time, and whose the session is that follows."""
    return learned_put(TOKEN[VERSIONS[-1]].read(token))


async def _owners_known(store: Store, uid: str) -> list[str]:
    """Whose card it is by what is on record: one party, or each on whose list the uid is, the best first."""
    listed, allowed = await by_uid(store, uid), await by_uid(store, uid, LEARNED)
    if listed and (not allowed or any(map(is_valid, listed))):
        return [each.owner for each in ranked(listed)]
    for found in (allowed, await by_contract(store, uid), await by_contract(store, uid, LEARNED)):
        if found:
            return [min(found, key=rank).owner]
    return []


def _is_here(hub: Hub, party: str) -> bool:
    """Is it that of our own drivers, or of an eMSP that is a partner? One that unregistered may be behind a hub now."""
    if party in hub.settings.own_parties:
        return True
    here = (partner for partner in hub.registry.all() if partner.state is not State.UNREGISTERED)
    claims = (claim for partner in here for claim in partner.claims)
    return any(str(claim.party) == party and claim.role in EMSP_LIKE for claim in claims)


def _of(candidates: Iterable[Receiver], *parties: str) -> list[Receiver]:
    """Those of the parties that may be asked, each once, and so is each platform."""
    found: dict[str, Receiver] = {}
    for each in candidates:
        found.setdefault(each.party, each)
    return _once_each(found[party] for party in parties if party in found)


def _once_each(candidates: Iterable[Receiver]) -> list[Receiver]:
    """One party of each platform."""
    found: dict[str, Receiver] = {}
    for each in candidates:
        found.setdefault(each.partner.name, each)
    return list(found.values())


def _agreed_to_it(possible: Sequence[Receiver], listless: Sequence[Receiver]) -> list[Receiver]:
    """Partners of protocols in which all are asked, so many at most; and the only other one that gave no list."""
    asked = [each for each in possible if each.partner.interpreter][:_MOST]
    others = [each for each in listless if not each.partner.interpreter]
    return asked + (others if len(others) == 1 else [])


async def _gave_no_list(hub: Hub, partner: Partner) -> bool:
    lists = [await hub.store.select(TOKENS, equal={"owner": party}, limit=1) for party in partner.parties]
    return not any(lists)
