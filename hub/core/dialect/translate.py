"""Translations compiled from the tables: for each object and direction one closure, or None where nothing differs.

A step walks the fields that are there and looks each up in a dict of actions; a field without an action passes as it
is, and so does a field that nobody knows. So a step is right for a part of an object as well as for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.dialect.forms import Forms, cardinality, fields_of, is_model, leaf_of
from hub.core.dialect.handlers import (
    VERSION_OURS,
    backs,
    bubbles,
    chain,
    each,
    fits,
    leave,
    limits,
    loses,
    nested,
    refuses,
)
from hub.core.dialect.tables import ABSENT, Dialect, Finish, First, Handler, Step, Trip
from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel
from hub.core.types.markers import Text

Actions = Mapping[str, tuple[str, Handler | None]]


class Translator:
    """Both directions between our form and that of one version."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._downs: dict[type[OcpiModel], Step | None] = {}
        self._ups: dict[type[OcpiModel], Step | None] = {}

    def down(self, model: type[OcpiModel]) -> Step | None:
        """From our form to theirs."""
        if self._forms.version == VERSION_OURS:
            return None
        if model not in self._downs:
            self._downs[model] = self._make_down(model)
        return self._downs[model]

    def up(self, model: type[OcpiModel]) -> Step | None:
        """From their form, as its wire model read it, to ours."""
        if model not in self._ups:
            self._ups[model] = self._make_up(model)
        return self._ups[model]

    def _make_down(self, model: type[OcpiModel]) -> Step | None:
        dialect, ours = self._forms.dialect(model), fields_of(model)
        theirs = fields_of(self._forms.form(model))
        version = self._forms.version
        actions: dict[str, tuple[str, Handler | None]] = {}
        for name, annotation in ours.items():
            target = dialect.rename.get(name, name)
            if name in dialect.supply | dialect.by_hand:
                actions[name] = ("", leave)
            elif name in dialect.drop:
                go = refuses if name in dialect.essential else loses
                actions[name] = ("", go(f"OCPI {version} has no {name}"))
            else:
                handler = self._down_handler(dialect, name, annotation, theirs[target])
                if handler is not None or target != name:
                    actions[name] = (target, handler)
        _guard(actions, ours, theirs, version)
        blank = {dialect.rename.get(name, name): value for name, value in dialect.blank.items()}
        if not (actions or blank or dialect.first or dialect.down):
            return None
        return _step(actions, blank, dialect.first, dialect.down)

    def _down_handler(self, dialect: Dialect, name: str, ours: Any, theirs: Any) -> Handler | None:
        kind, our_marker = leaf_of(ours)
        _, marker = leaf_of(theirs)
        base: Handler | None = None
        inner = self.down(kind) if is_model(kind) else None
        if inner is not None:
            base = nested(inner)
        elif name in dialect.values:
            base = limits(dialect.values[name], self._forms.version)
        elif isinstance(marker, Text) and isinstance(our_marker, Text):
            base = fits(our_marker, marker)
        if base is not None and cardinality(ours) in "*+":
            base = each(base)
        base = chain(base, dialect.convert[name].down if name in dialect.convert else None)
        if base is None:
            return None
        return bubbles(base, dialect, name, must=cardinality(theirs) in "1+")

    def _make_up(self, model: type[OcpiModel]) -> Step | None:
        dialect, ours = self._forms.dialect(model), fields_of(model)
        theirs = fields_of(self._forms.form(model))
        actions: dict[str, tuple[str, Handler | None]] = {}
        for name, annotation in ours.items():
            source = dialect.rename.get(name, name)
            if name in dialect.drop | dialect.supply | dialect.by_hand:
                continue
            handler = self._up_handler(dialect, name, annotation)
            if handler is not None or source != name:
                actions[source] = (name, handler)
        for name in dialect.add:
            actions.setdefault(name, ("", leave if dialect.up else loses(f"OCPI {VERSION_OURS} has no {name}")))
        _guard(actions, theirs, ours, VERSION_OURS)
        finish = _supplying(dialect)
        if not (any(name in theirs for name in actions) or finish):
            return None
        return _step(actions, {}, None, finish)

    def _up_handler(self, dialect: Dialect, name: str, ours: Any) -> Handler | None:
        kind, _ = leaf_of(ours)
        base: Handler | None = None
        inner = self.up(kind) if is_model(kind) and name not in dialect.types else None
        if inner is not None:
            base = nested(inner)
        elif name in dialect.values and dialect.values[name].back:
            must = cardinality(ours) in "1+"
            base = backs(dialect.values[name], dialect.blank.get(name), must=must)
        if base is not None and cardinality(ours) in "*+":
            base = each(base)
        base = chain(base, dialect.convert[name].up if name in dialect.convert else None)
        if base is None:
            return None
        return bubbles(base, dialect, name, must=cardinality(ours) in "1+")


def _step(actions: Actions, blank: Mapping[str, Any], first: First | None, finish: Finish | None) -> Step:
    names, always = actions.keys(), bool(blank or first or finish)

    def step(tree: Mapping[str, Any], path: str, trip: Trip) -> Tree:
        if not always and names.isdisjoint(tree):
            return dict(tree)
        out: Tree = {}
        if first is not None:
            tree = first(tree, path, trip)
        for name, value in tree.items():
            action = actions.get(name)
            if action is None:
                out[name] = value
                continue
            target, handler = action
            if handler is not None and value is not None:
                value = handler(value, f"{path}/{name}", trip)
                if value is ABSENT:
                    continue
            if target:
                out[target] = value
        if not trip.part:
            for name, value in blank.items():
                out.setdefault(name, value)
        if finish is not None:
            finish(tree, out, path, trip)
        return out

    return step


def _supplying(dialect: Dialect) -> Finish | None:
    """The end of a reading: what travels beside the object, what its silence means, and the dialect's own function."""
    supply, fill, own = tuple(sorted(dialect.supply)), dialect.fill, dialect.up
    if not (supply or fill):
        return own

    def finish(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
        if not trip.part:
            for name in supply:
                if name in trip.given:
                    ours[name] = trip.given[name]
            for name, value in fill.items():
                ours.setdefault(name, value)
        if own is not None:
            own(theirs, ours, path, trip)

    return finish


def _guard(actions: dict[str, tuple[str, Handler | None]], here: Any, there: Any, version: str) -> None:
    """An unknown field whose name means something in the other form must not arrive there as that."""
    for name in there:
        if name not in here:
            actions.setdefault(name, ("", loses(f"{name} means something else in OCPI {version}")))
