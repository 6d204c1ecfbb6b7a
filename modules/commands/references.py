"""The authorization_reference of a command that went to a CPO whose version has no field for it.

The eMSP finds it again in the Session and the CDR (mod_sessions_session_object): where the CPO cannot say it, we do, as
the command and the charge that follows are about the same driver at the same CPO.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.forgetting import forget_some
from hub.core.jsontypes import Tree
from hub.core.operations import CPO_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import Kind, Put

REFERENCES: Final = Kind("command_references")

_BEFORE: Final = timedelta(minutes=5)
"""The CPO's clock may be behind ours."""
_AFTER: Final = timedelta(minutes=15)
_KEPT: Final = timedelta(days=7)
"""A session may be told long after it began."""


class Remembered(msgspec.Struct, frozen=True):
    """What the eMSP said; until `until` a charge of its driver may begin by it."""

    reference: str
    since: datetime
    until: datetime


def remember(hub: Hub, cpo: str, contract_id: str, reference: str, *, until: datetime | None = None) -> Put:
    """A command for this driver went to `cpo`. `until`: when a reservation ends."""
    now = hub.clock.now()
    remembered = Remembered(reference, now - _BEFORE, max(until or now, now) + _AFTER)
    kept_until = timestamp(remembered.until + _KEPT)
    return Put(REFERENCES, _key(cpo, contract_id), msgspec.json.encode(remembered), last_updated=kept_until)


async def reference_of(hub: Hub, cpo: str, contract_id: str, *, began: datetime) -> str | None:
    """The reference of the command that a charge of this driver at `cpo` followed, if it followed one."""
    document = await hub.store.get(REFERENCES, _key(cpo, contract_id))
    if document is None:
        return None
    remembered = msgspec.json.decode(document.body, type=Remembered)
    return remembered.reference if remembered.since <= began <= remembered.until else None


async def with_reference(hub: Hub, cpo: str, record: Tree) -> Tree:
    """A Session or CDR of `cpo` with the reference that its version could not say, if there is one."""
    if record.get("authorization_reference") is not None or not _may_have_lost_it(hub, cpo):
        return record
    began = parse_datetime(record["start_date_time"])
    reference = await reference_of(hub, cpo, record["cdr_token"]["contract_id"], began=began)
    return record if reference is None else {**record, "authorization_reference": reference}


def _may_have_lost_it(hub: Hub, cpo: str) -> bool:
    """Does the CPO speak a version without the field? Nobody else needs a look into the store, at each session."""
    partner = hub.registry.holder_of(Party.parse(cpo), CPO_LIKE)
    return partner is None or partner.version == VERSIONS[0]


async def forget(hub: Hub) -> None:
    """What no session will ask for any more goes."""
    await forget_some(hub.store, REFERENCES, timestamp(hub.clock.now()))


def _key(cpo: str, contract_id: str) -> str:
    return f"{cpo}/{contract_id.upper()}"
