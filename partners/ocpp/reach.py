"""All stations, wherever their sockets are: what modules and operators are given.

A station whose socket is in this process is asked here (`orders.py`); one that another process holds is asked there
(`apart`), and everybody can see the difference only by the milliseconds. With SQLite there is one process, and nothing
is elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, LimitRules, Limits, Outcome, Place, ProfileOutcome
from partners.ocpp import answers, maintenance, register
from partners.ocpp.apart.errands import Errands, Home
from partners.ocpp.apart.held import Held, all_held, holder_of
from partners.ocpp.apart.limits import answer_in, tree_of
from partners.ocpp.doubts import doubts_at
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.register import folded
from partners.ocpp.stations import Called
from partners.ocpp.unplaced import Verdict

_LOOK_S: Final = 5.0
"""For a look at what a gateway has in memory."""
_PASSWORD_S: Final = 35.0

_UNCALLED: Final = {"unbegun": Called("not connected"), "unheard": Called("pending"), "crowded": Called("queue full")}
_UNORDERED: Final = {
    "unbegun": answers.NEVER_SENT,
    "unheard": answers.NO_ANSWER,
    "crowded": Outcome.REJECTED,
}


class Reach:
    """The port `hub.core.ports.Chargers`, and what the management API asks of the stations."""

    def __init__(self, hub: Hub, here: ChargerOrders, errands: Errands | None = None) -> None:
        self._hub, self._here, self._errands = hub, here, errands

    # What modules ask

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        """See `hub.core.ports.Chargers`."""
        return self._here.place(evse_uid, connector_id)

    async def reachable(self, station: str) -> bool:
        """See `hub.core.ports.Chargers`."""
        held = await self._elsewhere(station)
        return not held.waits if held is not None else self._here.reachable(station)

    async def supports(self, station: str, feature: str) -> bool:
        """See `hub.core.ports.Chargers`."""
        await self._learn(station)
        return self._here.supports(station, feature)

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        """See `hub.core.ports.Chargers`."""
        asked = {"id_tag": id_tag, "token_type": token_type}
        held = await self._elsewhere(place.station)
        if held is None:
            return await self._here.remote_start(place, **asked, timeout_s=timeout_s)
        return await self._order(held, "remote_start", {"place": asdict(place), **asked}, timeout_s)

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        """See `hub.core.ports.Chargers`."""
        held = await self._elsewhere(station)
        if held is None:
            if self._errands is not None and not self._here.reachable(station):
                return answers.NEVER_SENT  # what goes on at it, this process may not know
            return await self._here.remote_stop(station, transaction=transaction, timeout_s=timeout_s)
        return await self._order(held, "remote_stop", {"station": station, "transaction": transaction}, timeout_s)

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome:
        """UnlockConnector."""
        held = await self._elsewhere(place.station)
        if held is None:
            return await self._here.unlock(place, timeout_s=timeout_s)
        return await self._order(held, "unlock", {"place": asdict(place)}, timeout_s)

    async def reserve(
        self,
        place: Place,
        *,
        reservation: int,
        id_tag: str,
        token_type: str = "",
        parent_tag: str | None,
        expiry: str,
        timeout_s: float,
    ) -> Outcome:
        """ReserveNow."""
        asked: dict[str, Any] = {
            "reservation": reservation,
            "id_tag": id_tag,
            "token_type": token_type,
            "parent_tag": parent_tag,
            "expiry": expiry,
        }
        held = await self._elsewhere(place.station)
        if held is None:
            return await self._here.reserve(place, **asked, timeout_s=timeout_s)
        return await self._order(held, "reserve", {"place": asdict(place), **asked}, timeout_s)

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome:
        """CancelReservation."""
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.cancel_reservation(station, reservation=reservation, timeout_s=timeout_s)
        asked = {"station": station, "reservation": reservation}
        return await self._order(held, "cancel_reservation", asked, timeout_s)

    async def limit_rules(self, station: str) -> LimitRules:
        """See `hub.core.ports.Chargers`."""
        await self._learn(station)
        return self._here.limit_rules(station)

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        """SetChargingProfile."""
        asked: Tree = {"station": station, "transaction": transaction, "number": number}
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.limit(**asked, limits=limits, timeout_s=timeout_s)
        home = await self._ask(held, "limit", {**asked, "limits": tree_of(limits)}, timeout_s)
        return _limited(home)

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        """ClearChargingProfile."""
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.unlimit(station, number=number, timeout_s=timeout_s)
        home = await self._ask(held, "unlimit", {"station": station, "number": number}, timeout_s)
        return _limited(home) or ProfileOutcome.REJECTED

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        """See `hub.core.ports.Chargers`."""
        asked: Tree = {"station": station, "transaction": transaction, "number": number}
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.restore(**asked, limits=limits, timeout_s=timeout_s)
        tree = None if limits is None else tree_of(limits)
        return _limited(await self._ask(held, "restore", {**asked, "limits": tree}, timeout_s))

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        """GetCompositeSchedule."""
        asked: Tree = {"station": station, "transaction": transaction, "duration_s": duration_s, "unit": unit}
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.limits(**asked, timeout_s=timeout_s)
        home = await self._ask(held, "limits", asked, timeout_s)
        return ProfileOutcome.REJECTED if home.answer is None else answer_in(home.answer)

    async def prefer(
        self, station: str, *, transaction: str, departure: datetime | None, need_kwh: Decimal | None, timeout_s: float
    ) -> bool:
        """What a driver prefers of a charge, to whoever steers the site."""
        held = await self._elsewhere(station)
        if held is None:
            return await self._here.prefer(
                station, transaction=transaction, departure=departure, need_kwh=need_kwh, timeout_s=timeout_s
            )
        asked: Tree = {
            "station": station,
            "transaction": transaction,
            "departure": None if departure is None else timestamp(departure),
            "need_kwh": None if need_kwh is None else str(need_kwh),
        }
        home = await self._ask(held, "prefer", asked, timeout_s)
        return home.answer is not None and bool(home.answer["heeded"])

    # What operators ask

    async def refresh(self) -> None:
        """Read the register again, if somebody else wrote to it."""
        await self._here.refresh()

    async def put(self, identity: str, tree: Tree, *, actor: str) -> Tree:
        """See `Stations.put`."""
        return await self._here.put(identity, tree, actor=actor) | await self.view(identity)

    async def maintain(self, identity: str, evses: Sequence[str], note: str, *, actor: str) -> Tree:
        """See `Stations.maintain`. Returns: its view."""
        await self._here.maintain(identity, evses, note, actor=actor)
        return await self.view(identity) | {"maintenance": maintenance.shown(self._here.get(identity).station)}

    async def end_maintenance(self, identity: str, *, actor: str) -> Tree:
        """See `Stations.end_maintenance`. Returns: its view."""
        await self._here.end_maintenance(identity, actor=actor)
        return await self.view(identity) | {"maintenance": None}

    async def commission(self, identity: str, hidden: Collection[str], *, actor: str) -> None:
        """See `Stations.commission`."""
        await self._here.commission(identity, hidden, actor=actor)

    async def skip(self, identity: str, step: str, *, actor: str) -> None:
        """See `Stations.skip`."""
        await self._here.skip(identity, step, actor=actor)

    async def commissioned(self, identity: str, *, actor: str) -> None:
        """See `Stations.commissioned`."""
        await self._here.commissioned(identity, actor=actor)

    async def abandon(self, identity: str, *, actor: str) -> None:
        """See `Stations.abandon`."""
        await self._here.abandon(identity, actor=actor)

    async def settle_unplaced(self, identity: str, name: str, verdict: Verdict, *, actor: str) -> None:
        """See `ChargerOrders.settle_unplaced`. Raises: NotFound; InvalidRequest, also where nobody has its socket."""
        held = await self._elsewhere(identity)
        live = self._here.find(identity)
        if held is not None:
            asked = {"name": name, "actor": actor, **verdict._asdict()}
            home = await self._ask(held, "settle_unplaced", asked, _PASSWORD_S)
            if home.answer is None:
                raise InvalidRequest("the process that has its charger's socket did not answer; look again")
            return
        if self._errands is not None and (live is None or live.link is None):
            raise InvalidRequest(f"{identity} must be connected for this, as several processes serve chargers")
        await self._here.settle_unplaced(name, verdict, actor=actor)

    async def delete(self, identity: str, *, actor: str) -> None:
        """See `Stations.delete`; whoever holds its socket hangs up."""
        await self._here.delete(identity, actor=actor)

    async def view(self, identity: str) -> Tree:
        """One station, with all that is known where its socket is, and its `doubts.py`. Raises: NotFound."""
        station = self._here.get(identity).identity
        return {**await self._view(identity), "doubts": await doubts_at(self._hub.store, station)}

    async def _view(self, identity: str) -> Tree:
        held = await self._elsewhere(identity)
        if held is None:
            await self._learn(identity)
            return self._here.view(identity)
        home = await self._ask(held, "view", {"station": identity}, _LOOK_S)
        return home.answer if home.answer is not None else _connected(self._here.view(identity), held)

    async def views(self) -> list[Tree]:
        """All stations; of those that are connected elsewhere, that they are."""
        views = self._here.views()
        if self._errands is None:
            return views
        held = await all_held(self._hub.store, self._hub.clock.now())
        return [
            view
            if view["connected"] or (there := held.get(folded(view["identity"]))) is None
            else _connected(view, there)
            for view in views
        ]

    async def messages(self, identity: str, *, limit: int) -> list[Tree]:
        """The last frames, without secrets. Raises: NotFound."""
        self._here.get(identity)
        held = await self._elsewhere(identity)
        if held is None:
            return self._here.messages(identity, limit=limit)
        home = await self._ask(held, "messages", {"station": identity, "limit": limit}, _LOOK_S)
        items: list[Tree] = home.answer["items"] if home.answer is not None else []
        return items

    async def call(self, identity: str, action: str, payload: Tree, *, timeout_s: float, force: bool) -> Called:
        """See `Stations.call`."""
        self._here.get(identity)
        held = await self._elsewhere(identity)
        if held is None:
            return await self._here.call(identity, action, payload, timeout_s=timeout_s, force=force)
        asked = {"station": identity, "action": action, "payload": payload, "force": force}
        return _called(await self._ask(held, "call", asked, timeout_s))

    async def change_password(self, identity: str, password: str | None = None, *, actor: str) -> Called:
        """See `Stations.change_password`."""
        self._here.get(identity)
        held = await self._elsewhere(identity)
        if held is None:
            return await self._here.change_password(identity, password, actor=actor)
        asked = {"station": identity, "password": password, "actor": actor}
        return _called(await self._ask(held, "change_password", asked, _PASSWORD_S))

    async def _elsewhere(self, station: str) -> Held | None:
        """Who holds its socket, if that is another process."""
        live = self._here.find(station)
        if self._errands is None or live is None or live.link is not None:
            return None
        return await holder_of(self._hub.store, station, self._hub.clock.now())

    async def _learn(self, station: str) -> None:
        """What a station told of itself came to the process that holds its socket, and is on record."""
        live = self._here.find(station)
        if self._errands is not None and live is not None and live.link is None:
            live.learned = await register.learned_of(self._hub.store, live.identity)

    async def _ask(self, held: Held, name: str, asked: Tree, timeout_s: float) -> Home:
        """Raises: InvalidRequest, NotFound, as there."""
        assert self._errands is not None  # noqa: S101 - narrows the type; somebody is elsewhere
        home = await self._errands.ask(held, name, asked, timeout_s=timeout_s)
        answer = home.answer or {}
        if answer.get("unbegun") or answer.get("crowded"):
            return Home("unbegun" if answer.get("unbegun") else "crowded")
        if "fault" in answer:
            kinds = {"InvalidRequest": InvalidRequest, "NotFound": NotFound}
            if answer["fault"] in kinds:
                raise kinds[answer["fault"]](answer["message"])
            return Home("unheard")
        return home

    async def _order(self, held: Held, name: str, asked: Tree, timeout_s: float) -> Outcome:
        home = await self._ask(held, name, asked, timeout_s)
        return Outcome(home.answer["outcome"]) if home.answer is not None else _UNORDERED[home.became]


def _called(home: Home) -> Called:
    return Called(**home.answer) if home.answer is not None else _UNCALLED[home.became]


def _limited(home: Home) -> ProfileOutcome | None:
    """Whatever is not a yes is a no; None where the charger may have been asked, and no answer is known."""
    if home.answer is None:
        return None if home.became == "unheard" else ProfileOutcome.REJECTED
    outcome = home.answer["outcome"]
    return None if outcome is None else ProfileOutcome(outcome)


def _connected(view: Tree, held: Held) -> Tree:
    return {**view, "connected": True, "since": timestamp(held.since), "version": held.version}
