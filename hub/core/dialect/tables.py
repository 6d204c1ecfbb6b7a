"""What a version of an object has that our own form has not, and the other way round: one `Dialect` an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.types import OcpiModel

VERSIONS: Final = ("2.1.1", "2.2.1", "2.3.0")
"""The versions we speak, oldest first. Our own form is the last one."""

ABSENT: Final = object()
"""What a translation returns for a value that is not there in the other form."""


class Loss(NamedTuple):
    """Something that a translation could not carry: where it was (JSON pointer in the form it came from), and why."""

    pointer: str
    reason: str


class What(StrEnum):
    """What becomes of something that a version cannot say as it is."""

    LOST = "lost"
    """It goes."""
    TURNED = "turned"
    """A near value is sent in its place."""
    SHORTENED = "shortened"
    """A text has less room."""
    REWRITTEN = "rewritten"
    """It is said in other words, by a rule of its own: part of it may be lost."""
    WITHHELD = "withheld"
    """The object around it is refused, or not sent."""


class NotExpressible(BusbarError):
    """This object must not be sent in this version: what would arrive there says something else."""

    @property
    def reason(self) -> str:
        return str(self)


@dataclass(slots=True)
class Trip:
    """One translation under way: is it a part of an object, what is known beside it, what was lost so far."""

    part: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def lose(self, pointer: str, reason: str) -> None:
        self.losses.append(Loss(pointer, reason))


class Handler(Protocol):
    """Translates one value, found at the JSON pointer `path`. May return ABSENT or raise NotExpressible."""

    def __call__(self, value: Any, path: str, trip: Trip, /) -> Any: ...


class Step(Protocol):
    """Translates an object or a part of one. The result may share values with `tree`: change neither."""

    def __call__(self, tree: Mapping[str, Any], path: str, trip: Trip, /) -> Tree: ...


Finish = Callable[[Mapping[str, Any], Tree, str, Trip], None]
"""(what came, what the tables made of it, path, trip): puts right what tables cannot say, in the second argument."""


First = Callable[[Mapping[str, Any], str, Trip], Mapping[str, Any]]
"""(our object or part of it, path, trip): the same, said in other words. Never changes its argument."""


@dataclass(frozen=True, slots=True)
class Only:
    """The values of an enum that a version knows, and what becomes of the others on the way there.

    `turns` gives a near value, `otherwise` one for all the rest; without one the value is dropped, and where a
    value must stand the object cannot be expressed. `back` translates values that our form has not (None: leave out).
    """

    known: tuple[str, ...]
    turns: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    back: Mapping[str, str | None] = field(default_factory=dict)
    called: str = ""


@dataclass(frozen=True, slots=True)
class Convert:
    """A field whose value has another shape there. Each handler sees the field alone, so a PATCH needs no look-up."""

    up: Handler | None = None
    down: Handler | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One object in one version, told as its differences from our form. Field names are ours unless stated.

    called     the name the version has for the object
    rename     our name -> theirs
    drop       fields the version has not; what was in them is a loss
    supply     fields the version has not, which travel beside it (URL, credentials, cache): taken from `given`
    fill       what the version means by its silence, when a whole object is read
    blank      what is written when our whole object has no value and the version asks for one (in our names)
    types      their annotation of a field that has another type there
    lengths    their limit of a text
    add        fields (their names) that only they have: annotation
    by_hand    fields of ours that only `up` and `down` know how to carry
    values     the enum values they know
    required   fields that they require and we do not; `optional` the other way round
    convert    functions for the value of one field
    also       their name -> another name under which the field is read
    ids        their name of the object's id, where its owner chooses it by rules that ours cannot hold -> of what
               sort of thing it is (`hub/core/own_ids.py`)
    refers     their name of a field that holds such an id of another object, or a list of such -> of what sort it is
    copies     fields that hold objects which are known by themselves: their ids refer to those
    essential  fields without which the object would say something else: what cannot be expressed in them
               cannot be expressed in the object, and one that is in `drop` too keeps it from being sent
    spare      what stands in a required field whose own value cannot be expressed
    first      puts our object into words that the tables can carry, before they run on the way there
    up, down   what tables cannot say, run after them; must be right for a part of an object too
    told_down  what functions do to fields of ours, where the tables do not tell: for who asks before anything is sent
    told_up    the same of fields of theirs
    """

    called: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    supply: frozenset[str] = frozenset()
    fill: Mapping[str, Any] = field(default_factory=dict)
    blank: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    by_hand: frozenset[str] = frozenset()
    values: Mapping[str, Only] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    convert: Mapping[str, Convert] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)
    copies: frozenset[str] = frozenset()
    essential: frozenset[str] = frozenset()
    spare: Mapping[str, Any] = field(default_factory=dict)
    first: First | None = None
    up: Finish | None = None
    down: Finish | None = None
    told_down: Mapping[str, tuple[What, str]] = field(default_factory=dict)
    told_up: Mapping[str, tuple[What, str]] = field(default_factory=dict)


Dialects = Mapping[type[OcpiModel], Mapping[str, Dialect]]
"""The dialects of some objects, by our model and version. A version without an entry is like ours."""
