"""busbar doctor, openapi and demo: what needs no running hub."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.core.jsontypes import Tree


def add_to(app: typer.Typer) -> None:
    """Declare the commands of this file."""
    command(app, "doctor", remote=False)(doctor)
    command(app, "openapi", remote=False)(openapi)
    command(app, "demo", remote=False)(demo)


def doctor(
    face: Face,
    database_url: Annotated[str | None, typer.Option("--database-url", help="Another than the setting's.")] = None,
    dev: Annotated[bool, typer.Option("--dev", help="As for a hub that is started with --dev.")] = False,
) -> None:
    """Check settings, database, stations, bills, tariffs, ports, clock; say what is weak and what to do about it."""
    from hub.cli.remote import is_in_development
    from hub.cli.serving import settings_with
    from hub.control import checkup

    settings = settings_with(database_url=database_url, dev=dev or None)
    findings = checkup.examine(settings, dev_beside=is_in_development(settings))
    if face.as_json:
        face.show({"items": [finding.tree() for finding in findings]})
    else:
        for finding in findings:
            face.print(f"{finding.level:5} {finding.check}: {finding.finding}")
            if finding.advice:
                face.print(f"      -> {finding.advice}")
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(Code.FAILED)


def openapi(
    face: Face,
    directory: Annotated[Path, typer.Option("--directory", help="Where the documents go.")] = Path("openapi"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when one is not up to date.")] = False,
) -> None:
    """Write all OpenAPI documents, and the JSON Schemas of the objects in them."""
    written, stale = [], []
    for name, tree in _documents().items():
        path, text = directory / name, json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if current != text:
            stale.append(str(path))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        written.append(str(path))
    face.show({"documents": written, "changed": stale})
    if check and stale:
        raise CommandFailed(f"not up to date: {', '.join(stale)}", advice="Run `busbar openapi`.")


def _documents() -> dict[str, Tree]:
    from hub import openapi as ocpi
    from hub import openapi_oicp as oicp
    from hub.api.document import document
    from hub.json_schemas import json_schemas
    from modules import all_operations

    documents = ocpi.documents(all_operations())
    return {**documents, **json_schemas(documents), oicp.NAME: oicp.document(), "management.json": document()}


def demo(
    face: Face,
    once: Annotated[bool, typer.Option("--once", help="Leave when the show is over.")] = False,
) -> None:
    """A driver of another network charges at our charger, live; stays up until Ctrl-C."""
    if find_spec("hub.demo") is None:
        raise CommandFailed("this installation has no demo")
    raise typer.Exit(import_module("hub.demo").run(once=once, as_json=face.as_json))
