"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import __version__
from hub.cli import (
    agreement,
    alert,
    campaign,
    certificates,
    commission,
    devices,
    firmware,
    held_bills,
    lint,
    local,
    matrix,
    objects,
    oicp,
    oicp_evses,
    partner,
    price,
    records,
    serving,
    settlement,
    site,
    station,
    station_log,
    template,
    uptime,
    webhook,
)

app = typer.Typer(
    name="busbar",
    help="An open roaming and interoperability hub for EV charging.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 no hub answers, 5 not allowed, "
    "6 cannot be checked.",
)

serving.add_to(app)
local.add_to(app)
price.add_to(app)
matrix.add_to(app)
app.add_typer(partner.app, name="partner")
oicp_evses.add_to(oicp.app)
app.add_typer(oicp.app, name="oicp")
app.add_typer(agreement.app, name="agreement")
app.add_typer(agreement.route, name="route")
app.add_typer(objects.location, name="location")
lint.add_to(objects.tariff)
app.add_typer(objects.tariff, name="tariff")
app.add_typer(objects.token, name="token")
devices.add_to(station.app)
certificates.add_to(station.app)
station_log.add_to(station.app)
commission.add_to(station.app)
app.add_typer(station.app, name="station")
app.add_typer(template.app, name="template")
app.add_typer(alert.app, name="alert")
app.add_typer(uptime.app, name="uptime")
app.add_typer(webhook.app, name="webhook")
app.add_typer(site.app, name="site")
app.add_typer(firmware.app, name="firmware")
app.add_typer(campaign.app, name="campaign")
app.add_typer(records.session, name="session")
app.add_typer(records.cdr, name="cdr")
held_bills.add_to(records.transaction)
app.add_typer(records.transaction, name="transaction")
app.add_typer(records.reservation, name="reservation")
app.add_typer(settlement.invoice, name="invoice")
app.add_typer(settlement.terminal, name="terminal")
app.add_typer(settlement.payment, name="payment")
app.add_typer(settlement.booking, name="booking")
app.add_typer(records.change, name="change")
app.add_typer(records.audit, name="audit")
app.add_typer(records.operator, name="operator")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"busbar {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """An open roaming and interoperability hub for EV charging."""
