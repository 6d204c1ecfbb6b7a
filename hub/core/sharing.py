"""What a caller may have of objects that are shared: lists over all owners, and single objects by their id.

An id is unique with its owner only. A request that names no owner (OCPI-to left out, and always in 2.1.1) means our own
object of that id, else the only one of all that the caller may have. Where several parties have one of that id, 2.2 and
later are asked to say whose it is; 2.1.1, which cannot, gets the one that came here first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from hub.core.addressed import each_once, key_of
from hub.core.answers import Answer, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest, NotFound
from hub.core.parties import PartyRole
from hub.core.renditions import Rendition, up_to
from hub.core.routing import EVERYBODY, Receiver, destination
from hub.core.store import Store
from hub.core.units import Document, Kind

_LOWEST: Final = "lowest"


def owners_asked(call: Call, roles: frozenset[PartyRole]) -> tuple[str, ...]:
    """The parties, in one of `roles`, whose objects are asked for and may be had.

    Raises: UnknownReceiver, PeerUnreachable, InvalidRequest (`routing.destination`).
    """
    goes = destination(call, shared=True, roles=roles)
    owners = call.hub.agreements.owners(call.partner, call.operation.module)
    if goes is EVERYBODY:
        return owners
    party = goes.party if isinstance(goes, Receiver) else call.hub.settings.party
    return (party,) if party in owners else ()


async def visible(call: Call, roles: frozenset[PartyRole]) -> Mapping[str, Sequence[str]]:
    """For `Listing.page`, by column: whose objects, for whom, and which of them the caller's version can say."""
    return {
        "owner": owners_asked(call, roles),
        "audience": await call.hub.addressed.audiences(call.partner, call.operation.module),
        _LOWEST: up_to(call.version),
    }


class _Shown(NamedTuple):
    """An object as it is answered: whose it is, and which fields are not in it."""

    owner: str
    body: bytes
    lost: tuple[str, ...]


class SharedObjects:
    """Single objects as partners get them: from memory, for as long as nothing of their kind changes.

    At most `capacity` are kept, each once for all callers that may have the same owners' objects.
    """

    def __init__(
        self,
        kind: Kind,
        rendition: Rendition,
        *,
        owners: frozenset[PartyRole],
        missing: type[NotFound],
        capacity: int = 20_000,
    ) -> None:
        self._kind = kind
        self._rendition = rendition
        self._roles = owners
        self._missing = missing
        self._capacity = capacity
        self._kept: dict[tuple[object, ...], _Shown] = {}
        self._store: Store | None = None
        self._revision = -1

    async def answer(self, call: Call, object_id: str) -> Answer:
        """The object in the caller's version, in the name of its owner. Raises: what is `missing`; as `find`."""
        owners, audiences = await self._scope(call)
        self._stay_current(call)
        kept = self._kept
        at = (call.version, object_id.upper(), owners, audiences)
        if at not in kept:
            document = await self._find(call, object_id, owners, audiences)
            body = await self._rendition.of(call.hub.store, document, call.version)
            if body is None:
                raise self._missing
            kept[at] = _Shown(document.owner, body, self._rendition.lost(document, call.version))
        shown = kept[at]
        call.answered_by(shown.owner)
        call.lose(shown.lost)
        call.reading.ready = partial(self._ready, at)
        return ok_bytes(shown.body)

    async def find(self, call: Call, object_id: str) -> Document:
        """The object that the caller means, and may have.

        Raises: what is `missing`; InvalidRequest, when several owners have one of that id; as `owners_asked`.
        """
        document = await self._find(call, object_id, *await self._scope(call))
        call.answered_by(document.owner)
        return document

    async def _scope(self, call: Call) -> tuple[tuple[str, ...], tuple[str, ...]]:
        owners = owners_asked(call, self._roles)
        return owners, await call.hub.addressed.audiences(call.partner, call.operation.module)

    def _stay_current(self, call: Call) -> None:
        store, revision = call.hub.store, call.hub.store.revision(self._kind)
        if revision != self._revision or store is not self._store or len(self._kept) >= self._capacity:
            self._store, self._revision = store, revision
            self._kept = {}

    def _ready(self, at: tuple[object, ...], call: Call) -> Answer | None:
        """The same again, if nothing has changed since."""
        if self._revision != call.hub.store.revision(self._kind) or call.hub.store is not self._store:
            return None
        kept = self._kept.get(at)
        if kept is None:
            return None
        call.lose(kept.lost)
        return ok_bytes(kept.body)

    async def _find(self, call: Call, object_id: str, owners: tuple[str, ...], audiences: tuple[str, ...]) -> Document:
        store, sayable, own = call.hub.store, up_to(call.version), call.hub.settings.party
        if own in owners:
            document = await store.get(self._kind, key_of(own, object_id))
            if document is not None and document.columns[_LOWEST] in sayable:
                return document
        keys = [key_of(owner, object_id, audience) for owner in owners if owner != own for audience in audiences]
        copies = sorted((await store.get_many(self._kind, keys)).values(), key=lambda document: document.seq)
        found = [document for document in each_once(copies) if document.columns[_LOWEST] in sayable]
        if len({document.owner for document in found}) > 1 and call.version != VERSIONS[0]:
            raise InvalidRequest("several parties have one of this id: name its owner by the OCPI-to headers")
        if not found:
            raise self._missing
        return found[0]
