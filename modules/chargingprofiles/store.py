"""What partners asked of the charging profiles of our sessions, and what they were shown last.

One document a session. Its `seq` is the number by which the charger knows the partner's profile. For a session of
another CPO (`key_of`) there is one once a profile was set.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import ABSENT, Change, Document, Kind, Put

PROFILES: Final = Kind("charging_profiles")


class Profile(msgspec.Struct, frozen=True):
    """`asked`: when what was last asked. `is_followed`: its party has set a profile, and hears of changes."""

    party: str
    asked: dict[str, datetime] = {}
    is_followed: bool = False
    active: msgspec.Raw = msgspec.Raw(b"null")
    """ActiveChargingProfile in our form, as the charger last told it."""
    limits: msgspec.Raw = msgspec.Raw(b"null")
    """What the charger was told with the profile that is in force: `hub.core.ports.Limits`, where one is."""
    owed: datetime | None = None
    """The charger may go by other limits than `limits`: from then on it is owed to be told these again (`owed.py`)."""
    in_doubt: bool = False
    """It may take a profile still, or have taken one, whose sender was told REJECTED."""


def key_of(owner: str, session_id: str) -> str:
    """Where what is known of another CPO's session is kept."""
    return f"{owner}/{session_id.upper()}"


def put_of(session_id: str, profile: Profile, *, now: datetime, expect: int = ABSENT) -> Put:
    """The write of one."""
    body = msgspec.json.encode(profile)
    return Put(PROFILES, session_id, body, audience=profile.party, last_updated=timestamp(now), expect=expect)


def change_of(session_id: str, owner: str, party: str, correlation_id: str) -> Change:
    """The charge goes by other limits than before."""
    return Change("chargingprofiles", session_id, owner, party, correlation_id=correlation_id)


async def find(store: Store, session_id: str) -> Document | None:
    return await store.get(PROFILES, session_id)


def profile_in(document: Document) -> Profile:
    return msgspec.json.decode(document.body, type=Profile)


def active_in(document: Document) -> Tree | None:
    """What the charger last told."""
    tree: Tree | None = msgspec.json.decode(profile_in(document).active)
    return tree


async def set_by(store: Store, keys: Sequence[str]) -> str:
    """The party that has set a profile for another CPO's session, which has one of these keys; "": nobody."""
    found = (profile_in(document) for document in (await store.get_many(PROFILES, keys)).values())
    return next((profile.party for profile in found if profile.is_followed), "")
