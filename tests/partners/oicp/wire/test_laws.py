"""What holds of every message, for generated ones of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.inbound import encode, parse
from partners.oicp.wire import Finding, Message, NotSayable, Unfit, read, write
from partners.oicp.wire.message import OTHER_NAMES, forms
from tests.partners.oicp.laws import BOUNDED_EACH
from tests.partners.oicp.messages import ANYTHING, MODELS, messages

EACH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def changed(tree: Any, change: Callable[[Any], Any]) -> Any:
    """`tree` with `change` done to all it holds, from the inside out."""
    if isinstance(tree, dict):
        tree = {name: changed(value, change) for name, value in tree.items() if name != "xVendor"}
    elif isinstance(tree, list):
        tree = [changed(value, change) for value in tree]
    return change(tree)


def with_nulls(tree: Any) -> Any:
    return {**tree, "vendorNull": None, "vendorEmpty": ""} if isinstance(tree, dict) else tree


def as_text(value: Any) -> Any:
    return str(value) if not isinstance(value, dict | list | str) else value


def otherwise_spelled(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {OTHER_NAMES.get(name, (f"{name[:-2]}Id" if name.endswith("ID") else name,))[0]: tree[name] for name in tree}


def in_another_case(value: Any) -> Any:
    return value.replace(" ", "").upper() if isinstance(value, str) else value


@EACH
@BOUNDED_EACH
@given(data=st.data())
def test_a_message_that_is_right_is_read_and_written_as_it_came(model: type[Message], data: st.DataObject) -> None:
    tree = data.draw(messages(model))
    found = read(model, tree)
    assert found.findings == ()
    again = write(model, found.tree)
    assert read(model, again).tree == found.tree == tree


@EACH
@BOUNDED_EACH
@given(data=st.data())
def test_what_is_written_survives_the_wire_to_the_last_digit(model: type[Message], data: st.DataObject) -> None:
    tree = write(model, data.draw(messages(model)))
    body = encode(tree)
    assert encode(read(model, parse(body, limit=len(body))).tree) == encode(read(model, tree).tree)
    assert b"null" not in body


@EACH
@pytest.mark.parametrize("change", [with_nulls, as_text, otherwise_spelled], ids=lambda change: change.__name__)
@BOUNDED_EACH
@given(data=st.data())
def test_habits_that_are_met_change_nothing(
    model: type[Message], change: Callable[[Any], Any], data: st.DataObject
) -> None:
    tree = changed(data.draw(messages(model)), lambda it: it)
    assert read(model, changed(tree, change)).tree == tree


def findings_of(model: type[Message], message: Any) -> tuple[Finding, ...]:
    """What is odd with a message, or what is wrong with it where it is not fit."""
    try:
        return read(model, message).findings
    except Unfit as fault:
        return fault.faults


@EACH
@BOUNDED_EACH
@given(data=st.data(), noise=ANYTHING)
def test_nothing_that_comes_is_a_crash(model: type[Message], data: st.DataObject, noise: Any) -> None:
    tree = data.draw(messages(model))
    name = data.draw(st.sampled_from(sorted(forms(model))))
    for message in ({**tree, name: noise}, {**tree, name: [noise, tree.get(name)]}):
        assert all(finding.pointer.startswith("/") for finding in findings_of(model, message))
    assert noise == {} or isinstance(noise, dict) or findings_of(model, noise)


@EACH
@BOUNDED_EACH
@given(data=st.data(), noise=ANYTHING)
def test_what_is_written_is_oicp_or_is_not_written(model: type[Message], data: st.DataObject, noise: Any) -> None:
    name = data.draw(st.sampled_from(sorted(forms(model))))
    try:
        written = write(model, {**data.draw(messages(model)), name: noise})
    except NotSayable:
        return
    assert read(model, written).findings == ()


@EACH
def test_every_message_has_a_json_schema(model: type[Message]) -> None:
    schema = model.model_json_schema()
    assert set(schema["properties"]) == set(forms(model))
    assert set(schema.get("required", ())) == {name for name, form in forms(model).items() if not form.is_optional}
