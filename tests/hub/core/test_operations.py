"""OCPI's surface as a table: what must be true of every row."""

from __future__ import annotations

from collections import Counter

from hub.core.operations import CONFIG, Operation
from modules import MODULES, all_kinds, all_operations, publications


def test_no_two_operations_answer_to_the_same_request() -> None:
    seen = Counter(
        (version, operation.side, operation.module, operation.method, _pattern(operation))
        for operation in all_operations()
        for version in operation.versions
    )
    assert [row for row, count in seen.items() if count > 1] == []


def _pattern(operation: Operation) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in operation.shape)


def test_only_configuration_is_open_to_a_pending_token() -> None:
    for operation in all_operations():
        assert operation.pending is (operation.side is CONFIG), operation


def test_all_is_routed_but_configuration_and_who_is_connected() -> None:
    """OCPI transport_and_format, Message Routing: never with Credentials, Versions and HubClientInfo."""
    unrouted = {operation.module for operation in all_operations() if not operation.routed}
    assert unrouted == {"versions", "version_details", "credentials", "hubclientinfo"}


def test_every_write_has_a_body_model_in_each_of_its_versions() -> None:
    for operation in all_operations():
        if operation.body is not None:
            assert set(operation.versions) <= set(operation.body), operation
        if operation.answer is not None:
            assert set(operation.versions) <= set(operation.answer), operation
        if operation.method in ("PUT", "PATCH"):
            assert operation.body is not None, operation
        assert operation.patch is (operation.method == "PATCH")
        assert operation.callers


def test_the_table_of_contents_names_each_thing_once() -> None:
    assert len({module.id for module in MODULES}) == len(MODULES)
    assert len({kind.name for kind in all_kinds()}) == len(all_kinds())
    assert {publication.module for publication in publications()} <= {module.id for module in MODULES}
