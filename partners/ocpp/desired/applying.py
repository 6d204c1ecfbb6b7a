"""A charger is brought to what templates want of it: what differs is set, one value after the other, and read back.

What came of it is kept as the charger's report `template`. After a boot it is done by itself, for templates that say
so; a charger that does not keep a value is told it once at each boot, and no more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from partners.ocpp import reported
from partners.ocpp.desired import exchange, rows
from partners.ocpp.desired.exchange import Answered, Asks
from partners.ocpp.desired.rows import Named
from partners.ocpp.desired.states import FOREIGN
from partners.ocpp.desired.template import Drift, drift_of, same

log = structlog.get_logger()

SUBJECT: Final = "template"
UNREAD: Final = "unread"
"""It is connected, and does not tell its configuration."""
AWAY: Final = "not connected"


async def drift(hub: Hub, stations: Asks[Answered], view: Tree, templates: Sequence[Named]) -> list[Tree]:
    """Where a charger differs. One that tells nothing, or is away, is not known to differ: that is said instead."""
    found = await exchange.told(hub, stations, view)
    if not found:
        return [_silent(view)]
    differs = drift_of(rows.joined(templates), found)
    return [_row(view, each, "differs" if each.actual is not None else "not told") for each in differs]


async def bring(
    hub: Hub, stations: Asks[Answered], view: Tree, templates: Sequence[Named], *, actor: str
) -> list[Tree]:
    """Set what differs, by the charger's own word, and read it back. Returns: what differed, and its state now.

    Of one that is away nothing can be said but that, and what came of it last stays kept.
    """
    if not view["connected"]:
        return [_silent(view)]
    joined = rows.joined(templates)
    values = {name: value for name, value in joined.items() if exchange.has_name_for(view, name)}
    foreign = [_row(view, Drift(name, joined[name], None), FOREIGN) for name in joined.keys() - values.keys()]
    found = await exchange.told_of(hub, stations, view, values)
    done = [await _brought(hub, stations, view, each, actor) for each in drift_of(values, found)] if found else []
    if values and not found:
        done = [_silent(view)]
    done += foreign
    named = [each.name for each in templates]
    kept = {"rows": {row["name"]: row for row in done}, "templates": named}
    await hub.store.commit(Unit().put(reported.put_of(view["identity"], SUBJECT, kept, hub.clock.now())))
    return done


async def after_boot(hub: Hub, stations: Asks[Answered], view: Tree) -> None:
    """It has booted: what differs from templates that are applied then is set."""
    mine = rows.fitting(await rows.listed(hub.store), view)
    wanted = [each for each in mine if each.template.on_boot]
    if not wanted:
        return
    try:
        done = await bring(hub, stations, view, wanted, actor="busbar")
    except BusbarError as error:
        log.warning("template not applied", station=view["identity"], error=error.message)
        return
    if done:
        states = {str(row["name"]): str(row["state"]) for row in done}
        log.info("template applied", station=view["identity"], states=states)


async def _brought(hub: Hub, stations: Asks[Answered], view: Tree, each: Drift, actor: str) -> Tree:
    await hub.store.commit(Unit().audited(Audit(actor, "station.set", view["identity"], each.name)))
    done = await exchange.put(hub, stations, view, each.name, each.desired)
    if not isinstance(done, dict):
        return _row(view, each, done.outcome)
    actual = each.actual if done["value"] is None else done["value"]
    return _row(view, each._replace(actual=actual), _state(done, each.desired))


def _state(done: Tree, desired: str) -> str:
    if done["reboot_required"]:
        return "restart needed"
    if done["status"] == "Accepted":
        return "set" if same(desired, done["value"]) else "not kept"
    return str(done["status"])


def _silent(view: Tree) -> Tree:
    return _row(view, Drift("", "", None), UNREAD if view["connected"] else AWAY)


def _row(view: Tree, each: Drift, state: str) -> Tree:
    return {"station": view["identity"], **each._asdict(), "state": state}


async def last_of(hub: Hub, identity: str) -> Tree:
    """What came of it last, with `at`; empty, where it never was done."""
    return await reported.read(hub.store, identity, SUBJECT)


def is_older(found: Tree, templates: Sequence[Named]) -> bool:
    """Was it done before one of these templates was changed, or without it?"""
    at, named = str(found.get("at", "")), found.get("templates", ())
    return any(each.name not in named or each.updated > at for each in templates)
