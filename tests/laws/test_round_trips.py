"""What holds of every translation, for generated objects of every kind and every ordered pair of versions."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from hub.core.dialect import Loss, NotExpressible, Wire
from hub.core.errors import InvalidRequest
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from tests.laws import beside
from tests.laws.kinds import Kind, kinds_and_pairs, kinds_and_versions
from tests.laws.objects import objects, parts

# What a version cannot say at all is drawn anew, so that no law holds for want of examples.

BOUNDED = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
EACH = pytest.mark.parametrize(("kind", "version"), list(kinds_and_versions()), ids=str)
EACH_PATCHED = pytest.mark.parametrize(("kind", "version"), list(kinds_and_versions(patched=True)), ids=str)
PAIRS = list(kinds_and_pairs())

PAIRS_PATCHED = pytest.mark.parametrize(("kind", "one", "other"), list(kinds_and_pairs(patched=True)), ids=str)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(-1000, 1000, places=4)
    | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("zyxab"), inner, max_size=3),
    max_leaves=8,
)
"""JSON that means nothing to anybody here."""

TOLD_BY_ITS_PLACE = {("VersionDetails", "role")}
"""What a version leaves out because the place says it: of 2.1.1 endpoints, the role (version_information_endpoint)."""

BESIDE_A_PART = {"/country_code", "/party_id", "/publish"}
"""What the URL of 2.1.1 says, or its silence, and so no part of an object."""

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


@EACH
@BOUNDED
@given(data=st.data())
def test_who_wants_json_values_alone_gets_those_of_the_whole_reading(
    kind: Kind, version: str, data: st.DataObject
) -> None:
    wire = kind.wires[version]
    tree = {**data.draw(objects(wire.form)), **data.draw(st.dictionaries(st.sampled_from("zyx"), ANYTHING))}
    if data.draw(st.booleans()):
        tree = {name: value.lower() if isinstance(value, str) else value for name, value in tree.items()}
    told: list[Any] = []
    for read in (
        lambda losses: wire.read(tree, given=beside.given(tree), losses=losses).tree(),
        lambda losses: wire.read_tree(tree, given=beside.given(tree), losses=losses),
    ):
        losses: list[Loss] = []
        try:
            told.append((list(read(losses).items()), losses))
        except InvalidRequest as fault:
            told.append(fault.message)
    assert told[0] == told[1]


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
        reject()
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
        reject()
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
        reject()
    assert list(beside.differences(translated, wire.write(first_merged, context=known)[0])) == []


@PAIRS_PATCHED
@BOUNDED
@given(data=st.data())
def test_a_part_from_one_version_to_another_and_merged_is_merged_first(
    kind: Kind, one: str, other: str, data: st.DataObject
) -> None:
    here, there = kind.wires[one], kind.wires[other]
    whole, part = data.draw(objects(here.form)), data.draw(parts(here.form))
    try:
        ours, first_merged = _ours(here, whole), _ours(here, beside.merged(whole, part))
        known = beside.context(first_merged)
        sent = there.write_patch(here.read_patch(part), context=known)[0]
        translated = beside.merged(there.write(ours, context=known)[0], sent)
        wanted = there.write(first_merged, context=known)[0]
    except (InvalidRequest, NotExpressible):
        reject()
    assert list(beside.differences(translated, wanted)) == []


@EACH_PATCHED
@BOUNDED
@given(data=st.data())
def test_a_written_part_is_a_part_there_and_tells_what_it_lost(kind: Kind, version: str, data: st.DataObject) -> None:
    ours, wire = kind.wires["2.3.0"], kind.wires[version]
    part = ours.read_patch(data.draw(parts(ours.form)))
    try:
        written, losses = wire.write_patch(part, context=beside.context(part))
    except NotExpressible:
        reject()
    told = list(losses)
    again = wire.read_patch(written, losses=told)
    silent = [
        pointer
        for pointer in beside.differences(part, again)
        if not beside.covered(pointer, told) and not (version == "2.1.1" and pointer in BESIDE_A_PART)
    ]
    assert silent == []


@EACH
@BOUNDED
@given(data=st.data())
def test_a_version_gets_back_the_unknown_fields_it_sent_byte_for_byte(
    kind: Kind, version: str, data: st.DataObject
) -> None:
    """As numbers are spelled, and in their order; null alone is as good as left out."""
    wire = kind.wires[version]
    sent = encode({"acme_extension": data.draw(ANYTHING.filter(lambda value: value is not None))})
    raw = encode({**data.draw(objects(wire.form)), **parse(sent, limit=len(sent))})
    kept = encode(_ours(wire, parse(raw, limit=len(raw))))
    written = _written(wire, parse(kept, limit=len(kept)))
    assert written is not None
    assert encode({"acme_extension": written[0]["acme_extension"]}) == sent
