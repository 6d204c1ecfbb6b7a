"""Orders of EMPs of OICP for chargers of our own: what is said where none is carried out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.ports import NoChargers, Outcome, Place
from partners.oicp.answers import Code, Refused
from tests.partners.oicp.bridged import Bridged, bridged

EVSE = "DE*BSB*E1"
DRIVER = {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000001-6"}}


class OneCharger(NoChargers):
    """CP1, at E1. It takes reservations, and rejects what `outcome` says it does."""

    def __init__(self) -> None:
        self.is_connected = True
        self.outcome = Outcome.ACCEPTED

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        return Place("CP1", 1, "DE*BSB/LOC1", "E1", "1") if evse_uid == "E1" else None

    async def reachable(self, station: str) -> bool:
        return self.is_connected

    async def supports(self, station: str, feature: str) -> bool:
        return True

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        return self.outcome

    async def reserve(self, *_: Any, **__: Any) -> Outcome:
        return self.outcome


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*BSB", "LOC1", "E1")
        made.world.hub.chargers = OneCharger()
        yield made


async def _order(bridge: Bridged, operation: str = "AuthorizeRemoteStart", **fields: Any) -> Any:
    message = {"ProviderID": "DE-DCB", "EvseID": EVSE, "Identification": DRIVER, **fields}
    return await bridge.ask("dcb", operation, message, id="DE-DCB")


def _charger(bridge: Bridged) -> OneCharger:
    chargers = bridge.world.hub.chargers
    assert isinstance(chargers, OneCharger)
    return chargers


@pytest.mark.parametrize("operation", ["AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"])
async def test_a_charger_that_is_not_connected_cannot_be_reached(bridge: Bridged, operation: str) -> None:
    _charger(bridge).is_connected = False
    with pytest.raises(Refused) as refused:
        await _order(bridge, operation)
    assert (refused.value.code, refused.value.info) == (Code.EVSE_UNREACHABLE, "")


async def test_a_reservation_at_a_charger_that_is_not_connected_is_not_given_up(bridge: Bridged) -> None:
    kept = await _order(bridge, "AuthorizeRemoteReservationStart")
    _charger(bridge).is_connected = False
    stop = {"ProviderID": "DE-DCB", "EvseID": EVSE, "SessionID": kept["SessionID"]}
    with pytest.raises(Refused) as refused:
        await bridge.ask("dcb", "AuthorizeRemoteReservationStop", stop, id="DE-DCB")
    assert refused.value.code is Code.EVSE_UNREACHABLE
    assert (await bridge.oicp.bridge.ledger.get(kept["SessionID"])).is_open


async def test_a_charger_that_is_connected_and_rejects_is_in_use(bridge: Bridged) -> None:
    _charger(bridge).outcome = Outcome.REJECTED
    with pytest.raises(Refused) as refused:
        await _order(bridge)
    assert refused.value.code is Code.EVSE_IN_USE
