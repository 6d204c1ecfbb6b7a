"""openapi/schemas: one file an object and version, committed, complete in itself, and as strict as the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hub.json_schemas import json_schemas
from tests.contract.documents import DOCUMENTS
from tests.world import VERSIONS, their_location, their_tariff, token

COMMITTED = Path(__file__).parents[2] / "openapi" / "schemas"
SCHEMAS = json_schemas(DOCUMENTS)


def of(version: str, title: str) -> Any:
    return SCHEMAS[f"schemas/{version}/{title}.json"]


def test_the_committed_schemas_are_those_of_what_is_served() -> None:
    found = {
        f"schemas/{path.relative_to(COMMITTED)}": json.loads(path.read_text("utf-8"))
        for path in COMMITTED.rglob("*.json")
    }
    assert found == SCHEMAS, "run `busbar openapi`; remove what is no more"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_schema_is_valid_and_needs_no_other_file(name: str) -> None:
    jsonschema_rs.meta.validate(SCHEMAS[name])
    jsonschema_rs.validator_for(SCHEMAS[name])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("title", "make"), [("Location", their_location), ("Tariff", their_tariff), ("Token", token)])
def test_what_partners_send_fits_and_what_is_wrong_does_not(version: str, title: str, make: Any) -> None:
    validator = jsonschema_rs.validator_for(of(version, title))
    tree = json.loads(json.dumps(make(version), default=float))
    assert list(validator.iter_errors(tree)) == []
    required = of(version, title)["required"]
    for field in required:
        assert not validator.is_valid({name: value for name, value in tree.items() if name != field}), field
    assert not validator.is_valid({**tree, "last_updated": "yesterday"})


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_of_every_module_has_one(version: str) -> None:
    titles = {"Location", "EVSE", "Connector", "Tariff", "Token", "Session", "CDR", "Credentials", "StartSession"}
    assert all(f"schemas/{version}/{title}.json" in SCHEMAS for title in titles)
