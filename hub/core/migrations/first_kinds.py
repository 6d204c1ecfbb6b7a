"""Kinds whose tables the first migration makes, written by `python -m hub.core.migrations freeze`."""

from __future__ import annotations

from typing import Any

FIRST_KINDS: tuple[tuple[Any, ...], ...] = ()
"""Table, columns, indexed columns; True for a log."""
