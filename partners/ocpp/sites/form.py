"""A site as its operator writes it, checked, and as the allocation reckons with it.

    {"policy": "FAIR", "volts": 230,
     "nodes": {"grid": {"limit_a": 63, "load_a": [20, 12, 9]}, "board": {"parent": "grid", "limit_w": 22000}},
     "evses": {"E1": {"node": "board", "most_a": 32, "safe_a": 6, "wiring": ["L2", "L3", "L1"]}},
     "rules": {"stay_s": 900}}

A figure in A is one for each phase, or three. `load_a` is the most that the building draws there: it counts while
nobody measures.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp.energy.rules import Policy, Rules
from partners.ocpp.energy.site import Evse, Limit, Node, Site
from partners.ocpp.energy.units import NOTHING, PerPhase, milli

Figure = Decimal | tuple[Decimal, Decimal, Decimal]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PHASES: Final = {"L1": 1, "L2": 2, "L3": 3}
_MOST: Final = Decimal(100_000)
_MOST_W: Final = Decimal(100_000_000)
_MOST_NODES: Final = 500
_MOST_EVSES: Final = 2000


class NodeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A grid connection (without a parent), a sub-board or a circuit."""

    parent: str | None = None
    limit_a: Figure | None = None
    limit_w: Decimal | None = None
    load_a: Figure = Decimal(0)


class EvseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where an EVSE hangs, which grid phase each of its own is, and what it gives: at most, at least, untold."""

    node: str
    most_a: Decimal
    least_a: Decimal = Decimal(6)
    step_a: Decimal = Decimal("0.1")
    safe_a: Decimal = Decimal(0)
    wiring: tuple[Literal["L1", "L2", "L3"], ...] = ("L1", "L2", "L3")
    priority: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


class RulesForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How patient and how calm the site is: see `partners.ocpp.energy.rules`. What is left out is as there."""

    stay_s: Seconds | None = None
    pause_s: Seconds | None = None
    patience_s: Seconds | None = None
    quiet_s: Seconds | None = None
    holds_s: Seconds | None = None
    renewed_s: Seconds | None = None
    fresh_s: Seconds | None = None
    follows_s: Seconds | None = None
    band_a: Decimal | None = None
    tolerance_a: Decimal | None = None
    headroom_a: Decimal | None = None
    reserves_idle: bool | None = None


class SiteForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole of it. `load_fresh_s`: how long a measured load of the building counts."""

    nodes: dict[str, NodeForm]
    evses: dict[str, EvseForm]
    policy: Policy = Policy.FAIR
    volts: Figure = Decimal(230)
    rules: RulesForm = RulesForm()
    load_fresh_s: Seconds = 300


def named(name: str) -> str:
    """Raises: InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a site's name has 1 to 64 letters, digits, `.`, `_` and `-`")
    return name


def parsed(tree: Tree) -> SiteForm:
    """From the operator's JSON. Raises: InvalidRequest."""
    try:
        form = msgspec.convert(tree, SiteForm)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"not a site: {error}") from None
    if len(form.nodes) > _MOST_NODES or len(form.evses) > _MOST_EVSES:
        raise InvalidRequest(f"a site has at most {_MOST_NODES} nodes and {_MOST_EVSES} EVSEs")
    for name in (*form.nodes, *form.evses):
        if not name or len(name) > 64 or not name.isprintable():
            raise InvalidRequest("the names of nodes and EVSEs have 1 to 64 characters")
    evses = {uid.upper(): evse for uid, evse in form.evses.items()}
    if len(evses) < len(form.evses):
        raise InvalidRequest("/evses: two of them differ in upper and lower case alone")
    form = msgspec.structs.replace(form, evses=evses)
    site_of(form)
    rules_of(form)
    return form


def shown(form: SiteForm) -> Tree:
    """As its operator wrote it, defaults left out."""
    tree: Tree = msgspec.to_builtins(form, builtin_types=(Decimal,))
    return tree


def site_of(form: SiteForm) -> Site:
    """The tree. Raises: InvalidRequest."""
    nodes = tuple(
        Node(name, node.parent, limit_of(node.limit_a, node.limit_w), per_phase(node.load_a))
        for name, node in form.nodes.items()
    )
    return Site(nodes, tuple(_evse(uid, evse) for uid, evse in form.evses.items()), per_phase(form.volts))


def rules_of(form: SiteForm) -> Rules:
    """Raises: InvalidRequest."""
    given: Tree = msgspec.structs.asdict(form.rules)
    said = {name: value for name, value in given.items() if value is not None}
    kept: Tree = {name.removesuffix("_s"): timedelta(seconds=v) for name, v in said.items() if name.endswith("_s")}
    kept |= {f"{name.removesuffix('_a')}_ma": _figure(v) for name, v in said.items() if name.endswith("_a")}
    if "reserves_idle" in said:
        kept["reserves_idle"] = said["reserves_idle"]
    return Rules(policy=form.policy, **kept)


def limit_of(amperes: Figure | None, watts: Decimal | None) -> Limit:
    """Raises: InvalidRequest."""
    if watts is not None and not (watts.is_finite() and 0 <= watts <= _MOST_W):
        raise InvalidRequest("a power in W is from 0 to 100 MW")
    return Limit(None if amperes is None else per_phase(amperes), None if watts is None else milli(watts))


def per_phase(figure: Figure) -> PerPhase:
    """A figure for each phase, in thousandths. Raises: InvalidRequest."""
    first, second, third = figure if isinstance(figure, tuple) else (figure, figure, figure)
    return (_figure(first), _figure(second), _figure(third)) if figure else NOTHING


def _figure(value: Decimal) -> int:
    if not (value.is_finite() and 0 <= value <= _MOST):
        raise InvalidRequest("a current or voltage is a number from 0 on, and not beyond 100 kA or kV")
    return milli(value)


def _evse(uid: str, form: EvseForm) -> Evse:
    return Evse(
        uid,
        form.node,
        _figure(form.most_a),
        tuple(_PHASES[phase] for phase in form.wiring),
        _figure(form.least_a),
        _figure(form.step_a),
        _figure(form.safe_a),
    )
