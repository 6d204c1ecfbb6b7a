"""busbar template"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import JsonFile, read_object
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree
from partners.ocpp.desired.states import GOOD

app: Final = typer.Typer(help="How chargers of a model should be configured.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The template's name.")]
Chargers = Annotated[list[str], typer.Argument(help="Only these; without one, all that it is for.", metavar="[CP1]...")]

_COLUMNS: Final = ("station", "name", "desired", "actual", "state")


@command(app, "list")
def list_templates(face: Face) -> None:
    """All templates."""
    face.show(face.hub.get("/templates"), ("name", "vendor", "model", "firmware", "apply", "updated"))


@command(app, "show")
def show(face: Face, name: Name) -> None:
    """One template, and the chargers that it is for."""
    face.show(face.hub.get(f"/templates/{quoted(name)}"))


@command(app, "put")
def put(face: Face, name: Name, file: JsonFile) -> None:
    """Keep a template: {"model": "M1*", "values": {"MeterValueSampleInterval": 60}, "apply": "on_boot"}."""
    _, kept = face.hub.put(f"/templates/{quoted(name)}", read_object(file))
    face.show(kept)


@command(app, "remove")
def remove(face: Face, name: Name) -> None:
    """Forget a template; chargers stay as they are."""
    face.show(face.hub.delete(f"/templates/{quoted(name)}"))


@command(app, "drift")
def drift(face: Face, name: Name, identities: Chargers = []) -> None:  # noqa: B006
    """Where chargers differ from a template. Of OCPP 1.6 they are asked; of 2.x, it is what they last told."""
    path = f"/templates/{quoted(name)}/drift"
    rows = _of_each(face, name, identities, lambda identity: face.hub.get(path, station=identity))
    face.show({"items": rows, "total": len(rows)}, _COLUMNS)
    if rows:
        raise typer.Exit(Code.FAILED)


@command(app, "apply")
def apply(face: Face, name: Name, identities: Chargers = []) -> None:  # noqa: B006
    """Set what differs from a template, one charger after another, and read each value back."""
    path = f"/templates/{quoted(name)}/apply"
    rows = _of_each(face, name, identities, lambda identity: face.hub.post(path, {"station": identity}))
    face.show({"items": rows, "total": len(rows)}, _COLUMNS)
    restarts = sorted({str(row["station"]) for row in rows if row["state"] == "restart needed"})
    if restarts:
        face.say(f"Takes effect when these restart: {', '.join(restarts)}")
    if any(row["state"] not in GOOD for row in rows):
        raise typer.Exit(Code.FAILED)


def _of_each(face: Face, name: str, identities: list[str], do: Callable[[str], Tree]) -> list[Tree]:
    """What is answered of each charger that is named, or of all that it is for; one's fault keeps no other from it.

    Raises: CommandFailed, for one that is named, and that it is not for.
    """
    if identities:
        return [row for identity in identities for row in do(identity)["items"]]
    rows: list[Tree] = []
    for identity in face.each(face.hub.get(f"/templates/{quoted(name)}")["stations"], "chargers"):
        try:
            rows += do(identity)["items"]
        except CommandFailed as failure:
            rows.append({"station": identity, "name": "", "desired": "", "actual": None, "state": failure.message})
    return rows
