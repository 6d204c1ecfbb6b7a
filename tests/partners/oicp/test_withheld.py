"""What a partner of OICP is not told of charges between two of them: while it is blocked, or an agreement says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.registry import State
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import ACTIVE
from partners.oicp.record_store import DELIVERED, WAITING, WITHHELD
from tests.partners.oicp.bridged import YES, Bridged, bridged
from tests.world import until

EVSE = "DE*ABC*E1"
CARD = {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}
ALLOWED = {"AuthorizationStatus": "Authorized", "ProviderID": "DE-DCB", **YES}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def _allowed(bridge: Bridged) -> str:
    """The SessionID of a charge that the EMP has allowed; after that it answers whatever it is asked with a yes."""
    bridge.client.script = lambda asked: ALLOWED
    asked = {"OperatorID": "DE*ABC", "EvseID": EVSE, "Identification": CARD}
    said = await bridge.ask("abc", "AuthorizeStart", asked, id="DE*ABC")
    bridge.client.asked.clear()
    return str(said["SessionID"])


async def _block(bridge: Bridged, state: State = State.BLOCKED) -> None:
    await bridge.world.registry.change("dcb", lambda partner: partner.model_copy(update={"state": state}))


async def _deny(bridge: Bridged, module: str, viewer: str = "dcb", owner: str = "DE*ABC") -> Agreement:
    rule = Agreement(viewer=viewer, owner=owner, module=module, allow=False)
    await bridge.world.hub.agreements.put(rule, actor="test")
    return rule


async def _start(bridge: Bridged, session: str) -> Any:
    moment = {"Type": "Start", "ChargingStart": "2026-05-04T11:00:00+02:00"}
    return await bridge.ask(
        "abc", "ChargingNotification", {**moment, "SessionID": session, "EvseID": EVSE, "OperatorID": "DE*ABC"}
    )


async def _record(bridge: Bridged, session: str) -> Any:
    begun, over = "2026-05-04T11:00:00+02:00", "2026-05-04T11:30:00+02:00"
    record = {"SessionID": session, "EvseID": EVSE, "Identification": CARD, "ConsumedEnergy": 10}
    times = {"SessionStart": begun, "ChargingStart": begun, "ChargingEnd": over, "SessionEnd": over}
    return await bridge.ask("abc", "ChargeDetailRecord", {**record, **times}, id="DE*ABC")


async def _is(bridge: Bridged, session: str, state: str) -> None:
    async def found() -> bool:
        record = await bridge.oicp.records.store.find(session)
        is_over = session not in bridge.oicp.records._under_way
        return record is not None and record.state == state and is_over

    await until(found)


async def _fetched(bridge: Bridged) -> list[Any]:
    span = {"ProviderID": "DE-DCB", "From": "2026-05-01T00:00:00Z", "To": "2026-05-06T00:00:00Z"}
    said = await bridge.ask("dcb", "GetChargeDetailRecords", span, id="DE-DCB")
    return [each["SessionID"] for each in said["content"]]


async def test_a_blocked_emp_is_told_nothing_and_its_records_wait_until_it_is_unblocked(bridge: Bridged) -> None:
    session = await _allowed(bridge)
    await _block(bridge)
    with pytest.raises(Refused) as refused:
        await _start(bridge, session)
    assert refused.value.code is Code.PARTNER_SILENT
    stop = {"OperatorID": "DE*ABC", "SessionID": session, "Identification": CARD}
    assert (await bridge.ask("abc", "AuthorizeStop", stop, id="DE*ABC"))["AuthorizationStatus"] == "Authorized"
    assert (await _record(bridge, session))["Result"] is True
    await _is(bridge, session, WAITING)
    await bridge.oicp.record_rounds.round()
    await _is(bridge, session, WAITING)
    assert bridge.client.asked == []
    await _block(bridge, State.CONNECTED)
    await bridge.oicp.record_rounds.round()
    await _is(bridge, session, DELIVERED)
    assert [each.operation for each in bridge.client.asked] == ["ChargeDetailRecord"]


async def test_a_record_that_an_agreement_keeps_from_an_emp_is_neither_brought_nor_fetched_until_it_goes(
    bridge: Bridged,
) -> None:
    rule = await _deny(bridge, "cdrs")
    session = await _allowed(bridge)
    assert (await _record(bridge, session))["Result"] is True
    await _is(bridge, session, WITHHELD)
    await bridge.oicp.record_rounds.round()
    assert await _fetched(bridge) == []
    assert bridge.client.asked == []
    await bridge.world.hub.agreements.remove(rule, actor="test")
    await bridge.oicp.record_rounds.round()
    await _is(bridge, session, DELIVERED)
    assert await _fetched(bridge) == [session]


async def test_an_emp_that_serves_nothing_does_not_fetch_what_an_agreement_keeps_from_it(bridge: Bridged) -> None:
    session = await _allowed(bridge)
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",), base_url="")
    rule = await _deny(bridge, "cdrs")
    await _record(bridge, session)
    await _is(bridge, session, WITHHELD)
    assert await _fetched(bridge) == []
    await bridge.world.hub.agreements.remove(rule, actor="test")
    await bridge.oicp.record_rounds.round()
    await _is(bridge, session, WAITING)
    assert await _fetched(bridge) == [session]


async def test_an_emp_is_told_of_no_charge_that_an_agreement_keeps_from_it_and_the_charge_goes_on(
    bridge: Bridged,
) -> None:
    session = await _allowed(bridge)
    await _deny(bridge, "sessions")
    with pytest.raises(Refused) as refused:
        await _start(bridge, session)
    assert refused.value.code is Code.NO_CONTRACT
    assert bridge.client.asked == []
    assert (await bridge.oicp.bridge.ledger.get(session)).state == ACTIVE


async def test_an_emp_whose_cards_an_agreement_keeps_from_a_cpo_is_not_asked_about_a_stop(bridge: Bridged) -> None:
    session = await _allowed(bridge)
    await _deny(bridge, "tokens", viewer="abc", owner="DE*DCB")
    stop = {"OperatorID": "DE*ABC", "SessionID": session, "Identification": CARD}
    assert (await bridge.ask("abc", "AuthorizeStop", stop, id="DE*ABC"))["AuthorizationStatus"] == "Authorized"
    assert bridge.client.asked == []


async def test_an_answer_with_more_words_than_oicp_allows_is_handed_on_with_its_code(bridge: Bridged) -> None:
    session = await _allowed(bridge)
    words = {"Code": "022", "Description": "d" * 201, "AdditionalInfo": "i" * 1001}
    bridge.client.script = lambda asked: {"Result": False, "StatusCode": words}
    said = await _start(bridge, session)
    assert said == {
        "Result": False,
        "StatusCode": {"Code": "022", "Description": "d" * 200, "AdditionalInfo": "i" * 1000},
    }
