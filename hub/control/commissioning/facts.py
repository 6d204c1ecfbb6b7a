"""What is known of a charger that is being commissioned, gathered from where it is kept."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from hub.control.commissioning.steps import Configured, Facts, Trial
from hub.control.stations import register
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.types import parse_datetime
from modules.sessions.charge import CHARGES, Charge
from modules.sessions.costs import cost_of
from modules.sessions.store import by_id
from partners.ocpp import register as stations
from partners.ocpp.care import firmware
from partners.ocpp.desired import applying, rows
from partners.ocpp.desired.rows import Named
from partners.ocpp.samples_taken import measured

if TYPE_CHECKING:
    from hub.app import Program

_LOOKED_AT: Final = 20
_LIMIT: Final = 8 * 1024 * 1024


async def gathered(program: Program, identity: str) -> Facts:
    """Raises: NotFound."""
    view = await (await register(program)).view(identity)
    now = view["commissioning"] or {}
    shelf = [each for each in await firmware.listed(program.hub) if each.file and each.model == view["model"]]
    tested = await _tested(program, view["identity"], now["since"]) if now else None
    configured = await _configured(program, view)
    return Facts({**view, "places": _places(view)}, tested, [(each.name, each.version) for each in shelf], configured)


async def templates_for(program: Program, view: Tree) -> list[Named]:
    """Those that are for a charger, the most particular last."""
    return rows.fitting(await rows.listed(program.store), view) if view["vendor"] else []


async def _configured(program: Program, view: Tree) -> Configured:
    templates, last = await templates_for(program, view), await applying.last_of(program.hub, view["identity"])
    is_known = bool(last) and not applying.is_older(last, templates)
    return Configured([each.name for each in templates], list(last["rows"].values()) if is_known else None)


def _places(view: Tree) -> dict[str, str]:
    """By OCPP connector, the EVSE and connector of OCPI that the operator said it is."""
    known = {"identity", "location", "evses", "protocol"}
    station = msgspec.convert({name: view[name] for name in known}, stations.Station)
    return {str(number): f"{at.evse_uid}/{at.connector_id}" for number, at in sorted(station.places().items())}


async def _tested(program: Program, station: str, since: str) -> Trial | None:
    """The newest charge that we heard of after `since`, by our clock: a charger's may be wrong."""
    begun = parse_datetime(since)
    documents = await program.store.select(CHARGES, equal={"station": station}, descending=True, limit=_LOOKED_AT)
    for document in documents:
        charge = msgspec.json.decode(document.body, type=Charge)
        if not charge.reservation_only and charge.told_at is not None and charge.told_at >= begun:
            return await _seen(program, charge)
    return None


async def _seen(program: Program, charge: Charge) -> Trial:
    found = await by_id(program.store, charge.session_id)
    session: Tree = parse(found[0].body, limit=_LIMIT) if found else {}
    cost = await cost_of(program.store, charge.session_id)
    metered = await measured(program.store, charge.station, charge.session_id)
    kwh = Decimal(session["kwh"]) if "kwh" in session else None
    if charge.is_open and metered is not None:  # its Session is told now and then only
        kwh = metered.kwh
    return Trial(
        charge.session_id,
        charge.connector,
        charge.is_open,
        kwh,
        metered.samples if metered is not None else None,
        price=f"{cost:.2f} {session['currency']}" if cost is not None else "",
        doubt=charge.why_held,
    )
