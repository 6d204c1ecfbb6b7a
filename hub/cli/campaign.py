"""busbar campaign"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

app: Final = typer.Typer(help="One firmware for many chargers, a few first.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The campaign's id.", metavar="ID")]
_COLUMNS: Final = ("id", "firmware", "model", "version", "state", "why", "total", "created")


@command(app, "start")
def start(
    face: Face,
    firmware: Annotated[str, typer.Argument(help="The firmware's name.")],
    model: Annotated[str, typer.Option("--model", help="The model it must be for.")] = "",
    stations: Annotated[list[str], typer.Option("--station", help="Only these, in this order.")] = [],  # noqa: B006
    canary: Annotated[int, typer.Option("--canary", min=0, max=1000, help="So many must be well first.")] = 1,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1000, help="Then so many at a time.")] = 20,
    stop_after: Annotated[int, typer.Option("--stop-after", min=1, help="So many failures stop it.")] = 2,
    make_unavailable: Annotated[
        bool, typer.Option("--make-unavailable", help="Take each out of use for the update.")
    ] = False,
    retries: Annotated[int, typer.Option("--retries", min=0, max=10, help="Further attempts at a charger.")] = 2,
) -> None:
    """Give a firmware to the chargers of its model. None is told while somebody charges at it."""
    tree: Tree = {
        "firmware": firmware, "model": model, "stations": stations, "canary": canary, "batch": batch,
        "stop_after": stop_after, "make_unavailable": make_unavailable, "retries": retries,
    }  # fmt: skip
    face.show(face.hub.post("/campaigns", tree))


@command(app, "list")
def list_campaigns(face: Face) -> None:
    """All campaigns."""
    face.show(face.hub.get("/campaigns"), _COLUMNS)


@command(app, "show")
def show(face: Face, campaign: Id) -> None:
    """A campaign, and how far each charger is."""
    face.show(face.hub.get(f"/campaigns/{quoted(campaign)}"))


@command(app, "pause")
def pause(face: Face, campaign: Id) -> None:
    """Tell no further charger."""
    face.show(face.hub.post(f"/campaigns/{quoted(campaign)}/pause"))


@command(app, "resume")
def resume(face: Face, campaign: Id) -> None:
    """Go on; the failures so far are forgiven."""
    face.show(face.hub.post(f"/campaigns/{quoted(campaign)}/resume"))


@command(app, "abort")
def abort(face: Face, campaign: Id) -> None:
    """End it; chargers that were not told are dropped."""
    face.show(face.hub.post(f"/campaigns/{quoted(campaign)}/abort"))
