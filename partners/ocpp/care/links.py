"""Links under which one charger fetches or brings one file: unguessable, for one purpose, and not for ever.

A link is what lets in whoever has it: chargers have no other way to show who they are to a file server. So it is drawn
from 256 random bits, kept as a fingerprint alone, named by no answer and in no log, and gone when its file has arrived
or its time is over.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from hub.core.clock import timestamp
from hub.core.errors import NotFound
from hub.core.forgetting import forget_all
from hub.core.ports import Hub
from hub.core.units import UNUSED, Delete, Kind, Put

CARE_LINKS: Final = Kind("care_links")
"""By fingerprint; `last_updated` is when a link expires."""

FOLDER: Final = "/files"
_LONGEST: Final = 100

Purpose = Literal["firmware", "log"]


class Link(msgspec.Struct, frozen=True):
    """What a link leads to. `subject`: the firmware's name, or the number of the request for a log."""

    purpose: Purpose
    station: str
    subject: str
    expires: datetime


class Minted(NamedTuple):
    """A link that is told to the charger, and what must be written for it to work."""

    url: str
    put: Put
    expires: datetime


def mint(hub: Hub, purpose: Purpose, station: str, subject: str, *, name: str, is_secure: bool) -> Minted:
    """A new link. `name` ends it, for chargers that look at the ending. `is_secure`: it can do TLS."""
    token = secrets.token_urlsafe(32)
    expires = hub.clock.now() + timedelta(seconds=hub.settings.files_link_s)
    link = Link(purpose, station, subject, expires)
    key = _fingerprint(hub, token)
    put = Put(CARE_LINKS, key, msgspec.json.encode(link), last_updated=timestamp(expires), expect=UNUSED)
    ending = f"/{quote(name, safe='')}" if name else ""
    return Minted(f"{hub.settings.files_base(secure=is_secure)}{FOLDER}/{token}{ending}", put, expires)


async def find(hub: Hub, token: str, purpose: Purpose) -> tuple[Link, Delete]:
    """What a link leads to, and how it ends. Raises: NotFound, the same for whatever is wrong with it."""
    document = await hub.store.get(CARE_LINKS, _fingerprint(hub, token)) if len(token) <= _LONGEST else None
    link = msgspec.json.decode(document.body, type=Link) if document is not None else None
    if document is None or link is None or link.purpose != purpose or link.expires <= hub.clock.now():
        raise NotFound("this link leads nowhere, or not any more")
    return link, Delete(CARE_LINKS, document.key, document.version)


async def forget(hub: Hub) -> None:
    """Links whose time is over go."""
    await forget_all(hub.store, CARE_LINKS, timestamp(hub.clock.now()))


def _fingerprint(hub: Hub, token: str) -> str:
    return hub.registry.fingerprint(f"care/{token}")
