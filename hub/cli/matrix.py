"""busbar matrix: what two partners can have of each other, before go-live."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command

End = Annotated[str, typer.Argument(help="A partner's name, or a version and roles as in 2.1.1:CPO.")]

_CASES: Final = ("module", "from", "to", "what", "possible", "why")
_LOSSES: Final = ("module", "from", "to", "object", "field", "value", "what", "note")


def add_to(app: typer.Typer) -> None:
    """Declare the command of this file."""
    command(app, "matrix")(show_matrix)


def show_matrix(
    face: Face,
    a: End,
    b: End,
    everything: Annotated[bool, typer.Option("--all", help="Also the use cases that nothing stands against.")] = False,
) -> None:
    """Say which use cases two partners cannot have, and what each module loses between their versions."""
    told = face.hub.get("/matrix", a=a, b=b)
    if face.as_json:
        face.show(told)
        return
    cases = told["use_cases"]
    hindered = [case for case in cases if case["why"]]
    shown = cases if everything else hindered
    if shown:
        face.show({"items": shown}, _CASES)
    face.say(f"{sum(case['possible'] for case in cases)} of {len(cases)} use cases are possible")
    if told["losses"]:
        face.show({"items": told["losses"], "total": len(told["losses"])}, _LOSSES)
    else:
        face.say("Nothing is lost between their versions.")
