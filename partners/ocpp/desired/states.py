"""What became of a value that a template wants, as the rows of the report `template` say it."""

from __future__ import annotations

from typing import Final

FOREIGN: Final = "not a name of its version"
GOOD: Final = frozenset({"set", "restart needed", FOREIGN})
"""A template is for a model, of whatever version: what names nothing at this charger is told, and is no fault of it."""
