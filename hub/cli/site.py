"""busbar site"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import JsonFile, read_object
from hub.cli.remote import quoted
from hub.core.jsontypes import Json, Tree

app: Final = typer.Typer(help="Sites within their grid connections: whose power is shared.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The site's name.")]
Node = Annotated[str, typer.Option("--node", help="The node of its tree, as in grid.")]
Amps = Annotated[str, typer.Option("--amps", help="On each phase, as in 32; or three, as in 32,25,32.")]

_COLUMNS: Final = ("name", "policy", "nodes", "evses", "unsafe", "limits", "loads")
_POWER: Final = ("evse_uid", "station", "state", "may_a", "phases", "until", "draws_a", "why")


@command(app, "put")
def put(face: Face, name: Name, file: JsonFile) -> None:
    """Make a site, or change it: the whole of it as JSON."""
    _, kept = face.hub.put(f"/sites/{quoted(name)}", read_object(file))
    face.show(kept)


@command(app, "list")
def list_sites(face: Face) -> None:
    """All sites, with how much there is of everything."""
    found = face.hub.get("/sites")
    face.show(found if face.as_json else {**found, "items": [_counted(item) for item in found["items"]]}, _COLUMNS)


def _counted(item: Tree) -> Tree:
    return {name: len(value) if isinstance(value, dict | list) else value for name, value in item.items()}


@command(app, "show")
def show(face: Face, name: Name) -> None:
    """One site: its tree, and the limits and loads of now."""
    face.show(face.hub.get(f"/sites/{quoted(name)}"))


@command(app, "delete")
def delete(face: Face, name: Name) -> None:
    """Share no more power there; its chargers keep their safe currents until ClearChargingProfile is called."""
    face.show(face.hub.delete(f"/sites/{quoted(name)}"))


@command(app, "limit")
def limit(
    face: Face,
    name: Name,
    node: Node,
    amps: Amps = "",
    watts: Annotated[str, typer.Option("--watts", help="Over all phases.")] = "",
    until: Annotated[str, typer.Option("--until", help="When it ends, as in 2026-05-04T18:00:00Z; needed.")] = "",
    begin: Annotated[str, typer.Option("--begin", help="When it begins; without it, now.")] = "",
) -> None:
    """Limit a node for a time; without a figure that is withdrawn."""
    if (amps or watts) and not until:
        raise CommandFailed("a limit for a time says when it ends: --until 2026-05-04T18:00:00Z", Code.USAGE)
    given = {"limit_a": _figure(amps), "limit_w": _number(watts), "until": until, "begin": begin}
    tree = {"node": node, **{field: value for field, value in given.items() if value not in (None, "")}}
    _, kept = face.hub.put(f"/sites/{quoted(name)}/limits", tree)
    face.show(kept)


@command(app, "load")
def load(face: Face, name: Name, node: Node, amps: Amps) -> None:
    """What the building draws at a node now."""
    _, kept = face.hub.put(f"/sites/{quoted(name)}/load", {"node": node, "load_a": _figure(amps)})
    face.show(kept)


@command(app, "power")
def power(face: Face, name: Name) -> None:
    """What each EVSE may draw now and until when, what it draws, and why it is not more."""
    found = face.hub.get(f"/sites/{quoted(name)}/power")
    face.show(found, _POWER)
    if not face.as_json:
        for warning in found["warnings"]:
            face.say(warning)


def _figure(text: str) -> Json:
    """One number, or three. Raises: CommandFailed."""
    parts = [_number(part) for part in text.split(",")] if text else []
    if len(parts) not in (0, 1, 3):
        raise CommandFailed(f"{text}: one figure for all phases, or three", Code.USAGE)
    return parts if len(parts) == 3 else (parts[0] if parts else None)


def _number(text: str) -> Decimal | None:
    """Raises: CommandFailed."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise CommandFailed(f"{text}: is not a number", Code.USAGE) from None
