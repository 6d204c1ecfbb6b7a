"""The parts that `hub/app.py` joins."""

from __future__ import annotations

from dataclasses import replace

from hub.app import kinds
from hub.core.store.drafts import first_kinds


def test_the_migrations_make_the_tables_of_every_kind() -> None:
    """Not so any more? Before a release: python -m hub.core.migrations freeze hub.app:kinds; after it: draft."""
    declared = sorted(kinds(), key=lambda kind: kind.name)
    assert first_kinds() == tuple(replace(kind, copied=False) for kind in declared)  # which makes no other table
