"""JSON Schemas of all objects on the wire, one file an object and version, each complete in itself.

They are cut out of the OpenAPI documents (`hub/openapi.py`), whose dialect is that of JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.core.jsontypes import Tree

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_COMPONENT: Final = "#/components/schemas/"
_DEFINITION: Final = "#/$defs/"


def json_schemas(documents: Mapping[str, Tree]) -> dict[str, Tree]:
    """From the documents by file name (`ocpi-2.2.1.json`): `schemas/2.2.1/Location.json` and so on."""
    found = {}
    for name, document in documents.items():
        version = name.removeprefix("ocpi-").removesuffix(".json")
        components = document["components"]["schemas"]
        for title in components:
            found[f"schemas/{version}/{title}.json"] = _whole(title, version, components)
    return found


def _whole(title: str, version: str, components: Mapping[str, Tree]) -> Tree:
    """One object with the definitions of all that it is made of."""
    needed: dict[str, Tree] = {}
    waiting = list(_named(components[title]))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _moved(components[name])
            waiting += _named(components[name])
    head = {"$schema": _DIALECT, "title": f"{title}, OCPI {version}"}
    body = {key: value for key, value in _moved(components[title]).items() if key != "title"}
    return {**head, **body, **({"$defs": dict(sorted(needed.items()))} if needed else {})}


def _named(schema: Any) -> Iterator[str]:
    """The components that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_COMPONENT)
        for value in schema.values():
            yield from _named(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _named(item)


def _moved(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: value.replace(_COMPONENT, _DEFINITION) if key == "$ref" else _moved(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_moved(item) for item in schema]
    return schema
