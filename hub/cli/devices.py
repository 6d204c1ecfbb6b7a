"""busbar station variables, set, monitors, monitor, unmonitor, report"""

from __future__ import annotations

from secrets import randbelow
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted
from hub.cli.station import Identity
from hub.core.jsontypes import Tree

Variable = Annotated[str, typer.Argument(help="As in SmartChargingCtrlr.RateUnit, or EVSE@1.Power.")]

_COLUMNS: Final = ("name", "values", "mutability", "type", "unit", "options")
_MONITOR_COLUMNS: Final = ("id", "name", "type", "value", "severity", "transaction")
_DONE: Final = frozenset({"Accepted", "RebootRequired"})


def variables(
    face: Face,
    identity: Identity,
    part: Annotated[str, typer.Option("--filter", help="Part of the name.")] = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the charger (2.x) for all of them again.")] = False,
) -> None:
    """What a charger told of itself: variables (OCPP 2.x), or configuration (1.6)."""
    if refresh:
        _asked_again(face, identity, "GetBaseReport", {"reportBase": "FullInventory"})
        return
    face.show(face.hub.get(f"/stations/{quoted(identity)}/variables", filter=part), _COLUMNS)


def _asked_again(face: Face, identity: str, action: str, asked: Tree) -> None:
    """Its report comes in parts, and a while after its answer."""
    payload = {"requestId": randbelow(2**31 - 1) + 1, **asked}
    outcome = face.hub.post(f"/stations/{quoted(identity)}/calls", {"action": action, "payload": payload})
    face.show(outcome)
    if outcome.get("result", {}).get("status") != "Accepted":
        raise typer.Exit(Code.FAILED)
    face.say("It reports in a moment; the same command without --refresh shows it.")


def set_variable(
    face: Face,
    identity: Identity,
    given: Annotated[str, typer.Argument(help="Component.Variable=value; with OCPP 1.6, Key=value.")],
) -> None:
    """Set a variable or a configuration key of a connected charger, and read it back; exit code 1: it has another."""
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise CommandFailed(f"{given}: must be as in Component.Variable=value", Code.USAGE)
    done = face.hub.post(f"/stations/{quoted(identity)}/variables", {"name": name, "value": value})
    face.show(done)
    if done.get("status") not in _DONE:
        raise typer.Exit(Code.FAILED)
    if done.get("reboot_required"):
        face.say(f"It takes effect when the charger restarts: busbar station call {identity} Reset ...")
    elif done.get("value") is None:
        face.say("The charger took it, and does not show it.")
    elif not done.get("verified"):
        face.say("The charger took it, and answers another value now.")
        raise typer.Exit(Code.FAILED)


def monitors(
    face: Face,
    identity: Identity,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the charger for all of them.")] = False,
) -> None:
    """The monitors of a charger (OCPP 2.x)."""
    if refresh:
        _asked_again(face, identity, "GetMonitoringReport", {})
        return
    face.show(face.hub.get(f"/stations/{quoted(identity)}/monitors"), _MONITOR_COLUMNS)


def monitor(
    face: Face,
    identity: Identity,
    name: Variable,
    kind: Annotated[str, typer.Option("--type", help="UpperThreshold, LowerThreshold, Delta, Periodic...")],
    value: Annotated[float, typer.Option("--value", help="The threshold, the step, or the seconds.")],
    severity: Annotated[int, typer.Option("--severity", min=0, max=9, help="0 danger to 9 debug.")] = 5,
    charging: Annotated[bool, typer.Option("--charging", help="Only while a charge goes on.")] = False,
) -> None:
    """Let a charger (OCPP 2.x) watch one of its variables."""
    body = {"name": name, "type": kind, "value": value, "severity": severity, "transaction": charging}
    done = face.hub.post(f"/stations/{quoted(identity)}/monitors", body)
    face.show(done)
    if done.get("status") != "Accepted":
        raise typer.Exit(Code.FAILED)


def unmonitor(
    face: Face,
    identity: Identity,
    number: Annotated[int, typer.Argument(min=0, help="The monitor's number.")],
) -> None:
    """Take a monitor away."""
    face.show(face.hub.delete(f"/stations/{quoted(identity)}/monitors/{number}"))


REPORTED: Final = (
    "charging-profiles",
    "customer-information",
    "der-controls",
    "display-messages",
    "ev-schedules",
    "limits",
    "monitors",
    "needs",
    "tariffs",
    "template",
    "variables",
)
"""What the hub keeps of a charger's reports (`hub.control.devices`)."""


def report(
    face: Face,
    identity: Identity,
    subject: Annotated[str, typer.Argument(help=f"One of {', '.join(REPORTED)}.")],
) -> None:
    """What a charger (OCPP 2.x) reported of a subject."""
    face.show(face.hub.get(f"/stations/{quoted(identity)}/reports/{quoted(subject)}"))


def add_to(app: typer.Typer) -> None:
    """The commands, below `busbar station`."""
    command(app, "variables")(variables)
    command(app, "set")(set_variable)
    command(app, "monitors")(monitors)
    command(app, "monitor")(monitor)
    command(app, "unmonitor")(unmonitor)
    command(app, "report")(report)
