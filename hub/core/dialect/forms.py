"""The form an object has in a version: a pydantic model made from ours and its dialect, and the JSON Schema of it."""

from __future__ import annotations

import types as builtin_types
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import MinLen
from pydantic import AliasChoices, Field, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from hub.core.dialect.tables import Dialect, Dialects, Only
from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel, OcpiPart
from hub.core.types.markers import ByName, Closed, OpenEnum, Plain, Read, Text

Marker = Text | Plain | OpenEnum | Closed
_EMPTY = Dialect()


@cache
def fields_of(model: type[OcpiModel]) -> Mapping[str, Any]:
    """The annotation of each field of `model`, markers included, in order."""
    hints = get_type_hints(model, include_extras=True)
    return {name: hints[name] for name in model.model_fields}


def cardinality(annotation: Any) -> str:
    """As the tables of the spec write it: 1, ?, * or +."""
    if type(None) in get_args(annotation):
        return "?"
    if get_origin(annotation) is Annotated:
        inner, *markers = get_args(annotation)
        if get_origin(inner) is list:
            return "+" if any(_at_least_one(marker) for marker in markers) else "*"
    return "*" if get_origin(annotation) is list else "1"


def _at_least_one(marker: object) -> bool:
    constraints = marker.metadata if isinstance(marker, FieldInfo) else [marker]
    return any(isinstance(constraint, MinLen) and constraint.min_length for constraint in constraints)


def leaf_of(annotation: Any) -> tuple[Any, Marker | None]:
    """The type inside of lists and options, and its marker."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *markers = get_args(annotation)
        for marker in markers:
            if isinstance(marker, Read):
                return inner, marker.text
            if isinstance(marker, Text | Plain | OpenEnum | Closed):
                return inner, marker
        return leaf_of(inner)
    if origin in (list, Union, builtin_types.UnionType):
        return leaf_of(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation, None


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, OcpiModel)


def _with_leaf(annotation: Any, change: Callable[[Any], Any]) -> Any:
    """`annotation` with `change` applied inside of lists and options."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *markers = get_args(annotation)
        if get_origin(inner) is not list:
            return change(annotation)
        return Annotated[(_with_leaf(inner, change), *markers)]
    if origin is list:
        return list[_with_leaf(get_args(annotation)[0], change)]  # type: ignore[misc]
    if origin in (Union, builtin_types.UnionType):
        return Union[tuple(_with_leaf(part, change) for part in get_args(annotation))]  # noqa: UP007
    return annotation if annotation is type(None) else change(annotation)


def _limited(annotation: Any, only: Only) -> Any:
    """The enum `annotation` as a version with fewer values has it."""
    _, marker = leaf_of(annotation)
    assert isinstance(marker, OpenEnum | Closed)  # noqa: S101 - a table that limits what is no enum
    name = only.called or marker.name
    if isinstance(marker, OpenEnum):
        newer = tuple(value for value in marker.values if value not in only.known)
        return Annotated[str, OpenEnum(name, only.known, is_open=False, newer=newer)]
    return Annotated[Literal[only.known], Closed(name)]


def _shortened(annotation: Any, limit: int) -> Any:
    inner, *markers = get_args(annotation)
    changed = [replace(m, limit=limit) if isinstance(m, Text) else m for m in markers]
    return Annotated[(inner, *changed)]


class Forms:
    """The wire models of one version. A model that is like ours is ours."""

    def __init__(self, version: str, dialects: Dialects) -> None:
        self.version = version
        self._dialects = dialects
        self._made: dict[type[OcpiModel], type[OcpiModel]] = {}

    def dialect(self, model: type[OcpiModel]) -> Dialect:
        return self._dialects.get(model, {}).get(self.version, _EMPTY)

    def form(self, model: type[OcpiModel]) -> type[OcpiModel]:
        """The wire model of our `model` in this version."""
        made = self._made.get(model)
        if made is None:
            made = self._made[model] = self._make(model)
        return made

    def _make(self, model: type[OcpiModel]) -> type[OcpiModel]:
        dialect = self.dialect(model)
        ours = fields_of(model)
        theirs = {
            dialect.rename.get(name, name): self._annotation(dialect, name, annotation)
            for name, annotation in ours.items()
            if name not in dialect.drop | dialect.supply | dialect.by_hand
        }
        for name, annotation in dialect.add.items():
            theirs[name] = _with_leaf(annotation, lambda leaf: self.form(leaf) if is_model(leaf) else leaf)
        if theirs == ours and not dialect.called and not dialect.also:
            return model
        definitions: dict[str, Any] = {
            name: (annotation, _default(annotation, name, dialect.also.get(name)))
            for name, annotation in theirs.items()
        }
        called = dialect.called or model.__name__
        return create_model(called, __base__=OcpiModel, __module__=__name__, __doc__=model.__doc__, **definitions)

    def _annotation(self, dialect: Dialect, name: str, annotation: Any) -> Any:
        changed = dialect.types.get(name)
        if changed is None:
            changed = _with_leaf(annotation, lambda leaf: self._leaf(dialect, name, leaf))
        if name in dialect.required:
            changed = next(part for part in get_args(changed) if part is not type(None))
        elif name in dialect.optional:
            changed = changed | None
        return changed

    def _leaf(self, dialect: Dialect, name: str, leaf: Any) -> Any:
        if is_model(leaf):
            return self.form(leaf)
        if name in dialect.values:
            return _limited(leaf, dialect.values[name])
        if name in dialect.lengths:
            return _shortened(leaf, dialect.lengths[name])
        return leaf


def _default(annotation: Any, name: str, other_name: str | None) -> Any:
    settings: Tree = {} if other_name is None else {"validation_alias": AliasChoices(name, other_name)}
    match cardinality(annotation):
        case "?":
            return Field(default=None, **settings)
        case "*":
            return Field(default_factory=list, **settings)
        case _:
            return Field(**settings)


@cache
def part_of(form: type[OcpiModel], named: str = "") -> type[OcpiPart]:
    """`form` with every field optional: what a PATCH carries. null stays refused where the field is required.

    `named` is the field that a part in a list must have, see `ByName`.
    """
    definitions: dict[str, Any] = {
        name: (
            _of_parts(annotation),
            Field(default=... if name == named else None, validation_alias=form.model_fields[name].validation_alias),
        )
        for name, annotation in fields_of(form).items()
    }
    called = f"{form.__name__}{'Part' if named else 'Patch'}"
    return create_model(called, __base__=OcpiPart, __module__=__name__, __doc__=form.__doc__, **definitions)


def named_by(annotation: Any) -> str:
    """The field by which the parts of such a list are named, see `ByName`; "": it has no parts."""
    return next((marker.name for marker in get_args(annotation)[1:] if isinstance(marker, ByName)), "")


def _of_parts(annotation: Any) -> Any:
    named = named_by(annotation)
    return _with_leaf(annotation, lambda leaf: part_of(leaf, named)) if named else annotation


class _Schema(GenerateJsonSchema):
    """JSON Schema as a reader of OCPI expects it: absent instead of null, no titles and defaults."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(form: type[OcpiModel]) -> Tree:
    """JSON Schema (draft 2020-12) of what is written in this form."""
    return form.model_json_schema(schema_generator=_Schema)
