"""The laws look at every object that any operation takes or answers with, in each of its versions."""

from __future__ import annotations

from hub.core.dialect import VERSIONS
from modules import all_operations
from tests.laws.kinds import ALL, KINDS, kinds_and_pairs


def test_no_object_of_the_surface_is_without_laws() -> None:
    held = {(kind.wires[version].model, version) for kind in ALL for version in kind.wires}
    served = {
        (wire.model, version)
        for operation in all_operations()
        for wires in (operation.body, operation.answer)
        for version, wire in (wires or {}).items()
    }
    assert served - held == set()


def test_each_object_goes_from_each_of_its_versions_to_each_other_one() -> None:
    pairs = {(kind.name, one, other) for kind, one, other in kinds_and_pairs()}
    for kind in KINDS:
        versions = [version for version in VERSIONS if version in kind.wires]
        assert versions == list(kind.wires)
        wanted = {(kind.name, one, other) for one in versions for other in versions if one != other}
        assert wanted <= pairs
