"""Client infos as they are kept: those that we tell. What other hubs tell us is in `hub/core/behind.py`."""

from __future__ import annotations

from typing import Final, NamedTuple

from hub.core.behind import Status
from hub.core.inbound import encode
from hub.core.parties import Party, PartyRole
from hub.core.store import Store
from hub.core.units import ABSENT, Change, Document, Kind, Put

MODULE: Final = "hubclientinfo"
CLIENTS: Final = Kind("client_infos", columns=("role", "status", "partner", "why", "since"))
"""`since`: when the state began; `last_updated` may be later (`sight.py`)."""
SIGHTS: Final = Kind("client_sights")
"""By name of a partner: whom it sees."""
_ALL: Final = 1_000_000
_UNSAID: Final = frozenset({PartyRole.HUB, PartyRole.PTP})
"""Told as OTHER: our form has no HUB, and PTP is a role of the payments edition alone, where the enum is closed."""


class Standing(NamedTuple):
    """How a party stands in one of its roles: by which partner we know it, and why it stands so, in words."""

    party: str
    role: PartyRole
    status: Status
    partner: str
    why: str

    @property
    def key(self) -> str:
        return f"{self.party}/{self.role}"


def put_of(standing: Standing, since: str, *, updated: str = "", expect: int = ABSENT) -> Put:
    """The write of one, which stands so `since` then; `updated` is its last_updated where that is later."""
    updated = updated or since
    return Put(
        CLIENTS,
        standing.key,
        body_of(Party.parse(standing.party), standing.role, standing.status, updated),
        owner=standing.party,
        last_updated=updated,
        columns=(standing.role.value, standing.status.value, standing.partner, standing.why, since),
        expect=expect,
    )


def body_of(party: Party, role: PartyRole, status: Status, updated: str) -> bytes:
    """ClientInfo in our form; see `_UNSAID`."""
    tree = {
        "party_id": party.party_id,
        "country_code": party.country_code,
        "role": PartyRole.OTHER.value if role in _UNSAID else role.value,
        "status": status.value,
        "last_updated": updated,
    }
    return encode(tree)


def standing_in(document: Document) -> Standing:
    columns = document.columns
    status, role = Status(columns["status"]), PartyRole(columns["role"])
    return Standing(document.owner, role, status, columns["partner"], columns["why"])


def change_of(standing: Standing) -> Change:
    """Partners are to hear of it."""
    return Change(MODULE, standing.key, standing.party)


def role_in(key: str) -> PartyRole:
    """The role of which a key speaks."""
    return PartyRole(key.partition("/")[2])


async def find(store: Store, key: str) -> Document | None:
    return await store.get(CLIENTS, key)


async def everybody(store: Store) -> list[Document]:
    """All client infos, in the order in which the parties came."""
    return await store.select(CLIENTS, limit=_ALL)
