"""busbar station"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import read_object
from hub.cli.remote import quoted
from hub.core.errors import BusbarError
from hub.core.inbound import parse
from hub.core.jsontypes import Tree

app: Final = typer.Typer(help="Our chargers.", no_args_is_help=True)


class Ocpp(StrEnum):
    """Versions of OCPP that a charger may speak."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"


class OnOff(StrEnum):
    """Of a mode."""

    ON = "on"
    OFF = "off"


Identity = Annotated[str, typer.Argument(help="The identity at the end of the charger's URL.")]

_COLUMNS: Final = ("identity", "location", "connected", "version", "last_frame_s", "queue", "vendor", "model")


_QUIRK_COLUMNS: Final = ("vendor", "model", "firmware", "times", "quirk", "last", "station")

_REGISTERED: Final = ("location", "evses", "protocol", "security_profile", "switches")
"""Of what a hub shows of a charger, what its operator said."""


@command(app, "add")
def add(
    face: Face,
    identity: Identity,
    file: Annotated[str | None, typer.Option("--file", help="The whole registration as JSON; - is stdin.")] = None,
    location: Annotated[str, typer.Option("--location", help="The location at which it stands.")] = "",
    evses: Annotated[
        list[str], typer.Option("--evse", help="1=E1/1: OCPP connector (or EVSE)=EVSE uid/connector id.")
    ] = [],  # noqa: B006
    profile: Annotated[int | None, typer.Option("--security-profile", min=0, max=3, help="OCPP's.")] = None,
    ocpp: Annotated[Ocpp | None, typer.Option("--ocpp", help="What it speaks, and numbers by; at first 1.6.")] = None,
    password: Annotated[str | None, typer.Option("--password", help="Without it one is made, and shown once.")] = None,
    local_list: Annotated[
        bool | None, typer.Option("--local-list/--no-local-list", help="Keep its local list in step with the tokens.")
    ] = None,
) -> None:
    """Register a charger, or change it: what is not given stays as it was.

    Where one differs from others its "switches" in the JSON say so (local_list also by --local-list):

    preparing_is_available, finishing_is_blocked, unavailable_is_outoforder: how partners are told of that OCPP status;
    assume_protocol ("ocpp1.6"): it dials without naming a version; compression (true, false): of its websocket.
    """
    tree = read_object(file) if file is not None else _merged(face, identity, location, _evses(evses))
    tree = {**tree, **_access(profile, ocpp, password)}
    if local_list is not None:
        tree["switches"] = {**tree.get("switches", {}), "local_list": local_list}
    _, kept = face.hub.put(f"/stations/{quoted(identity)}", tree)
    face.show(kept)


def registration(
    face: Face,
    identity: str,
    location: str,
    evses: list[str],
    *,
    profile: int | None,
    ocpp: Ocpp | None,
    password: str | None,
) -> Tree | None:
    """What is to be registered; None, where nothing is given of one that is. Raises: CommandFailed."""
    given = _access(profile, ocpp, password)
    merged = _merged(face, identity, location, _evses(evses))
    return {**merged, **given} if location or evses or given else None


def _access(profile: int | None, ocpp: Ocpp | None, password: str | None) -> Tree:
    """How it connects, as far as that is given."""
    protocol = f"ocpp{ocpp.value}" if ocpp is not None else None
    given = {"protocol": protocol, "security_profile": profile, "password": password}
    return {name: value for name, value in given.items() if value is not None}


def _merged(face: Face, identity: str, location: str, evses: Tree) -> Tree:
    """What is registered, with what is given over it. Raises: CommandFailed, for a new charger without a location."""
    try:
        view = face.hub.get(f"/stations/{quoted(identity)}")
    except CommandFailed as failure:
        if failure.code != Code.NOT_FOUND:
            raise
        if not location:
            advice = "As in: --location LOC1 --evse 1=E1/1. busbar station add --file lets it wait for its place."
            raise CommandFailed(f"{identity} is new: say where it stands", Code.USAGE, advice=advice) from None
        view = {}
    kept = {name: view[name] for name in _REGISTERED if view.get(name) is not None}
    return {**kept, **({"location": location} if location else {}), **({"evses": evses} if evses else {})}


def _evses(given: list[str]) -> Tree:
    """From `1=E1/1`. Raises: CommandFailed."""
    found: Tree = {}
    for entry in given:
        number, equals, place = entry.partition("=")
        evse_uid, slash, connector_id = place.rpartition("/")
        if not equals or not number.isdigit():
            raise CommandFailed(f"--evse {entry}: must be as in 1=E1/1", Code.USAGE)
        found[number] = {"evse_uid": evse_uid if slash else place, "connectors": {"1": connector_id if slash else "1"}}
    return found


@command(app, "list")
def list_stations(face: Face) -> None:
    """All chargers."""
    face.show(face.hub.get("/stations"), _COLUMNS)


@command(app, "show")
def show(face: Face, identity: Identity) -> None:
    """One charger: connection, connectors, capabilities, queue."""
    face.show(face.hub.get(f"/stations/{quoted(identity)}"))


@command(app, "delete")
def delete(face: Face, identity: Identity) -> None:
    """Forget a charger, and hang up."""
    face.show(face.hub.delete(f"/stations/{quoted(identity)}"))


@command(app, "quirks")
def quirks(
    face: Face, model: Annotated[str, typer.Argument(help="A pattern, as in 'Terra*'; without it, all.")] = ""
) -> None:
    """What chargers of a model had to be forgiven: how often, by firmware, since when."""
    face.show(face.hub.get("/quirks", model=model), _QUIRK_COLUMNS)


@command(app, "maintenance")
def maintain(
    face: Face,
    identity: Identity,
    state: Annotated[OnOff, typer.Argument(help="on: out of service to partners, usable on site with our own tokens.")],
    evses: Annotated[list[str], typer.Option("--evse", help="The uid of an EVSE; without it, all of them.")] = [],  # noqa: B006
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
) -> None:
    """Take a charger, or some of its EVSEs, out of service to partners, or back."""
    path = f"/stations/{quoted(identity)}/maintenance"
    if state is OnOff.OFF:
        face.show(face.hub.delete(path))
        return
    _, kept = face.hub.put(path, {"evses": evses, "note": note})
    face.show(kept)


@command(app, "messages")
def messages(
    face: Face, identity: Identity, limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50
) -> None:
    """The newest frames, both directions, without secrets."""
    found = face.hub.get(f"/stations/{quoted(identity)}/messages", limit=limit)
    face.show(found, ("at", "direction", "size", "message"))


@command(app, "call")
def call(
    face: Face,
    identity: Identity,
    action: Annotated[str, typer.Argument(help="Any OCPP action, as in Reset.")],
    payload: Annotated[str, typer.Argument(help="Its payload as JSON; the order of keys is kept.")] = "{}",
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, max=300, help="Seconds to wait for the answer.")] = 30,
    force: Annotated[bool, typer.Option("--force", help="Send it although the schema says it is wrong.")] = False,
) -> None:
    """Send any OCPP call and wait for its answer.

    So is a charge started remotely, in 1.6 and in 2.x:

    busbar station call CP1 RemoteStartTransaction '{"connectorId": 1, "idTag": "04A2B3C4"}'

    busbar station call CP2 RequestStartTransaction
    '{"evseId": 1, "remoteStartId": 1, "idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}}'
    """
    body = {"action": action, "payload": _payload(payload), "timeout_s": timeout, "force": force}
    outcome = face.hub.post(f"/stations/{quoted(identity)}/calls", body)
    face.show(outcome)
    if outcome.get("outcome") != "result":
        raise typer.Exit(Code.FAILED)


def _payload(text: str) -> Tree:
    """Raises: CommandFailed."""
    try:
        tree = parse(text.encode(), limit=1024 * 1024)
    except BusbarError as fault:
        raise CommandFailed(f"the payload is not JSON: {fault.message}", Code.USAGE) from None
    if not isinstance(tree, dict):
        raise CommandFailed("the payload must be a JSON object", Code.USAGE)
    return tree


@command(app, "password")
def password(face: Face, identity: Identity) -> None:
    """Give a connected charger a new password."""
    face.show(face.hub.post(f"/stations/{quoted(identity)}/password"))
