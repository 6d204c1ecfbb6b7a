"""Where a minted operator's token is kept, so that the command line on the same machine finds it."""

from __future__ import annotations

from pathlib import Path


def token_file(database_url: str) -> Path | None:
    """Beside a SQLite database; none with a database server."""
    if not database_url.startswith("sqlite:///"):
        return None
    return Path(database_url.removeprefix("sqlite:///") + ".operator")
