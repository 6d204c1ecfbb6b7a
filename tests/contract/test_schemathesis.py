"""Schemathesis on each OCPI document, against a hub on a real port: whatever is sent, the answer is as documented."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.core.parties import PartyRole
from tests.contract.documents import DOCUMENTS
from tests.world import World, a_program

VERSIONS = {"2.1.1": "NL*EEE", "2.2.1": "NL*FFF", "2.3.0": "NL*GGG"}
CPOS = {"2.1.1": "BE*AAA", "2.2.1": "BE*BBB", "2.3.0": "BE*CCC"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
MOST_ITEMS = 2
WALKS = 10
STEPS = 8
MOMENTS = strategies.integers(1_600_000_000, 1_900_000_000).map(
    lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
)
schemathesis.openapi.format("date-time", MOMENTS)
THERE = {"location_id": "LOC1", "evse_uid": "E1", "connector_id": "1", "country_code": "NL", "uid": "CARD1"}


@dataclass
class Running:
    """A hub in a thread of its own."""

    base_url: str
    tokens: dict[str, str]
    cpo_tokens: dict[str, str]

    def headers(self, version: str, operation: Any) -> dict[str, str]:
        """Of a partner that may call the operation."""
        token = (self.tokens if is_for_emsps(operation) else self.cpo_tokens)[version]
        shown = token if version == "2.1.1" else b64encode(token.encode()).decode()
        return {"Authorization": f"Token {shown}"}

    def answers(self, case: Any, version: str, operation: Any) -> None:
        """Ask, and hold the answer against the document."""
        response = case.call(base_url=self.base_url, headers=self.headers(version, operation), timeout=30)
        case.validate_response(response, checks=CHECKS)
        is_an_envelope(response)


def is_for_emsps(operation: Any) -> bool:
    """Else it is for CPOs."""
    return "EMSP" in operation.definition.raw["x-roles"]


def is_an_envelope(response: Any) -> None:
    tree = response.json()
    assert {"status_code", "timestamp"} <= set(tree) <= {"status_code", "status_message", "timestamp", "data"}
    is_of_the_receiver = tree.get("status_message", "").startswith("the receiver")
    assert tree["status_code"] != 3000 or is_of_the_receiver, tree
    assert len(tree.get("status_message", "")) <= 200


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A hub with an eMSP and a CPO of each version, a location, a tariff, and a session and CDR of each."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hub')}/busbar.db"
    ready, done = threading.Event(), threading.Event()
    running = Running("", {}, {})
    thread = threading.Thread(target=lambda: asyncio.run(_serve(url, running, ready, done)))
    thread.start()
    assert ready.wait(30)
    yield running
    done.set()
    thread.join(30)
    assert not thread.is_alive()


async def _serve(url: str, running: Running, ready: threading.Event, done: threading.Event) -> None:
    plenty: dict[str, Any] = {"rate_per_partner": 1_000_000, "burst_per_partner": 1_000_000}
    rarely = {"pull_check_s": 600, "lane_first_s": 600, "lane_cap_s": 600}  # their partners are at home nowhere
    async with a_program(url, outbound_timeout_s=1, **rarely, **plenty) as program:
        world = World.around(program.hub)
        await world.furnish()
        for version, party in VERSIONS.items():
            await world.join(f"e{version}", party, PartyRole.EMSP, version=version)
            await world.charge(party)
            running.tokens[version] = world.secrets[f"e{version}"]
            await world.join(f"c{version}", CPOS[version], PartyRole.CPO, version=version)
            running.cpo_tokens[version] = world.secrets[f"c{version}"]
        running.base_url = program.settings.base_url
        ready.set()
        await asyncio.to_thread(done.wait)


def described() -> dict[str, Any]:
    """The documents by version, as they are easy to make requests from.

    Text that has the form of a date and is one, is not found by trying: the form is left to the format.
    """
    found = {}
    for name, document in DOCUMENTS.items():
        eased = _with_short_bodies(_eased(document))
        found[name.removeprefix("ocpi-").removesuffix(".json")] = schemathesis.openapi.from_dict(eased)
    return found


def _with_short_bodies(document: dict[str, Any]) -> dict[str, Any]:
    """Lists in what is sent have few items: those of a location in a CDR, five of five of five, take seconds to draw.

    Answers are held against the schemas as they are.
    """
    schemas = document["components"]["schemas"]
    schemas |= {f"Short{name}": _short(schema) for name, schema in schemas.items()}
    for operation in (each for path in document["paths"].values() for each in path.values() if isinstance(each, dict)):
        if "requestBody" in operation:
            operation["requestBody"] = _short(operation["requestBody"])
    return document


def _short(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_short(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    short = {name: _short(value) for name, value in schema.items()}
    if isinstance(reference := schema.get("$ref"), str):
        short["$ref"] = reference.replace("/schemas/", "/schemas/Short")
    if schema.get("type") == "array":
        short["maxItems"] = min(schema.get("maxItems", MOST_ITEMS), max(schema.get("minItems", 0), MOST_ITEMS))
    return short


def _eased(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_eased(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    needless = {"pattern"} if schema.get("format") == "date-time" else set()
    return {name: _eased(value) for name, value in schema.items() if name not in needless}


def _operations() -> list[Any]:
    found = []
    for version, schema in described().items():
        for result in schema.get_all_operations():
            operation: Any = result.ok()
            if operation.label.endswith("credentials") and operation.method.upper() == "DELETE":
                continue  # it would end the registration that all others need
            found.append(pytest.param(version, operation, id=f"{version} {operation.label}"))
    return found


@pytest.mark.parametrize(("version", "operation"), _operations())
@pytest.mark.parametrize("how", ["fitting", "unfitting"])
def test_the_answer_is_as_documented(hub: Running, version: str, operation: Any, how: str) -> None:
    """What fits is asked where it was drawn for, and at what exists too: to draw costs more than to ask."""
    if how == "unfitting" and not (operation.body or operation.path_parameters or operation.query):
        return  # nothing in the request can be unfitting
    mode = GenerationMode.NEGATIVE if how == "unfitting" else GenerationMode.POSITIVE
    there = _what_exists(version, operation) if how == "fitting" else {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def ask(case: Any) -> None:
        hub.answers(case, version, operation)
        if there:
            case.path_parameters |= there
            hub.answers(case, version, operation)

    ask()


def _what_exists(version: str, operation: Any) -> dict[str, str]:
    """The parameters of a path that lead to something, as far as the operation has them."""
    there = {**THERE, "party_id": VERSIONS[version][3:]}
    if not is_for_emsps(operation):
        there |= {"country_code": CPOS[version][:2], "party_id": CPOS[version][3:]}
    return {parameter.name: there[parameter.name] for parameter in operation.path_parameters if parameter.name in there}


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_that_follow_one_another_are_answered_as_documented(hub: Running, version: str) -> None:
    """What is written is read, changed and removed again, by the links of the document."""
    machine: Any = described()[version].exclude(method="DELETE", path_regex="credentials$").as_state_machine()

    class Walk(machine):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": hub.base_url, "headers": hub.headers(version, case.operation), "timeout": 30}

        def validate_response(self, response: Any, case: Any, additional_checks: Any = (), **kwargs: Any) -> None:
            case.validate_response(response, checks=CHECKS)
            is_an_envelope(response)

    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
