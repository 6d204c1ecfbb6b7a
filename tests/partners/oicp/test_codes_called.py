"""Each operation that we ask of partners, with each StatusCode that they may answer and some that are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from hub.core.parties import Party, PartyRole
from partners.oicp.operations import OPERATIONS, serves
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.between import Between, a_hub_between
from tests.partners.oicp.called_scenes import AAA, PLAYS, YES
from tests.partners.oicp.code_scenes import EVSE
from tests.partners.oicp.codes_called import ANSWERS, CALLED, NEVER_ASKED, outcome_of, said
from tests.world import OURS

CELLS = [(operation, answer) for operation in CALLED for answer in ANSWERS]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def between(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Between]:
    directory: Path = tmp_path_factory.mktemp("called")
    async with a_hub_between(f"sqlite:///{directory}/busbar.db", directory) as made:
        told = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": [evse({"EvseID": EVSE})]}
        pushed = await made.ask("cpo", "PushEvseData", {"ActionType": "fullLoad", "OperatorEvseData": told})
        assert pushed.code == "000"
        for party in (OURS, AAA):
            await made.oicp.operators.say(party, {"hotline": "+4912345678"}, actor="test")
        terms = {"default_price": "0.60", "product_power": "22"}
        await made.change("hbs", leaves_cards=True, pushes_prices=True, pulls_prices=True, terms=terms)
        hub = made.oicp.connections.get("hbs")
        await made.oicp.connections.learn(hub, PartyRole.CPO, Party.parse("FR*XYZ"))
        await made.settle()
        await made.oicp.evse_push.push("hbs")
        await made.oicp.exchanges.push("hbs")
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("operation", "answer"), CELLS)
async def test_each_answer_of_a_partner_comes_to_what_the_table_says(
    between: Between, operation: str, answer: str
) -> None:
    between.world.clock.passed_s += 1000
    asked = len(between.partners.of(operation))
    between.partners.says[operation] = {**said(answer), **(YES.get(operation, {}) if answer == "000" else {})}
    try:
        with capture_logs() as logs:
            outcome = await PLAYS[operation](between)
    finally:
        del between.partners.says[operation]
    assert outcome == outcome_of(operation, answer)
    assert len(between.partners.of(operation)) > asked
    assert [entry for entry in logs if entry["log_level"] == "error"] == []


def test_all_that_a_partner_may_be_asked_is_in_the_table() -> None:
    asked = {name for name, operation in OPERATIONS.items() if serves("hub", operation)}
    assert set(CALLED) | set(NEVER_ASKED) == asked
    assert set(PLAYS) == set(CALLED)
    for operation, outcomes in CALLED.items():
        named = [answer for answers in outcomes.values() if answers is not ... for answer in answers]
        assert len(named) == len(set(named)), operation
        assert set(named) <= set(ANSWERS)
        assert list(outcomes.values()).count(...) == 1
