"""A charge that an EMP of OICP orders at a CPO of OCPI 2.1.1, which names its driver by the contract alone."""

from __future__ import annotations

from typing import Any

from modules.locations.wire import LOCATION
from modules.sessions.store import SESSIONS
from tests.modules.sessions.records import a_session, their_place
from tests.partners.oicp.bridged import Bridged, bridged
from tests.world import Sent

CONTRACT = "DE-DCB-C00000001-X"
ORDER = {
    "ProviderID": "DE-DCB",
    "EvseID": "BE*AAA*E1",
    "Identification": {"RemoteIdentification": {"EvcoID": CONTRACT}},
}
DRIVER = {"country_code": "DE", "party_id": "DCB", "uid": "#NA", "type": "OTHER", "contract_id": CONTRACT}


def _cpo_begins(bridge: Bridged) -> Any:
    """c1 takes each order, and tells a moment later that it is carried out."""

    async def tell(sent: Sent) -> None:
        path = sent.body["response_url"].removeprefix("https://busbar.example")
        await bridge.world.ask("POST", path, by="c1", body={"result": "ACCEPTED"})

    def script(sent: Sent) -> Any:
        if sent.module != "commands":
            return None
        bridge.world.hub.background.start(tell(sent), name="result")
        return {"result": "ACCEPTED"}

    return script


async def test_its_emp_is_told_of_it_and_by_its_session_id(sqlite_url: str) -> None:
    async with bridged(sqlite_url) as bridge:
        world = bridge.world
        await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await bridge.place("BE*AAA*E1", "BE*AAA", "PLACE1", "E1")
        await world.registry.save(world.partner("c1").model_copy(update={"version": "2.1.1"}))
        place = LOCATION["2.1.1"].write(their_place("BE*AAA"))[0]
        await world.ask("PUT", "/ocpi/2.1.1/receiver/locations/BE/AAA/PLACE1", by="c1", body=place)
        world.peers.script = _cpo_begins(bridge)
        said = await bridge.ask("dcb", "AuthorizeRemoteStart", ORDER, id="DE-DCB")
        began = world.clock.now().isoformat()
        body = a_session("2.1.1", id="s-9", cdr_token=DRIVER, start_date_time=began, last_updated=began)
        assert (await world.ask("PUT", "/ocpi/2.1.1/receiver/sessions/BE/AAA/s-9", by="c1", body=body)).code == 1000
        document = await world.store.get(SESSIONS, "BE*AAA/S-9")
        assert document is not None
        assert document.audience == "DE*DCB"
        await bridge.oicp.notifications.tell(world.partner("dcb"), "BE*AAA", "s-9")
        [start] = bridge.client.of("ChargingNotification")
        assert (start["Type"], start["SessionID"]) == ("Start", said["SessionID"])
        assert start["Identification"] == ORDER["Identification"]
