"""What was decided of a card, and the few minutes for which that is remembered.

What an eMSP said, or a command brought, is kept for 15 minutes under the card and the station where it was shown, so
that the start of the transaction which follows finds the token and the authorization reference without asking again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from hub.core.addressed import each_once
from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Put, Unit
from modules.tokens.store import AUTHORIZATIONS, folded

REMEMBERED: Final = timedelta(minutes=15)
_LIMIT: Final = 64 * 1024


class By(StrEnum):
    """What the decision rests on."""

    COMMAND = "command"
    WHITELIST = "whitelist"
    REAL_TIME = "real_time"
    OFFLINE = "offline"
    """The eMSP gave no answer, and the whitelist says what then."""
    UNKNOWN = "unknown"


AUTH_METHOD: Final = {
    By.COMMAND: "COMMAND",
    By.WHITELIST: "WHITELIST",
    By.REAL_TIME: "AUTH_REQUEST",
    By.OFFLINE: "WHITELIST",
    By.UNKNOWN: "AUTH_REQUEST",
}
"""AuthMethod of the session and the CDR (mod_cdrs)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `allowed` is a value of AllowedType; `token` is in our own form, None when nobody knows it."""

    allowed: str
    by: By
    token: Tree | None = None
    owner: str = ""
    reference: str | None = None
    info: str = ""
    seen: int = 0
    """Which writing of the token on record it rests on; 0 for none."""
    is_unknown: bool = False
    """The eMSP that was asked said that it has no such token. It is not remembered."""

    @property
    def accepted(self) -> bool:
        return self.allowed == "ALLOWED"

    @property
    def auth_method(self) -> str:
        return AUTH_METHOD[self.by]


def remember(decision: Decision, uid: str, *, at: str, now: datetime, command: str = "") -> Put:
    """The write that keeps `decision` for the start that follows; a command (its id) puts it into its own unit."""
    expires = timestamp(now + REMEMBERED)
    kept = {"decision": encode(_as_tree(decision)).decode(), "expires": expires, "command": command}
    body = msgspec.json.encode(kept)
    return Put(AUTHORIZATIONS, _key(uid, at), body, last_updated=expires)


async def recall(hub: Hub, uid: str, *, at: str) -> Decision | None:
    """What was decided for this card at this station in the last 15 minutes."""
    document = await hub.store.get(AUTHORIZATIONS, _key(uid, at))
    if document is None or document.last_updated < timestamp(hub.clock.now()):
        return None
    tree = parse(msgspec.json.decode(document.body)["decision"].encode(), limit=_LIMIT)
    return Decision(**{**tree, "by": By(tree["by"])})


async def used_up(hub: Hub, uids: Iterable[str], *, at: str) -> Unit:
    """The unit in which a transaction starts takes this along: what was decided at this station is for one charge."""
    keys = list(dict.fromkeys(_key(uid, at) for uid in uids))
    kept = await hub.store.get_many(AUTHORIZATIONS, keys)
    return Unit([Delete(AUTHORIZATIONS, key) for key in keys if key in kept])


def is_valid(document: Document) -> bool:
    """Does its owner say that the card is valid?"""
    return bool(parse(document.body, limit=_LIMIT)["valid"])


def rank(document: Document) -> tuple[bool, bool, int]:
    """RFID before others, as it was a card that was shown; valid before not, as cards change hands; then the oldest."""
    return (not document.key.endswith("/RFID"), not is_valid(document), document.seq)


def ranked(documents: Iterable[Document]) -> list[Document]:
    """Of each owner the token that is meant, in the order in which their owners are to be asked."""
    found = each_once(documents)
    if len(found) < 2:
        return found
    best: dict[str, Document] = {}
    for document in sorted(found, key=rank):
        best.setdefault(document.owner, document)
    return list(best.values())


def _as_tree(decision: Decision) -> Tree:
    return {
        "allowed": decision.allowed,
        "by": decision.by.value,
        "token": decision.token,
        "owner": decision.owner,
        "reference": decision.reference,
        "info": decision.info,
        "seen": decision.seen,
    }


def _key(uid: str, at: str) -> str:
    return f"{at}/{folded(uid)}"
