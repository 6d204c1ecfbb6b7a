"""Kinds whose tables the first migration makes, written by `python -m hub.core.migrations freeze`."""

from __future__ import annotations

FIRST_KINDS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
"""Table, columns, indexed columns."""
