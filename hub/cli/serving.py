"""busbar serve and busbar migrate: the hub itself."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.control.token_file import token_file
from hub.core.jsontypes import Tree

if TYPE_CHECKING:
    from hub.core.settings import Settings
    from hub.server import Server

Host = Annotated[str | None, typer.Option("--host", help="Address to bind to.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.", show_default="8000")]
OcppPort = Annotated[
    int | None, typer.Option("--ocpp-port", min=0, max=65_535, help="Of the chargers.", show_default="9000")
]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database-url", help="sqlite:///file.db or postgresql://...", show_default=False)
]
Only = Annotated[str | None, typer.Option("--only", help="One part: api, ocpp or worker.", show_default="all")]


def add_to(app: typer.Typer) -> None:
    """Declare the commands of this file."""
    command(app, "serve", remote=False)(serve)
    command(app, "migrate", remote=False)(migrate)


def settings_with(**given: Any) -> Settings:
    """The settings, with what the command line says over them. Raises: CommandFailed."""
    from hub.core.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValueError as error:
        raise CommandFailed(f"the settings cannot be used: {_first_line(error)}", Code.USAGE) from None


def _first_line(error: ValueError) -> str:
    """What pydantic says, without the value: it may be a secret."""
    faults: list[dict[str, Any]] = getattr(error, "errors", list)()
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'all'}: {fault['msg']}" for fault in faults) or str(error)


def serve(
    face: Face,
    host: Host = None,
    port: Port = None,
    ocpp_port: OcppPort = None,
    database_url: DatabaseUrl = None,
    redis_url: Annotated[str | None, typer.Option("--redis-url", help="For several processes.", hidden=True)] = None,
    dev: Annotated[bool, typer.Option("--dev", help="Development: partners on this machine are allowed.")] = False,
    only: Only = None,
) -> None:
    """Run the hub until Ctrl-C. The first start creates the database and prints the operator's token once."""
    from hub.server import PARTS

    if only is not None and only not in PARTS:
        raise CommandFailed(f"--only: {only} is none of {', '.join(PARTS)}", Code.USAGE)
    if redis_url is not None:
        face.say("--redis-url is not used yet; the hub works without it")
    settings = settings_with(host=host, port=port, ocpp_port=ocpp_port, database_url=database_url, dev=dev or None)
    _run(face, settings, (only,) if only is not None else PARTS)


def _run(face: Face, settings: Settings, parts: tuple[str, ...]) -> None:
    import uvloop

    from hub import server
    from hub.core import log
    from hub.core.secrets import Keys
    from hub.core.settings import load_or_create_secret
    from hub.core.store import DatabaseRefused

    try:
        salt = Keys.from_secret(load_or_create_secret(settings)).log_salt
        log.set_up(level=settings.log_level, dev=settings.dev, salt=salt)
        for name in ("alembic", "uvicorn.error"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if settings.dev:
            face.say("DEVELOPMENT: partners on this machine are let in. Never do this where others can reach the hub.")
        uvloop.run(server.run(settings, parts, started=lambda running: _announce(face, running)))
    except (DatabaseRefused, ValueError) as error:
        raise CommandFailed(str(error), advice="`busbar doctor` checks the settings and the database.") from None
    except OSError as error:
        raise _not_bound(settings, error) from None


def _not_bound(settings: Settings, error: OSError) -> CommandFailed:
    if error.errno == errno.EADDRINUSE:
        advice = "Something listens there already: stop it, or take another --port or --ocpp-port (0: any free one)."
        return CommandFailed(f"port {settings.port} or {settings.ocpp_port} is taken", advice=advice)
    return CommandFailed(f"{error.strerror or error}")


def _announce(face: Face, running: Server) -> None:
    """Where the hub is, and, at the first start, who may operate it."""
    settings = running.program.settings
    minted = running.program.operators.take_minted()
    kept = token_file(settings.database_url) if minted is not None else None
    facts: Tree = {
        "url": running.url,
        "versions_url": f"{settings.base_url}/ocpi/versions",
        "ocpp_port": running.ocpp_port,
        "dev": settings.dev,
        "pid": os.getpid(),
        "operator_token": minted,
        "token_file": str(kept) if kept is not None else None,
    }
    if face.as_json:
        face.show(facts)
        return
    sys.stdout.write(f"Busbar serves at {running.url} (OCPI: {facts['versions_url']})\n")
    if minted is not None:
        sys.stdout.write(f"The operator's token, shown this once: {minted}\n")
        face.say(f"`busbar` on this machine finds it in {kept}." if kept else "Keep it: it cannot be shown again.")
    sys.stdout.flush()


def migrate(face: Face, database_url: DatabaseUrl = None) -> None:
    """Bring the database up to this program's schema. `serve` does so by itself."""
    from hub.app import kinds
    from hub.core import store
    from hub.core.errors import NotReady

    settings = settings_with(database_url=database_url)
    try:
        asyncio.run(store.migrate(settings.database_url, kinds()))
    except (store.DatabaseRefused, NotReady) as error:
        raise CommandFailed(str(error), Code.FAILED) from None
    face.show({"migrated": True, "kinds": len(kinds())})
