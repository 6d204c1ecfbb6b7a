"""Objects that are read straight into JSON values, for who keeps and passes on what came, and needs no instance of it.

Making an instance and taking it apart again (`OcpiModel.tree`) costs as much as looking at every value. So the model's
own core schema is taken, node by node: each check in it is the same. Two things differ: where it makes an instance it
makes a dict, of what is there alone; and a time becomes the text by which it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel
from hub.core.types.reading import as_moment, as_moment_text

_ABSENT: Mapping[str, Any] = {"default": None, "default_factory": list}
"""What a field is that is not there: `OcpiModel.tree` leaves it out."""


@cache
def tree_validator(model: type[OcpiModel]) -> SchemaValidator:
    """Lets pass what `model` does, as the `tree` of it; the same faults at the same places."""
    return SchemaValidator(cast("CoreSchema", _with_dicts(model.__pydantic_core_schema__)))


def _with_dicts(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_dicts(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "model":
        return _dict_of(node["schema"]["fields"], ref=node.get("ref"))
    if node.get("type") == "function-plain" and node["function"]["function"] is as_moment:
        return core_schema.no_info_plain_validator_function(as_moment_text)
    return {name: value if name == "metadata" else _with_dicts(value) for name, value in node.items()}


def _dict_of(fields: Mapping[str, Any], ref: str | None) -> CoreSchema:
    typed = {name: _field(field) for name, field in fields.items()}
    found = core_schema.typed_dict_schema(typed, extra_behavior="allow")
    return core_schema.no_info_after_validator_function(_without_nothing(tuple(fields)), found, ref=ref)


def _field(field: Any) -> core_schema.TypedDictField:
    schema, alias = field["schema"], field.get("validation_alias")
    may_lack = any(name in schema and schema[name] is absent for name, absent in _ABSENT.items())
    kept = schema["schema"] if may_lack and schema["type"] == "default" else schema
    return core_schema.typed_dict_field(_with_dicts(kept), required=not may_lack, validation_alias=alias)


def _without_nothing(known: tuple[str, ...]) -> Callable[[Tree], Tree]:
    """null and an empty list say the same as silence; an empty list in a field that nobody knows is none of ours."""
    names = frozenset(known)

    def without_nothing(tree: Tree) -> Tree:
        if all(tree.values()):
            return tree
        return {name: value for name, value in tree.items() if value is not None and (value != [] or name not in names)}

    return without_nothing
