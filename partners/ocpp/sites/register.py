"""All sites in memory, and what operators say and ask of them, in whichever process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import Audit, Delete, Unit
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Site
from partners.ocpp.sites import form as forms
from partners.ocpp.sites import rows
from partners.ocpp.sites.form import Figure, SiteForm
from partners.ocpp.sites.rows import LimitRow, LoadRow

_FARTHEST: Final = timedelta(days=366)
_AHEAD: Final = timedelta(minutes=1)
"""How far ahead of ours a meter's clock may be."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One site as it is now: what its operator wrote, the tree made of it, and what holds for a time."""

    name: str
    form: SiteForm
    site: Site
    rules: Rules
    limits: Mapping[str, LimitRow]
    loads: Mapping[str, LoadRow]


class LimitAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `limit_a` and `limit_w` what was said before is withdrawn."""

    node: str
    limit_a: Figure | None = None
    limit_w: Decimal | None = None
    until: str | None = None
    begin: str | None = None


class LoadAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: when it was measured; without it, now."""

    node: str
    load_a: Figure
    at: str | None = None


_Asked = TypeVar("_Asked", LimitAsked, LoadAsked)


class Sites:
    """The register. `on_change` is told when any of it is another than before."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, Known] = {}
        self._at_evse: dict[str, Known] = {}
        self._revisions: tuple[int, ...] = ()
        self.on_change: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Read all of it."""
        revisions: tuple[int, ...] = ()
        while revisions != self._now():  # what we read must not be older than what we know
            revisions = self._now()
            sites, limits, loads = [await self._hub.store.select(kind, limit=rows.MOST_ROWS) for kind in rows.WORDS]
        limited = [msgspec.json.decode(row.body, type=LimitRow) for row in limits]
        loaded = [msgspec.json.decode(row.body, type=LoadRow) for row in loads]
        self._known = {each.key: self._made(each.key, rows.site_in(each), limited, loaded) for each in sites}
        self._at_evse = {uid: known for known in self._known.values() for uid in known.form.evses}
        self._revisions = revisions
        self.on_change()

    async def refresh(self) -> None:
        """Read again, if anybody wrote."""
        if self._revisions != self._now():
            await self.load()

    def _now(self) -> tuple[int, ...]:
        return tuple(self._hub.store.revision(kind) for kind in rows.WORDS)

    def _made(self, name: str, form: SiteForm, limits: Iterable[LimitRow], loads: Iterable[LoadRow]) -> Known:
        before = self._known.get(name)
        same = before is not None and before.form == form
        site = before.site if before is not None and same else forms.site_of(form)
        return Known(
            name,
            form,
            site,
            forms.rules_of(form),
            {row.node: row for row in limits if row.site == name and row.node in form.nodes},
            {row.node: row for row in loads if row.site == name and row.node in form.nodes},
        )

    def all(self) -> list[Known]:
        """By name."""
        return [self._known[name] for name in sorted(self._known)]

    def find(self, name: str) -> Known | None:
        return self._known.get(name)

    def get(self, name: str) -> Known:
        """Raises: NotFound."""
        known = self._known.get(name)
        if known is None:
            raise NotFound("there is no such site")
        return known

    def of_evse(self, evse_uid: str) -> Known | None:
        """The site at which an EVSE hangs."""
        return self._at_evse.get(evse_uid.upper()) if self._at_evse else None

    async def put(self, name: str, tree: Tree, *, actor: str) -> Tree:
        """Make a site, or change it. Raises: InvalidRequest, also when another site has one of its EVSEs."""
        form = forms.parsed(tree)
        is_new = self._known.get(forms.named(name)) is None
        for uid in form.evses:
            other = self.of_evse(uid)
            if other is not None and other.name != name:
                raise InvalidRequest(f"/evses/{uid}: hangs at the site {other.name} already")
        detail = f"{len(form.nodes)} nodes, {len(form.evses)} EVSEs, {form.policy}"
        unit = Unit().put(rows.site_put(name, form)).tells(rows.wakes(name))
        await self._hub.store.commit(unit.audited(Audit(actor, "site.put", name, detail)))
        await self.load()
        return {**self.view(name), "created": is_new}

    async def delete(self, name: str, *, actor: str) -> None:
        """Share no more there: each charger keeps its safe current until somebody clears it. Raises: NotFound."""
        self.get(name)
        deletes = await rows.everything_of(self._hub.store, name)
        unit = Unit([Delete(rows.SITES, name), *deletes]).tells(rows.wakes(name))
        await self._hub.store.commit(unit.audited(Audit(actor, "site.delete", name)))
        await self.load()

    async def limit(self, name: str, tree: Tree, *, actor: str) -> Tree:
        """Limit a node for a time, or withdraw that. Raises: NotFound, InvalidRequest."""
        known, now = self.get(name), self._hub.clock.now()
        asked = _converted(tree, LimitAsked)
        _must_have(known, asked.node)
        if asked.limit_a is None and asked.limit_w is None:
            unit, detail = Unit().delete(rows.limit_delete(name, asked.node)), f"{asked.node}: withdrawn"
        else:
            row = _limit_row(name, asked, now)
            limits = " ".join(
                f"{value} {u}" for value, u in ((row.limit_a, "A"), (row.limit_w, "W")) if value is not None
            )
            unit = Unit().put(rows.limit_put(row))
            detail = f"{row.node}: {limits} from {timestamp(row.begin)} until {timestamp(row.until)}"
        unit.tells(rows.wakes(name)).audited(Audit(actor, "site.limit", name, detail))
        await self._hub.store.commit(unit)
        await self.load()
        return self.view(name)

    async def measure(self, name: str, tree: Tree) -> Tree:
        """What a meter of the building reads. An older one than what is known changes nothing.

        Raises: NotFound, InvalidRequest.
        """
        known, now = self.get(name), self._hub.clock.now()
        asked = _converted(tree, LoadAsked)
        _must_have(known, asked.node)
        forms.per_phase(asked.load_a)
        at = now if asked.at is None else min(_moment(asked.at, "at"), now + _AHEAD)
        before = known.loads.get(asked.node)
        if before is None or before.at <= at:
            row = LoadRow(name, asked.node, at, asked.load_a)
            await self._hub.store.commit(Unit().put(rows.load_put(row)).tells(rows.wakes(name)))
            await self.load()
        return self.view(name)

    def view(self, name: str) -> Tree:
        """A site: what was written, where the safe currents are too much together, what holds now. Raises: NotFound."""
        known, now = self.get(name), self._hub.clock.now()
        return {
            "name": name,
            "policy": known.form.policy,
            **forms.shown(known.form),
            "unsafe": [f"L{phase} of {node}" for node, phase in known.site.unsafe()],
            "limits": [_limit_shown(row) for row in known.limits.values() if row.until > now],
            "loads": [_load_shown(row, known, now) for row in known.loads.values()],
        }

    async def power(self, name: str) -> Tree:
        """Who may draw what and why, as the process that steers it last saw it. Raises: NotFound."""
        self.get(name)
        seen = await rows.power_of(self._hub.store, name)
        nothing: Tree = {"site": name, "at": None, "items": [], "nodes": [], "exceeded": []}
        return {"exceeded": [], **seen} if seen else {**nothing, "warnings": ["nobody has steered it yet"]}


def _converted(tree: Tree, kind: type[_Asked]) -> _Asked:
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"not understood: {error}") from None


def _must_have(known: Known, node: str) -> None:
    if node not in known.form.nodes:
        raise InvalidRequest(f"/node: the site has no such node; there are {', '.join(known.form.nodes)}")


def _limit_row(name: str, asked: LimitAsked, now: datetime) -> LimitRow:
    forms.limit_of(asked.limit_a, asked.limit_w)
    if asked.until is None:
        raise InvalidRequest("/until: is needed: a limit for a time says when it ends")
    until, begin = _moment(asked.until, "until"), now if asked.begin is None else _moment(asked.begin, "begin")
    if not max(begin, now) < until <= now + _FARTHEST:
        raise InvalidRequest("/until: lies after the begin, in the future, and within a year")
    return LimitRow(name, asked.node, begin, until, asked.limit_a, asked.limit_w)


def _moment(text: str, field: str) -> datetime:
    try:
        return parse_datetime(text)
    except (ValueError, OverflowError, InvalidRequest):
        raise InvalidRequest(f"/{field}: is not a timestamp") from None


def _limit_shown(row: LimitRow) -> Tree:
    shown: Tree = {"node": row.node, "begin": timestamp(row.begin), "until": timestamp(row.until)}
    figures = {"limit_a": row.limit_a, "limit_w": row.limit_w}
    return {**shown, **{name: value for name, value in figures.items() if value is not None}}


def _load_shown(row: LoadRow, known: Known, now: datetime) -> Tree:
    is_fresh = now - row.at < timedelta(seconds=known.form.load_fresh_s)
    return {"node": row.node, "load_a": row.load_a, "at": timestamp(row.at), "counts": is_fresh}
