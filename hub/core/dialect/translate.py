"""Translations compiled from the tables: for each object and direction one closure, or None where nothing differs.

A step walks the fields that are there and looks each up in a dict of actions; a field without an action passes as it
is, and so does a field that nobody knows. So a step is right for a part of an object as well as for the whole.
What cannot be expressed bubbles: out of a list the item goes, an optional field goes, a required or essential
field takes its object along. Each time the smallest thing that can go is reported as one loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.dialect.forms import Forms, cardinality, fields_of, is_model, leaf_of
from hub.core.dialect.tables import ABSENT, Dialect, Finish, First, Handler, NotExpressible, Only, Step, Trip
from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel, Text

Actions = Mapping[str, tuple[str, Handler | None]]


class Translator:
    """Both directions between our form and that of one version."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._downs: dict[type[OcpiModel], Step | None] = {}
        self._ups: dict[type[OcpiModel], Step | None] = {}

    def down(self, model: type[OcpiModel]) -> Step | None:
        """From our form to theirs."""
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
                actions[name] = ("", _leave)
            elif name in dialect.drop:
                actions[name] = ("", _loses(f"OCPI {version} has no {name}"))
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
            base = _nested(inner)
        elif name in dialect.values:
            base = _limits(dialect.values[name], self._forms.version)
        elif isinstance(marker, Text) and isinstance(our_marker, Text):
            base = _fits(our_marker, marker)
        if base is not None and cardinality(ours) in "*+":
            base = _each(base)
        base = _chain(base, dialect.convert[name].down if name in dialect.convert else None)
        if base is None:
            return None
        return _bubbles(base, dialect, name, must=cardinality(theirs) in "1+")

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
            actions.setdefault(name, ("", _leave if dialect.up else _loses(f"OCPI {VERSION_OURS} has no {name}")))
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
            base = _nested(inner)
        elif name in dialect.values and dialect.values[name].back:
            must = cardinality(ours) in "1+"
            base = _backs(dialect.values[name], dialect.blank.get(name), must=must)
        if base is not None and cardinality(ours) in "*+":
            base = _each(base)
        base = _chain(base, dialect.convert[name].up if name in dialect.convert else None)
        if base is None:
            return None
        return _bubbles(base, dialect, name, must=cardinality(ours) in "1+")


VERSION_OURS = "2.3.0"


def _step(actions: Actions, blank: Mapping[str, Any], first: First | None, finish: Finish | None) -> Step:
    def step(tree: Mapping[str, Any], path: str, trip: Trip) -> Tree:
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
            actions.setdefault(name, ("", _loses(f"{name} means something else in OCPI {version}")))


def _leave(value: Any, path: str, trip: Trip) -> Any:
    return ABSENT


def _loses(reason: str) -> Handler:
    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value not in (None, []):
            trip.lose(path, reason)
        return ABSENT

    return handler


def _chain(first: Handler | None, then: Handler | None) -> Handler | None:
    if first is None or then is None:
        return first or then

    def handler(value: Any, path: str, trip: Trip) -> Any:
        value = first(value, path, trip)
        return value if value is ABSENT else then(value, path, trip)

    return handler


def _nested(inner: Step) -> Handler:
    def handler(value: Any, path: str, trip: Trip) -> Any:
        part, trip.part = trip.part, False
        try:
            return inner(value, path, trip)
        finally:
            trip.part = part

    return handler


def _each(item_handler: Handler) -> Handler:
    """Translate a list; items that cannot be expressed go, and so does a list that had items and has none left."""

    def handler(value: Any, path: str, trip: Trip) -> Any:
        out = []
        for at, item in enumerate(value):
            mark = len(trip.losses)
            try:
                changed = item_handler(item, f"{path}/{at}", trip)
            except NotExpressible as fault:
                del trip.losses[mark:]
                trip.lose(f"{path}/{at}", fault.reason)
                continue
            if changed not in out or isinstance(changed, dict):
                out.append(changed)
        if value and not out:
            raise NotExpressible(trip.losses[-1].reason)
        return out

    return handler


def _bubbles(inner: Handler, dialect: Dialect, name: str, *, must: bool) -> Handler:
    """The field goes where it may, else it takes the object along. A PATCH cannot remove: there it is the whole."""
    spare = dialect.spare.get(name, ABSENT)
    if name in dialect.essential or (must and spare is ABSENT):
        return inner

    def handler(value: Any, path: str, trip: Trip) -> Any:
        mark = len(trip.losses)
        try:
            return inner(value, path, trip)
        except NotExpressible as fault:
            if trip.part and spare is ABSENT:
                raise
            del trip.losses[mark:]
            trip.lose(path, fault.reason)
            return spare

    return handler


def _limits(only: Only, version: str) -> Handler:
    known, turns, otherwise, back = frozenset(only.known), only.turns, only.otherwise, only.back

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value in known:
            return value
        near = turns.get(value, otherwise)
        if near is None:
            raise NotExpressible(f"OCPI {version} has no value {value}")
        if back.get(near) != value:
            trip.lose(path, f"{value} is sent as {near}: OCPI {version} has no such value")
        return near

    return handler


def _backs(only: Only, blank: Any, *, must: bool) -> Handler:
    back, turns = only.back, only.turns

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if value not in back:
            return value
        ours = back[value]
        if ours is None and must:
            raise NotExpressible(f"OCPI {VERSION_OURS} has no value {value}")
        if (blank if ours is None else turns.get(ours)) != value:
            trip.lose(path, f"{value} is read as {ours or 'nothing'}")
        if ours is None:
            return None if trip.part else ABSENT
        return ours

    return handler


def _fits(ours: Text, theirs: Text) -> Handler | None:
    """Keep a text within the limit of the version: display text is cut at a word, an id cannot be."""
    limit, readable = theirs.limit, ours.readable
    if limit is None or (readable is not None and readable <= limit):
        return None
    shortens = theirs.style == "display"

    def handler(value: Any, path: str, trip: Trip) -> Any:
        if len(value) <= limit:
            return value
        if not shortens:
            raise NotExpressible(f"longer than the {limit} characters of the version")
        trip.lose(path, f"shortened to {limit} characters")
        cut, space, _ = value[:limit].rpartition(" ")
        return cut if space and len(cut) > limit // 2 else value[:limit]

    return handler
