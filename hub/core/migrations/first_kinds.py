"""The kinds whose tables the first migration makes. Written by `python -m hub.core.migrations freeze`; see there."""

from __future__ import annotations

FIRST_KINDS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
"""Name, columns, indexed columns."""
