"""Messages as we write them: one spelling, no nulls, everything mandatory there, no text longer than OICP has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hub.core.jsontypes import Tree
from partners.oicp.wire.faults import NotSayable
from partners.oicp.wire.message import Message, forms


def write(model: type[Message], tree: Mapping[str, Any]) -> Tree:
    """`tree` as a message: its fields in OICP's order, then those that only the partners know.

    Raises: NotSayable, which names the first field at fault, and never its value.
    """
    said = _said(tree)
    try:
        model.model_validate(said)
    except ValidationError as faults:
        first = faults.errors(include_input=False, include_url=False, include_context=False)[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise NotSayable(f"{pointer or 'the message'}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
    return _arranged(model, said)


def _said(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, Mapping):
        return {name: _said(item) for name, item in value.items() if not _is_nothing(item)}
    return [_said(item) for item in value if not _is_nothing(item)] if isinstance(value, list) else value


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _arranged(model: type[Message], tree: Tree) -> Tree:
    known = forms(model)
    out: Tree = {}
    for name, form in known.items():
        if name not in tree:
            continue
        value = tree[name]
        if form.model is not None:
            inner = form.model
            value = [_arranged(inner, item) for item in value] if form.is_list else _arranged(inner, value)
        out[name] = value[0] if form.is_one_or_many and len(value) == 1 else value
    out.update((name, value) for name, value in tree.items() if name not in known)
    return out
