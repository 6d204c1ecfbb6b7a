"""openapi/management.json: valid, committed, and about what is served."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_spec_validator import validate

from hub.api import ROUTERS
from hub.api.document import document

COMMITTED = Path(__file__).parents[3] / "openapi" / "management.json"


def test_the_document_is_valid_openapi() -> None:
    validate(document())


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert json.loads(COMMITTED.read_text()) == document(), "run `busbar openapi`"


def test_every_reference_leads_somewhere() -> None:
    written = json.dumps(document())
    schemas = document()["components"]["schemas"]
    named = {part.split('"', 1)[0] for part in written.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert set(schemas) - named == set()


def test_every_operation_tells_its_answer_and_every_write_its_body() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            good = [status for status in operation["responses"] if status.startswith("2")]
            assert good, (method, path)
            assert operation["summary"], (method, path)
            if method == "put":
                assert operation["requestBody"], path


def test_every_route_is_described() -> None:
    described = set(document()["paths"])
    assert {route.path for router in ROUTERS for route in router.routes} == described  # type: ignore[attr-defined]
