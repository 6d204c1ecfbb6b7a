"""Data and statuses that CPOs push to us, as the hub: all of a message, or nothing (StatusCode 009).

fullLoad  is the whole set of that operator from now on; an empty one clears it
insert    fails if any is there; update if any is not; delete removes the listed ones, and fails if any is not there;
          of a status: whether the EVSE has one
009       the same EVSE twice, a second push of a partner while one runs, a status of an EVSE without data
018       an EvseID that is not the sender's
022       what OICP makes mandatory is missing or is none of OICP's; the fields at fault are named (`whole_pushes`)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from hub.core.ports import Hub
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.connections import Connection
from partners.oicp.evse_amends import Amends
from partners.oicp.evse_intake import EvseIntake, Known, Record, Source, by_key
from partners.oicp.evse_table import HERE, OICP_EVSES, OICP_STATES, key_of
from partners.oicp.face import Call
from partners.oicp.mapping.evse_status import NOT_FOUND
from partners.oicp.moved_evses import MovedEvses
from partners.oicp.whole_pushes import understood

Message = Mapping[str, Any]

_READ: Final = 2000


class EvsePushes:
    """PushEvseData and PushEvseStatus."""

    def __init__(self, hub: Hub, intake: EvseIntake) -> None:
        self._hub = hub
        self._intake = intake
        self._moved = MovedEvses(hub)
        self._busy: set[tuple[str, str]] = set()

    async def data(self, call: Call) -> Message:
        """Raises: Refused, Unfit, Conflict."""
        with self._turn(call):
            message, amends = await understood(call, ("OperatorEvseData", "EvseDataRecord"))
            set_ = message["OperatorEvseData"]
            records = set_["EvseDataRecord"]
            told = _each_once(call.connection, records)
            source = Source(
                call.partner.name,
                set_["OperatorID"],
                set_.get("OperatorName") or set_["OperatorID"],
                terms_with(call.connection),
            )
            amended = {key_of(records[at]["EvseID"]): each for at, each in amends.items()}
            await self._write(source, message["ActionType"], told, amended)
            return acknowledged()

    async def _write(self, source: Source, action: str, told: dict[str, Record], amends: Mapping[str, Amends]) -> None:
        known = await self._intake.known(told)
        here = {key for key, (_, row) in known.items() if not row.gone and row.source == source.name}
        gone: Known = {}
        if action == "insert" and here:
            raise Refused(Code.DATA_TRANSACTION, info=f"{_example(known, here)} is there already")
        if action in ("update", "delete") and len(here) < len(told):
            missing = next(record["EvseID"] for key, record in told.items() if key not in here)
            raise Refused(Code.DATA_TRANSACTION, info=f"{missing} is not there")
        if action == "delete":
            told, gone = {}, {key: known[key] for key in here}
        elif action == "fullLoad":
            gone = await self._intake.known(key for key in await self._keys(source) if key not in told)
        moved = await self._moved.released(_owners(told, source))
        for owner in moved:
            left = await self._moved.left(owner, to=source.partner)
            gone = {**gone, **{key: each for key, each in left.items() if key not in told}}
        try:
            await self._intake.write(source, told, gone, known, amends)
        except ids.InvalidId as fault:
            raise Refused(Code.DATA_ERROR, info=fault.message) from None
        for owner in moved:
            await self._moved.settled(owner)

    async def _keys(self, source: Source) -> list[str]:
        """Of all that is there of a source."""
        keys: list[str] = []
        after = 0
        among = {"source": [source.name], "gone": [HERE]}
        while found := await self._hub.store.leaves(
            OICP_EVSES, among=among, after_seq=after, limit=_READ, bodies=False
        ):
            keys += [leaf.key for leaf in found]
            after = found[-1].seq
        return keys

    async def status(self, call: Call) -> Message:
        """Raises: Refused, Unfit."""
        with self._turn(call):
            message, _ = await understood(call, ("OperatorEvseStatus", "EvseStatusRecord"))
            set_ = message["OperatorEvseStatus"]
            told = _each_once(call.connection, set_["EvseStatusRecord"])
            statuses = {key: str(record["EvseStatus"]) for key, record in told.items()}
            if NOT_FOUND in statuses.values():
                raise Refused(Code.DATA_ERROR, info="EvseNotFound is the hub's to say")
            await self._write_states(call, set_["OperatorID"], message["ActionType"], statuses)
            return acknowledged()

    async def _write_states(self, call: Call, operator_id: str, action: str, statuses: Mapping[str, str]) -> None:
        known = await self._intake.known(statuses)
        for key in statuses:
            if key not in known or known[key][1].gone or not known[key][1].source.startswith(f"{call.partner.name}/"):
                raise Refused(Code.DATA_TRANSACTION, info="a status of an EVSE without data")
        there = await self._hub.store.get_many(OICP_STATES, list(statuses))
        if action == "insert" and there:
            raise Refused(Code.DATA_TRANSACTION, info=f"{_example(known, set(there))} has a status already")
        if action in ("update", "delete") and len(there) < len(statuses):
            raise Refused(
                Code.DATA_TRANSACTION, info=f"{_example(known, statuses.keys() - there.keys())} has no status"
            )
        if action == "delete":
            await self._intake.forget_states(statuses, known)
            return
        await self._intake.write_states(statuses, known)
        if action == "fullLoad":
            source = Source(call.partner.name, operator_id, "", terms_with(call.connection))
            others = [key for key in await self._keys(source) if key not in statuses]
            await self._intake.forget_states(others, await self._intake.known(others))

    @contextmanager
    def _turn(self, call: Call) -> Iterator[None]:
        """One push of a partner to a service at a time. Raises: Refused."""
        at = (call.partner.name, call.operation.name)
        if at in self._busy:
            raise Refused(Code.DATA_TRANSACTION, "another push is under way")
        self._busy.add(at)
        try:
            yield
        finally:
            self._busy.discard(at)


def _each_once(connection: Connection, records: list[Record]) -> dict[str, Record]:
    """By canonical EvseID. Raises: Refused."""
    own = {ids.OperatorID.parse(each).canonical for each in connection.operator_ids}
    for record in records:
        if ids.EvseID.parse(record["EvseID"]).operator.canonical not in own:
            raise Refused(Code.FOREIGN_EVSE, info=record["EvseID"])
    found = by_key(records)
    if len(found) < len(records):
        twice = next(key for key, times in Counter(key_of(each["EvseID"]) for each in records).items() if times > 1)
        raise Refused(Code.DATA_TRANSACTION, info=f"{found[twice]['EvseID']} is in it twice")
    return found


def _owners(told: Mapping[str, Record], source: Source) -> list[str]:
    """Whose EVSEs these are; those of a country that nobody can tell are nobody's."""
    operators = {ids.EvseID.parse(record["EvseID"]).operator for record in told.values()}
    found: list[str] = []
    for operator in (*operators, ids.OperatorID.parse(source.operator_id)):
        with suppress(ids.InvalidId):
            found.append(str(operator.party(source.terms.countries)))
    return found


def _example(known: Known, keys: set[str]) -> str:
    return known[min(keys)][1].place.evse_id
