"""openapi/ocpi-*.json: valid, committed, and about what is served."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from hub.core.operations import CONFIG
from hub.openapi import documents
from modules import all_operations
from tests.contract.documents import DOCUMENTS
from tests.world import World


@pytest.fixture(params=sorted(DOCUMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_document_is_valid_openapi(name: str) -> None:
    validate(DOCUMENTS[name])


def test_the_committed_documents_are_those_that_are_served() -> None:
    served = documents(all_operations())
    assert served.keys() == DOCUMENTS.keys()
    assert [name for name in served if served[name] != DOCUMENTS[name]] == [], "run `busbar openapi`"


def test_every_reference_leads_somewhere_and_nothing_is_left_over(name: str) -> None:
    written = json.dumps(DOCUMENTS[name])
    named = {part.split('"', 1)[0] for part in written.split("#/components/schemas/")[1:]}
    assert named == set(DOCUMENTS[name]["components"]["schemas"])


def test_every_operation_is_documented_in_each_of_its_versions() -> None:
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        operations = [operation for operation in all_operations() if version in operation.versions]
        documented = [m for methods in DOCUMENTS[f"ocpi-{version}.json"]["paths"].values() for m in methods.values()]
        assert len(documented) == len(operations)
        assert len({operation["operationId"] for operation in documented}) == len(documented)


def test_every_operation_says_what_it_does_and_what_it_answers(name: str) -> None:
    for path, methods in DOCUMENTS[name]["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), (method, path)
            assert {"200", "401", "404", "429"} <= operation["responses"].keys(), (method, path)
            assert all("application/json" in r["content"] for r in operation["responses"].values())


async def test_every_documented_path_is_found_by_the_dispatcher(world: World) -> None:
    """Each method of each path is routed: whatever the answer, it is not that there is no such method."""
    filled = {
        "{position}": "cpo",
        "{country_code}": "NL",
        "{party_id}": "EEE",
        "{location_id}": "LOC1",
        "{evse_uid}": "E1",
        "{connector_id}": "1",
    }
    for path, methods in DOCUMENTS[f"ocpi-{world.version}.json"]["paths"].items():
        for name, value in filled.items():
            path = path.replace(name, value)
        for method in methods:
            if (method, path.rsplit("/", 1)[-1]) == ("delete", "credentials"):
                continue
            said = await world.ask(
                method.upper(), path, by="e1", body=b"" if method in ("put", "post", "patch") else None
            )
            assert said.http != 405 or "credentials" in path, (method, path)
            assert "no such resource" not in said.message, (method, path)


def test_what_is_served_under_a_role_has_that_role_in_its_path() -> None:
    for operation in all_operations():
        paths: Any = DOCUMENTS[f"ocpi-{operation.versions[-1]}.json"]["paths"]
        if operation.side is not CONFIG:
            assert any(f"/{operation.side}/{operation.module}" in path for path in paths)
