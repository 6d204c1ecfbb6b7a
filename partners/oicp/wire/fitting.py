"""What of an object that was read can be passed on: in OICP's form, or not at all.

What means something that OICP has, in another form, is mended. What OICP has no form for is left out where the object
goes without: an optional field, an item of an optional list, a word in a list. Everywhere else it is a fault, as is
what is missing: nobody could use the object. Fields that are not known stay as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hub.core.jsontypes import Tree
from partners.oicp.wire.faults import Finding
from partners.oicp.wire.kinds import Kind
from partners.oicp.wire.message import NOTHING_SAID, Form, Message, OneOf, forms
from partners.oicp.wire.reading import EMPTY, MISSING

Findings = list[Finding]


class Fitted(NamedTuple):
    """`tree` with all that is mended or left out; what is at fault stands in it as it came."""

    tree: Tree
    left_out: tuple[Finding, ...]
    faults: tuple[Finding, ...]


def fit(model: type[Message], tree: Mapping[str, Any], path: str = "") -> Fitted:
    """A tree of `read`, as it can be passed on; pointers begin with `path`. Never raises."""
    left_out: Findings = []
    faults: Findings = []
    return Fitted(_object(model, tree, path, left_out, faults), tuple(left_out), tuple(faults))


def _object(model: type[Message], tree: Mapping[str, Any], path: str, left_out: Findings, faults: Findings) -> Tree:
    known, out = forms(model), dict[str, Any]()
    own: Findings = []
    for name, value in tree.items():
        form = known.get(name)
        if form is None:
            out[name] = value
            continue
        is_bound = not form.is_optional or name in model.binding
        problems: Findings = []
        fitted = _field(form, value, f"{path}/{name}", left_out, problems, may_lose=name not in model.binding)
        if problems and not is_bound:
            own += problems
            continue
        faults += problems
        if fitted != [] or not value:  # else all that stood in an optional list is left out
            out[name] = fitted
    faults += [
        Finding(f"{path}/{name}", MISSING, is_dropped=True)
        for name, form in known.items()
        if not form.is_optional and name not in tree
    ]
    if issubclass(model, OneOf) and out.keys().isdisjoint(known):
        faults += own or [Finding(path, NOTHING_SAID, is_dropped=True)]
        return dict(tree)
    left_out += own
    return out


def _field(form: Form, value: Any, path: str, left_out: Findings, faults: Findings, *, may_lose: bool) -> Any:
    """`may_lose`: words of it, and items of an optional list, can be left out."""
    if not form.is_list:
        return _one(form, value, path, left_out, faults)
    kept: list[Any] = []
    for at, item in enumerate(value):
        problems: Findings = []
        fitted = _one(form, item, f"{path}/{at}", left_out, problems)
        if problems and may_lose and (form.is_optional or form.model is None):
            left_out += problems
            continue
        faults += problems
        kept.append(fitted)
    if not kept and (form.is_filled or (value and not form.is_optional)):
        faults.append(Finding(path, "nothing in it is as OICP has it" if value else EMPTY, is_dropped=True))
    return kept


def _one(form: Form, value: Any, path: str, left_out: Findings, faults: Findings) -> Any:
    if form.model is not None:
        return _object(form.model, value, path, left_out, faults)
    fault = form.kind.fault(value)
    if not fault:
        return value
    mended = _mended(form.kind, value)
    if mended is None:
        faults.append(Finding(path, fault, is_dropped=True))
        return value
    return mended


def _mended(kind: Kind, value: Any) -> Any:
    """The value in OICP's form; None where it has none."""
    if kind.mend is None:
        return None
    mended = kind.mend(value)
    return None if kind.fault(mended) else mended
