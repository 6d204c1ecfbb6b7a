"""Writing migrations: the list of kinds of the first one, and later ones from what has changed in the declaration."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from hub.core.migrations.first_kinds import FIRST_KINDS
from hub.core.store.migrate import MIGRATIONS, alembic_config
from hub.core.store.schema import check_kinds, table_name
from hub.core.units import Kind

_HEAD: Final = '''"""Kinds whose tables the first migration makes, written by `python -m hub.core.migrations freeze`."""

# A line a kind, however long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

FIRST_KINDS: tuple[tuple[Any, ...], ...] = ('''


def declared_kinds(place: str) -> Sequence[Kind]:
    """From "package.module:NAME"; a function is called. Raises: ValueError, ImportError, AttributeError."""
    module, colon, name = place.partition(":")
    if not colon:
        raise ValueError(f"{place!r} does not name a list of kinds, as in package.module:NAME")
    found = getattr(importlib.import_module(module), name)
    kinds: Sequence[Kind] = found() if callable(found) else found
    return kinds


def first_kinds() -> tuple[Kind, ...]:
    """The kinds of the first migration."""
    return tuple(Kind(name.removeprefix("doc_"), *rest) for name, *rest in FIRST_KINDS)


def frozen(kinds: Sequence[Kind]) -> str:
    """The text of `first_kinds.py` for these kinds, in order of their names."""
    body = "".join(f"    ({', '.join(_entry(kind))}),\n" for kind in _sorted(kinds))
    opened = "\n" if body else ""
    return f'{_HEAD}{opened}{body})\n"""Table, columns, indexed columns; True for a log."""\n'


def freeze(kinds: Sequence[Kind], directory: Path = MIGRATIONS) -> Path:
    """Let the first migration make the tables of these kinds. Only before the first release."""
    path = directory / "first_kinds.py"
    path.write_text(frozen(kinds))
    return path


def draft(kinds: Sequence[Kind], message: str, directory: Path = MIGRATIONS) -> Path:
    """Write the migration from the schema that all present ones make to that of `kinds`. Read it before it is kept."""
    with tempfile.TemporaryDirectory() as scratch:
        engine = create_engine(f"sqlite:///{scratch}/draft.db", poolclass=NullPool)
        with engine.connect() as connection:
            config = alembic_config(connection, kinds, directory)
            command.upgrade(config, "head")
            number = len(list((directory / "versions").glob("v[0-9]*.py"))) + 1
            config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    (path,) = (directory / "versions").glob(f"v{number:04d}_*.py")
    return path


def _entry(kind: Kind) -> list[str]:
    told = [_text(table_name(kind)), _texts(kind.columns), _texts(kind.indexed)]
    return [*told, "True"] if kind.log else told


def _sorted(kinds: Sequence[Kind]) -> list[Kind]:
    return [kind for _, kind in sorted(check_kinds(kinds).items())]


def _texts(texts: Sequence[str]) -> str:
    inner = ", ".join(map(_text, texts))
    return f"({inner},)" if len(texts) == 1 else f"({inner})"


def _text(text: str) -> str:
    return f'"{text}"'
