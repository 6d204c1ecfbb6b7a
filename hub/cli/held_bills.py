"""busbar transaction release, correct and drop: what becomes of a bill that is held, or credited."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

SessionId = Annotated[str, typer.Argument(metavar="SESSION_ID", help="As `busbar transaction list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Declare the commands of this file among those of transactions."""
    command(app, "release")(release)
    command(app, "correct")(correct)
    command(app, "drop")(drop)


def release(
    face: Face,
    session_id: SessionId,
    evse: Annotated[str, typer.Option("--evse", help="Uid of the EVSE, of a charge at none that is known.")] = "",
    card: Annotated[str, typer.Option("--card", help="Uid of the token that pays, if none is known that may.")] = "",
) -> None:
    """Bill a held charge as its charger measured it, or one whose CDR was credited as that said."""
    body = {name: value for name, value in (("evse_uid", evse), ("token", card)) if value}
    _decide(face, session_id, "release", body or None)


def correct(
    face: Face,
    session_id: SessionId,
    kwh: Annotated[str, typer.Option("--kwh", help="Bill this energy.")],
    end: Annotated[str | None, typer.Option("--end", help="It ended then, as in 2026-01-31T12:30:00Z.")] = None,
) -> None:
    """Bill a charge that is held, or whose CDR was credited, for a figure of yours; its CDR says so."""
    body: Tree = {"kwh": energy_in(kwh)}
    _decide(face, session_id, "correct", body if end is None else {**body, "end": end})


def drop(face: Face, session_id: SessionId) -> None:
    """Never bill a charge that is held, or whose CDR was credited.

    Its session becomes INVALID, or stays COMPLETED if it was, with its CDR credited.
    """
    _decide(face, session_id, "drop", None)


def energy_in(text: str) -> Decimal:
    """Raises: CommandFailed."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise CommandFailed(f"--kwh {text}: must be a number of kWh, as in 12.5", Code.USAGE)
    return value


def _decide(face: Face, session_id: str, verb: str, body: Tree | None) -> None:
    face.show(face.hub.post(f"/transactions/{quoted(session_id.rsplit('/', 1)[-1])}/{verb}", body))
