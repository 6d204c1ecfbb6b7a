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
        self.started = 0

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        return Place("CP1", 1, "DE*BSB/LOC1", "E1", "1") if evse_uid == "E1" else None

    async def reachable(self, station: str) -> bool:
        return self.is_connected

    async def supports(self, station: str, feature: str) -> bool:
        return True

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        self.started += 1
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


RESERVED, CHARGE = "b2688855-7f00-0002-6d8e-48d883f6abb6", "f98efba4-02d8-4fa0-b810-9a9d50d2c527"


async def _hub_orders(bridge: Bridged, operation: str, session: str) -> Any:
    if bridge.oicp.connections.of("hbs") is None:
        await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    message: dict[str, Any] = {"ProviderID": "DE-GDF", "EvseID": EVSE, "SessionID": session}
    if not operation.endswith("Stop"):
        message["Identification"] = {"RemoteIdentification": {"EvcoID": "DE-GDF-C00000001"}}
    return await bridge.ask("hbs", operation, message, id="DE-GDF")


@pytest.mark.parametrize("named", [CHARGE, CHARGE.upper(), RESERVED])
async def test_a_charge_that_comes_of_a_reservation_has_the_session_id_that_the_hub_gives_it(
    bridge: Bridged, named: str
) -> None:
    await _hub_orders(bridge, "AuthorizeRemoteReservationStart", RESERVED)
    begun = await _hub_orders(bridge, "AuthorizeRemoteStart", named)
    again = await _hub_orders(bridge, "AuthorizeRemoteStart", named)
    assert (begun["Result"], again["Result"]) == (True, True)
    assert begun["SessionID"] == again["SessionID"] == named.lower()
    assert _charger(bridge).started == 1
    charge = await bridge.oicp.bridge.ledger.get(named)
    assert (charge.is_open, charge.origin, charge.reference) == (True, "remote", RESERVED)
    with pytest.raises(Refused) as refused:
        await _hub_orders(bridge, "AuthorizeRemoteReservationStop", RESERVED)
    assert refused.value.code is Code.SESSION_INVALID


@pytest.mark.parametrize("named", [CHARGE, RESERVED])
async def test_a_charge_that_does_not_begin_leaves_the_reservation_as_the_hub_calls_it(
    bridge: Bridged, named: str
) -> None:
    await _hub_orders(bridge, "AuthorizeRemoteReservationStart", RESERVED)
    _charger(bridge).outcome = Outcome.REJECTED
    with pytest.raises(Refused):
        await _hub_orders(bridge, "AuthorizeRemoteStart", named)
    _charger(bridge).outcome = Outcome.ACCEPTED
    kept = await bridge.oicp.bridge.ledger.get(RESERVED)
    assert (kept.is_open, kept.origin) == (True, "reservation")
    assert (await _hub_orders(bridge, "AuthorizeRemoteStart", CHARGE))["SessionID"] == CHARGE
