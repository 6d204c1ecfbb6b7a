"""busbar agreement, busbar route"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import CommandFailed
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

app: Final = typer.Typer(help="Agreements: who may have whose objects, and reach whom.", no_args_is_help=True)
route: Final = typer.Typer(help="Where messages go.", no_args_is_help=True)

Viewer = Annotated[str, typer.Option("--viewer", help="A partner's name, or a party as in NL*ABC; * is anybody.")]
Owner = Annotated[str, typer.Option("--owner", help="A party; * is anybody.")]
Module = Annotated[str, typer.Option("--module", help="locations, tariffs, commands...; * is all.")]
Ahead = Annotated[bool, typer.Option("--ahead", help="The viewer is a partner that is not here yet.")]

_COLUMNS: Final = ("viewer", "owner", "module", "allow")
_LINE: Final = {
    "sender": "SENDER",
    "module": "MODULE",
    "method": "--method",
    "to": "--to",
    "owner": "--owner",
}
"""What the fields of a question are called on the command line."""
_RULE: Final = {"viewer": "--viewer", "owner": "--owner", "module": "--module"}
_GETS: Final = ("partner", "party", "version", "gets", "rule")


def _put(face: Face, rule: Tree) -> None:
    try:
        _, made = face.hub.put("/agreements", rule)
    except CommandFailed as failed:
        raise failed.in_words_of(_RULE) from None
    warnings = made["warnings"] if face.as_json else made.pop("warnings")
    face.show(made)
    for each in () if face.as_json else warnings:
        face.say(f"warning: {each}")


@command(app, "list")
def list_agreements(face: Face) -> None:
    """All agreements, in the order in which they decide."""
    face.show(face.hub.get("/agreements"), _COLUMNS)


@command(app, "allow")
def allow(face: Face, viewer: Viewer = "*", owner: Owner = "*", module: Module = "*", ahead: Ahead = False) -> None:
    """Let a viewer have an owner's objects, and ask it. The viewer of tokens is the CPO, their owner the eMSP."""
    _put(face, {"viewer": viewer, "owner": owner, "module": module, "allow": True, "ahead": ahead})


@command(app, "deny")
def deny(face: Face, viewer: Viewer = "*", owner: Owner = "*", module: Module = "*", ahead: Ahead = False) -> None:
    """Keep an owner's objects from a viewer, and what it asks from the owner. The viewer of tokens is the CPO."""
    _put(face, {"viewer": viewer, "owner": owner, "module": module, "allow": False, "ahead": ahead})


@command(app, "remove")
def remove(face: Face, viewer: Viewer = "*", owner: Owner = "*", module: Module = "*") -> None:
    """End an agreement: what holds without it holds again."""
    face.show(face.hub.delete(f"/agreements/{quoted(viewer)}/{quoted(owner)}/{quoted(module)}"))


@command(route, "explain")
def explain(
    face: Face,
    sender: Annotated[str, typer.Argument(help="The partner that would send it.")],
    module: Annotated[str, typer.Argument(help="locations, tariffs, commands...")],
    method: Annotated[str, typer.Option("--method", help="GET, PUT, PATCH, POST or DELETE.")] = "PUT",
    to: Annotated[str, typer.Option("--to", help="The party of the OCPI-to headers; without it: left out.")] = "",
    owner: Annotated[
        str, typer.Option("--owner", help="The party that it is about; of a session or CDR, whose driver.")
    ] = "",
) -> None:
    """Where a message would go, who would get it, and which rule says so."""
    body = {"sender": sender, "module": module, "method": method.upper(), "to": to, "owner": owner}
    try:
        told = face.hub.post("/route", body)
    except CommandFailed as failed:
        raise failed.in_words_of(_LINE) from None
    if face.as_json:
        face.show(told)
        return
    face.say(f"{told['goes']}: {told.get('why') or told['rule']}")
    if told["gets"] or told["goes"] != "nowhere":
        face.show({"items": told["gets"], "total": len(told["gets"])}, _GETS)
