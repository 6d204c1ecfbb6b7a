"""The OpenAPI documents as they are committed; `test_openapi` holds them against what is served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.core.jsontypes import Tree

COMMITTED: Final = Path(__file__).parents[2] / "openapi"
DOCUMENTS: Final[Mapping[str, Tree]] = {
    path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(COMMITTED.glob("ocpi-*.json"))
}
"""By file name."""
