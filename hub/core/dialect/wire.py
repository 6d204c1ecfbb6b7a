"""One object in one version, both ways: what the routes read with and the lanes write with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from hub.core.dialect.forms import Forms, fields_of, json_schema, named_by, part_of
from hub.core.dialect.gaps import Gap, gaps_between
from hub.core.dialect.ids import Spots, spots_of
from hub.core.dialect.second_look import only, second_look
from hub.core.dialect.tables import VERSIONS, Dialects, Loss, NotExpressible, Step, Trip
from hub.core.dialect.translate import Translator
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel
from hub.core.types.trees import tree_validator

M = TypeVar("M", bound=OcpiModel)
NO_CONTEXT: Mapping[str, Any] = MappingProxyType({})


class Wire(Generic[M]):
    """`model` as OCPI `version` has it. Everything derived is made at first use and kept."""

    def __init__(self, model: type[M], version: str, dialects: Dialects) -> None:
        self.model = model
        self.version = version
        self._forms = Forms(version, dialects)
        self._translator = Translator(self._forms)

    @cached_property
    def form(self) -> type[OcpiModel]:
        """The wire model of this version; `model` itself where nothing differs."""
        return self._forms.form(self.model)

    @cached_property
    def spots(self) -> Spots | None:
        """Where this version names things by ids of their owner's own."""
        return spots_of(self.model, self._forms)

    @cached_property
    def _up(self) -> Step | None:
        return self._translator.up(self.model)

    @cached_property
    def _down(self) -> Step | None:
        return self._translator.down(self.model)

    @cached_property
    def _second_look(self) -> frozenset[str] | None:
        return second_look(self.model, self._forms)

    @cached_property
    def _looked_at_again(self) -> type[OcpiModel]:
        return only(self.model, self._second_look or frozenset())

    @cached_property
    def _removable(self) -> frozenset[str]:
        """Fields of ours whose removal a PATCH of this version does not need to tell."""
        dialect = self._forms.dialect(self.model)
        return dialect.drop | dialect.supply

    @cached_property
    def _listed(self) -> frozenset[str]:
        """Fields of ours that a PATCH may carry in parts."""
        return frozenset(name for name, annotation in fields_of(self.model).items() if named_by(annotation))

    def read(self, tree: Any, *, given: Mapping[str, Any] = NO_CONTEXT, losses: list[Loss] | None = None) -> M:
        """A whole object of this version, as our model.

        `given` holds what the version does not carry (country_code and party_id of the URL, a token from the cache);
        `losses`, when given, receives what our form cannot hold.
        Raises: InvalidRequest, "<JSON pointer>: <why>".
        """
        if self._up is None:
            return _validated(self.model, tree)
        theirs = _validated(self.form, tree).tree()
        return _validated(self.model, _translated(self._up, theirs, Trip(False, given, _list(losses))))

    def read_tree(self, tree: Any, *, given: Mapping[str, Any] = NO_CONTEXT, losses: list[Loss] | None = None) -> Tree:
        """The same as JSON values (`OcpiModel.tree`): what their form has looked at is not looked at again.

        Raises: InvalidRequest, as `read` does.
        """
        if type(self).read is not Wire.read:
            return self.read(tree, given=given, losses=losses).tree()
        if self._up is None:
            return _tree(self.model, tree)
        ours = _translated(self._up, _tree(self.form, tree), Trip(False, given, _list(losses)))
        if self._second_look is None:
            return _tree(self.model, ours)
        again = {name: ours[name] for name in self._second_look if name in ours}
        return {**ours, **_tree(self._looked_at_again, again)} if again else ours

    def read_patch(self, tree: Any, *, losses: list[Loss] | None = None) -> Tree:
        """Part of an object of this version, in our form. None stands for a field that is to be removed.

        Raises: InvalidRequest, also for null in a required field.
        """
        part = _validated(part_of(self.form), tree).tree()
        if self._up is None:
            return part
        ours = _translated(self._up, part, Trip(True, NO_CONTEXT, _list(losses)))
        return _validated(part_of(self.model), ours).tree()

    def write(
        self, tree: Mapping[str, Any], *, context: Mapping[str, Any] = NO_CONTEXT
    ) -> tuple[Tree, tuple[Loss, ...]]:
        """A whole object of our form in the form of this version, and what it could not carry.

        The answer shares values with `tree`: change neither. Raises: NotExpressible, when it must not be sent.
        """
        if self._down is None:
            return dict(tree), ()
        trip = Trip(False, context)
        return self._down(tree, "", trip), tuple(trip.losses)

    def write_patch(
        self, part: Mapping[str, Any], *, context: Mapping[str, Any] = NO_CONTEXT
    ) -> tuple[Tree, tuple[Loss, ...]]:
        """Part of an object of our form in the form of this version.

        Raises: NotExpressible, when only the whole object can say it: a PATCH carries no null (mod_locations, PATCH).
        """
        for name, value in part.items():
            if value is None and name not in self._removable:
                raise NotExpressible(f"a PATCH cannot remove {name}")
            if name in self._listed and _removes(value):
                raise NotExpressible(f"a PATCH cannot remove a part of {name}")
        if self._down is None:
            return dict(part), ()
        trip = Trip(True, context)
        return self._down(part, "", trip), tuple(trip.losses)

    def gaps_to(self, other: Wire[M]) -> tuple[Gap, ...]:
        """What an object of this version may lose on its way to the other."""
        return gaps_between(self.model, self._forms, other._forms)

    def schema(self) -> Tree:
        """JSON Schema (draft 2020-12) of what we write in this version."""
        return json_schema(self.form)

    def part_schema(self) -> Tree:
        """JSON Schema of what a PATCH of this version may carry."""
        return json_schema(part_of(self.form))


def wires(model: type[M], dialects: Dialects, versions: Sequence[str] = VERSIONS) -> Mapping[str, Wire[M]]:
    """`model` in each version that has it."""
    return MappingProxyType({version: Wire(model, version, dialects) for version in versions})


def _removes(value: Any) -> bool:
    """Is there a null in it?"""
    if isinstance(value, Mapping):
        return any(_removes(inner) for inner in value.values())
    return any(_removes(inner) for inner in value) if isinstance(value, list) else value is None


def _list(losses: list[Loss] | None) -> list[Loss]:
    return [] if losses is None else losses


def _validated(model: type[M], tree: Any) -> M:
    try:
        read: M = model.__pydantic_validator__.validate_python(tree)  # `model_validate`, without asking who calls
    except ValidationError as fault:
        raise _invalid(fault) from None
    return read


def _tree(model: type[OcpiModel], tree: Any) -> Tree:
    try:
        read: Tree = tree_validator(model).validate_python(tree)
    except ValidationError as fault:
        raise _invalid(fault) from None
    return read


def _translated(step: Step, tree: Tree, trip: Trip) -> Tree:
    try:
        return step(tree, "", trip)
    except NotExpressible as fault:
        raise InvalidRequest(f"/: {fault.reason}") from None


def _invalid(fault: ValidationError) -> InvalidRequest:
    """The first fault, by JSON pointer. The value itself is not told: it may be a card number."""
    first = cast("Mapping[str, Any]", fault.errors(include_url=False, include_context=False, include_input=False)[0])
    pointer = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in first["loc"])
    return InvalidRequest(f"{pointer}: {first['msg']}")
