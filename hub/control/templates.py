"""Templates in the operator's hands: kept by the hub, held against chargers, and applied to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.control.stations import register
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp.desired import applying, rows
from partners.ocpp.desired.rows import Named

if TYPE_CHECKING:
    from hub.app import Program


async def listed(program: Program) -> list[Tree]:
    """All templates."""
    return [each.shown() for each in await rows.listed(program.store)]


async def show(program: Program, name: str) -> Tree:
    """One, with the chargers that it is for. Raises: NotFound."""
    found = await rows.get(program.store, name)
    views = await (await register(program)).views()
    return {**found.shown(), "stations": [view["identity"] for view in views if found.template.fits(view)]}


async def put(program: Program, name: str, tree: Tree, *, actor: str) -> tuple[bool, Tree]:
    """Keep one. Returns: whether it is new, and the template. Raises: InvalidRequest."""
    created = await rows.put(program.hub, name, tree, actor=actor)
    return created, await show(program, name)


async def drift(program: Program, name: str, identity: str) -> Tree:
    """Where a charger differs from a template. Raises: NotFound; InvalidRequest, when it is not for this charger."""
    template, view = await _for(program, name, identity)
    found = await applying.drift(program.hub, program.stations, view, [template])
    return {"items": found, "total": len(found)}


async def apply(program: Program, name: str, identity: str, *, actor: str) -> Tree:
    """Set what differs, and read it back. Returns: each value that differed. Raises: as `drift`."""
    template, view = await _for(program, name, identity)
    done = await applying.bring(program.hub, program.stations, view, [template], actor=actor)
    return {"items": done, "total": len(done)}


async def _for(program: Program, name: str, identity: str) -> tuple[Named, Tree]:
    template, view = await rows.get(program.store, name), await (await register(program)).view(identity)
    if not template.template.fits(view):
        raise InvalidRequest(f"{name} is not for {view['identity']}, by its vendor, model or firmware")
    return template, view
