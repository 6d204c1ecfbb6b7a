"""What may happen to client infos: worked out anew, and told by other hubs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from hub.core.behind import Status, Told
from hub.core.clock import timestamp
from hub.core.errors import NotFound
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Document, Unit
from modules.hubclientinfo import sight
from modules.hubclientinfo.model import ClientInfoTold
from modules.hubclientinfo.roster import GONE, SILENT
from modules.hubclientinfo.store import Standing, body_of, change_of, everybody, put_of, standing_in

_AT_ONCE: Final = 500
"""Objects in one unit."""


async def keep(hub: Hub, found: Mapping[str, Standing]) -> int:
    """Write down how every party stands (`roster.standings`), and let partners know of what is other than before.

    That another reason holds is not told. Who sees other parties than before hears of these (`sight.py`).
    Returns: how many have changed.
    Raises: Conflict.
    """
    known = {document.key: document for document in await everybody(hub.store)}
    wanted = _with_those_gone(found, known)
    changed = [key for key, standing in wanted.items() if _differs(known.get(key), standing)]
    now = timestamp(hub.clock.now())
    for first in range(0, len(changed), _AT_ONCE):
        unit = Unit()
        for key in changed[first : first + _AT_ONCE]:
            _write(unit, known.get(key), wanted[key], now)
        await hub.store.commit(unit)
    await sight.keep(hub, [key for key in changed if _is_news(known.get(key), wanted[key])])
    return len(changed)


def _with_those_gone(found: Mapping[str, Standing], known: Mapping[str, Document]) -> dict[str, Standing]:
    """Objects never vanish: who is in no partner's care any more is SUSPENDED (Push model)."""
    gone = {
        key: standing_in(document)._replace(status=Status.SUSPENDED, why=GONE)
        for key, document in known.items()
        if key not in found
    }
    return {**found, **gone}


def _differs(document: Document | None, standing: Standing) -> bool:
    return document is None or standing_in(document) != standing


def _is_news(document: Document | None, standing: Standing) -> bool:
    return document is None or standing_in(document).status is not standing.status


def _write(unit: Unit, document: Document | None, standing: Standing, now: str) -> None:
    expect = ABSENT if document is None else document.version
    if document is None or _is_news(document, standing):
        unit.put(put_of(standing, now, expect=expect)).tells(change_of(standing))
    else:
        since = document.columns["since"]
        unit.put(put_of(standing, since, updated=document.last_updated, expect=expect))


async def recall(hub: Hub) -> None:
    """After a start: who did not answer before does not yet, and what is not known of the others is no news."""
    for document in await everybody(hub.store):
        standing = standing_in(document)
        partner = hub.registry.find(standing.partner)
        is_silent = standing.status is Status.OFFLINE and standing.why.startswith(SILENT)
        if is_silent and partner is not None and partner.state is State.CONNECTED:
            hub.pulses.recall([(partner.name, standing.why.removeprefix(SILENT))])


async def take(hub: Hub, partner: Partner, info: ClientInfoTold, spelled: str) -> bool:
    """Keep what a hub says of a party; `spelled` is the role as it wrote it. Returns: True if it is new."""
    return await hub.behind.put([_told(hub, partner, info, spelled)], now=hub.clock.now()) > 0


async def take_list(hub: Hub, partner: Partner, infos: Iterable[ClientInfoTold]) -> int:
    """Keep a hub's whole list: what is not on it any more is no longer valid. Returns: how many are new."""
    told = {each.key: each for each in (_told(hub, partner, info, info.role) for info in infos)}
    now = timestamp(hub.clock.now())
    missing = [
        known._replace(status=Status.SUSPENDED, at=at, body=_body(known, Status.SUSPENDED, at))
        for known in hub.behind.all()
        if known.partner == partner.name and known.key not in told and known.status is not Status.SUSPENDED
        for at in (max(now, known.at),)
    ]
    return await hub.behind.put([*told.values(), *missing], now=hub.clock.now())


def _told(hub: Hub, partner: Partner, info: ClientInfoTold, spelled: str) -> Told:
    party, role, status = str(Party.of(info.country_code, info.party_id)), PartyRole(info.role), Status(info.status)
    if info.last_updated is None:
        known = hub.behind.find(partner.name, party, role)
        info = info.model_copy(update={"last_updated": _arrived(known, status, hub.clock.now())})
    at = timestamp(info.last_updated or hub.clock.now())
    return Told(partner.name, party, role, status, at, info.json_bytes(), spelled)


def _arrived(known: Told | None, status: Status, now: datetime) -> datetime:
    """Of when is a word without a time? Of now, if it is another than before; it is never older than that one."""
    if known is None:
        return now
    said = parse_datetime(known.at)
    return said if known.status is status else max(now, said)


def _body(told: Told, status: Status, at: str) -> bytes:
    return body_of(Party.parse(told.party), told.role, status, at)


def told_by(hub: Hub, partner: Partner, party: Party) -> Told:
    """The last word of that hub on a party. Raises: NotFound."""
    said = hub.behind.of_party(partner.name, str(party))
    if not said:
        raise NotFound
    return said[0]
