"""busbar webhook"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code
from hub.cli.files import read_line
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

app: Final = typer.Typer(help="Endpoints of yours that hear of alerts.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The webhook's id.", metavar="ID")]

_COLUMNS: Final = (
    "id",
    "url",
    "signed",
    "rules",
    "severities",
    "enabled",
    "lane.waiting",
    "refused",
    "lane.last_error",
)


@command(app, "list")
def list_webhooks(face: Face) -> None:
    """All webhooks, with what waits for each."""
    face.show(face.hub.get("/webhooks"), _COLUMNS)


@command(app, "add")
def add(
    face: Face,
    endpoint: Annotated[str, typer.Argument(help="Where alerts are told: https://...", metavar="URL")],
    rules: Annotated[list[str], typer.Option("--rule", help="Only of this rule, as in offline.")] = [],  # noqa: B006
    severities: Annotated[list[str], typer.Option("--severity", help="Only of this one: high, medium or low.")] = [],  # noqa: B006
    sign: Annotated[bool, typer.Option("--sign/--no-sign", help="Sign its calls with a secret that we make.")] = True,
    secret_file: Annotated[
        str | None, typer.Option("--secret-file", help="Sign with this secret (whsec_...) instead; - is stdin.")
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="It hears of nothing until it is enabled.")] = False,
) -> None:
    """Tell it of alerts from now on. A secret that we make is shown this once."""
    secret = read_line(secret_file) if secret_file is not None else ""
    tree: Tree = {
        "url": endpoint, "rules": rules, "severities": severities, "enabled": not disabled,
        "secret": secret, "sign": sign and not secret,
    }  # fmt: skip
    face.show(face.hub.post("/webhooks", tree))


@command(app, "remove")
def remove(face: Face, webhook: Id) -> None:
    """It hears of nothing more; what waits for it is dropped."""
    face.show(face.hub.delete(f"/webhooks/{quoted(webhook)}"))


@command(app, "enable")
def enable(face: Face, webhook: Id) -> None:
    """It hears of what happens from now on."""
    face.show(face.hub.post(f"/webhooks/{quoted(webhook)}/enable"))


@command(app, "disable")
def disable(face: Face, webhook: Id) -> None:
    """It hears of nothing; what waits for it is dropped."""
    face.show(face.hub.post(f"/webhooks/{quoted(webhook)}/disable"))


@command(app, "test")
def test(face: Face, webhook: Id) -> None:
    """Call it now; exit code 1, when it does not answer well."""
    told: Tree = face.hub.post(f"/webhooks/{quoted(webhook)}/test")
    face.show(told)
    if not told["delivered"]:
        raise typer.Exit(Code.FAILED)
