"""What the tables foretell is what translations lose."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.dialect import VERSIONS, Loss, NotExpressible, What
from hub.core.errors import InvalidRequest
from hub.core.losses import pointers
from modules.locations.wire import LOCATION
from modules.tariffs.wire import TARIFF
from tests.laws import beside
from tests.laws.kinds import KINDS, Kind
from tests.laws.objects import objects
from tests.laws.test_round_trips import BOUNDED, PAIRS

NEWER = [(kind, one, other) for kind, one, other in PAIRS if (one, other) in combinations(VERSIONS, 2)]
ONLY_OLD = {("LocationReferences", "/connector_ids"), ("AuthorizationInfo", "/location/connector_ids")}
"""Taken away after 2.1.1 (mod_tokens_locationreferences_class)."""


def told(pointer: str, foretold: set[str]) -> bool:
    """By itself, by what it stands in, or by what it holds (the smallest thing that can go is reported)."""
    return any(f"{pointer}/".startswith(f"{known}/") or known.startswith(f"{pointer}/") for known in foretold)


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS, ids=str)
@BOUNDED
@given(data=st.data())
def test_no_loss_comes_as_a_surprise(kind: Kind, one: str, other: str, data: st.DataObject) -> None:
    gaps = kind.wires[one].gaps_to(kind.wires[other])
    foretold = {gap.pointer for gap in gaps}
    tree = data.draw(objects(kind.wires[one].form))
    losses: list[Loss] = []
    ours = kind.wires[one].read(tree, given=beside.given(tree), losses=losses).tree()
    try:
        losses += kind.wires[other].write(ours, context=beside.context(ours))[1]
    except NotExpressible:
        assert any(gap.what is What.WITHHELD for gap in gaps)
    assert {pointer for pointer in pointers(losses) if not told(pointer, foretold)} == set()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_nothing_is_lost_between_equal_versions(kind: Kind) -> None:
    for version in kind.wires:
        assert kind.wires[version].gaps_to(kind.wires[version]) == ()


@pytest.mark.parametrize(("kind", "one", "other"), NEWER, ids=str)
def test_a_newer_version_has_the_fields_of_the_older_one(kind: Kind, one: str, other: str) -> None:
    gone = {
        gap.pointer for gap in kind.wires[one].gaps_to(kind.wires[other]) if gap.what is What.LOST and not gap.value
    }
    assert {(kind.name, pointer) for pointer in gone} <= ONLY_OLD


def test_an_id_that_is_too_long_for_newer_versions_is_foretold_to_have_another_name() -> None:
    tree = {"id": "1" * 39, "type": "OTHER", **beside.PLACE}
    with pytest.raises(InvalidRequest, match="/id: "):
        LOCATION["2.1.1"].read(tree, given=beside.given(tree))
    told = {gap.pointer: gap.what for gap in LOCATION["2.1.1"].gaps_to(LOCATION["2.3.0"])}
    assert (told["/id"], told["/evses/*/uid"]) == (What.REWRITTEN, What.REWRITTEN)


@pytest.mark.parametrize(
    ("pointer", "value", "what"),
    [
        ("/help_phone", "", What.LOST),
        ("/address", "", What.SHORTENED),
        ("/publish", "", What.WITHHELD),
        ("/parking_type", "ALONG_MOTORWAY", What.TURNED),
        ("/facilities/*", "TRAM_STOP", What.LOST),
        ("/facilities/*", "*", What.LOST),
        ("/evses/*/connectors/*/standard", "MCS", What.WITHHELD),
        ("/evses/*/connectors/*/tariff_ids", "", What.REWRITTEN),
    ],
)
def test_each_loss_is_foretold_for_what_it_is(pointer: str, value: str, what: What) -> None:
    found = {(gap.pointer, gap.value): gap.what for gap in LOCATION["2.3.0"].gaps_to(LOCATION["2.1.1"])}
    assert found[pointer, value] is what


def test_what_a_version_cannot_say_itself_it_cannot_lose() -> None:
    fields = {gap.pointer for gap in TARIFF["2.2.1"].gaps_to(TARIFF["2.1.1"])}
    assert "/min_price" in fields
    assert "/tax_included" not in fields
    assert TARIFF["2.1.1"].gaps_to(TARIFF["2.3.0"]) == ()
