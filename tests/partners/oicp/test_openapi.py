"""openapi/oicp-2.3.json: valid, committed, and about what is served."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from hub.openapi_oicp import NAME, document
from partners.oicp.operations import OPERATIONS
from tests.partners.oicp.gate import Gate, a_gate

COMMITTED = Path(__file__).parents[3] / "openapi" / NAME


@pytest.fixture
async def gate(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Gate]:
    async with a_gate(sqlite_url, tmp_path) as gate:
        yield gate


def test_the_document_is_valid_openapi() -> None:
    validate(document())


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == document(), "run `busbar openapi`"


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    written = json.dumps(document())
    named = {part.split('"', 1)[0] for part in written.split("#/components/schemas/")[1:]}
    assert named == set(document()["components"]["schemas"])


def test_every_operation_is_described_at_each_of_its_paths() -> None:
    paths = document()["paths"]
    assert set(paths) == {path for operation in OPERATIONS.values() for path in operation.paths}
    ids = [methods["post"]["operationId"] for methods in paths.values()]
    assert len(set(ids)) == len(ids)
    assert all(methods["post"]["summary"].endswith((".", "?")) for methods in paths.values())


def test_no_field_lost_its_name() -> None:
    """`title` is what a schema says of itself, and may be a field all the same."""
    record = document()["components"]["schemas"]["EvseDataRecordType"]["properties"]
    assert {"EvseID", "Address", "Plugs", "IsOpen24Hours"} <= set(record)
    assert "null" not in json.dumps(document())


async def test_every_documented_path_is_served(gate: Gate) -> None:
    for path, methods in document()["paths"].items():
        asked_by = methods["post"]["x-asked-by"]
        said = await gate.post(path.replace("{id}", "DE*ABC" if asked_by == "cpo" else "DE-DCB"), b"{}", by=asked_by)
        assert said.http == 200
