"""Strategies: valid messages of every kind, made from what the models themselves say."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from partners.oicp.wire import ANSWERS, REQUESTS, Message
from partners.oicp.wire.kinds import Kind
from partners.oicp.wire.message import Form, OneOf, forms
from partners.oicp.wire.notifications import BY_TYPE

Trees = SearchStrategy[dict[str, Any]]

MODELS: Final[dict[str, type[Message]]] = {
    model.__name__: model for model in (*REQUESTS.values(), *ANSWERS.values(), *BY_TYPE.values())
}
"""All messages that there are."""

MOMENTS: Final = st.sampled_from(
    ["2026-03-29T01:59:59Z", "2026-03-29T03:00:00+02:00", "2020-02-29T23:59:59.999-05:00", "2021-01-23T14:21:23.744Z"]
)
_TEXTS: Final = "aZ 9éß/'-,*+°"


def values(kind: Kind) -> SearchStrategy[Any]:
    """Values that `kind` has nothing to say against."""
    schema = kind.schema
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True).filter(
            lambda it: not kind.fault(it)
        )
    if schema.get("format") == "date-time":
        return MOMENTS
    if schema["type"] == "string":
        longest = min(schema.get("maxLength", 20), 20)
        texts = st.text(_TEXTS, min_size=schema["minLength"], max_size=longest)
        return texts.filter(lambda text: bool(text.strip()))
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], min(schema["maximum"], 10**6))
    if schema["type"] == "number":
        return st.integers(int("exclusiveMinimum" in schema), 99_999).map(
            lambda number: Decimal(number).scaleb(-3 if not kind.fault(Decimal("0.001")) else -1)
        )
    return st.booleans()


def _field(form: Form) -> SearchStrategy[Any]:
    one = messages(form.model) if form.model is not None else values(form.kind)
    least = int(form.is_optional or form.is_filled)
    return st.lists(one, min_size=least, max_size=2) if form.is_list else one


@cache
def messages(model: type[Message]) -> Trees:
    """Messages as they must be written, with some optional fields and some that nobody knows."""
    fields = {name: (form, _field(form)) for name, form in forms(model).items()}
    required = {name: made for name, (form, made) in fields.items() if not form.is_optional}
    optional = {name: made for name, (form, made) in fields.items() if form.is_optional}
    optional["xVendor"] = st.sampled_from([{"nested": [1, "a"]}, "text", True])
    if model.is_said_once:
        beside = {"xVendor": optional.pop("xVendor")}
        return st.one_of([st.fixed_dictionaries({name: one}, optional=beside) for name, one in optional.items()])
    made = st.fixed_dictionaries(required, optional=optional)
    return made.filter(lambda tree: not fields.keys().isdisjoint(tree)) if issubclass(model, OneOf) else made


ANYTHING: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.decimals(-1000, 1000, places=4)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
"""JSON that means nothing to anybody here."""
