"""What all messages are made of: fields by OICP's own names, as mandatory as they are when we write."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    LiteralString,
    NamedTuple,
    Self,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from annotated_types import MinLen
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from partners.oicp.wire.kinds import ANYTHING, Kind

OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "CDRForwarded": ("CDRForwarder",),
    "Coordinates": ("Coordinatea",),
    "ErrorType": ("ErrorClass",),
    "EVSEPricing": ("OperatorEVSEPricing",),
    "EvseStatuses": ("EvseStatusRecords",),
    "Period": ("Periods",),
    "Periods": ("Period",),
}
"""What fields are called elsewhere, beside differences in case, spaces and signs, which are never looked at."""


NOTHING_SAID: Final[LiteralString] = "none of the ways to say it is there"
"""The problem of a `OneOf` without any of its fields."""


SAID_TWICE: Final[LiteralString] = "said in several ways, where one is meant"
"""The problem of a `OneOf` that is said once, and has several of its fields."""


class Message(BaseModel):
    """A message of OICP, or an object in one. Fields that are not known stay.

    lenient  mandatory fields without which an object is read all the same: they are missing in the field
    bare     the field that is meant where its value alone stands in place of the object
    binding  fields of which nothing may be left out: what the others say would be something else then
    is_said_once  of a `OneOf`: may exactly one of its fields be there?
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    lenient: ClassVar[frozenset[str]] = frozenset()
    bare: ClassVar[str] = ""
    binding: ClassVar[frozenset[str]] = frozenset()
    is_said_once: ClassVar[bool] = False


class OneOf(Message):
    """An object whose fields are ways to say one thing: one of them has to be there."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _says_it(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise PydanticCustomError("oicp", NOTHING_SAID)
        return self


FILLED: Final = MinLen(1)
"""Marks a list that says nothing while it is empty. Where the specification lets one be, it says 0...n."""


class OneOrMany:
    """A list that is written as its only item where it has one: both are specified."""


class Unwrapped(NamedTuple):
    """A value that is met inside an object, under `field`."""

    field: str


class Form(NamedTuple):
    """What an annotation says: the innermost type, how often it stands, what marks it."""

    leaf: Any
    is_list: bool
    is_optional: bool
    kind: Kind
    unwrapped: str
    is_one_or_many: bool
    is_filled: bool

    @property
    def model(self) -> type[Message] | None:
        return self.leaf if isinstance(self.leaf, type) and issubclass(self.leaf, Message) else None


@cache
def forms(model: type[Message]) -> dict[str, Form]:
    """The fields of a message, in their order."""
    hints = get_type_hints(model, include_extras=True)
    return {name: _form(hints[name]) for name in model.model_fields}


def _form(annotation: Any) -> Form:
    marks: list[Any] = []
    is_list = is_optional = False
    while True:
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            marks.extend(inner[1:])
        elif origin in (Union, types.UnionType):
            is_optional = True
        elif origin is list:
            is_list = True
        else:
            break
        annotation = inner[0]
    kind = next((mark for mark in marks if isinstance(mark, Kind)), ANYTHING)
    unwrapped = next((mark.field for mark in marks if isinstance(mark, Unwrapped)), "")
    is_one_or_many = any(isinstance(mark, OneOrMany) for mark in marks)
    return Form(annotation, is_list, is_optional, kind, unwrapped, is_one_or_many, FILLED in marks)


def strangers(model: type[Message], tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """JSON pointers of the fields that `model` does not know, at any depth."""
    known = forms(model)
    for name, value in tree.items():
        form = known.get(name)
        if form is None:
            yield f"{path}/{name}"
        elif form.model is not None:
            items = [(f"/{at}", item) for at, item in enumerate(value)] if form.is_list else [("", value)]
            for at, item in items:
                yield from strangers(form.model, item, f"{path}/{name}{at}")
