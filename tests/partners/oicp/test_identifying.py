"""Who it is, and what goes on as it came, in messages about one charge: real requests to us as the hub, over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.between import ALLOWED, Between, a_hub_between
from tests.partners.oicp.code_scenes import CAR, CARD, DRIVER, EVSE, card, row, scene_of

EVCO: Final = CAR["PlugAndChargeIdentification"]["EvcoID"]
KNOWN_CARD: Final = {"RFIDIdentification": {"UID": CARD, "EvcoID": EVCO, "RFID": "mifareCls"}}
CODE: Final = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "1234"}}
ONE_IS_NAMED: Final = (
    *("AuthorizeStart", "AuthorizeStop", "AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"),
    "ChargeDetailRecord",
)
OF_A_CARD: Final = {"AuthorizeStart": card(CARD), "AuthorizeStop": card(CARD)}

IN_A_MODULE = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def between(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Between]:
    directory: Path = tmp_path_factory.mktemp("identifying")
    async with a_hub_between(f"sqlite:///{directory}/busbar.db", directory) as made:
        told = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": [evse({"EvseID": EVSE})]}
        said = await made.ask("cpo", "PushEvseData", {"ActionType": "fullLoad", "OperatorEvseData": told})
        assert said.code == "000"
        await made.settle()
        yield made


def _asked(between: Between, operation: str) -> list[dict[str, Any]]:
    return list(between.partners.of(operation))


@IN_A_MODULE
@pytest.mark.parametrize("operation", ONE_IS_NAMED)
@pytest.mark.parametrize(
    ("identification", "named"),
    [
        ({}, "/Identification"),
        ({"RFIDMifareFamilyIdentification": None}, "/Identification"),
        ({"RFIDMifareFamilyIdentification": {}}, "/Identification/RFIDMifareFamilyIdentification/UID"),
        ({**CAR, **card(CARD)}, "/Identification"),
        ({**DRIVER, **CODE}, "/Identification"),
        ({**CAR, **card(CARD), **CODE, **DRIVER, **KNOWN_CARD}, "/Identification"),
    ],
    ids=["empty", "null", "no number", "a car and a card", "a driver and a code", "all five"],
)
async def test_somebody_is_named_in_exactly_one_way(
    between: Between, operation: str, identification: dict[str, Any], named: str
) -> None:
    scene = await scene_of(between, operation)
    before = len(between.partners.asked)
    said = await scene.ask(Identification=identification)
    assert (said.code, said.info.partition(":")[0]) == ("022", named)
    assert len(between.partners.asked) == before


@IN_A_MODULE
@pytest.mark.parametrize("operation", ["AuthorizeStart", "AuthorizeStop"])
async def test_a_card_as_its_provider_knows_it_is_not_asked_about(between: Between, operation: str) -> None:
    said = await (await scene_of(between, operation)).ask(Identification=KNOWN_CARD)
    assert (said.code, said.info.partition(":")[0]) == ("022", "/Identification/RFIDIdentification")


@IN_A_MODULE
@pytest.mark.parametrize("identification", [card(CARD), CAR, CODE, DRIVER])
async def test_any_other_way_may_be_asked_about(between: Between, identification: dict[str, Any]) -> None:
    said = await (await scene_of(between, "AuthorizeStart")).ask(Identification=identification)
    assert said.code != "022"


@IN_A_MODULE
async def test_a_record_may_name_a_card_as_its_provider_knows_it(between: Between) -> None:
    assert (await (await scene_of(between, "ChargeDetailRecord")).ask(Identification=KNOWN_CARD)).code == "000"


@IN_A_MODULE
@pytest.mark.parametrize("operation", ["AuthorizeRemoteStart", "AuthorizeRemoteReservationStart"])
@pytest.mark.parametrize("identification", [card(CARD), CAR, CODE, KNOWN_CARD])
async def test_an_order_names_its_driver_by_the_remote_way_alone(
    between: Between, operation: str, identification: dict[str, Any]
) -> None:
    assert (await (await scene_of(between, operation)).ask(Identification=identification)).code == "022"


@IN_A_MODULE
async def test_a_notification_names_one_or_nobody(between: Between) -> None:
    scene = await scene_of(between, "ChargingNotification")
    said = await scene.ask(Identification={**CAR, **card(CARD)})
    assert (said.code, said.info.partition(":")[0]) == ("022", "/Identification")
    assert (await scene.ask(Identification={"QRCodeIdentification": None})).code == "000"
    assert "Identification" not in _asked(between, "ChargingNotification")[-1]
    assert (await scene.ask(Identification=KNOWN_CARD)).code == "000"


@IN_A_MODULE
async def test_a_card_that_is_left_with_us_is_named_in_one_way(between: Between) -> None:
    records = [{"Identification": card("AABBCCDD")}, {"Identification": {**CAR, **KNOWN_CARD}}]
    told = {"ProviderID": "DE-DCB", "AuthenticationDataRecord": records}
    scene = await scene_of(between, "PushAuthenticationData")
    said = await scene.ask(ProviderAuthenticationData=told)
    named = "/ProviderAuthenticationData/AuthenticationDataRecord/1/Identification"
    assert (said.code, said.info.partition(":")[0]) == ("022", named)


@IN_A_MODULE
async def test_of_what_a_hub_asks_the_first_way_counts_and_nobody_is_a_data_error(between: Between) -> None:
    asked = {"OperatorID": "DE*XYZ", "Identification": {**card(CARD), **CAR, **KNOWN_CARD}}
    assert (await between.ask("hbs", "AuthorizeStart", asked, as_id="DE*XYZ")).code not in ("022", "101")
    said = await between.ask("hbs", "AuthorizeStart", {**asked, "Identification": {}}, as_id="DE*XYZ")
    assert said.code == "022"


LONGEST: Final = {
    "CPOPartnerSessionID": 250,
    "EMPPartnerSessionID": 250,
    "PartnerProductID": 50,
    "ErrorAdditionalInfo": 250,
}
_STARTS: Final = ("CPOPartnerSessionID", "EMPPartnerSessionID", "PartnerProductID")
_STOPS: Final = ("CPOPartnerSessionID", "EMPPartnerSessionID")
PASSED_ON: Final = {
    "AuthorizeStart": _STARTS,
    "AuthorizeStop": _STOPS,
    "AuthorizeRemoteStart": _STARTS,
    "AuthorizeRemoteStop": _STOPS,
    "AuthorizeRemoteReservationStart": _STARTS,
    "AuthorizeRemoteReservationStop": _STOPS,
    "ChargeDetailRecord": _STARTS,
    "ChargingNotification": (*_STARTS, "ErrorAdditionalInfo"),
}
CELLS: Final = [(operation, name) for operation, names in PASSED_ON.items() for name in names]


@IN_A_MODULE
@pytest.mark.parametrize(("operation", "name"), CELLS)
async def test_what_is_too_long_to_go_on_is_a_data_error_and_what_fits_goes(
    between: Between, operation: str, name: str
) -> None:
    scene = await scene_of(between, operation)
    fields: dict[str, Any] = {}
    if name == "ErrorAdditionalInfo":
        fields = {"Type": "Error", "ErrorType": "CriticalError"}
    said = await scene.ask(**fields, **{name: "x" * (LONGEST[name] + 1)})
    assert (said.code, said.info) == ("022", f"/{name}: a text of 1 to {LONGEST[name]} characters is wanted")
    assert (await scene.ask(**fields, **{name: "x" * LONGEST[name]})).code == "000"


@IN_A_MODULE
async def test_a_notification_that_cannot_be_passed_on_is_a_data_error_of_its_cpo(between: Between) -> None:
    said = await (await scene_of(between, "ChargingNotification")).ask(Identification=card("AFFH1768"))
    assert said.code == "022"
    assert "/Identification/RFIDMifareFamilyIdentification/UID" in said.info


@IN_A_MODULE
async def test_ids_in_small_letters_go_on_in_capitals(between: Between) -> None:
    between.partners.says["AuthorizeStart"] = ALLOWED
    asked = {"OperatorID": "de*abc", "EvseID": "de*abc*e1", "Identification": CODE}
    said = await between.ask("cpo", "AuthorizeStart", asked)
    assert (said.code, _asked(between, "AuthorizeStart")[-1]["EvseID"]) == ("000", EVSE)
    session = await row(between, identification=card("0A0B0C0D"))
    stop = {"OperatorID": "DE*ABC", "SessionID": session.id, "EvseID": "de*abc*e1", "Identification": card("0a0b0c0d")}
    assert (await between.ask("cpo", "AuthorizeStop", stop)).code == "000"
    told = _asked(between, "AuthorizeStop")[-1]
    assert (told["EvseID"], told["Identification"]) == (EVSE, card("0A0B0C0D"))
