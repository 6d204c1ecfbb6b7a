"""Messages as they are met: read with every tolerance that costs nothing, and with a finding for each.

One rule for what cannot be read: an object that lacks a field it needs is not fit; what is not fit is left out of the
list or the optional field it stands in, with a finding, and makes unfit what needs it. So one wrong record never costs
the others, and a message is refused only where it could not be acted on. null and empty text are the same as nothing;
unknown fields stay as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from hub.core.jsontypes import Tree
from partners.oicp.wire.faults import Finding, Unfit
from partners.oicp.wire.kinds import Kind, folded
from partners.oicp.wire.message import NOTHING_SAID, OTHER_NAMES, SAID_TWICE, Form, Message, OneOf, forms

Findings = list[Finding]
Reader = Callable[[Any, str, Findings], Any]
"""(value, JSON pointer, findings so far) to the value as we have it. Raises: Unfit."""


MISSING: Final = "missing"
"""The problem of a field that is not there, or says nothing."""
EMPTY: Final = "an empty list"


class Read(NamedTuple):
    """A message as OICP has it, and what had to be put right or left out."""

    tree: Tree
    findings: tuple[Finding, ...]


class _Field(NamedTuple):
    read: Reader
    is_mandatory: bool
    is_needed: bool


def read(model: type[Message], message: Any) -> Read:
    """`message` in the form of `model`. Raises: Unfit, which names all fields for which there is no way around."""
    findings: Findings = []
    return Read(_object_reader(model)(message, "", findings), tuple(findings))


def _unfit(path: str, problem: str) -> Unfit:
    return Unfit((Finding(path, problem, is_dropped=True),))


@cache
def _object_reader(model: type[Message]) -> Reader:
    fields = {
        name: _Field(_reader(form), not form.is_optional, not (form.is_optional or name in model.lenient))
        for name, form in forms(model).items()
    }
    spellings, is_one_of = _spellings(model), issubclass(model, OneOf)

    def read_object(value: Any, path: str, findings: Findings) -> Tree:
        if not isinstance(value, Mapping):
            value = _around(model, value, path, findings)
        out: Tree = {}
        faults: Findings = []
        for name, key, item in _named(value, spellings, path, findings):
            field = fields.get(name)
            if field is None:
                out[key] = item
                continue
            try:
                out[name] = field.read(item, f"{path}/{key}", findings)
            except Unfit as fault:
                (faults if field.is_needed else findings).extend(fault.faults)
        _tell_missing(fields, out, value, path, faults, findings)
        if is_one_of and out.keys().isdisjoint(fields):
            findings.append(Finding(path, NOTHING_SAID))
        if model.is_said_once and len(out.keys() & fields.keys()) > 1:
            findings.append(Finding(path, SAID_TWICE))
        if faults:
            raise Unfit(tuple(faults))
        return out

    return read_object


def _tell_missing(
    fields: Mapping[str, _Field], out: Tree, value: Any, path: str, faults: Findings, findings: Findings
) -> None:
    told = {fault.pointer for fault in faults} | {finding.pointer for finding in findings if finding.is_dropped}
    for name, field in fields.items():
        if field.is_mandatory and name not in out and f"{path}/{name}" not in told:
            (faults if field.is_needed else findings).append(Finding(f"{path}/{name}", MISSING, is_dropped=True))


def _around(model: type[Message], value: Any, path: str, findings: Findings) -> Tree:
    if not model.bare or not isinstance(value, str | list):
        raise _unfit(path, "not an object")
    findings.append(Finding(path, f"stands without its {model.bare}"))
    return {model.bare: value}


@cache
def _spellings(model: type[Message]) -> dict[str, str]:
    others = {folded(other): name for name in forms(model) for other in OTHER_NAMES.get(name, ())}
    return {**others, **{folded(name): name for name in forms(model)}}


def _named(
    value: Mapping[str, Any], spellings: Mapping[str, str], path: str, findings: Findings
) -> list[tuple[str, str, Any]]:
    """Name, the key it came under, value; nothing for what says nothing. The right spelling wins over others."""
    names = spellings.values()
    out: dict[str, tuple[str, str, Any]] = {}
    for key, item in value.items():
        name = key if key in names else spellings.get(folded(key), key)
        if item is None or (isinstance(item, str) and not item.strip()):
            continue
        if name != key:
            findings.append(Finding(f"{path}/{key}", f"OICP calls it {name}"))
        if name not in out or name == key:
            out[name] = (name, key, item)
    return list(out.values())


def _reader(form: Form) -> Reader:
    one = _object_reader(form.model) if form.model is not None else _value_reader(form.kind, form.unwrapped)
    if form.is_list:
        return _list_reader(one, is_filled=form.is_filled)
    return one if form.model is None and form.kind.is_alone else _single_reader(one, form.model)


def _value_reader(kind: Kind, unwrapped: str) -> Reader:
    def read_value(value: Any, path: str, findings: Findings) -> Any:
        if unwrapped and isinstance(value, Mapping):
            findings.append(Finding(path, f"stands in an object of its own, as {unwrapped}"))
            value = next((item for key, item in value.items() if folded(key) == folded(unwrapped)), None)
        try:
            found = kind.read(value)
        except ValueError as problem:
            raise _unfit(path, str(problem)) from None
        if found != value or type(found) is not type(value):
            findings.append(Finding(path, "written in another way than OICP's"))
        fault = kind.fault(found)
        if fault:
            findings.append(Finding(path, fault))
        return found

    return read_value


def _list_reader(one: Reader, *, is_filled: bool) -> Reader:
    def read_list(value: Any, path: str, findings: Findings) -> list[Any]:
        if not isinstance(value, list):
            findings.append(Finding(path, "not in a list"))
            value = [value]
        out = []
        for at, item in enumerate(value):
            if item is None:
                continue
            try:
                out.append(one(item, f"{path}/{at}", findings))
            except Unfit as fault:
                findings.extend(fault.faults)
        if is_filled and not out:
            findings.append(Finding(path, EMPTY))
        return out

    return read_list


def _single_reader(one: Reader, model: type[Message] | None) -> Reader:
    """A list of one thing is that thing, but where an object is meant that takes a bare list."""
    takes_lists: Final = model is not None and bool(model.bare) and forms(model)[model.bare].is_list

    def read_single(value: Any, path: str, findings: Findings) -> Any:
        if isinstance(value, list) and len(value) == 1 and not takes_lists:
            findings.append(Finding(path, "in a list, where one is meant"))
            value = value[0]
        return one(value, path, findings)

    return read_single
