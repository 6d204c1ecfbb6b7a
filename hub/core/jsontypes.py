"""The type of a JSON tree as it travels inside: dict, list, str, int, Decimal, bool or None."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
Tree: TypeAlias = dict[str, Any]
