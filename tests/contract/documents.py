"""The OpenAPI documents of what is served, written once for all tests that read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.jsontypes import Tree
from hub.openapi import documents
from modules import all_operations

DOCUMENTS: Final[Mapping[str, Tree]] = documents(all_operations())
"""By file name."""
