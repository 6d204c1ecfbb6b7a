"""The least that a message of OCPP must have, made from its official schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import ocpp

from partners.ocpp import schemas

_FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_BY_FORMAT = {"date-time": "2026-05-01T12:00:00.000Z", "uri": "https://example.com/x"}


def example(version: str, action: str, direction: str = "request") -> dict[str, Any]:
    """A valid payload that has what is required, and nothing else."""
    whole = _schema(version, action, direction)
    made: dict[str, Any] = _of(whole, whole.get("definitions", {}))
    return made


@cache
def _schema(version: str, action: str, direction: str) -> dict[str, Any]:
    folder = Path(ocpp.__file__).parent / _FOLDERS[version] / "schemas"
    is_plain = version == "1.6" or action in schemas.sends(version)
    ending = "Response" if direction == "response" else "" if is_plain else "Request"
    found: dict[str, Any] = json.loads((folder / f"{action}{ending}.json").read_text(encoding="utf-8-sig"))
    return found


def _of(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _of(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            return {name: _of(schema["properties"][name], definitions) for name in required}
        case "array":
            return [_of(schema["items"], definitions)]
        case "integer" | "number":
            return max(1, int(schema.get("minimum", 1)))
        case "boolean":
            return True
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "1")
    return {}
