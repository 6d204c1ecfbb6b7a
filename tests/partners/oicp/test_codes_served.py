"""Each operation that we serve, with each StatusCode that OICP lets it answer: real requests, over real TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from partners.oicp.answers import Code
from partners.oicp.operations import OPERATIONS, AnswerKind
from partners.oicp.wire import ANSWERS, write
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.between import Between, a_hub_between
from tests.partners.oicp.code_scenes import EVSE, play_of, scene_of
from tests.partners.oicp.codes import NEVER, SERVED, never

CELLS = [(operation, code) for operation, codes in SERVED.items() for code in codes if code not in never(operation)]
STRICT = (AnswerKind.ACKNOWLEDGEMENT, AnswerKind.AUTHORIZATION_START, AnswerKind.AUTHORIZATION_STOP)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def between(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Between]:
    directory: Path = tmp_path_factory.mktemp("codes")
    async with a_hub_between(f"sqlite:///{directory}/busbar.db", directory) as made:
        records = [evse({"EvseID": EVSE}), evse({"EvseID": "DE*ABC*E604", "IsHubjectCompatible": False})]
        told = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": records}
        said = await made.ask("cpo", "PushEvseData", {"ActionType": "fullLoad", "OperatorEvseData": told})
        assert said.code == "000"
        await made.settle()
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("operation", "code"), CELLS)
async def test_an_operation_answers_each_code_that_is_its_to_answer(
    between: Between, operation: str, code: str
) -> None:
    scene = await scene_of(between, operation)
    with capture_logs():
        said = await play_of(operation, code)(scene)
    assert said.code == code, said.tree
    assert "secret" not in str(said.tree)
    kind = OPERATIONS[operation].answer
    if kind in STRICT and said.http == 200:
        assert write(ANSWERS[operation], said.tree) == said.tree
    if code != Code.SUCCESS:
        says_no = said.tree.get("AuthorizationStatus") == "NotAuthorized" or said.tree.get("Result") is False
        assert says_no
        assert not said.tree.keys() & {"content", "EvseStatuses", "EVSEStatusRecords", "PricingProductData"}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_matrix_is_about_all_that_is_served_and_all_codes_there_are(between: Between) -> None:
    assert set(SERVED) == set(between.oicp.handlers)
    assert {code for codes in SERVED.values() for code in codes} == set(Code)


def test_what_is_never_answered_is_a_short_list_of_codes_that_could_be() -> None:
    for (code, reason), operations in NEVER.items():
        assert reason
        assert all(code in SERVED[operation] for operation in operations), (code, reason)
    named = [(code, operation) for (code, _), operations in NEVER.items() for operation in operations]
    assert len(named) == len(set(named))
    assert {code for code, _ in named} == {"210", "300", "310", "320"}
