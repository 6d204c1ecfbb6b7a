"""busbar alert"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.remote import quoted

app: Final = typer.Typer(help="What is wrong with chargers, sites, partners and bills.", no_args_is_help=True)

_COLUMNS: Final = ("id", "severity", "rule", "about", "subject", "opened", "closed", "seen", "acknowledged_by")


@command(app, "list")
def list_alerts(
    face: Face,
    station: Annotated[str | None, typer.Option("--station", help="Only of this charger.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only of this rule, as in offline.")] = None,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only what is open, or closed.")] = None,
    date_from: Annotated[str | None, typer.Option("--date-from", help="As in 2026-01-31T00:00:00Z.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0)] = 0,
) -> None:
    """Alerts, the newest first."""
    wanted = None if is_open is None else str(is_open).lower()
    query = {"station": station, "rule": rule, "open": wanted, "date_from": date_from}
    face.show(face.hub.get("/alerts", **query, limit=limit, offset=offset), _COLUMNS)


@command(app, "ack")
def ack(face: Face, alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID")]) -> None:
    """Say that somebody looks after it; it closes by itself when the fault is over."""
    face.show(face.hub.post(f"/alerts/{quoted(alert_id)}/acknowledge"))
