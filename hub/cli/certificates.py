"""busbar station certificates CP1 [install FILE | delete SERIAL]"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted
from hub.cli.station import Identity

_COLUMNS: Final = ("type", "serialNumber", "hashAlgorithm", "issuerNameHash")


def certificates(
    face: Face,
    identity: Identity,
    verb: Annotated[str, typer.Argument(help="list, install or delete.")] = "list",
    what: Annotated[str, typer.Argument(help="The PEM file to install, or the serial number to delete.")] = "",
    kind: Annotated[
        str, typer.Option("--for", help="central, manufacturer; with OCPP 2.x v2g, contract; with 2.1 vehicle.")
    ] = "central",
) -> None:
    """The certificates that a connected charger trusts: list them, install one, delete one."""
    path = f"/stations/{quoted(identity)}/certificates"
    if verb == "list" and not what:
        face.show(face.hub.get(path), _COLUMNS)
        return
    if verb not in ("install", "delete") or not what:
        raise CommandFailed("say: list, install FILE or delete SERIAL", Code.USAGE)
    if verb == "install":
        done = face.hub.post(path, {"kind": kind, "certificate": _pem(what)})
    else:
        done = face.hub.delete(f"{path}/{quoted(what)}")
    face.show(done)
    if done.get("status") != "Accepted":
        raise typer.Exit(Code.FAILED)


def _pem(file: str) -> str:
    """Raises: CommandFailed."""
    try:
        return Path(file).read_text(encoding="ascii")
    except OSError:
        raise CommandFailed(f"{file} cannot be read", Code.NOT_FOUND) from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is no certificate in PEM", Code.USAGE) from None


def add_to(app: typer.Typer) -> None:
    """The command, below `busbar station`."""
    command(app, "certificates")(certificates)
