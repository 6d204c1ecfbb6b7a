"""Chargers in the operator's hands, through the register that the gateway keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from hub.control.asks import StationCall
from hub.core.errors import InvalidRequest, UnknownLocation
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from modules.locations import service as locations
from modules.locations.store import key_of as location_key

if TYPE_CHECKING:
    from hub.app import Program


class Called(Protocol):
    """What became of a call."""

    @property
    def outcome(self) -> Literal["result", "error", "pending", "not connected", "queue full"]: ...

    @property
    def payload(self) -> Tree | None: ...

    @property
    def code(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def finding(self) -> str: ...


class StationRegister(Protocol):
    """What is asked of whoever keeps the stations (`partners.ocpp.reach.Reach`)."""

    async def refresh(self) -> None:
        """Read the register again, if somebody else wrote to it."""
        ...

    async def put(self, identity: str, tree: Tree, *, actor: str) -> Tree:
        """Register or change one. Returns: its view, with `password` if one was made. Raises: InvalidRequest."""
        ...

    async def maintain(self, identity: str, evses: Sequence[str], note: str, *, actor: str) -> Tree:
        """Out of service to partners. Returns: its view. Raises: NotFound, InvalidRequest."""
        ...

    async def end_maintenance(self, identity: str, *, actor: str) -> Tree:
        """Returns: its view. Raises: NotFound."""
        ...

    async def commission(self, identity: str, hidden: Collection[str], *, actor: str) -> None:
        """Begin to put one into service. Raises: NotFound."""
        ...

    async def skip(self, identity: str, step: str, *, actor: str) -> None:
        """Do without a step of that. Raises: NotFound, InvalidRequest."""
        ...

    async def commissioned(self, identity: str, *, actor: str) -> None:
        """It is in service. Raises: NotFound, InvalidRequest."""
        ...

    async def abandon(self, identity: str, *, actor: str) -> None:
        """It is not put into service, for now. Raises: NotFound, InvalidRequest."""
        ...

    async def delete(self, identity: str, *, actor: str) -> None:
        """Forget one, and hang up. Raises: NotFound."""
        ...

    async def view(self, identity: str) -> Tree:
        """Raises: NotFound."""
        ...

    async def views(self) -> list[Tree]: ...

    async def messages(self, identity: str, *, limit: int) -> list[Tree]:
        """The last frames, without secrets. Raises: NotFound."""
        ...

    async def call(self, identity: str, action: str, payload: Tree, *, timeout_s: float, force: bool) -> Called:
        """Raises: NotFound, InvalidRequest."""
        ...

    async def change_password(self, identity: str, password: str | None = None, *, actor: str) -> Called:
        """Raises: NotFound, InvalidRequest."""
        ...


async def register(program: Program) -> StationRegister:
    """The register as it is now: another process may have written to it."""
    stations: StationRegister = program.stations
    await stations.refresh()
    return stations


async def put(program: Program, identity: str, tree: Tree, *, actor: str) -> Tree:
    """Register a charger, or change it. Returns: its view. Raises: InvalidRequest, also for a place we do not have."""
    await _must_exist(program, tree)
    return await (await register(program)).put(identity, tree, actor=actor)


async def _must_exist(program: Program, tree: Tree) -> None:
    """The place that a registration names; what is of another shape the register refuses. Raises: InvalidRequest."""
    name, evses = tree.get("location"), tree.get("evses")
    if not isinstance(name, str) or not name:
        if evses:
            raise InvalidRequest("/location: is needed to know which evses these are")
        return
    ours = program.settings.party
    owner, slash, location_id = name.rpartition("/")
    if slash and owner != ours:
        raise InvalidRequest(f"/location: {name} is not one of ours ({ours})")
    try:
        location = await locations.get_whole(program.store, location_key(ours, location_id))
    except UnknownLocation:
        raise InvalidRequest(f"/location: there is no location {name}; add it first") from None
    for number, entry in evses.items() if isinstance(evses, dict) else ():
        if isinstance(entry, dict):
            _must_be_in(location, entry, f"/evses/{number}")


def _must_be_in(location: Tree, entry: Tree, where: str) -> None:
    """Raises: InvalidRequest."""
    uid, connectors = str(entry.get("evse_uid")), entry.get("connectors")
    try:
        evse = locations.evse_in(location, uid)
    except UnknownLocation:
        raise InvalidRequest(f"{where}/evse_uid: location {location['id']} has no EVSE {uid}") from None
    for number, connector_id in connectors.items() if isinstance(connectors, dict) else ():
        try:
            locations.connector_in(evse, str(connector_id))
        except UnknownLocation:
            raise InvalidRequest(f"{where}/connectors/{number}: EVSE {uid} has no connector {connector_id}") from None


async def call(program: Program, identity: str, ask: StationCall, *, actor: str) -> Called:
    """Send any OCPP call; it is audited by its name, not with its payload. Raises: NotFound, InvalidRequest."""
    stations = await register(program)
    await stations.view(identity)
    await program.store.commit(Unit().audited(Audit(actor, "station.call", identity, ask.action)))
    return await stations.call(identity, ask.action, dict(ask.payload), timeout_s=ask.timeout_s, force=ask.force)
