"""The OpenAPI document of the OICP face, written from its table of operations and the models of its messages.

It says what is served and what is answered; what is read is more than what it says, as partners spell things in many
ways (`partners/oicp/wire`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from hub import __version__
from hub.core.jsontypes import Tree
from partners.oicp.operations import OPERATIONS, Operation
from partners.oicp.paging import MOST
from partners.oicp.wire import ANSWERS, REQUESTS, Message
from partners.oicp.wire.notifications import BY_TYPE

NAME: Final = "oicp-2.3.json"
_REF: Final = "#/components/schemas/"
_ID: Final[Mapping[str, Tree]] = {
    "cpo": {"type": "string", "description": "OperatorID, as in DE*ABC or +49*810.", "maxLength": 12},
    "emp": {"type": "string", "description": "ProviderID, as in DE-DCB.", "maxLength": 12},
}
_PAGING: Final[Mapping[str, Tree]] = {
    "page": {"type": "integer", "minimum": 0},
    "size": {"type": "integer", "minimum": 1, "maximum": MOST},
}
_REFUSALS: Final[Mapping[str, str]] = {
    "400": "The message cannot be read, or does not fit its schema",
    "401": "The client certificate is not known, or not that of the operator or provider that is named",
    "404": "There is no such operation, or not in this version",
    "408": "The message did not arrive in time",
    "413": "The message is too large",
    "415": "The message is not JSON",
    "429": "Asked too often; Retry-After says when to ask again",
}
_REFUSAL: Final[Tree] = {
    "type": "object",
    "description": "An answer that says no. With HTTP 400 it lists the fields at fault.",
    "required": ["Result", "StatusCode"],
    "properties": {
        "Result": {"type": "boolean", "const": False},
        "StatusCode": {"$ref": f"{_REF}StatusCodeType"},
        "message": {"type": "string"},
        "validationErrors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["fieldReference", "errorMessage"],
                "properties": {"fieldReference": {"type": "string"}, "errorMessage": {"type": "string"}},
            },
        },
    },
}


def document() -> Tree:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Busbar, OICP 2.3",
            "version": __version__,
            "description": "What Busbar serves to partners that speak OICP: to CPOs and EMPs as their hub, to a hub as"
            " a CPO and as an EMP. Everybody is known by a client certificate. Where CPOs and EMPs are told a no with"
            " HTTP 400, 401 or 404, a hub is told it with 200.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(
            sorted((path, {"post": _described(each, path)}) for each in OPERATIONS.values() for path in each.paths)
        ),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"clientCertificate": {"type": "mutualTLS"}},
        },
        "security": [{"clientCertificate": []}],
    }


def _described(operation: Operation, path: str) -> Tree:
    parameters = (
        [{"name": "id", "in": "path", "required": True, "schema": _ID[operation.by]}] if operation.has_id else []
    )
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in _PAGING.items()
        if operation.paged
    ]
    return {
        "operationId": operation.name if path == operation.path else f"{operation.name}Alias",
        "summary": operation.summary,
        "tags": [operation.service],
        "x-asked-by": operation.by,
        "x-answered-by": operation.to,
        **({"x-limit-per-minute": operation.limit_per_min} if operation.limit_per_min else {}),
        "parameters": parameters,
        "requestBody": {"required": True, "content": _json(_message(operation))},
        "responses": {
            "200": {"description": "Answered; see StatusCode", "content": _json(_answer(operation))},
            **{http: {"description": why, "content": _json(_to("Refusal"))} for http, why in _REFUSALS.items()},
        },
    }


def _message(operation: Operation) -> Tree:
    if operation.name == "ChargingNotification":
        return {"oneOf": [_named(model) for model in BY_TYPE.values()]}
    return _named(REQUESTS[operation.name])


def _answer(operation: Operation) -> Tree:
    """An authorization and an Acknowledgement say no by themselves; instead of a list there is a refusal."""
    answer = _named(ANSWERS[operation.name])
    is_list = operation.name.startswith(("Pull", "Get"))
    return {"anyOf": [answer, _to("Refusal")]} if is_list else answer


def _named(model: type[Message]) -> Tree:
    return _to(model.__name__)


def _to(name: str) -> Tree:
    return {"$ref": f"{_REF}{name}"}


def _json(schema: Tree) -> Tree:
    return {"application/json": {"schema": schema}}


def _schemas() -> Tree:
    """All messages with what they are made of."""
    sent = (model for name, model in REQUESTS.items() if name != "ChargingNotification")
    models = sorted({*sent, *ANSWERS.values(), *BY_TYPE.values()}, key=lambda model: model.__name__)
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=f"{_REF}{{model}}")
    return {"Refusal": _REFUSAL, **{name: _plain(schema) for name, schema in found["$defs"].items()}}


def _plain(schema: Any) -> Any:
    """Without the titles that are made of names, and without null, which we do not write."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1 and len(schema["anyOf"]) == 2:
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default", "title")}
        return {**_plain(choices[0]), **_plain(rest)}
    return {
        key: {name: _plain(each) for name, each in value.items()} if key == "properties" else _plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
