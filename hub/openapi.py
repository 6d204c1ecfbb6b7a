"""The OpenAPI documents of the OCPI surface, one per version, written from the table of operations.

They are generated, committed under `openapi/` and compared in the tests: what is served, documented and tested is one
table. Every answer is the envelope of transport_and_format; the error answers are those of `hub/core/answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from hub import __version__
from hub.core.answers import TABLE
from hub.core.dialect import VERSIONS, Wire
from hub.core.jsontypes import Tree
from hub.core.operations import CONFIG, Operation
from hub.openapi_links import links_of, operation_id

_PAGING: Final[Mapping[str, Tree]] = {
    "date_from": {"type": "string", "format": "date-time", "maxLength": 40},
    "date_to": {"type": "string", "format": "date-time", "maxLength": 40},
    "offset": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": 10**15 - 1},
    "position": {
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
        "description": "As a `Link` of ours gave it, for the `offset` beside it.",
    },
}
_ID: Final[Tree] = {"type": "string", "minLength": 1, "maxLength": 39, "pattern": r"^[\x20-\x2e\x30-\x7e]+$"}
_STATED: Final = {401: "Unauthorized", 404: "NotFound", 429: "TooManyRequests"}
_WITH_BODY: Final = {400: "Unreadable", 413: "TooLarge", 415: "WrongMediaType"}


def document(version: str, operations: Iterable[Operation]) -> Tree:
    """The document of one version."""
    schemas: Tree = {"Envelope": _envelope(None)}
    offered = [operation for operation in operations if version in operation.versions]
    paths: dict[str, Tree] = {}
    for operation in offered:
        path = _path(version, operation)
        described = paths.setdefault(path, {})[operation.method.lower()] = _operation(version, operation, schemas)
        links = links_of(operation, offered)
        for http in ("200", "201") if links else ():
            if http in described["responses"]:
                described["responses"][http]["links"] = links
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Busbar, OCPI {version}",
            "version": __version__,
            "description": "The OCPI interfaces that Busbar offers to its partners.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "credentialsToken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token ` and the credentials token, Base64-encoded from 2.2 on.",
                }
            },
        },
        "security": [{"credentialsToken": []}],
    }


def documents(operations: Iterable[Operation]) -> dict[str, Tree]:
    """All documents by file name."""
    table = tuple(operations)
    return {f"ocpi-{version}.json": document(version, table) for version in VERSIONS}


def _path(version: str, operation: Operation) -> str:
    below = "".join(f"/{part}" for part in operation.shape)
    if operation.side is not CONFIG:
        return f"/ocpi/{version}/{operation.side.value}/{operation.module}{below}"
    if operation.module == "versions":
        return f"/ocpi{below}/versions"
    if operation.module == "version_details":
        return f"/ocpi{below}/{version}"
    return f"/ocpi/{version}/{operation.module}{below}"


def _operation(version: str, operation: Operation, schemas: Tree) -> Tree:
    described: Tree = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.module],
        "x-roles": sorted(operation.callers),
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(version, operation, schemas),
    }
    if operation.body is not None:
        schema = _reference(operation.body[version], schemas, partial=operation.patch)
        described["requestBody"] = {
            "required": not operation.bodiless,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _path_parameters(operation: Operation) -> list[Tree]:
    names = [part[1:-1] for part in operation.shape if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": _path_schema(name)} for name in names]


def _path_schema(name: str) -> Tree:
    fixed: Mapping[str, Tree] = {
        "position": {"type": "string", "enum": ["cpo", "emsp"]},
        "country_code": {"type": "string", "pattern": "^[A-Za-z]{2}$"},
        "party_id": {"type": "string", "pattern": "^[A-Za-z0-9]{3}$"},
    }
    return fixed.get(name, _ID)


def _query_parameters(operation: Operation) -> list[Tree]:
    return [
        {"name": name, "in": "query", "required": False, "schema": _PAGING.get(name, {"type": "string"})}
        for name in operation.query
    ]


def _responses(version: str, operation: Operation, schemas: Tree) -> Tree:
    data = None if operation.answer is None else _reference(operation.answer[version], schemas, partial=False)
    if data is not None and operation.listed:
        data = {"type": "array", "items": data}
    responses: Tree = {"200": _response("Answered; see status_code", _envelope(data))}
    if operation.listed and operation.query:
        responses["200"]["headers"] = _PAGE_HEADERS
    if operation.method in ("PUT", "POST"):
        responses["201"] = _response("Created", _envelope(data))
    stated = {**_STATED, **(_WITH_BODY if operation.body is not None else {}), 403: "RoleLacksInterface"}
    if operation.module == "credentials":
        stated[405] = "RegistrationState"
    for http, name in sorted(stated.items()):
        responses[str(http)] = _response(_words(name), {"$ref": "#/components/schemas/Envelope"})
    return responses


_PAGE_HEADERS: Final[Tree] = {
    "Link": {"description": "The next page, if there is one", "schema": {"type": "string"}},
    "X-Total-Count": {"description": "All objects that match", "schema": {"type": "integer"}},
    "X-Limit": {"description": "The most objects in a page", "schema": {"type": "integer"}},
}


def _response(description: str, schema: Tree) -> Tree:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _words(name: str) -> str:
    """The docstring of an error is its description: documentation and answer cannot drift apart."""
    error = next(cls for cls in TABLE if cls.__name__ == name)
    return (error.__doc__ or name).split("\n", 1)[0]


def _envelope(data: Tree | None) -> Tree:
    properties: Tree = {
        "status_code": {"type": "integer", "minimum": 1000, "maximum": 4999},
        "status_message": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time", "maxLength": 25},
    }
    if data is not None:
        properties["data"] = data
    return {"type": "object", "properties": properties, "required": ["status_code", "timestamp"]}


def _reference(wire: Wire[Any], schemas: Tree, *, partial: bool) -> Tree:
    """A `$ref` to the wire model, which is put among the components with all that it needs."""
    name, written = _written(wire, partial=partial)
    for each, described in written.items():
        schemas.setdefault(each, described)
    return {"$ref": f"#/components/schemas/{name}"}


@lru_cache
def _written(wire: Wire[Any], *, partial: bool) -> tuple[str, Mapping[str, Tree]]:
    """The name of the wire model, and all that it needs with itself, by name. Many operations carry the same."""
    schema = wire.part_schema() if partial else wire.schema()
    name, inner = str(schema["title"]), schema.pop("$defs", {})
    return name, {each: _relocated(described) for each, described in {name: schema, **inner}.items()}


def _relocated(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _relocated(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_relocated(item) for item in schema]
    return schema
