"""The list of tokens that CPO platforms pull: it has what they are pushed, and nothing beside it. OCPI mod_tokens.

What a version would take for another token is left out (`service.told_among`). Whether it is may depend on a token
that comes later, so that is looked at whenever a page is made; each token's words are kept as those of other lists are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.renditions import AtHand, Rendition
from hub.core.store import Leaf, Store
from hub.core.units import Document, Kind
from modules.tokens.service import told_among


class ToldTokens(Rendition):
    """Tokens in the words of a version, as far as it may be told of them."""

    async def of_all(
        self, store: Store, kind: Kind, leaves: Sequence[Leaf | Document], version: str
    ) -> tuple[list[bytes], Mapping[str, int]]:
        """As `Rendition.of_all`, without those that `version` is not told of."""
        told = await told_among(store, [leaf.key for leaf in leaves], version=version)
        return await super().of_all(store, kind, [leaf for leaf in leaves if leaf.key in told], version)

    def at_hand(self, store: Store, seqs: Sequence[int], version: str) -> AtHand | None:
        """None: without its key nobody knows whether a token may be told."""
        return None
