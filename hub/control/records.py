"""What has happened, for an operator to look at: sessions, CDRs, transactions, reservations, changes, the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hub.control import held_because, received, undelivered
from hub.control.listing import MOST, Filter, newest, parties_of
from hub.core.delivery import REFUSED, entitled, entitled_to, refused_key
from hub.core.errors import InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.units import Audit, ChangeRow, Document, Kind
from modules.cdrs import service as cdrs
from modules.cdrs.owed import owed_of
from modules.cdrs.publication import load as load_delivery
from modules.cdrs.store import CDRS, DELIVERIES
from modules.cdrs.store import key_of as cdr_key
from modules.commands.store import HELD, RESERVATIONS
from modules.sessions.charge import CHARGES, CLOSED, OPEN, frozen_location
from modules.sessions.charge import HELD as HELD_BACK
from modules.sessions.store import RUNNING, SESSIONS
from modules.sessions.store import key_of as session_key
from partners.ocpp import unplaced

if TYPE_CHECKING:
    from hub.app import Program

_LIMIT: Final = 8 * 1024 * 1024
_ENDED: Final = ("COMPLETED", "INVALID")
_LONG: Final = frozenset({"location_tree", "readings", "signed", "tariffs", "token"})
"""Of a charge; for who asks for that one."""
_LOOKED_AT: Final = 10_000
"""The newest so many are looked at where the column that is filtered by does not exist."""


def tree_of(document: Document) -> Tree:
    """What is stored, with exact numbers."""
    tree: Tree = parse(document.body, limit=_LIMIT)
    return tree


async def sessions(program: Program, asked: Filter) -> tuple[list[Any], int]:
    """Sessions, the newest first; those that wait, and those whose bill is held, each with why.

    Raises: NotFound (no such partner), InvalidRequest.
    """
    if asked.withheld:
        waiting, total = await undelivered.part(program, "sessions", asked)
        stand = [await undelivered.shown(program.hub, "sessions", document) for document in waiting]
        return [{**tree_of(d), "waits": waits} for d, waits in zip(waiting, stand, strict=True)], total
    among = _for_partner(program, asked.partner)
    if asked.open is not None:
        among["status"] = RUNNING if asked.open else _ENDED
    if asked.station is not None:
        among["id"] = await _sessions_at(program, asked.station)
    if asked.held:
        held = await _held(program)
        among["id"] = [name for name in held if name in among["id"]] if "id" in among else held
    found = await newest(program.store, SESSIONS, asked, among=among, since=asked.since())
    return await held_because.with_sessions(program, found.documents), found.total


def _for_partner(program: Program, name: str | None) -> dict[str, Sequence[str]]:
    """For `newest`, by column: what a partner is sent. Raises: NotFound."""
    return {} if name is None else dict(entitled_to(program.hub.registry.get(name), EMSP_LIKE))


async def _sessions_at(program: Program, station: str) -> list[str]:
    """The ids of the newest sessions at a charger."""
    found = await program.store.select(CHARGES, equal={"station": station}, descending=True, limit=MOST)
    return [document.key for document in found]


async def _held(program: Program) -> list[str]:
    """The ids of the newest sessions whose bill is held."""
    found = await program.store.select(CHARGES, equal={"state": HELD_BACK}, descending=True, limit=MOST)
    return [document.key for document in found]


async def session(program: Program, owner: Party, session_id: str) -> Any:
    """One session, with why its bill is held, if it is. Raises: NotFound."""
    document = await _one(program, SESSIONS, session_key(owner, session_id), "session")
    return (await held_because.with_sessions(program, [document]))[0]


async def cdr_list(program: Program, asked: Filter) -> tuple[list[Tree], int]:
    """CDRs with their deliveries, the newest first. Raises: NotFound (no such partner), InvalidRequest."""
    if asked.withheld:
        waiting, total = await undelivered.part(program, "cdrs", asked)
        return [await with_deliveries(program, document) for document in waiting], total
    among = _for_partner(program, asked.partner)
    if asked.station is not None:
        among["session"] = await _sessions_at(program, asked.station)
    found = await newest(program.store, CDRS, asked, among=among, since=asked.since())
    return [await with_deliveries(program, document) for document in found.documents], found.total


async def cdr(program: Program, owner: Party, cdr_id: str) -> Tree:
    """One CDR: of ours with its deliveries, of another CPO with how it stands. Raises: NotFound."""
    brought = await received.find(program, owner, cdr_id)
    if brought is not None:
        return await received.view(program, brought)
    return await with_deliveries(program, await cdrs.get(program.hub, cdr_key(owner, cdr_id)))


async def receipt(program: Program, owner: Party, cdr_id: str) -> Tree:
    """Why a CDR of ours costs, or gives back, what it does. Raises: NotFound, which says who else has the receipt."""
    if await received.find(program, owner, cdr_id) is not None:
        raise NotFound(f"{owner} issued this CDR and has its receipt; what it should cost is in its check")
    return await cdrs.receipt(program.hub, cdr_key(owner, cdr_id))


async def with_deliveries(program: Program, document: Document) -> Tree:
    """A CDR, whom it is for, and how far it has come at each partner."""
    partners = _gets_it(program, document)
    tried = await program.store.select(DELIVERIES, equal={"cdr": document.key}, limit=MOST)
    names = {*(partner.name for partner in partners), *(d.key.split("/", 1)[0] for d in tried)}
    deliveries = [await _delivery(program, name, document.key) for name in sorted(names)]
    shown = await undelivered.shown(program.hub, "cdrs", document)
    return {"cdr": msgspec.Raw(document.body), "audience": document.audience, **shown, "deliveries": deliveries}


def _gets_it(program: Program, document: Document) -> list[Partner]:
    """Who is connected as whom it is for; nobody, while it is for nobody."""
    connected = program.hub.registry.connected() if document.audience else []
    return [
        each for each in connected if entitled(each, audience=document.audience, owner=document.owner, roles=EMSP_LIKE)
    ]


async def _delivery(program: Program, partner: str, key: str) -> Tree:
    """What was set aside before it was tried is held, as a credit CDR for a partner of 2.1.1."""
    delivery = await load_delivery(program.hub, partner, key)
    aside = await program.store.get(REFUSED, refused_key(partner, ("cdrs", key)))
    is_held = aside is not None and delivery.state == "pending"
    return {
        "partner": partner,
        "state": "held" if is_held else delivery.state,
        "why": "" if aside is None else tree_of(aside)["reason"].removeprefix("held: "),
        "attempts": delivery.attempts,
        "location": delivery.location,
        "at": delivery.at,
    }


async def resend(program: Program, owner: Party, cdr_id: str, *, actor: str) -> Tree:
    """Send a CDR again to whoever it is for and has not taken it. Raises: NotFound, InvalidRequest."""
    document = await cdrs.get(program.hub, cdr_key(owner, cdr_id))
    if not document.audience:
        stands = await undelivered.standing(program.hub, "cdrs", document)
        raise InvalidRequest(f"it is {stands.state}: {stands.rule}; it is sent by itself as soon as it may be")
    if not await owed_of(program.hub, [document.key]):
        raise InvalidRequest("it was delivered already")
    names = [partner.name for partner in _gets_it(program, document)]
    if not names:
        raise InvalidRequest(f"{document.audience}, whom it is for, is not connected")
    for name in names:
        await program.lanes.mark(name, [("cdrs", document.key)], audit=Audit(actor, "cdr.resent", document.key, name))
    return await with_deliveries(program, document)


async def credit(program: Program, owner: Party, cdr_id: str, *, actor: str) -> Tree:
    """Take a CDR back by a credit CDR. Raises: NotFound, InvalidRequest (it is credited already, or is a credit)."""
    key = cdr_key(owner, cdr_id)
    document = await cdrs.get(program.hub, key)
    location = await frozen_location(program.store, document.columns["session"])
    return await cdrs.take_back(program.hub, key, actor=actor, location=location)


async def transactions(program: Program, asked: Filter) -> tuple[list[Tree], int]:
    """Charges at our own chargers, the newest first. Raises: NotFound (no such partner), InvalidRequest."""
    among = _for_partner(program, asked.partner)
    if asked.open is not None:
        among["state"] = (OPEN,) if asked.open else (CLOSED, HELD_BACK)
    if asked.held:
        among["state"] = () if asked.open else (HELD_BACK,)
    if asked.station is not None:
        among["station"] = (asked.station,)
    audiences = parties_of(program, asked.partner)
    if asked.held and not asked.open and audiences is None:
        return await _held_charges(program, asked, among)
    return await _since(program, CHARGES, asked, _charge_view, "start", audiences=audiences, among=among)


async def _held_charges(program: Program, asked: Filter, among: Mapping[str, Sequence[str]]) -> tuple[list[Tree], int]:
    """Those that have no session for want of something, then those whose session is held."""
    since = asked.since()
    waiting = [unplaced.shown(record) for record in await unplaced.waiting(program.store, asked.station)]
    waiting = [row for row in waiting if since is None or row["start"] >= since[:19]]
    rest = asked.model_copy(update={"offset": max(0, asked.offset - len(waiting))})
    items, total = await _since(program, CHARGES, rest, _charge_view, "start", among=among)
    return [*waiting[asked.offset :], *items][: asked.limit], total + len(waiting)


def _charge_view(document: Document) -> Tree:
    """A charge in a few words: what was frozen at its start is left out."""
    tree = _charge_tree(document)
    return {name: value for name, value in tree.items() if name not in _LONG}


def _charge_tree(document: Document) -> Tree:
    return {**tree_of(document), **held_because.of_charge(document)}


async def charge_of(program: Program, session_id: str) -> Tree:
    """One charge as lists show it. Raises: NotFound."""
    return _charge_view(await _one(program, CHARGES, session_id, "transaction"))


async def transaction(program: Program, session_id: str) -> Tree:
    """One charge, with all that was frozen at its start. Raises: NotFound."""
    return _charge_tree(await _one(program, CHARGES, session_id, "transaction"))


async def reservations(program: Program, asked: Filter) -> tuple[list[Tree], int]:
    """Reservations, the newest first; open ones still hold a connector. Raises: NotFound, InvalidRequest."""
    among = _for_partner(program, asked.partner)
    if asked.open is True:
        among["state"] = (HELD,)
    if asked.station is not None:
        among["station"] = (asked.station,)
    owners = parties_of(program, asked.partner)
    if owners is not None:
        among["owner"] = owners
    return await _since(program, RESERVATIONS, asked, _reservation_view, "expires", among=among)


def _reservation_view(document: Document) -> Tree:
    tree = tree_of(document)
    hidden = ("response_url", "id_tag", "parent_tag", "token")
    return {"number": document.seq, **{name: value for name, value in tree.items() if name not in hidden}}


async def _since(
    program: Program,
    kind: Kind,
    asked: Filter,
    view: Callable[[Document], Tree],
    time: str,
    *,
    audiences: Sequence[str] | None = None,
    among: Mapping[str, Sequence[str]],
) -> tuple[list[Tree], int]:
    """For kinds without a last_updated: with `date_from`, the newest documents are looked at one by one."""
    since = asked.since()
    if since is None:
        found = await newest(program.store, kind, asked, audiences=audiences, among=among)
        return [view(document) for document in found.documents], found.total
    every: list[Tree] = []
    for offset in range(0, _LOOKED_AT, MOST):
        step = Filter(limit=MOST, offset=offset)
        found = await newest(program.store, kind, step, audiences=audiences, among=among)
        every += [view(document) for document in found.documents]
        if offset + MOST >= found.total:
            break
    fitting = [tree for tree in every if str(tree.get(time, "")) >= since[:19]]
    return fitting[asked.offset : asked.offset + asked.limit], len(fitting)


async def changes(program: Program, asked: Filter, *, after: int | None, module: str | None) -> list[Tree]:
    """The change log: from `after` on in its order, or its newest part. Raises: NotFound, InvalidRequest."""
    partner = program.hub.registry.get(asked.partner) if asked.partner is not None else None
    since = asked.since()
    if after is not None:
        rows = await program.store.changes(after=after, limit=asked.limit)
    else:
        rows = await _newest_changes(program, asked)
    return [
        _change_view(row)
        for row in rows
        if (since is None or row.at >= since)
        and (module is None or row.change.module == module)
        and (partner is None or _is_for(partner, row))
    ]


async def _newest_changes(program: Program, asked: Filter) -> list[ChangeRow]:
    """The newest part, by its numbers: where they are gone, what comes after them is no part of it."""
    end = max(await program.store.last_change() - asked.offset, 0)
    begin = max(end - asked.limit, 0)
    rows = await program.store.changes(after=begin, limit=end - begin) if end > begin else []
    return [row for row in rows if row.seq <= end]


def _is_for(partner: Partner, row: ChangeRow) -> bool:
    return entitled(partner, audience=row.change.audience, owner=row.change.owner)


def _change_view(row: ChangeRow) -> Tree:
    change: Any = row.change
    names = ("module", "key", "owner", "audience", "what", "correlation_id")
    return {"seq": row.seq, "at": row.at, **{name: getattr(change, name) for name in names}}


async def audit(program: Program, *, after: int | None, limit: int) -> list[Tree]:
    """The audit log: from `after` on in its order, or its newest part."""
    begin = after if after is not None else max(await _last_audit(program) - limit, 0)
    return [
        {
            "seq": row.seq,
            "at": row.at,
            "actor": row.audit.actor,
            "action": row.audit.action,
            "subject": row.audit.subject,
            "detail": row.audit.detail,
            "hash": row.hash,
        }
        for row in await program.store.audit_rows(after=begin, limit=limit)
    ]


async def _last_audit(program: Program) -> int:
    """The number of the last row. Rows are numbered without a gap, so it is found by doubling, then halving."""

    async def beyond(seq: int) -> bool:
        return bool(await program.store.audit_rows(after=seq, limit=1))

    low, high = 0, 1
    while await beyond(high):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if await beyond(middle) else (low, middle)
    return low


async def verify_audit(program: Program) -> Tree:
    """Walk the whole chain of the audit log. `broken_at` is the first row that does not fit."""
    checked = await program.store.verify_audit()
    return {
        "intact": checked.broken_seq is None,
        "rows": checked.rows,
        "head": checked.head,
        "broken_at": checked.broken_seq,
    }


async def _one(program: Program, kind: Kind, key: str, word: str) -> Document:
    document = await program.store.get(kind, key)
    if document is None:
        raise NotFound(f"there is no such {word}")
    return document
