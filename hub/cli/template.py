"""busbar template"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import JsonFile, read_object
from hub.cli.remote import quoted
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp.desired.template import Drift, Template, parsed, same

app: Final = typer.Typer(help="How chargers of a model should be configured.", no_args_is_help=True)

Chargers = Annotated[list[str], typer.Argument(help="Only these; without one, all that it is for.", metavar="[CP1]...")]

_COLUMNS: Final = ("station", "name", "desired", "actual", "state")
_GOOD: Final = frozenset({"set", "restart needed"})


@command(app, "drift")
def drift(face: Face, file: JsonFile, identities: Chargers = []) -> None:  # noqa: B006
    """Where chargers differ from a template. Of OCPP 1.6 they are asked; of 2.x, it is what they last told."""
    template = _template(file)
    rows = [row for station in _meant(face, template, identities) for row in _drift_of(face, template, station)]
    face.show({"items": rows, "total": len(rows)}, _COLUMNS)
    if rows:
        raise typer.Exit(Code.FAILED)


@command(app, "apply")
def apply(face: Face, file: JsonFile, identities: Chargers = []) -> None:  # noqa: B006
    """Set what differs from a template, one charger after another, and read each value back."""
    template = _template(file)
    rows: list[Tree] = []
    for station in _meant(face, template, identities):
        found = _drift_of(face, template, station)
        rows.extend(row if row["state"] == "unread" else _applied(face, row) for row in found)
    face.show({"items": rows, "total": len(rows)}, _COLUMNS)
    restarts = sorted({str(row["station"]) for row in rows if row["state"] == "restart needed"})
    if restarts:
        face.say(f"Takes effect when these restart: {', '.join(restarts)}")
    if any(row["state"] not in _GOOD for row in rows):
        raise typer.Exit(Code.FAILED)


def _template(file: str) -> Template:
    """Raises: CommandFailed."""
    try:
        return parsed(read_object(file))
    except InvalidRequest as fault:
        raise CommandFailed(f"{file}: {fault.message}") from None


def _meant(face: Face, template: Template, identities: list[str]) -> Iterator[Tree]:
    """The chargers that are named, or all that the template is for. Raises: CommandFailed, for one it is not for."""
    if not identities:
        yield from (station for station in face.hub.get("/stations")["items"] if template.fits(station))
        return
    stations = [face.hub.get(f"/stations/{quoted(identity)}") for identity in identities]
    for station in stations:
        if not template.fits(station):
            raise CommandFailed(f"the template is not for {station['identity']}, by its vendor, model or firmware")
    yield from stations


def _drift_of(face: Face, template: Template, station: Tree) -> list[Tree]:
    """A charger that tells nothing is not known to differ: that is said instead."""
    identity = str(station["identity"])
    told = face.hub.get(f"/stations/{quoted(identity)}/variables")["items"]
    if not told:
        return [_row(identity, Drift("", "", None), "unread")]
    return [_row(identity, each, "differs" if each.actual is not None else "not told") for each in template.drift(told)]


def _row(identity: str, each: Drift, state: str) -> Tree:
    return {"station": identity, **each._asdict(), "state": state}


def _applied(face: Face, row: Tree) -> Tree:
    """`row` with what became of it; one charger's fault does not keep the others from theirs."""
    asked = {"name": row["name"], "value": row["desired"]}
    try:
        done = face.hub.post(f"/stations/{quoted(str(row['station']))}/variables", asked)
    except CommandFailed as failure:
        return {**row, "state": failure.message}
    actual = row["actual"] if done.get("value") is None else done["value"]
    return {**row, "actual": actual, "state": _state(done, row["desired"])}


def _state(done: Tree, desired: str) -> str:
    if done.get("reboot_required"):
        return "restart needed"
    if done.get("status") == "Accepted":
        return "set" if same(desired, done.get("value")) else "not kept"
    return str(done.get("status") or done.get("outcome"))
