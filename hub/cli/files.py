"""Files, as the commands take them: JSON (an object, a list, or a list in an OCPI envelope), or a line of text.

`-` is standard input.
"""

from __future__ import annotations

import os
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.failures import Code, CommandFailed
from hub.core.errors import BusbarError
from hub.core.inbound import parse
from hub.core.jsontypes import Json, Tree

_LIMIT: Final = 256 * 1024 * 1024

JsonFile = Annotated[str, typer.Argument(help="A JSON file; - is standard input.", metavar="FILE")]


def read(path: str) -> Json:
    """Raises: CommandFailed."""
    try:
        return parse(_bytes(path).removeprefix(BOM_UTF8), limit=_LIMIT)
    except BusbarError as fault:
        raise CommandFailed(f"{path}: {fault.message}") from None


def read_line(path: str) -> str:
    """What a file holds in its only line, such as a secret that no command line should show. Raises: CommandFailed."""
    try:
        text = _bytes(path).removeprefix(BOM_UTF8).decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise CommandFailed(f"{path}: must hold one line of text")
    return text


def _bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}", Code.NOT_FOUND) from None


def must_be_writable(path: Path) -> None:
    """Asked before a command does what cannot be undone. Raises: CommandFailed."""
    if not path.parent.is_dir():
        raise CommandFailed(f"{path}: there is no directory {path.parent}", Code.NOT_FOUND)
    if path.is_dir():
        raise CommandFailed(f"{path}: is a directory", Code.USAGE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandFailed(f"{path}: cannot be written to")


def read_object(path: str) -> Tree:
    """Raises: CommandFailed."""
    tree = read(path)
    if not isinstance(tree, dict):
        raise CommandFailed(f"{path}: must hold one JSON object")
    return tree


def read_objects(path: str) -> list[Tree]:
    """All objects of a file. Raises: CommandFailed."""
    tree = read(path)
    for name in ("data", "items"):
        if isinstance(tree, dict) and isinstance(tree.get(name), list):
            tree = tree[name]
    listed = tree if isinstance(tree, list) else [tree]
    if not all(isinstance(each, dict) for each in listed):
        raise CommandFailed(f"{path}: must hold a list of JSON objects")
    return listed
