"""What holds of every translation, for generated objects of every kind and every ordered pair of versions."""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.core.dialect import VERSIONS, Loss, NotExpressible, Wire
from hub.core.errors import InvalidRequest
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from tests.laws import beside
from tests.laws.kinds import KINDS, Kind, kinds_and_versions
from tests.laws.objects import objects, parts

BOUNDED = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
EACH = pytest.mark.parametrize(("kind", "version"), list(kinds_and_versions()), ids=str)
EACH_PATCHED = pytest.mark.parametrize(("kind", "version"), list(kinds_and_versions(patched=True)), ids=str)
PAIRS = [
    (kind, one, other)
    for kind in KINDS
    for one, other in permutations(VERSIONS, 2)
    if one in kind.wires and other in kind.wires
]

TOLD_BY_ITS_PLACE = {("VersionDetails", "role")}
"""What a version leaves out because the place says it: of 2.1.1 endpoints, the role (version_information_endpoint)."""

SAID_ALOUD = "/opening_times/twentyfourseven"
"""False where a 2.1.1 location gives regular hours and leaves it out: the same, said (mod_locations_hours_class)."""


@cache
def _validator(wire: Wire[Any]) -> Any:
    return jsonschema_rs.Draft202012Validator(wire.schema())


def _ours(wire: Wire[Any], tree: Tree) -> Tree:
    ours: Tree = wire.read(tree, given=beside.given(tree)).tree()
    return ours


def _written(wire: Wire[Any], ours: Tree) -> tuple[Tree, tuple[Loss, ...]] | None:
    """None where the version cannot say it at all: that is told too, and nothing is sent."""
    try:
        return wire.write(ours, context=beside.context(ours))
    except NotExpressible:
        return None


@EACH
@BOUNDED
@given(data=st.data())
def test_what_is_written_is_valid_in_its_version(kind: Kind, version: str, data: st.DataObject) -> None:
    tree = data.draw(objects(kind.wires["2.3.0"].form))
    written = _written(kind.wires[version], _ours(kind.wires["2.3.0"], tree))
    if written is not None:
        _validator(kind.wires[version]).validate(json.loads(encode(written[0])))


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS, ids=str)
@BOUNDED
@given(data=st.data())
def test_every_field_comes_back_or_is_told_as_lost(kind: Kind, one: str, other: str, data: st.DataObject) -> None:
    tree = data.draw(objects(kind.wires[one].form))
    try:
        before = _ours(kind.wires[one], tree)
    except InvalidRequest as fault:
        pytest.fail(f"a valid object was refused: {fault}")
    written = _written(kind.wires[other], before)
    if written is None:
        return
    losses = list(written[1])
    after = kind.wires[other].read(written[0], given=beside.given(before), losses=losses).tree()
    silent = [
        pointer
        for pointer in beside.differences(before, after)
        if not beside.covered(pointer, losses) and (kind.name, pointer.rpartition("/")[2]) not in TOLD_BY_ITS_PLACE
    ]
    assert silent == []


@EACH
@BOUNDED
@given(data=st.data())
def test_what_is_read_and_written_again_is_the_same_or_told(kind: Kind, version: str, data: st.DataObject) -> None:
    wire = kind.wires[version]
    tree = data.draw(objects(wire.form))
    losses: list[Loss] = []
    ours = wire.read(tree, given=beside.given(tree), losses=losses).tree()
    written = _written(wire, ours)
    assert written is not None
    silent = [
        pointer
        for pointer in beside.differences(tree, written[0])
        if not beside.covered(pointer, [*losses, *written[1]])
        and pointer != SAID_ALOUD
        and not (kind.name == "Session" and pointer.startswith("/location"))
    ]
    assert silent == []


@EACH
@BOUNDED
@given(data=st.data())
def test_a_second_round_changes_nothing(kind: Kind, version: str, data: st.DataObject) -> None:
    wire = kind.wires[version]
    first = _written(wire, _ours(kind.wires["2.3.0"], data.draw(objects(kind.wires["2.3.0"].form))))
    if first is None:
        return
    losses: list[Loss] = []
    ours = wire.read(first[0], given=beside.given(first[0]), losses=losses).tree()
    second = _written(wire, ours)
    assert second is not None
    changed = beside.differences(first[0], second[0])
    assert [pointer for pointer in changed if not beside.covered(pointer, losses)] == []


@EACH_PATCHED
@BOUNDED
@given(data=st.data())
def test_reading_a_part_and_merging_is_merging_and_reading(kind: Kind, version: str, data: st.DataObject) -> None:
    wire = kind.wires[version]
    whole, part = data.draw(objects(wire.form)), data.draw(parts(wire.form))
    try:
        translated = beside.merged(_ours(wire, whole), wire.read_patch(part))
        first_merged = _ours(wire, beside.merged(whole, part))
    except InvalidRequest:
        return
    assert list(beside.differences(translated, first_merged)) == []


@EACH_PATCHED
@BOUNDED
@given(data=st.data())
def test_writing_a_part_and_merging_is_merging_and_writing(kind: Kind, version: str, data: st.DataObject) -> None:
    ours, wire = kind.wires["2.3.0"], kind.wires[version]
    whole = _ours(ours, data.draw(objects(ours.form)))
    part = ours.read_patch(data.draw(parts(ours.form)))
    first_merged = ours.read(beside.merged(whole, part)).tree()
    known = beside.context(first_merged)
    try:
        translated = beside.merged(wire.write(whole, context=known)[0], wire.write_patch(part, context=known)[0])
    except NotExpressible:
        return
    assert list(beside.differences(translated, wire.write(first_merged, context=known)[0])) == []


@EACH
@BOUNDED
@given(data=st.data())
def test_a_version_gets_back_the_unknown_fields_it_sent(kind: Kind, version: str, data: st.DataObject) -> None:
    wire = kind.wires[version]
    unknown = {"deep": [{"x": 1}, "a"], "flag": False}
    tree = {**data.draw(objects(wire.form)), "acme_extension": unknown}
    written = _written(wire, _ours(wire, tree))
    assert written is not None
    assert written[0]["acme_extension"] == unknown
