"""Changes of status alone, the most frequent of all: the EVSE's state is written, and nothing else looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub.core.addressed import audience_in
from hub.core.inbound import parse
from hub.core.ports import Hub
from hub.core.units import Document, Put
from modules.locations.service import LIMIT, STATUS
from modules.locations.store import LOCATIONS
from partners.oicp import ids
from partners.oicp.evse_table import HERE, OICP_EVSES, OICP_STATES, key_of, now_of, spot_of, state_put
from partners.oicp.made_ids import made_id
from partners.oicp.mapping.enums import STATUS_TO_OICP

Words = Mapping[str, frozenset[str]]
"""By location, what its changes were called."""


def is_of_status(words: frozenset[str]) -> bool:
    """Do they tell of nothing but what EVSEs do?"""
    return bool(words) and all(word.startswith(STATUS) for word in words)


class StatusFollower:
    """See the module."""

    def __init__(self, hub: Hub, is_connected: Callable[[str], bool]) -> None:
        self._hub = hub
        self._is_connected = is_connected

    async def differing(self, words: Words) -> tuple[list[Put], list[str]]:
        """What is to be written of these locations, and those that have to be looked at as a whole."""
        shared = [key for key in words if not audience_in(key)]
        documents = await self._hub.store.get_many(LOCATIONS, shared)
        wanted: dict[str, tuple[str, str, str, str]] = {}
        rest: dict[str, None] = {}
        for location, document in documents.items():
            uids = {word.removeprefix(STATUS).upper() for word in words[location]}
            for evse in parse(document.body, limit=LIMIT).get("evses") or ():
                status = STATUS_TO_OICP.get(evse["status"])
                key = _key(evse.get("evse_id") or made_id(document.owner, evse["uid"]))
                if evse["uid"].upper() not in uids:
                    continue
                if status is None or not key:
                    rest[location] = None
                else:
                    wanted[key] = (location, evse["uid"], status, document.owner)
        return await self._writes(wanted, rest), list(rest)

    async def _writes(self, wanted: Mapping[str, tuple[str, str, str, str]], rest: dict[str, None]) -> list[Put]:
        keys: Sequence[str] = list(wanted)
        rows = await self._hub.store.get_many(OICP_EVSES, keys)
        states = await self._hub.store.get_many(OICP_STATES, keys)
        now, puts = now_of(self._hub), []
        for key, (location, uid, status, owner) in wanted.items():
            row, state = rows.get(key), states.get(key)
            if row is not None and self._is_connected(row.columns["source"].partition("/")[0]):
                continue  # it came in OICP, and its state did too
            if row is None or state is None or not _is_it(row, location, uid):
                rest[location] = None
            elif state.columns["status"] != status:
                puts.append(state_put(state.body.decode(), owner, location, status, now))
        return puts


def _is_it(row: Document, location: str, uid: str) -> bool:
    return row.columns["place"] == spot_of(location, uid) and row.columns["gone"] == HERE


def _key(evse_id: str) -> str:
    """Canonical; "" for what OICP cannot write."""
    try:
        return key_of(evse_id)
    except ids.InvalidId:
        return ""
