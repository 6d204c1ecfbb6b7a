"""A site's power as people see it: who may draw what, until when, what he draws, and a sentence for each ampere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from hub.core.clock import timestamp
from hub.core.jsontypes import Json, Tree
from partners.ocpp.energy.prose import sentence, warning
from partners.ocpp.energy.reasons import Crowded, Reserved, Why
from partners.ocpp.energy.shares import Allocation, Share
from partners.ocpp.energy.site import Evse, Limit
from partners.ocpp.energy.units import NOTHING, PHASES, PerPhase, amperes
from partners.ocpp.sites.present import Seen, facts_of, is_newest
from partners.ocpp.sites.register import Known


def shown(known: Known, seen: Mapping[str, Seen], allocation: Allocation) -> Tree:
    """The whole view, but for the time at which it was so."""
    shares = {share.evse: share for share in allocation.shares}
    reserved = {each.evse: each for each in allocation.reserved}
    kept = [warning(each) for each in allocation.notices if isinstance(each, Crowded)]
    exceeded = [warning(each) for each in allocation.notices if not isinstance(each, Crowded)]
    return {
        "items": [_item(known.site.evse[uid], each, shares.get(uid), reserved.get(uid)) for uid, each in seen.items()],
        "nodes": list(_nodes(known, seen, allocation)),
        "warnings": [*exceeded, *kept, *_unsettled(seen.values())],
        "exceeded": exceeded,
    }


def _item(evse: Evse, seen: Seen, share: Share | None, reserved: Reserved | None) -> Tree:
    state, told = seen.state, seen.state.told
    item: Tree = {"evse_uid": evse.id, "station": state.row.station, "state": _state(evse, seen, share)}
    if share is None:
        return {
            **item,
            "may_a": amperes(max(reserved.ma) if reserved else evse.safe_ma),
            "why": _idle(evse, seen, reserved),
        }
    held = told if told is not None and told.until > share.begin else None
    item |= {
        "connector": state.row.connector,
        "session": state.row.session,
        "may_a": amperes(held.ma if held is not None else evse.safe_ma),
        "then_a": amperes(share.then_ma),
        "phases": [f"L{phase}" for phase in share.phases],
        "accepted": held is not None and state.row.is_accepted,
        "wish": state.row.wish is not None,
        "why": sentence(share),
    }
    if held is not None:
        item |= {"begin": timestamp(held.since), "until": timestamp(held.until)}
    return item | _measured(seen)


def _state(evse: Evse, seen: Seen, share: Share | None) -> str:
    if seen.is_served and not seen.is_ready:
        return "settling" if seen.is_online else "offline"
    if seen.is_deaf(evse):
        return "deaf"
    return "idle" if share is None else "charging"


def _idle(evse: Evse, seen: Seen, reserved: Reserved | None) -> str:
    """Why power is kept for an EVSE at which nobody is known to charge."""
    if reserved is None:
        return "nobody charges there, and nothing is kept for it"
    figure = f"{amperes(max(reserved.ma))} A are kept for it"
    if reserved.why is Why.OFFLINE:
        why = "has not taken its safe current yet" if seen.is_online else "is offline"
        return f"{figure}, as its charger {why} and may allow that"
    if max(reserved.ma) > evse.safe_ma:
        return f"{figure}, as its charger is not known to hold its safe current"
    return f"{figure}, as the next charge may draw that before it is told anything"


def _measured(seen: Seen) -> Tree:
    metered, drew = seen.metered, seen.state.row.drew
    if drew is not None and is_newest(drew, metered):
        return {"measured_at": timestamp(drew.at), "draws_a": [amperes(ma) for ma in drew.ma]}
    if metered is None:
        return {}
    found: dict[str, Json] = {"measured_at": timestamp(metered.at)}
    if metered.ma is not None:
        found["draws_a"] = [amperes(ma) for ma in metered.ma]
    if metered.mw is not None:
        found["draws_w"] = Decimal(metered.mw) / 1000
    return found


def _nodes(known: Known, seen: Mapping[str, Seen], allocation: Allocation) -> Iterator[Tree]:
    """Each node's limit of now, the building's load that counts there, and what all below it may draw."""
    facts = facts_of(known, seen, allocation.begin)
    may = {node.id: [0, 0, 0] for node in known.site.nodes}
    for uid, flow in _flows(known, seen, allocation):
        for name in known.site.paths[known.site.evse[uid].node]:
            for index, ma in enumerate(flow):
                may[name][index] += ma
    for node in known.site.nodes:
        told = facts.limits[node.id].at(allocation.begin) if node.id in facts.limits else Limit()
        load = facts.loads[node.id].at(allocation.begin) if node.id in facts.loads else None
        watts = [mw for mw in (node.limit.mw, told.mw) if mw is not None]
        yield {
            "node": node.id,
            "limit_a": _lower(node.limit.ma, told.ma),
            "limit_w": Decimal(min(watts)) / 1000 if watts else None,
            "load_a": [amperes(ma) for ma in (load if load is not None else node.assumed_load_ma)],
            "may_a": [amperes(ma) for ma in may[node.id]],
        }


def _flows(known: Known, seen: Mapping[str, Seen], allocation: Allocation) -> Iterator[tuple[str, PerPhase]]:
    """What each EVSE is reckoned with now, on each grid phase."""
    reserved = {each.evse: each.ma for each in allocation.reserved}
    shares = {share.evse: share for share in allocation.shares}
    for uid, evse in known.site.evse.items():
        share, told = shares.get(uid), seen[uid].state.told
        if share is None or uid in reserved:
            yield uid, reserved.get(uid, NOTHING)
            continue
        ma = told.ma if told is not None and told.until > allocation.begin else evse.safe_ma
        first, second, third = (ma if phase in share.phases else 0 for phase in PHASES)
        yield uid, (first, second, third)


def _lower(own: PerPhase | None, told: PerPhase | None) -> list[Decimal] | None:
    if own is None or told is None:
        one = own if own is not None else told
        return None if one is None else [amperes(ma) for ma in one]
    return [amperes(min(pair)) for pair in zip(own, told, strict=True)]


def _unsettled(seen: Iterable[Seen]) -> Iterator[str]:
    for each in seen:
        if each.is_served and each.is_ready and each.state.row.safe_ma is None:
            yield f"{each.state.row.evse} has not taken its safe current, and is reckoned with the most that it gives"
