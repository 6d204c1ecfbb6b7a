"""busbar tariff lint: what is odd in a tariff, in a file or as a hub has it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.files import read_objects
from hub.cli.objects import Ocpi, path_of
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree

_SEVERITIES: Final = ("error", "warning", "hint")


def add_to(app: typer.Typer) -> None:
    """Declare the command of this file among those of tariffs."""
    command(app, "lint")(lint_tariff)


def lint_tariff(
    face: Face,
    what: Annotated[str, typer.Argument(help="A JSON file, - for standard input, or an id.", metavar="FILE|-|ID")],
    ocpi: Ocpi = "2.3.0",
    version: Annotated[
        list[str], typer.Option("--version", help="Only what concerns 2.1.1, 2.2.1, 2.3.0 or OICP. May be repeated.")
    ] = [],  # noqa: B006
    severity: Annotated[
        str, typer.Option("--severity", help="The least that counts: error, warning, hint.")
    ] = "warning",
) -> None:
    """Say what a tariff will not do, and what partners of other versions do not get. Exit code 1: found something."""
    if severity not in _SEVERITIES:
        raise CommandFailed(f"--severity: is none of {', '.join(_SEVERITIES)}", Code.USAGE)
    counting = _SEVERITIES[: _SEVERITIES.index(severity) + 1]
    in_a_file = what == "-" or Path(what).is_file()
    if not in_a_file and what.endswith(".json"):
        raise CommandFailed(f"{what}: there is no such file", Code.NOT_FOUND)
    trees = read_objects(what) if in_a_file else [face.hub.get(path_of(face, "tariffs", what))]
    items = [{"tariff": tree.get("id"), **found} for tree in trees for found in _findings(tree, ocpi, version)]
    shown = [item for item in items if item["severity"] in counting]
    if face.as_json:
        face.show({"items": shown, "total": len(shown)})
    else:
        _print(face, shown, several=len(trees) > 1)
        if len(shown) < len(items):
            face.say(f"{len(items) - len(shown)} more with --severity hint")
    if shown:
        raise typer.Exit(Code.FAILED)


def _findings(tree: Tree, ocpi: str, version: list[str]) -> list[Tree]:
    """Raises: CommandFailed, for a version that does not exist."""
    from hub.control.lint import LintAsked, findings_on

    concerning = {"concerning": [each.upper() for each in version]} if version else {}
    try:
        asked = LintAsked.of({"tariff": tree, "version": ocpi, **concerning})
    except InvalidRequest as fault:
        raise CommandFailed(fault.message, Code.USAGE) from None
    return [finding.tree() for finding in findings_on(asked)]


def _print(face: Face, findings: Iterable[Tree], *, several: bool) -> None:
    for found in findings:
        named = f"{found['tariff']} " if several else ""
        face.print(f"{found['severity']:7} {named}{found['pointer'] or '/'} {found['message']} [{found['code']}]")
