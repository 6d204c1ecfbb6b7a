"""Database URLs: what follows `sqlite:///` is a path; PostgreSQL's are those of libpq."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from hub.core.store.refusal import DatabaseRefused


def sqlite_path(database_url: str) -> Path:
    """`sqlite:///busbar.db` is relative, `sqlite:////data/busbar.db` absolute. Raises: DatabaseRefused."""
    rest = database_url.removeprefix("sqlite:///")
    path = unquote(rest.partition("?")[0])
    if rest == database_url or path in ("", ":memory:"):
        raise DatabaseRefused("the hub keeps facts on disk: give a file, as in sqlite:///busbar.db")
    return Path(path).absolute()


def sqlite_uri(path: Path, *, mode: str) -> str:
    """For sqlite3.connect(uri=True); `mode` is ro or rwc."""
    return f"file:{quote(str(path))}?mode={mode}"


def postgres_dsn(database_url: str) -> str:
    """The URL as asyncpg takes it."""
    scheme, separator, rest = database_url.partition("://")
    if not separator:
        raise DatabaseRefused("a PostgreSQL URL begins with postgresql://")
    return f"{scheme.partition('+')[0]}://{rest}"
