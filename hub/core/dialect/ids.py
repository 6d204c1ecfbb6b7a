"""Where an object of a version names things by ids that mean something to their owner alone, told by `Dialect.ids`.

What comes over the wire is looked at before anybody has checked it: whatever is not as it should be is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from hub.core.dialect.forms import Forms, fields_of, is_model, leaf_of
from hub.core.types import OcpiModel


class Id(msgspec.Struct, frozen=True, order=True, gc=False):
    """An id, and of what sort of thing it is."""

    sort: str
    text: str


class Ids(NamedTuple):
    """What objects are called themselves, and what they call others."""

    declared: list[Id]
    referred: list[Id]


@dataclass(frozen=True, slots=True)
class Spots:
    """The fields of an object that are ids, by their sort, and the fields that are objects with such.

    `own`: it is called so itself; `refers`: it names another object by it.
    """

    own: Mapping[str, str] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, Spots] = field(default_factory=dict)

    def ids(self, tree: Any) -> Ids:
        """Those in `tree`, which is one object or a list of such."""
        found = Ids([], [])
        self._collect(tree, found)
        return found

    def _collect(self, tree: Any, found: Ids) -> None:
        if isinstance(tree, list):
            for item in tree:
                self._collect(item, found)
        elif isinstance(tree, dict):
            for names, into in ((self.own, found.declared), (self.refers, found.referred)):
                for name, sort in names.items():
                    value = tree.get(name)
                    if type(value) is str:
                        into.append(Id(sort, value))
                    elif type(value) is list:
                        into += [Id(sort, text) for text in value if type(text) is str]
            for name, spots in self.below.items():
                if name in tree:
                    spots._collect(tree[name], found)  # noqa: SLF001 - of the same class

    def renamed(self, tree: Any, names: Mapping[Id, str]) -> Any:
        """The same with the ids that are in `names` exchanged; `tree` stays as it is."""
        if isinstance(tree, list):
            return [self.renamed(item, names) for item in tree]
        if not isinstance(tree, dict):
            return tree
        new = dict(tree)
        for name, sort in (*self.own.items(), *self.refers.items()):
            if name in new:
                new[name] = _exchanged(new[name], sort, names)
        for name, spots in self.below.items():
            if name in new:
                new[name] = spots.renamed(new[name], names)
        return new

    def of_a_copy(self) -> Spots:
        """In an object that is known by itself elsewhere."""
        return Spots({}, {**self.own, **self.refers}, {name: spots.of_a_copy() for name, spots in self.below.items()})


def _exchanged(value: Any, sort: str, names: Mapping[Id, str]) -> Any:
    if isinstance(value, list):
        return [_exchanged(item, sort, names) for item in value]
    return names.get(Id(sort, value), value) if isinstance(value, str) else value


def spots_of(model: type[OcpiModel], forms: Forms) -> Spots | None:
    """Where `model`, as this version has it, names things so; None where it does not."""
    dialect = forms.dialect(model)
    fields = {
        dialect.rename.get(name, name): dialect.types.get(name, annotation)
        for name, annotation in fields_of(model).items()
        if name not in dialect.drop | dialect.supply | dialect.by_hand
    }
    below = {}
    for name, annotation in {**fields, **dialect.add}.items():
        kind, _ = leaf_of(annotation)
        spots = spots_of(kind, forms) if is_model(kind) else None
        if spots is not None:
            below[name] = spots.of_a_copy() if name in dialect.copies else spots
    return Spots(dialect.ids, dialect.refers, below) if dialect.ids or dialect.refers or below else None
