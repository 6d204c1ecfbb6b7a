"""The ledger of OICP sessions: one row a SessionID, from the first question to the CDR.

OICP names a charge by the hub's SessionID from its authorization on; OCPI names it only once it runs. The row joins the
two: who owns it on either side, by which medium it was allowed, how far it is, and under which names OCPI knows it. It
decides what an order or a CDR may still do (StatusCode 400).

    pending --> active --> ended --> closed        closed: the CDR is there
       |\\-> refused             nobody may charge under it any more; what runs all the same is stopped
       \\--> unused              nothing came of it in time (`unused`): no order is taken for it; a late charge is
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec

from hub.core.clock import timestamp
from hub.core.errors import Conflict, NotFound
from hub.core.forgetting import forget_all
from hub.core.ports import Hub
from hub.core.units import ABSENT, Delete, Document, Kind, Put, Unit

OICP_SESSIONS: Final = Kind(
    "oicp_sessions",
    columns=("state", "reference", "session", "evse", "partner_session", "reservation", "open_at"),
    indexed=("state", "reference", "session", "evse", "partner_session", "reservation", "open_at"),
)
PENDING: Final = "pending"
ACTIVE: Final = "active"
ENDED: Final = "ended"
CLOSED: Final = "closed"
REFUSED: Final = "refused"
UNUSED: Final = "unused"
UNBEGUN: Final = frozenset({PENDING, UNUSED})
"""No charge is known of it yet; one may come."""
OPEN: Final = frozenset({PENDING, ACTIVE, ENDED})
_WAITING: Final = UNBEGUN | {REFUSED}
"""What an order may be whose hub has not told its SessionID."""
_ATTEMPTS: Final = 5
_MOST_AT_AN_EVSE: Final = 200
_KEPT: Final = timedelta(days=400)
_LATE: Final = timedelta(days=1)
"""So long a charge whose CPO gives it no name of ours may still be that of an unused session."""


class OicpSession(msgspec.Struct, frozen=True, kw_only=True):
    """A charge, or a reservation, as OICP knows it. Partner names are those of the registry; "" is an OCPI party."""

    id: str
    """SessionID, lower case."""
    state: str = PENDING
    origin: str = "start"
    """`start` (a card at the charger), `remote`, `reservation`, or `told` (first heard of by a notification or CDR)."""
    cpo: str = ""
    emp: str = ""
    cpo_party: str = ""
    emp_party: str = ""
    provider_id: str = ""
    evse_id: str = ""
    location: str = ""
    """Key of the OCPI location."""
    evse_uid: str = ""
    identification: dict[str, Any] = {}
    """As it came, or as it was sent."""
    token: dict[str, Any] = {}
    """The OCPI token that it was allowed for."""
    product: str = ""
    cpo_partner_session: str = ""
    emp_partner_session: str = ""
    reference: str = ""
    """OCPI authorization_reference; where a CPO has none (OCPI 2.1.1), the key of its CDR."""
    session: str = ""
    """Key of the OCPI session, once there is one (`DE*ABC/id`)."""
    reservation: str = ""
    """OCPI reservation_id, of a reservation."""
    expires: datetime | None = None
    """When a reservation of one of our own EVSEs has run out."""
    opened: datetime
    told: dict[str, str] = {}
    """What was said of it, each with the time: `start`, `progress`, `end`."""
    result: str = ""
    """What became of the last order, as OCPI's CommandResultType."""
    pin: str = ""
    """Of a QR code: the hash of the PIN that it began with, as long as it is open."""
    code: str = ""
    """The StatusCode with which it was refused: what OCPI has one word for, OICP has several for."""

    @property
    def is_decided(self) -> bool:
        """Is it known what became of the last order?"""
        return self.result != "" or (self.state == REFUSED and self.code != "")

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def charge(self) -> tuple[str, str, str, str]:
        """Who charges, and whose customer he is: what stays the same as long as it is one charge."""
        return self.origin, self.cpo_party, self.emp, str(self.token.get("uid", ""))

    @property
    def auth_method(self) -> str:
        """As OCPI says how it was allowed: AuthMethod."""
        return "COMMAND" if self.origin in ("remote", "reservation") else "AUTH_REQUEST"

    def closed(self) -> OicpSession:
        """The same, over; itself, where it is over already."""
        return self if self.state == CLOSED and not self.pin else msgspec.structs.replace(self, state=CLOSED, pin="")

    def put(self, *, expect: int = ABSENT) -> Put:
        """The write of it."""
        names = (self.reference.upper(), self.session.upper(), self.evse_id, self._partner_session)
        open_at = self.evse_id if self.is_open or self.state == UNUSED else ""
        columns = (self.state, *names, self.reservation.upper(), open_at)
        return Put(
            OICP_SESSIONS,
            self.id,
            msgspec.json.encode(self),
            last_updated=timestamp(self.opened),
            columns=columns,
            expect=expect,
        )

    @property
    def _partner_session(self) -> str:
        return self.emp_partner_session or self.cpo_partner_session


class Ledger:
    """The rows, by their names on either side."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def open(self, session: OicpSession) -> OicpSession:
        """A new row. Raises: Conflict, where there is one of this id."""
        await self._hub.store.commit(Unit().put(session.put()))
        return session

    async def opened(self, session: OicpSession) -> OicpSession:
        """A new row, or the one of the same charge that is open already. Raises: Conflict, where it is another's."""
        try:
            return await self.open(session)
        except Conflict:
            known = await self.find(session.id)
            if known is None or not known.is_open or known.charge != session.charge:
                raise
            return known

    async def get(self, session_id: str) -> OicpSession:
        """Raises: NotFound."""
        document = await self._hub.store.get(OICP_SESSIONS, session_id.lower())
        if document is None:
            raise NotFound("there is no such session")
        return _read(document)

    async def find(self, session_id: str) -> OicpSession | None:
        document = await self._hub.store.get(OICP_SESSIONS, session_id.lower())
        return None if document is None else _read(document)

    async def by_reference(self, reference: str, *, emp: str = "") -> OicpSession | None:
        """That of an OCPI authorization_reference. Of several the one that EMP `emp` knows, else the newest.

        There are two where an EMP of OICP orders a charge behind another hub: each hub has given it a SessionID.
        """
        if not reference:
            return None
        found = await self._fitting(reference=reference.upper())
        return max(found, key=lambda each: (each.emp == emp, each.opened), default=None)

    async def by_session(self, key: str) -> OicpSession | None:
        """That of an OCPI session, by its key."""
        return await self._only(session=key.upper())

    async def brought(self, by: str, message: Mapping[str, Any], *, is_hub: bool) -> OicpSession | None:
        """The session that CPO or hub `by` tells of; None, where it is none of its own.

        A hub tells of a charge by its own SessionID, perhaps before the answer to our order brings it: then the row is
        known by our partner session id, and is named anew at once, as it must not have two names in OCPI. A hub
        need not say that id: then it is the one order at this EVSE for this driver of which we never got its SessionID.
        """
        row = await self.find(message["SessionID"])
        if row is None and is_hub:
            named = message.get("EMPPartnerSessionID", "")
            waiting = await self._called(by, named) if named else await self._unanswered(by, message)
            if waiting is not None:
                row = await self.renamed(waiting, message["SessionID"])
        return row if row is not None and row.cpo == by else None

    async def _called(self, by: str, name: str) -> OicpSession | None:
        """What was ordered of hub `by` under a partner session id of ours; others may be called so elsewhere."""
        found = [row for row in await self._fitting(partner_session=name) if row.cpo == by]
        return max(found, key=lambda each: each.opened, default=None)

    async def _unanswered(self, by: str, message: Mapping[str, Any]) -> OicpSession | None:
        """The newest of several only where all were given up: whatever comes of them is stopped."""
        evse_id, driver = str(message.get("EvseID", "")), message.get("Identification")
        at_evse = await self._fitting(evse=evse_id) if evse_id and driver else []
        late = self._hub.clock.now() - _LATE
        waiting = [
            row
            for row in at_evse
            if (row.cpo, row.identification, row.id) == (by, driver, row.emp_partner_session)
            and row.state in _WAITING
            and row.opened > late
        ]
        is_plain = len(waiting) == 1 or all(row.state == REFUSED for row in waiting)
        return max(waiting, key=lambda each: each.opened, default=None) if is_plain else None

    async def by_reservation(self, reservation: str) -> OicpSession | None:
        """That of an OCPI reservation_id."""
        return await self._only(reservation=reservation.upper()) if reservation else None

    async def pending_of_cpo(self, name: str, *, evse_id: str) -> list[OicpSession]:
        """Those that a CPO of OICP calls so, at an EVSE or at none by name, and of which no charge is known."""
        equal = {"evse": evse_id} if evse_id else {"partner_session": name}
        found = await self._fitting(state=PENDING, **equal)
        return [each for each in found if (each.cpo_partner_session, each.evse_id) == (name, evse_id)]

    async def open_at(self, evse_id: str) -> list[OicpSession]:
        """What is pending or going on at an EVSE, and what was unused on the last day; the newest last."""
        if not evse_id:
            return []
        equal = {"open_at": evse_id}
        newest = await self._hub.store.select(OICP_SESSIONS, equal=equal, descending=True, limit=_MOST_AT_AN_EVSE)
        found = map(_read, newest)
        late = self._hub.clock.now() - _LATE
        told = [s for s in found if s.is_open or (s.state == UNUSED and s.opened > late)]
        return sorted(told, key=lambda each: each.opened)

    async def pending(self, *, after_seq: int = 0) -> tuple[list[OicpSession], int]:
        """Some of those of which no charge is known, and after which sequence number others are; 0: there are none."""
        found = await self._hub.store.select(OICP_SESSIONS, equal={"state": PENDING}, after_seq=after_seq)
        return [_read(document) for document in found], found[-1].seq if found else 0

    async def change(self, session_id: str, change: Callable[[OicpSession], OicpSession]) -> OicpSession:
        """Write what `change` makes of the row; it is called again when somebody was faster.

        The same row returned means that there is nothing to write. Raises: NotFound, Conflict; what `change` raises.
        """
        for _ in range(_ATTEMPTS):
            document = await self._hub.store.get(OICP_SESSIONS, session_id.lower())
            if document is None:
                raise NotFound("there is no such session")
            known = _read(document)
            changed = change(known)
            if changed is known:
                return known
            try:
                await self._hub.store.commit(Unit().put(changed.put(expect=document.version)))
            except Conflict:
                continue
            return changed
        raise Conflict

    async def renamed(self, session: OicpSession, session_id: str) -> OicpSession:
        """The hub has given it another SessionID than the one of ours under which it waited.

        Its answer and its first notification bring it, in whichever order: the second finds it done. Raises: Conflict.
        """
        renamed = msgspec.structs.replace(session, id=session_id.lower())
        try:
            await self.exchange(session, renamed)
        except Conflict:
            known = await self.find(session_id)
            if known is None or known.emp_partner_session != session.emp_partner_session:
                raise
            return known
        return renamed

    async def exchange(self, before: OicpSession, after: OicpSession, *, must_stand: bool = False) -> None:
        """`after` stands in place of `before`, which has another id.

        Raises: Conflict, where its id is taken; `must_stand`: also where `before` is there no more.
        """
        gone = Delete(OICP_SESSIONS, before.id)
        if must_stand:
            document = await self._hub.store.get(OICP_SESSIONS, before.id)
            if document is None:
                raise Conflict
            gone = Delete(OICP_SESSIONS, before.id, expect=document.version)
        await self._hub.store.commit(Unit().delete(gone).put(after.put()))

    async def _only(self, **equal: str) -> OicpSession | None:
        """The newest that fits: names are not given twice, but a partner's might be."""
        return max(await self._fitting(**equal), key=lambda each: each.opened, default=None)

    async def _fitting(self, **equal: str) -> list[OicpSession]:
        return [_read(each) for each in await self._hub.store.select(OICP_SESSIONS, equal=equal, limit=100)]


def new_session_id() -> str:
    """A SessionID (a GUID), as a hub issues it."""
    return str(uuid4())


async def forget(hub: Hub) -> None:
    """What was opened more than 400 days ago goes. A record that is held so long has to be settled by hand."""
    await forget_all(hub.store, OICP_SESSIONS, timestamp(hub.clock.now() - _KEPT))


def _read(document: Document) -> OicpSession:
    return msgspec.json.decode(document.body, type=OicpSession)
