"""The authorization_reference of a charge at a CPO whose version has no field for it (2.1.1).

The eMSP gave it with a command that went there, or when the CPO asked whether the driver may charge, and finds it again
in the Session and the CDR (mod_sessions_session_object): where the CPO cannot say it, we do.

    given: by the eMSP of a driver, for a CPO, and for EVSEs where they were named
    taken: by the first charge of that driver there that begins about then; the last one given counts, and all that were
           given before it are spent with it
    kept:  the charge has it in all that is told of it: its Session by the id, its CDR, which names no session, by the
           EVSE and the moment at which it began
"""

from __future__ import annotations

from collections.abc import Iterable
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
from hub.core.units import Delete, Document, Kind, Put, Unit
from modules.locations.wire import NOT_AVAILABLE

REFERENCES: Final = Kind("command_references", columns=("driver",), indexed=("driver",))

_BEFORE: Final = timedelta(minutes=5)
"""The CPO's clock may be behind ours."""
_AFTER: Final = timedelta(minutes=15)
_KEPT: Final = timedelta(days=7)
"""A session may be told long after it began."""
_SAME_MOMENT: Final = timedelta(minutes=1)
"""A Session and its CDR say of one charge that it began within this."""


class Charge(msgspec.Struct, frozen=True):
    """A charge as a Session or a CDR tells of it. `session_id` and `evse_uid` are "" where it names none."""

    session_id: str
    evse_uid: str
    began: datetime

    def is_same(self, other: Charge) -> bool:
        if self.session_id and other.session_id:
            return self.session_id == other.session_id
        is_there = self.evse_uid == other.evse_uid or "" in (self.evse_uid, other.evse_uid)
        return is_there and abs(self.began - other.began) <= _SAME_MOMENT


class Remembered(msgspec.Struct, frozen=True):
    """What the eMSP said; until `until` a charge of its driver may begin by it. Without `evse_uids`: anywhere there."""

    reference: str
    since: datetime
    until: datetime
    evse_uids: tuple[str, ...]
    taken_by: Charge | None = None

    def may_be_of(self, charge: Charge) -> bool:
        is_there = not self.evse_uids or charge.evse_uid in self.evse_uids
        return self.taken_by is None and is_there and self.since <= charge.began <= self.until


def remember(
    hub: Hub,
    cpo: str,
    contract_id: str,
    reference: str,
    *,
    evse_uids: Iterable[str] = (),
    until: datetime | None = None,
) -> Put:
    """The eMSP gave a reference for a charge of this driver at `cpo`. `until`: when a reservation ends."""
    now, at = hub.clock.now(), tuple(sorted(uid.upper() for uid in evse_uids))
    remembered = Remembered(reference, now - _BEFORE, max(until or now, now) + _AFTER, at)
    kept_until = timestamp(remembered.until + _KEPT)
    driver = _driver(cpo, contract_id)
    key = "/".join((driver, timestamp(now), *at))
    return Put(REFERENCES, key, msgspec.json.encode(remembered), last_updated=kept_until, columns=(driver,))


async def with_reference(hub: Hub, cpo: str, record: Tree, *, may_take: bool = True) -> tuple[Tree, Unit]:
    """A Session or CDR of `cpo` with the reference that its version could not say, if there is one.

    Without `may_take` only one that it has taken before: it is of a charge that is known, and began without.
    Returns: the record, and what is to be written with it.
    """
    if record.get("authorization_reference") is not None or not may_have_lost_it(hub, cpo):
        return record, Unit()
    found = await hub.store.select(REFERENCES, equal={"driver": _driver(cpo, record["cdr_token"]["contract_id"])})
    if not found:
        return record, Unit()
    charge, given = _charge(record), [(each, msgspec.json.decode(each.body, type=Remembered)) for each in found]
    own = [each for _, each in given if each.taken_by is not None and each.taken_by.is_same(charge)]
    if own:
        return _with(record, own[-1]), Unit()
    free = [(document, each) for document, each in given if each.may_be_of(charge)] if may_take else []
    if not free:
        return record, Unit()
    return _with(record, free[-1][1]), _taken(free, charge)


def _taken(free: list[tuple[Document, Remembered]], charge: Charge) -> Unit:
    """The last one given becomes the charge's, and those before it nobody's."""
    *spent, (document, last) = free
    unit = Unit([Delete(REFERENCES, each.key, each.version) for each, _ in spent])
    body = msgspec.json.encode(msgspec.structs.replace(last, taken_by=charge))
    columns = (document.columns["driver"],)
    return unit.put(
        Put(
            REFERENCES,
            document.key,
            body,
            last_updated=document.last_updated,
            columns=columns,
            expect=document.version,
        )
    )


def _with(record: Tree, remembered: Remembered) -> Tree:
    return {**record, "authorization_reference": remembered.reference}


def _charge(record: Tree) -> Charge:
    """A CDR has its place in `cdr_location`, a Session at its top."""
    place = record.get("cdr_location")
    session_id = record["id"] if place is None else record.get("session_id") or ""
    evse_uid = (record if place is None else place).get("evse_uid") or NOT_AVAILABLE
    named = "" if evse_uid == NOT_AVAILABLE else evse_uid.upper()
    return Charge(session_id.upper(), named, parse_datetime(record["start_date_time"]))


def may_have_lost_it(hub: Hub, cpo: str) -> bool:
    """Does the CPO speak a version without such fields? Nobody else needs a look into the store, at each session."""
    partner = hub.registry.holder_of(Party.parse(cpo), CPO_LIKE)
    return partner is None or partner.version == VERSIONS[0]


async def forget(hub: Hub) -> None:
    """What no session will ask for any more goes."""
    await forget_some(hub.store, REFERENCES, timestamp(hub.clock.now()))


def _driver(cpo: str, contract_id: str) -> str:
    return f"{cpo}/{contract_id.upper()}"
