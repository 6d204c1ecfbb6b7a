"""busbar firmware"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

app: Final = typer.Typer(help="Firmware that chargers can be given.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What the firmware is called here.")]
_COLUMNS: Final = ("name", "model", "version", "size", "state", "added")


@command(app, "add")
def add(
    face: Face,
    name: Name,
    file: Annotated[str, typer.Argument(help="The file.", metavar="FILE")],
    model: Annotated[str, typer.Option("--model", help="For which model, as chargers tell it when they boot.")],
    version: Annotated[str, typer.Option("--version", help="The version that a charger boots with afterwards.")],
    signature: Annotated[str, typer.Option("--signature", help="File: the maker's signature, as it is.")] = "",
    certificate: Annotated[str, typer.Option("--certificate", help="PEM file: what verifies it.")] = "",
) -> None:
    """Keep a firmware."""
    content = Path(file)
    tree: Tree = {"model": model, "version": version, "sha256": _sha256(content)}
    if signature:
        tree["signature"] = base64.b64encode(_read(Path(signature))).decode()
    if certificate:
        tree["certificate"] = _read(Path(certificate)).decode("ascii", "replace")
    path = f"/firmware/{quoted(name)}"
    face.hub.put(path, tree)
    face.show(face.hub.upload(f"{path}/file", content))


@command(app, "list")
def list_firmware(face: Face) -> None:
    """All firmware."""
    face.show(face.hub.get("/firmware"), _COLUMNS)


@command(app, "remove")
def remove(face: Face, name: Name) -> None:
    """Forget a firmware; links to it lead nowhere from now on."""
    face.show(face.hub.delete(f"/firmware/{quoted(name)}"))


def _sha256(file: Path) -> str:
    """Raises: CommandFailed."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Code.NOT_FOUND) from None


def _read(file: Path) -> bytes:
    """Raises: CommandFailed."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Code.NOT_FOUND) from None
