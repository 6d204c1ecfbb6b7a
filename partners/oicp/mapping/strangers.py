"""Fields of OCPI's objects that OCPI does not have: partners' own, which have no words in OICP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from hub.core.dialect.forms import fields_of, is_model, leaf_of
from hub.core.types import OcpiModel


@cache
def _inner(model: type[OcpiModel]) -> dict[str, type[OcpiModel] | None]:
    """The fields of a model, and the model of those that hold objects."""
    leaves = {name: leaf_of(annotation)[0] for name, annotation in fields_of(model).items()}
    return {name: leaf if is_model(leaf) else None for name, leaf in leaves.items()}


def strangers(model: type[OcpiModel], tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """JSON pointers of what `model` does not know, at any depth."""
    known = _inner(model)
    for name, value in tree.items():
        if name not in known:
            yield f"{path}/{name}"
            continue
        inner = known[name]
        if inner is None or value is None:
            continue
        items = [(f"/{at}", item) for at, item in enumerate(value)] if isinstance(value, list) else [("", value)]
        for at, item in items:
            yield from strangers(inner, item, f"{path}/{name}{at}")
