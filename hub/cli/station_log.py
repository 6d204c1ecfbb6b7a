"""busbar station log, logs, and local-list"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import must_be_writable
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

_OPEN: Final = ("asked", "uploading")
_LOOK_S: Final = 0.5
_COLUMNS: Final = ("number", "kind", "state", "why", "size", "asked")


def add_to(app: typer.Typer) -> None:
    """Add the commands to those of stations."""

    @command(app, "local-list")
    def local_list(
        face: Face, identity: Annotated[str, typer.Argument(help="The identity at the end of the charger's URL.")]
    ) -> None:
        """How many cards are on its local list, and whether it is in step."""
        face.show(face.hub.get(f"/stations/{quoted(identity)}/local_list"))

    @command(app, "logs")
    def logs(
        face: Face, identity: Annotated[str, typer.Argument(help="The identity at the end of the charger's URL.")]
    ) -> None:
        """Logs that a charger was asked for, the newest first, and which have come. `log --number` saves one."""
        face.show(face.hub.get(f"/stations/{quoted(identity)}/logs"), _COLUMNS)

    @command(app, "log")
    def log(
        face: Face,
        identity: Annotated[str, typer.Argument(help="The identity at the end of the charger's URL.")],
        kind: Annotated[Literal["diagnostics", "security"], typer.Option("--kind", help="Which.")] = "diagnostics",
        save: Annotated[str, typer.Option("--save", help="Where to; without it a name in this directory.")] = "",
        wait: Annotated[float, typer.Option("--wait", min=1, max=86_400, help="Seconds to wait for the file.")] = 300,
        number: Annotated[
            int,
            typer.Option("--number", min=0, help="One that was asked for before, by `logs`: nothing is asked again."),
        ] = 0,
    ) -> None:
        """Ask a charger for a log, wait until it has come, and save it. With --number: save one that came later."""
        must_be_writable(Path(save or "any.log"))
        path = f"/stations/{quoted(identity)}/logs"
        asked = face.hub.get(f"{path}/{number}") if number else face.hub.post(path, {"kind": kind})
        asked = _arrived(face, identity, asked, wait)
        content = face.hub.download(f"{path}/{asked['number']}/file")
        name = Path(save or f"{asked['kind']}-{asked['number']}.log")
        try:
            name.write_bytes(content)
        except OSError as error:
            raise CommandFailed(f"{name}: {error.strerror}") from None
        face.show({**asked, "saved": str(name)})


def _arrived(face: Face, identity: str, asked: Tree, wait: float) -> Tree:
    """The request, once its file is here. Raises: CommandFailed."""
    until = time.monotonic() + wait
    later = f"It may still come: busbar station log {identity} --number {asked['number']}"
    while asked["state"] in _OPEN and time.monotonic() < until:
        time.sleep(_LOOK_S)
        asked = _looked_at(face, identity, asked, later)
    if asked["state"] == "received":
        return asked
    if asked["state"] in _OPEN:
        raise CommandFailed("the file has not come in time", Code.FAILED, advice=later)
    raise CommandFailed(f"the charger brought nothing: {asked['why'] or asked['state']}")


def _looked_at(face: Face, identity: str, asked: Tree, later: str) -> Tree:
    """The request as it is now. A hub that is away says nothing of the charger, which may bring the file later."""
    try:
        return face.hub.get(f"/stations/{quoted(identity)}/logs/{asked['number']}")
    except CommandFailed as failed:
        if failed.code is not Code.UNREACHABLE:
            raise
        raise CommandFailed(failed.message, failed.code, advice=later, error=failed.error) from None
