"""Cards that were shown lately and need nobody's word: answered from memory, as long as nothing was written.

What `authorize` decides by whitelist rests on three kinds of documents (the tokens, the aliases that stand for them,
what a command brought) and on the partner that speaks for the token's owner. An answer is kept with the revisions of
the kinds as they were before it was worked out, so that a change in whatever process makes it unknown again; the
partner is looked up each time. An answer is a few words, not the token: a start decides anew.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Kind
from modules.tokens.aliases import TAG_ALIASES
from modules.tokens.authorize import By, Decision
from modules.tokens.store import AUTHORIZATIONS, TOKENS

MOST_CARDS: Final = 50_000
"""Cards at stations that are remembered; about 400 bytes each."""

_KINDS: Final[tuple[Kind, ...]] = (TOKENS, TAG_ALIASES, AUTHORIZATIONS)

Revisions = tuple[int, ...]


class Answer(NamedTuple):
    """AllowedType, and the group of the token."""

    allowed: str
    group_id: str | None
    owner: Party | None
    """Whose partner must be there; None for a token of our own."""


class KnownCards:
    """By uid as it was shown, and by where (`at`)."""

    def __init__(self, hub: Hub, most: int = MOST_CARDS) -> None:
        self._hub, self._most = hub, most
        self._revisions: Revisions = ()
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def revisions(self) -> Revisions:
        """To be taken before a decision is asked for, and given to `learn` with it."""
        return tuple(map(self._hub.store.revision, _KINDS))

    def learn(self, uid: str, at: str, decision: Decision, revisions: Revisions) -> None:
        """Remember `decision`, if it rests on nothing but what we have on record."""
        if decision.by is not By.WHITELIST or decision.token is None or revisions != self.revisions():
            return
        if revisions != self._revisions:
            self._answers.clear()
            self._revisions = revisions
        owner = None if decision.owner == self._hub.settings.party else Party.parse(decision.owner)
        self._answers[uid, at] = Answer(decision.allowed, decision.token.get("group_id"), owner)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def answer(self, uid: str, at: str) -> Answer | None:
        """What `authorize` would say now; None when that must be asked."""
        answer = self._answers.get((uid, at))
        if answer is None or self._revisions != self.revisions():
            return None
        if (
            answer.owner is not None
            and self._hub.registry.holder_of(answer.owner, EMSP_LIKE, behind=self._hub.settings.party) is None
        ):
            return None
        self._answers.move_to_end((uid, at))
        return answer
