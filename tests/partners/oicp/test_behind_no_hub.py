"""A hub of OICP speaks for whom it has behind it, and not for who is connected here by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from partners.oicp.answers import Code, Refused
from tests.partners.oicp.bridged import Bridged, bridged

CARD = {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090A"}}
DRIVER = {"RemoteIdentification": {"EvcoID": "NL-EEE-C12345678-X"}}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
        await made.place("BE*AAA*E1", "BE*AAA", "X1", "U1")
        yield made


async def _refused(bridge: Bridged, operation: str, message: dict[str, Any]) -> Refused:
    with pytest.raises(Refused) as refused:
        await bridge.ask("hbs", operation, message, id="DE*BSB")
    return refused.value


async def test_it_asks_about_no_card_for_the_cpo_of_another(bridge: Bridged) -> None:
    asked = {"OperatorID": "BE*AAA", "EvseID": "BE*AAA*E1", "Identification": CARD}
    no = await _refused(bridge, "AuthorizeStart", asked)
    assert (no.code, no.description, no.info) == (Code.FOREIGN_EVSE, "", "")
    assert bridge.world.peers.sent == []


@pytest.mark.parametrize("operation", ["AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"])
async def test_it_orders_nothing_for_the_emp_of_another(bridge: Bridged, operation: str) -> None:
    ordered = {"ProviderID": "NL-EEE", "EvseID": "BE*AAA*E1", "Identification": DRIVER}
    no = await _refused(bridge, operation, ordered)
    assert no.code is Code.UNAUTHORIZED
    assert "OCPI" not in no.description + no.info
    assert bridge.world.peers.sent == []
