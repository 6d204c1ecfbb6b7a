"""What a version of an object cannot say that another one can, read off the tables before anything is sent.

`Loss` tells what one object lost; a `Gap` tells what any object may lose. An object goes from one version to another by
way of our own form, so there are two halves: reading it and writing it. What functions do (`convert`, `up`, `down`) is
told beside them (`told_up`, `told_down`); where it is not, a gap says that much: part of it may be lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from hub.core.dialect.forms import Forms, cardinality, fields_of, is_model, leaf_of
from hub.core.dialect.tables import ABSENT, VERSIONS, Dialect, Only, What
from hub.core.types import OcpiModel
from hub.core.types.markers import OpenEnum, Text

OWN: Final = "*"
"""Instead of a value of an open enum: any value that the spec does not list."""


class Gap(NamedTuple):
    """Named as a `Loss` is: `pointer` in the form it came from (theirs when read, ours when written), `*` for any
    index. `value` is an enum's, "" for the whole field."""

    pointer: str
    value: str
    what: What
    note: str


def gaps_between(model: type[OcpiModel], here: Forms, there: Forms) -> tuple[Gap, ...]:
    """What `model` as `here` has it cannot keep on its way to `there`. Nothing between equal versions."""
    if here.version == there.version:
        return ()
    return (*_read(model, here, ""), *_written(model, here, there, ""))


def _read(model: type[OcpiModel], here: Forms, path: str) -> Iterator[Gap]:
    """What our form cannot hold of theirs."""
    dialect = here.dialect(model)
    for name, (what, note) in dialect.told_up.items():
        yield Gap(f"{path}/{name}", "", what, note)
    if dialect.up is None:
        for name in sorted(dialect.add.keys() - {dialect.rename.get(ours, ours) for ours in fields_of(model)}):
            yield Gap(f"{path}/{name}", "", What.LOST, "no newer version has it")
    for name, annotation in fields_of(model).items():
        if name in dialect.drop | dialect.supply | dialect.by_hand:
            continue
        at = _inside(f"{path}/{dialect.rename.get(name, name)}", annotation)
        kind, marker = leaf_of(annotation)
        _, their_marker = leaf_of(_Field(model, name, annotation, at).in_form(here))
        if (
            isinstance(marker, Text)
            and isinstance(their_marker, Text)
            and _holds(their_marker.limit) > _holds(marker.readable)
        ):
            yield _longer(at, marker, is_id=dialect.rename.get(name, name) in {*dialect.ids, *dialect.refers})
        elif name in dialect.values:
            yield from _read_back(at, dialect.values[name], dialect.blank.get(name))
        elif is_model(kind) and name not in dialect.types:
            yield from _read(kind, here, at)


def _longer(at: str, marker: Text, *, is_id: bool) -> Gap:
    longer = f"where it has more than {marker.readable} characters"
    if is_id:
        return Gap(at, "", What.REWRITTEN, f"another name stands for it, {longer}")
    return Gap(at, "", What.WITHHELD, f"refused {longer}")


def _read_back(at: str, only: Only, blank: Any) -> Iterator[Gap]:
    for value, ours in only.back.items():
        if ours is None and blank != value:
            yield Gap(at, value, What.LOST, "no newer version has it")
        elif ours is not None and only.turns.get(ours) != value:
            yield Gap(at, value, What.TURNED, f"read as {ours}")


def _written(model: type[OcpiModel], here: Forms, there: Forms, path: str) -> Iterator[Gap]:
    """What theirs cannot say of ours, as far as `here` could say it."""
    mine, theirs = here.dialect(model), there.dialect(model)
    ours = fields_of(model)
    for name, told in theirs.told_down.items():
        if name not in mine.drop and not _holds_here(name, told, here, there, mine):
            yield Gap(f"{path}/{name}", "", *told)
    for name, annotation in ours.items():
        pointer = f"{path}/{name}"
        if name in mine.drop | theirs.supply:
            continue
        kind, _ = leaf_of(annotation)
        if name not in theirs.told_down:
            yield from _of_field(_Field(model, name, annotation, pointer), here, there)
        if is_model(kind) and name not in theirs.drop | theirs.by_hand | mine.types.keys():
            yield from _written(kind, here, there, _inside(pointer, annotation))


def _holds_here(name: str, told: tuple[What, str], here: Forms, there: Forms, mine: Dialect) -> bool:
    """Is it the same with `here`, or an older version that has its own trouble with the field? Then nothing is new."""
    if name not in mine.told_down or here.version not in VERSIONS or there.version not in VERSIONS:
        return False
    return mine.told_down[name] == told or VERSIONS.index(here.version) < VERSIONS.index(there.version)


class _Field(NamedTuple):
    model: type[OcpiModel]
    name: str
    annotation: Any
    pointer: str

    def in_form(self, forms: Forms) -> Any:
        """Its annotation there; ours, where the form has it not as a field of its own."""
        theirs = fields_of(forms.form(self.model))
        return theirs.get(forms.dialect(self.model).rename.get(self.name, self.name), self.annotation)


def _of_field(field: _Field, here: Forms, there: Forms) -> Iterator[Gap]:
    """The gap of the field itself, not of what is in it."""
    name, version, theirs = field.name, there.version, there.dialect(field.model)
    if name in theirs.drop:
        what = What.WITHHELD if name in theirs.essential else What.LOST
        yield Gap(field.pointer, "", what, f"OCPI {version} has no {name}")
    elif name in theirs.by_hand or (name in theirs.convert and theirs.convert[name].down is not None):
        fewer = cardinality(field.annotation) in "*+" and cardinality(field.in_form(there)) not in "*+"
        note = f"OCPI {version} has room for one" if fewer else f"OCPI {version} says it in another form"
        yield Gap(field.pointer, "", What.REWRITTEN, note)
    elif name in theirs.values:
        yield from _of_values(field, here, there)
    else:
        yield from _of_length(field, here, there)


def _of_values(field: _Field, here: Forms, there: Forms) -> Iterator[Gap]:
    theirs = there.dialect(field.model)
    only, at = theirs.values[field.name], _inside(field.pointer, field.annotation)
    for value in _known(field, here):
        if value in only.known:
            continue
        near = only.turns.get(value, only.otherwise)
        if near is None:
            yield Gap(at, value, _goes(field, there), f"OCPI {there.version} has no such value")
        elif only.back.get(near) != value:
            yield Gap(at, value, What.TURNED, f"sent as {near}")


def _known(field: _Field, here: Forms) -> tuple[str, ...]:
    """The values that a version has for a field, as far as they are values of our form."""
    kind, marker = leaf_of(field.in_form(here))
    if isinstance(marker, OpenEnum):
        values = (*marker.values, OWN) if marker.is_open else marker.values
    else:
        values = get_args(kind) if get_origin(kind) is Literal else ()
    back = here.dialect(field.model).values.get(field.name, _ALL).back
    return tuple(value for value in values if value not in back)


_ALL: Final = Only(())


def _goes(field: _Field, there: Forms) -> What:
    """As `handlers.bubbles` decides: what is in a list goes, and so does a field that may; else the object does."""
    if cardinality(field.annotation) in "*+":
        return What.LOST
    theirs: Dialect = there.dialect(field.model)
    required = cardinality(field.in_form(there)) in "1+" and theirs.spare.get(field.name, ABSENT) is ABSENT
    return What.WITHHELD if field.name in theirs.essential or required else What.LOST


def _of_length(field: _Field, here: Forms, there: Forms) -> Iterator[Gap]:
    (_, ours), (_, mine), (_, theirs) = map(leaf_of, (field.annotation, field.in_form(here), field.in_form(there)))
    if not (isinstance(ours, Text) and isinstance(mine, Text) and isinstance(theirs, Text)):
        return
    if min(_holds(ours.limit), _holds(mine.limit)) <= _holds(theirs.limit):
        return
    at, room = _inside(field.pointer, field.annotation), f"more than {theirs.limit} characters"
    if theirs.style == "display":
        yield Gap(at, "", What.SHORTENED, f"where it has {room}")
    else:
        yield Gap(at, "", _goes(field, there), f"where it has {room}")


def _holds(limit: int | None) -> float:
    return math.inf if limit is None else limit


def _inside(pointer: str, annotation: Any) -> str:
    """Where the values are: inside of a list, at any index."""
    return f"{pointer}/*" if cardinality(annotation) in "*+" else pointer
