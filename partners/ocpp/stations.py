"""All stations: what the management API and the console ask of them, and the register in memory.

    put(identity, tree)      register or change one; answers its view, and the password when we made one
    view, views, delete      what is known of one, or of all
    messages                 the last frames, without secrets
    call                     any action, any payload: what became of it
    change_password          at the station and here, the old one valid until the new one is used

Modules reach stations through the port `Chargers`, which `orders.py` adds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from hub.core.errors import InvalidRequest, NotFound, NotReady
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Place
from hub.core.units import Audit, Change, Delete, Unit
from partners.ocpp import answered_lists, commissioning, maintenance, passwords, register, reported, rpc, schemas
from partners.ocpp.device_model import DeviceModels
from partners.ocpp.live import Live, version_of
from partners.ocpp.live_view import shown
from partners.ocpp.new_password import password_refused, told_password
from partners.ocpp.outcomes import NOT_KNOWN
from partners.ocpp.passwords import Passwords
from partners.ocpp.quirks import Make
from partners.ocpp.register import LEARNED, STATIONS, Learned, Station, folded

_KEPT: Final = ("identity", "password", "previous_password", "maintenance", "commissioning")
"""What a new registration of a station leaves as it was."""


@dataclass(frozen=True, slots=True)
class Called:
    """What became of a call. `payload`: the result; `code`, `description`: the CALLERROR; `finding`: a broken schema.

    pending        sent, and not answered in time; the answer may still come (it is in the messages)
    not connected  never sent, or the socket went before the answer
    queue full     never sent: too many calls wait already
    """

    outcome: Literal["result", "error", "pending", "not connected", "queue full"]
    payload: Tree | None = None
    code: str = ""
    description: str = ""
    finding: str = ""


class Stations:
    """The register in memory, written through. `on_change` is told which station the operator changed."""

    def __init__(self, hub: Hub, keeper: Passwords) -> None:
        self.hub = hub
        self._passwords = keeper
        self._live: dict[str, Live] = {}
        self._places: dict[str, list[Place]] = {}
        self._revision = -1
        self._registering = asyncio.Lock()
        self.models = DeviceModels(hub, self.save_learned)
        self.on_change: Callable[[Live], None] = lambda live: None
        self.opened_or_closed: list[Live] = []
        """Stations whose maintenance or commissioning has changed since somebody looked, whichever process did it."""

    def __iter__(self) -> Iterator[Live]:
        return iter(self._live.values())

    async def load(self) -> None:
        """Read the register; again, when another process has changed it."""
        revision = -1
        while revision != self.hub.store.revision(STATIONS):  # what we read must not be older than what we know
            revision = self.hub.store.revision(STATIONS)
            stations, learned = await register.load(self.hub.store)
        known = {folded(station.identity) for station in stations}
        for station in stations:
            self._take(station, learned.get(folded(station.identity)))
        for gone in [key for key in self._live if key not in known]:
            self._drop(gone)
        self._index()
        self._revision = revision

    async def refresh(self) -> None:
        """Load, if somebody else wrote a station."""
        if self._revision != self.hub.store.revision(STATIONS):
            await self.load()

    def find(self, identity: str) -> Live | None:
        """A station, in whatever case its identity is written."""
        return self._live.get(folded(identity))

    async def look_up(self, identity: str) -> Live | None:
        """One that we do not know: another process may have registered it this very moment."""
        with contextlib.suppress(NotReady):
            if await self.hub.store.get(STATIONS, folded(identity)) is not None:
                await self.load()
        return self.find(identity)

    def make_of(self, identity: str) -> Make:
        """Whose charger it is, as far as it told."""
        live = self.find(identity)
        told = live.learned if live is not None else Learned(identity)
        return Make(told.vendor, told.model, told.firmware)

    def get(self, identity: str) -> Live:
        """Raises: NotFound."""
        live = self.find(identity)
        if live is None:
            raise NotFound("there is no such station")
        return live

    def places_of(self, evse_uid: str) -> list[Place]:
        """The connectors of an EVSE."""
        return self._places.get(evse_uid.upper(), [])

    async def put(self, identity: str, tree: Tree, *, actor: str = "operator") -> Tree:
        """Register a station or change it; `tree` as in the API (see `register.py`), with an optional `password`.

        Returns: its view; with `password`, if we made one, which is shown this once. Raises: InvalidRequest, also when
        another station serves one of its EVSEs.
        """
        async with self._registering:
            return await self._put(identity, tree, actor)

    async def _put(self, identity: str, tree: Tree, actor: str) -> Tree:
        settings = self.hub.settings
        station = register.parsed(identity, tree, party=settings.party, profile=settings.ocpp_security_profile)
        register.must_serve_alone(station, self.places_of)
        known = self.find(identity)
        given = tree.get("password")
        if given is not None and not isinstance(given, str):
            raise InvalidRequest("password is text")
        if known is not None:
            before = known.station
            kept = {name: getattr(before, name) for name in _KEPT}
            station = replace(station, **kept)
        minted = given is None and station.password is None and station.security_profile in (1, 2)
        password = passwords.mint() if minted else given
        if password:
            station = replace(station, password=await self._passwords.kept(password), previous_password=None)
        await self._save(station, Audit(actor, "station.put", station.identity))
        view = self.view(station.identity)
        return {**view, "password": password} if minted else view

    async def maintain(self, identity: str, evses: Sequence[str], note: str, *, actor: str) -> None:
        """Take a station, or some of its EVSEs, out of service to partners. Raises: NotFound, InvalidRequest."""
        async with self._registering:
            station = maintenance.begun(self.get(identity).station, evses, note, by=actor, now=self.hub.clock.now())
            await self._save(station, Audit(actor, "station.maintenance", station.identity, ", ".join(evses)))

    async def end_maintenance(self, identity: str, *, actor: str) -> None:
        """Back in service. Raises: NotFound."""
        async with self._registering:
            station = maintenance.ended(self.get(identity).station)
            await self._save(station, Audit(actor, "station.in_service", station.identity))

    async def commission(self, identity: str, hidden: Collection[str], *, actor: str) -> None:
        """Begin to put a station into service; of its EVSEs, partners do not see the `hidden`. Raises: NotFound."""
        async with self._registering:
            station = commissioning.begun(self.get(identity).station, hidden, by=actor, now=self.hub.clock.now())
            await self._save(station, Audit(actor, "station.commissioning", station.identity))

    async def skip(self, identity: str, step: str, *, actor: str) -> None:
        """Do without a step of it. Raises: NotFound, InvalidRequest."""
        async with self._registering:
            station = commissioning.skipped(self.get(identity).station, step)
            await self._save(station, Audit(actor, "station.commissioning_skipped", station.identity, step))

    async def commissioned(self, identity: str, *, actor: str) -> None:
        """It is in service. Raises: NotFound, InvalidRequest."""
        async with self._registering:
            station = commissioning.done(self.get(identity).station, now=self.hub.clock.now())
            await self._save(station, Audit(actor, "station.commissioned", station.identity))

    async def abandon(self, identity: str, *, actor: str) -> None:
        """It is not put into service, for now. Raises: NotFound, InvalidRequest."""
        async with self._registering:
            station = commissioning.abandoned(self.get(identity).station)
            await self._save(station, Audit(actor, "station.commissioning_abandoned", station.identity))

    async def delete(self, identity: str, *, actor: str = "operator") -> None:
        """Forget a station, and hang up. Raises: NotFound."""
        live = self.get(identity)
        key = folded(identity)
        unit = await reported.forgotten(self.hub.store, identity)
        unit.delete(Delete(STATIONS, key)).delete(Delete(LEARNED, key))
        await self.hub.store.commit(unit.audited(Audit(actor, "station.delete", live.identity)))
        self._drop(key)
        self._index()

    def views(self) -> list[Tree]:
        """All stations, by identity."""
        return [self.view(key) for key in sorted(self._live)]

    def view(self, identity: str) -> Tree:
        """What is known of a station, for the operator. Raises: NotFound."""
        live = self.get(identity)
        url = register.url_of(live.station, self.hub.settings)
        return {"identity": live.identity, "url": url, **shown(live, self.hub.clock.monotonic())}

    def messages(self, identity: str, *, limit: int = 100) -> list[Tree]:
        """The last frames, without secrets. Raises: NotFound."""
        return self.get(identity).frames.shown(self._digest, limit=limit)

    async def call(
        self, identity: str, action: str, payload: Tree, *, timeout_s: float = 30.0, force: bool = False
    ) -> Called:
        """Send any CALL; key order is kept. `force` sends also what breaks the schema.

        Raises: NotFound; InvalidRequest, when the version of the connection has no such action or payload.
        """
        live = self.get(identity)
        if live.link is None:
            return Called("not connected")
        if not force:
            _check(live.link.version, action, payload)
        outcome: rpc.Outcome
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await live.link.rpc.call(action, payload, timeout_s=timeout_s, wait_s=timeout_s)
        except TimeoutError:
            outcome = rpc.TimedOut()
        await self.learn_from(live, action, outcome)
        if isinstance(outcome, rpc.CallResult):
            await answered_lists.noted(self.hub, live.identity, action, payload, outcome.payload)
        return _called(outcome)

    async def change_password(self, identity: str, password: str | None = None, *, actor: str = "operator") -> Called:
        """Give a connected station a new password (minted, if None is given), in the words of its version.

        Until it logs in with the new one the old one is valid too. Raises: NotFound, InvalidRequest.
        """
        live = self.get(identity)
        before, version = live.station, version_of(live)
        secret = password or passwords.mint()
        action, payload = told_password(secret, version)
        fresh = replace(before, password=await self._passwords.kept(secret), previous_password=before.password)
        await self._save(fresh, Audit(actor, "station.password", before.identity))
        called = await self.call(identity, action, payload)
        refused = called.outcome in ("error", "not connected", "queue full")
        if refused or password_refused(called.payload or {}):
            await self._save(before, Audit(actor, "station.password_refused", before.identity))
        return called

    async def logged_in(self, station: Station) -> None:
        """It used its present password: the one before is void."""
        if station.previous_password is not None:
            await self._save(
                replace(station, previous_password=None), Audit(station.identity, "station.password_used", "")
            )

    async def learn_from(self, live: Live, action: str, outcome: rpc.Outcome) -> None:
        """Remember what a station cannot do, so that it is asked once (rule R18)."""
        cannot = isinstance(outcome, rpc.CallError) and outcome.code in NOT_KNOWN
        if cannot and action not in live.learned.not_supported:
            live.learned.not_supported = (*live.learned.not_supported, action)
            await self.save_learned(live)

    async def save_learned(self, live: Live) -> None:
        """Write what was learned."""
        await self.hub.store.commit(Unit().put(register.learned_put(live.learned)))

    async def _save(self, station: Station, audit: Audit) -> None:
        unit = Unit().put(register.put_of(station)).tells(Change("stations", station.identity)).audited(audit)
        await self.hub.store.commit(unit)
        self._revision = self.hub.store.revision(STATIONS)
        live = self._take(station, None)
        self._index()
        self.on_change(live)

    def _take(self, station: Station, learned: Learned | None) -> Live:
        live = self.find(station.identity)
        if live is None:
            live = Live(
                station,
                learned or Learned(station.identity),
                frames_kept=self.hub.settings.ocpp_frames_kept,
                offline_since=self.hub.clock.monotonic(),
            )
            self._live[folded(station.identity)] = live
        before = live.station
        if (before.maintenance, before.commissioning) != (station.maintenance, station.commissioning):
            self.opened_or_closed.append(live)
        live.station = station
        return live

    def _drop(self, key: str) -> None:
        live = self._live.pop(key)
        if live.link is not None:
            socket = live.link.socket
            self.hub.background.start(socket.close(1008, "no longer registered"), name=f"hang up {live.identity}")

    def _index(self) -> None:
        self._places = {}
        for live in self._live.values():
            for place in live.station.places().values():
                self._places.setdefault(place.evse_uid.upper(), []).append(place)

    def _digest(self, text: str) -> str:
        return f"tok:{self.hub.registry.fingerprint(f'frames/{text}')[:8]}"


def _check(version: str, action: str, payload: Tree) -> None:
    if action not in schemas.actions(version):
        raise InvalidRequest(f"OCPP {version} has no such action")
    if action in schemas.sends(version):
        raise InvalidRequest(f"{action} is sent by chargers alone, and nobody answers it")
    finding = schemas.check(version, action, payload, strict=True)
    if finding is not None:
        raise InvalidRequest(f"the payload is not valid: {finding.text}")


def _called(outcome: rpc.Outcome) -> Called:
    match outcome:
        case rpc.CallResult(payload, finding):
            return Called("result", payload, finding=finding.text if finding is not None else "")
        case rpc.CallError(code, description):
            return Called("error", code=code, description=description)
        case rpc.NotSent("queue full"):
            return Called("queue full")
        case rpc.NotSent("not connected") | rpc.Lost():
            return Called("not connected")
    return Called("pending")
