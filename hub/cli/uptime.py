"""busbar uptime: how long our EVSEs were up, and which outages do not count."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.remote import quoted

app: Final = typer.Typer(help="How long our EVSEs were up.", no_args_is_help=True)

Evse = Annotated[str | None, typer.Option("--evse", help="Only this EVSE.")]

_COLUMNS: Final = ("evse_uid", "station", "location", "from", "minutes", "outage", "excluded", "percent")
_OUTAGES: Final = ("id", "evse_uid", "station", "reason", "began", "ended", "excluded")


@command(app, "show")
def show(
    face: Face,
    since: Annotated[
        str | None, typer.Option("--from", help="As in 2026-01-01T00:00:00Z; at first a year ago.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="At first now.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="Only at this location.")] = None,
    evse: Evse = None,
) -> None:
    """Minutes, outages and percent of each EVSE (23 CFR 680.116)."""
    query = {"from": since, "to": until, "location": location, "evse": evse}
    face.show(face.hub.get("/uptime", **query), _COLUMNS)


@command(app, "outages")
def outages(face: Face, evse: Evse = None) -> None:
    """The newest outages."""
    face.show(face.hub.get("/uptime/outages", evse=evse), _OUTAGES)


@command(app, "exclude")
def exclude(
    face: Face,
    outage: Annotated[str, typer.Argument(help="As `busbar uptime outages` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; empty lets it count again.")],
) -> None:
    """Let an outage not count: planned maintenance, vandalism, a power cut."""
    face.show(face.hub.post(f"/uptime/outages/{quoted(outage)}/exclude", {"reason": reason}))
