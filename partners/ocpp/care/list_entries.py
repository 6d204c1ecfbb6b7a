"""Which tokens stand on a station's local list, and how they are written there.

Only cards (RFID), as nothing else is held to a reader; only valid ones, whose eMSP says ALWAYS, ALLOWED or
ALLOWED_OFFLINE (mod_tokens_whitelisttype_enum) and is there to pay. A station that asks its list before it asks us
(LocalPreAuthorize) gets no ALLOWED_OFFLINE: with a connection its eMSP is to be asked. What is longer than the version
can hold is left out, never cut. Where a list is too short for all, our own drivers come first, then as the table says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from hub.core.addressed import FOR_ALL, copies_of, each_once
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from modules.tokens.store import TOKENS, folded
from partners.ocpp.cards import Card, group_token, id_token

_RANKS: Final = {"ALWAYS": 1, "ALLOWED": 2, "ALLOWED_OFFLINE": 3}
_OWN: Final = 0
LONGEST: Final = {"1.6": 20, "2.0.1": 36, "2.1": 36}
"""Characters of a tag; OCPI's uid has at most 36."""


class Listed(NamedTuple):
    """A card that may be on a list."""

    rank: int
    uid: str
    whitelist: str
    group_id: str

    @property
    def mark(self) -> str:
        """What shows whether a station has it as it is now."""
        return hashlib.sha256(f"{self.uid}\0{self.group_id}".encode()).hexdigest()[:12]


class _Token(msgspec.Struct):
    uid: str
    whitelist: str
    valid: bool
    group_id: str | None = None


async def whitelisted(hub: Hub) -> list[Listed]:
    """Every card that might be on a list, the most important first; one for each uid."""
    found: dict[str, Listed] = {}
    after, outdone = 0, await _outdone(hub)
    while page := await hub.store.select(TOKENS, after_seq=after):
        after = page[-1].seq
        for document in page:
            if document.audience not in ("", *hub.settings.own_parties) or document.key in outdone:
                continue
            token = msgspec.json.decode(document.body, type=_Token)
            rank = _rank(hub, document.owner, token) if document.key.endswith("/RFID") else None
            if rank is None:
                continue
            listed = Listed(rank, token.uid, token.whitelist, token.group_id or "")
            key = folded(token.uid)
            found[key] = min(listed, found.get(key, listed))
    return sorted(found.values())


async def _outdone(hub: Hub) -> set[str]:
    """The keys of copies that do not count here, as a newer one of the token does (`hub.core.addressed`)."""
    ours = sorted(hub.settings.own_parties)
    named = [d for party in ours for d in await hub.store.select(TOKENS, equal={"audience": party}, limit=100_000)]
    shared = await hub.store.get_many(TOKENS, [key for each in named for key in copies_of(each.key, FOR_ALL)])
    copies = [*named, *shared.values()]
    return {each.key for each in copies} - {each.key for each in each_once(copies)}


def _rank(hub: Hub, owner: str, token: _Token) -> int | None:
    """None: it may not be on any list."""
    if not token.valid or token.whitelist not in _RANKS:
        return None
    if owner == hub.settings.party:
        return _OWN
    is_there = hub.registry.holder_of(Party.parse(owner), EMSP_LIKE, behind=hub.settings.party) is not None
    return _RANKS[token.whitelist] if is_there else None


def fitting(cards: Iterable[Listed], version: str, *, asks_list_first: bool) -> Iterator[Listed]:
    """Those of them that a station of `version` can have."""
    for card in cards:
        is_asked_for = asks_list_first and card.whitelist == "ALLOWED_OFFLINE"
        if not is_asked_for and 0 < len(card.uid) <= LONGEST[version]:
            yield card


def added(card: Listed, version: str) -> Tree:
    """An entry that is to be there."""
    longest = LONGEST[version]
    if version == "1.6":
        group = {"parentIdTag": card.group_id} if 0 < len(card.group_id) <= longest else {}
        return {"idTag": card.uid, "idTagInfo": {**group, "status": "Accepted"}}
    grouped: Tree = {"groupIdToken": group_token(card.group_id)} if 0 < len(card.group_id) <= longest else {}
    return {"idToken": id_token(Card(card.uid, "RFID"), version), "idTokenInfo": {"status": "Accepted", **grouped}}


def removed(uid: str, version: str) -> Tree:
    """An entry that is to be there no longer."""
    return {"idTag": uid} if version == "1.6" else {"idToken": id_token(Card(uid, "RFID"), version)}


def list_payload(version: str, number: int, entries: list[Tree], *, is_full: bool) -> Tree:
    """SendLocalList."""
    update = "Full" if is_full else "Differential"
    name = "listVersion" if version == "1.6" else "versionNumber"
    some = {"localAuthorizationList": entries} if entries or version == "1.6" else {}
    return {name: number, **some, "updateType": update}
