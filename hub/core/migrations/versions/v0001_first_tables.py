"""The first tables: the change log, the audit log, and one table for each kind of document."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.core.migrations.first_kinds import FIRST_KINDS

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Tables that a program under development has already made as declared are left as they are."""
    _table("changes", _seq(), *_texts("at", "module", "key", "owner", "audience", "what", "correlation_id"))
    op.create_table(
        "audit",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        *_texts("at", "actor", "action", "subject", "detail", "hash"),
        if_not_exists=True,
    )
    for name, columns, indexed, *log in FIRST_KINDS:
        _documents(name, columns, indexed if log else ("owner", "audience", *indexed))


def _documents(name: str, columns: tuple[str, ...], indexed: tuple[str, ...]) -> None:
    _table(
        name,
        _seq(),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("version", BIG, nullable=False),
        *_texts("owner", "audience", "last_updated"),
        *_texts(*columns),
        sa.Column("body", sa.LargeBinary, nullable=False),
        postgresql_with={"fillfactor": 60},
    )
    op.create_index(f"{name}_key", name, ["key"], unique=True, if_not_exists=True)
    told = ["audience", "lowest"] if "lowest" in columns else []
    for column in indexed:
        rest = told if column == "owner" else []
        op.create_index(f"{name}_{column}", name, [column, "seq", *rest], if_not_exists=True)
    if told:
        op.create_index(f"{name}_listed", name, ["seq", "owner", *told], if_not_exists=True)
    op.create_index(
        f"{name}_last_updated",
        name,
        ["last_updated"],
        if_not_exists=True,
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    )


def _table(name: str, *columns: sa.Column[Any], **options: Any) -> None:
    op.create_table(name, *columns, sqlite_autoincrement=True, if_not_exists=True, **options)


def _seq() -> sa.Column[Any]:
    return sa.Column("seq", BIG, sa.Identity(always=False), primary_key=True)


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]
