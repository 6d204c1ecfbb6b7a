"""The published JSON schemas of OCPP 1.6 with its security extension, 2.0.1 and 2.1, as the `ocpp` package has them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

import jsonschema_rs

_FOLDERS: Final = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}


@cache
def _validator(message: str, version: str) -> Any:
    folder = resources.files("ocpp") / _FOLDERS[version] / "schemas"
    found = folder / f"{message}.json"
    if version != "1.6" and not found.is_file():
        found = folder / f"{message}Request.json"
    if not found.is_file():
        return None
    return jsonschema_rs.validator_for(json.loads(found.read_text(encoding="utf-8-sig")))


def breaches(message: str, payload: Any, version: str = "1.6") -> list[str]:
    """Where `payload` is not a `message` (`Authorize`, `AuthorizeResponse`). Unknown messages have no breaches."""
    validator = _validator(message, version)
    if validator is None:
        return []
    return [f"/{'/'.join(map(str, e.instance_path))}: {e.message}" for e in validator.iter_errors(payload)]
