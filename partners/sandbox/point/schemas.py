"""The published JSON schemas of OCPP 1.6 and its security extension, as the `ocpp` package carries them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs


@cache
def _validator(message: str) -> Any:
    folder = resources.files("ocpp") / "v16" / "schemas"
    found = folder / f"{message}.json"
    if not found.is_file():
        return None
    return jsonschema_rs.validator_for(json.loads(found.read_text(encoding="utf-8-sig")))


def breaches(message: str, payload: Any) -> list[str]:
    """Where `payload` is not a `message` (`Authorize`, `AuthorizeResponse`). Unknown messages have no breaches."""
    validator = _validator(message)
    if validator is None:
        return []
    return [f"/{'/'.join(map(str, e.instance_path))}: {e.message}" for e in validator.iter_errors(payload)]
