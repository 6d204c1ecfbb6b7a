"""What a hub has acknowledged of our EVSEs: against this the next push is measured, also after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from hub.core.inbound import encode
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Kind, Put

OICP_ACKNOWLEDGED: Final = Kind(
    "oicp_acknowledged", columns=("partner", "operator", "digest", "status"), indexed=("partner",)
)
OICP_PUSHES: Final = Kind("oicp_pushes")
REFUSED: Final = "!"
"""Before the digest of a record that the hub does not take: it is sent again when it is another one."""
DOUBTED: Final = "?"
"""In place of a digest: the hub does not seem to have it, whatever it said."""
UNTOLD: Final = ""
"""In place of a status: none was sent yet."""
NO_STATUS: Final = "-"
"""In place of a status: nobody tells one."""
_READ: Final = 500
_HUBS_OWN: Final = frozenset({"deltaType", "lastUpdate", "OperatorID", "OperatorName"})


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One EVSE at one hub."""

    partner: str
    key: str
    evse_id: str
    operator: str
    """The OperatorID under which it was pushed."""
    digest: str
    status: str = UNTOLD

    @property
    def is_there(self) -> bool:
        """Does the hub have it, as far as we know?"""
        return not self.digest.startswith(REFUSED)

    def put(self) -> Put:
        """The write of it."""
        columns = (self.partner, self.operator, self.digest, self.status)
        return Put(OICP_ACKNOWLEDGED, f"{self.partner}/{self.key}", self.evse_id.encode(), columns=columns)

    def delete(self) -> Delete:
        """It is there no more."""
        return Delete(OICP_ACKNOWLEDGED, f"{self.partner}/{self.key}")


class PushState(msgspec.Struct, kw_only=True):
    """How far pushes to a hub are, kept over restarts."""

    data_to: str = ""
    """Rows that changed before this have been looked at."""
    states_to: str = ""
    scope: str = ""
    """Whose EVSEs go there, and in which words: where that is another one, all are looked at."""
    whole_at: str = ""
    """When all were looked at last."""
    loaded_at: str = ""
    """The last fullLoad of data."""
    statuses_loaded_at: str = ""
    held: int = 0
    """So many EVSEs are to be taken back, which is more than may go without a word of an operator."""
    held_of: int = 0
    confirmed: bool = False
    day: str = ""
    day_removed: int = 0
    failures: int = 0
    last_error: str = ""

    def put(self, partner: str) -> Put:
        """The write of it."""
        return Put(OICP_PUSHES, partner, msgspec.json.encode(self))


class AcknowledgedStore:
    """Reading them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def state(self, partner: str) -> PushState:
        document = await self._hub.store.get(OICP_PUSHES, partner)
        return PushState() if document is None else msgspec.json.decode(document.body, type=PushState)

    async def get_many(self, partner: str, keys: Iterable[str]) -> dict[str, Acknowledged]:
        """By canonical EvseID."""
        found = await self._hub.store.get_many(OICP_ACKNOWLEDGED, [f"{partner}/{key}" for key in keys])
        return {each.key: each for each in map(_read, found.values())}

    async def of(self, partner: str, **equal: str) -> AsyncIterator[Acknowledged]:
        """All of a hub, or those with these columns."""
        after = 0
        while found := await self._hub.store.select(
            OICP_ACKNOWLEDGED, equal={"partner": partner, **equal}, limit=_READ, after_seq=after
        ):
            for document in found:
                yield _read(document)
            after = found[-1].seq


def _read(document: Document) -> Acknowledged:
    partner, _, key = document.key.partition("/")
    columns = document.columns
    return Acknowledged(partner, key, document.body.decode(), columns["operator"], columns["digest"], columns["status"])


def as_pushed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the table as an operator pushes it."""
    return {name: value for name, value in record.items() if name not in _HUBS_OWN}


def digest_of(record: Mapping[str, Any], *, salt: str) -> str:
    """What tells a record from another one; `salt`: in which words it is told."""
    return blake2b(encode(as_pushed(record)), digest_size=16, key=salt.encode()[:64]).hexdigest()
