"""What has to be looked at again, once an object of a version was read and brought into our form.

Its own form has looked at every value. Where that form and ours ask the same of a field, or ours asks less, the second
look would find nothing: a session of 2.2.1 differs from ours in its price alone.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

from pydantic import Field, create_model

from hub.core.dialect.forms import Forms, cardinality, fields_of, is_model, leaf_of
from hub.core.dialect.tables import Dialect
from hub.core.types import OcpiModel
from hub.core.types.markers import Text


def second_look(model: type[OcpiModel], forms: Forms) -> frozenset[str] | None:
    """Our names of the fields that have to be looked at again. None: the object as a whole has to be."""
    dialect, ours = forms.dialect(model), fields_of(model)
    if _is_rebuilt(dialect) or any(cardinality(ours[name]) in "1+" for name in dialect.drop):
        return None
    theirs = fields_of(forms.form(model))
    kept = [name for name in ours if name not in dialect.drop]
    return frozenset(name for name in kept if not _is_sure(name, ours[name], theirs[name], dialect, forms))


def only(model: type[OcpiModel], names: frozenset[str]) -> type[OcpiModel]:
    """`model` with these fields alone, as far as they are there."""
    annotations = fields_of(model)
    definitions: dict[str, Any] = {
        name: (annotations[name], Field(default=None)) for name in annotations if name in names
    }
    return create_model(model.__name__, __base__=OcpiModel, __module__=__name__, **definitions)


def _is_rebuilt(dialect: Dialect) -> bool:
    """Does the step more than change single values, and leave fields out?"""
    moved = dialect.rename or dialect.add or dialect.supply or dialect.by_hand or dialect.fill or dialect.up
    return bool(moved or dialect.types or dialect.convert or dialect.optional)


def _is_sure(name: str, ours: Any, theirs: Any, dialect: Dialect, forms: Forms) -> bool:
    """Is whatever their form lets pass, as the step leaves it, what our model would make of it?"""
    kind, marker = leaf_of(ours)
    their_kind, their_marker = leaf_of(theirs)
    if is_model(kind):
        return second_look(kind, forms) == frozenset()
    if name in dialect.values:
        is_part = get_origin(kind) is not Literal or set(get_args(their_kind)) <= set(get_args(kind))
        return is_part and not dialect.values[name].back
    if isinstance(marker, Text) and isinstance(their_marker, Text):
        return _holds(their_marker) <= _holds(marker)
    return bool(ours == theirs)


def _holds(text: Text) -> float:
    return math.inf if text.readable is None else text.readable
