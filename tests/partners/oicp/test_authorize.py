"""May a driver charge? Asked by CPOs of OICP, and asked of EMPs and hubs of OICP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.errors import PeerRefused, PeerTimeout
from hub.core.parties import PartyRole
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import PENDING, OicpSession
from tests.partners.oicp.bridged import Asked, Bridged, bridged
from tests.world import Sent, token

UID = "0102030405060708090A"
CARD = {"RFIDMifareFamilyIdentification": {"UID": UID}}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        yield made


def _start(**fields: Any) -> dict[str, Any]:
    return {"OperatorID": "DE*ABC", "Identification": CARD, "CPOPartnerSessionID": "cpo-1", **fields}


async def _card_of_e1(bridge: Bridged) -> None:
    path = f"/ocpi/2.3.0/receiver/tokens/NL/EEE/{UID}"
    await bridge.world.ask("PUT", path, by="e1", body=token("2.3.0", uid=UID, whitelist="NEVER"))


def _emsp_says(allowed: str) -> Any:
    def script(sent: Sent) -> Any:
        assert sent.path == (UID, "authorize")
        return {"allowed": allowed, "token": token("2.3.0", uid=UID), "authorization_reference": "ref-of-e1"}

    return script


async def test_a_driver_of_an_ocpi_emsp_may_charge_at_an_oicp_cpo(bridge: Bridged) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp_says("ALLOWED")
    said = await bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")
    assert (said["AuthorizationStatus"], said["ProviderID"]) == ("Authorized", "NL-EEE")
    row = await bridge.oicp.bridge.ledger.get(said["SessionID"])
    assert (row.state, row.cpo, row.emp_party, row.reference) == (PENDING, "abc", "NL*EEE", "ref-of-e1")
    assert said["CPOPartnerSessionID"] == "cpo-1"


@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        ("BLOCKED", Code.CONTRACT_LOCKED),
        ("EXPIRED", Code.CONTRACT_LOCKED),
        ("NO_CREDIT", Code.CONTRACT_LOCKED),
        ("NOT_ALLOWED", Code.NOBODY_POSITIVE),
    ],
)
async def test_each_refusal_of_an_emsp_has_its_code(bridge: Bridged, allowed: str, code: Code) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp_says(allowed)
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("identification", "code"),
    [
        (CARD, Code.UNKNOWN_CARD),
        ({"PlugAndChargeIdentification": {"EvcoID": "FR-XYZ-C00000001-1"}}, Code.UNKNOWN_CONTRACT),
        ({"QRCodeIdentification": {"EvcoID": "NL-EEE-C00000001-1", "PIN": "1234"}}, Code.WRONG_PIN),
    ],
)
async def test_a_driver_whom_nobody_knows_is_refused_by_his_medium(
    bridge: Bridged, identification: dict[str, Any], code: Code
) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStart", _start(Identification=identification), id="DE*ABC")
    assert refused.value.code is code


async def test_a_cpo_asks_at_its_own_evses_alone(bridge: Bridged) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStart", _start(EvseID="DE*XYZ*E1"), id="DE*ABC")
    assert refused.value.code is Code.FOREIGN_EVSE


async def test_only_what_started_a_session_stops_it(bridge: Bridged) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await bridge.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _emsp_says("ALLOWED")
    begun = await bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")
    stop = {"OperatorID": "DE*ABC", "SessionID": begun["SessionID"], "Identification": CARD}
    assert (await bridge.ask("abc", "AuthorizeStop", stop, id="DE*ABC"))["AuthorizationStatus"] == "Authorized"
    other = {**stop, "Identification": {"RFIDMifareFamilyIdentification": {"UID": "FFFFFFFF"}}}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "AuthorizeStop", other, id="DE*ABC")
    assert refused.value.code is Code.UNKNOWN_CARD
    with pytest.raises(Refused) as refused:
        await bridge.ask("xyz", "AuthorizeStop", {**stop, "OperatorID": "DE*XYZ"}, id="DE*XYZ")
    assert refused.value.code is Code.SESSION_INVALID


def _emp_says(code: str, **fields: Any) -> Any:
    status = "Authorized" if code == "000" else "NotAuthorized"
    return lambda asked: {"AuthorizationStatus": status, "StatusCode": {"Code": code}, **fields}


@pytest.fixture
async def alone(sqlite_url: str) -> AsyncIterator[Bridged]:
    """A hub with one CPO of OCPI, c1: who is asked for an unknown card is the one who joins."""
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        yield made


async def _asked_by_c1(bridge: Bridged) -> Any:
    return await bridge.world.ask("POST", f"/ocpi/2.3.0/sender/tokens/{UID}/authorize", by="c1")


async def test_an_ocpi_cpo_asks_an_emp_of_oicp_and_gets_a_session_id_as_reference(alone: Bridged) -> None:
    await alone.connect("dcb", "emp", provider_ids=("DE-DCB",))
    alone.client.script = _emp_says("000", ProviderID="DE-DCB")
    said = await _asked_by_c1(alone)
    assert (said.code, said.data["allowed"]) == (1000, "ALLOWED")
    assert said.data["token"]["contract_id"] == f"DE-DCB-{UID}"
    asked = alone.client.of("AuthorizeStart")[0]
    assert (asked["OperatorID"], asked["Identification"]) == ("BE*AAA", CARD)
    assert asked["SessionID"] == said.data["authorization_reference"]
    row = await alone.oicp.bridge.ledger.get(asked["SessionID"])
    assert (row.emp, row.emp_party, row.state) == ("dcb", "DE*DCB", PENDING)


async def test_a_hub_where_we_are_no_operator_is_asked_about_no_card(alone: Bridged) -> None:
    await alone.connect("far", "hub", party="DE*FAR", provider_ids=("DE-BSB",))
    said = await _asked_by_c1(alone)
    assert (said.http, said.code) == (404, 2004)
    assert alone.client.asked == []


async def test_a_provider_that_comes_to_light_behind_a_hub_is_known_from_then_on(alone: Bridged) -> None:
    await alone.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    session = "b2688855-7f00-0002-6d8e-48d883f6abb6"
    alone.client.script = _emp_says("000", ProviderID="DE-8EO", SessionID=session)
    said = await _asked_by_c1(alone)
    assert (said.data["allowed"], said.data["token"]["party_id"]) == ("ALLOWED", "8EO")
    assert said.data["authorization_reference"] == session
    assert "SessionID" not in alone.client.of("AuthorizeStart")[0]
    assert "DE*8EO" in alone.world.partner("hbs").parties


USED = "f98efba4-02d8-4fa0-b810-9a9d50d2c527"


@pytest.mark.parametrize("named", ["", "x", "../a b", USED, USED.upper()])
@pytest.mark.parametrize("is_over", [False, True])
async def test_a_yes_under_a_session_id_that_is_none_or_anothers_is_no_yes(
    alone: Bridged, named: str, is_over: bool
) -> None:
    await alone.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",), provider_ids=("DE-BSB",))
    now = alone.world.hub.clock.now()
    taken = OicpSession(id=USED, emp="hbs", cpo_party="BE*AAA", token={"uid": "ANOTHER"}, opened=now)
    await alone.oicp.bridge.ledger.open(taken.closed() if is_over else taken)
    alone.client.script = _emp_says("000", ProviderID="DE-8EO", SessionID=named)
    said = await _asked_by_c1(alone)
    assert (said.http, said.code) == (200, 4003)
    assert (await alone.oicp.bridge.ledger.get(USED)).token == {"uid": "ANOTHER"}


@pytest.mark.parametrize(
    ("ours", "spoken"), [(("DE*BSB",), "DE*BSB"), (("DE*BSB", "BEAAA"), "BEAAA"), (("+0*1", "BE*AAA"), "BE*AAA")]
)
async def test_a_cpo_asks_at_a_hub_under_its_own_operator_id_where_that_is_one_of_ours(
    alone: Bridged, ours: tuple[str, ...], spoken: str
) -> None:
    await alone.connect("hbs", "hub", party="DE*HBS", operator_ids=ours)
    alone.client.script = _emp_says("102")
    await _asked_by_c1(alone)
    [asked] = [each for each in alone.client.asked if each.operation == "AuthorizeStart"]
    assert (asked.id, asked.message["OperatorID"]) == (spoken, spoken)


@pytest.mark.parametrize(
    ("code", "http", "ocpi", "allowed"),
    [
        ("102", 404, 2004, None),
        ("103", 404, 2004, None),
        ("200", 200, 1000, "BLOCKED"),
        ("106", 200, 1000, "NOT_ALLOWED"),
        ("210", 200, 1000, "NOT_ALLOWED"),
        ("999", 200, 1000, "NOT_ALLOWED"),
    ],
)
async def test_each_refusal_of_oicp_is_said_in_ocpi(
    alone: Bridged, code: str, http: int, ocpi: int, allowed: str | None
) -> None:
    await alone.connect("dcb", "emp", provider_ids=("DE-DCB",))
    alone.client.script = _emp_says(code)
    said = await _asked_by_c1(alone)
    assert (said.http, said.code) == (http, ocpi)
    assert allowed is None or said.data["allowed"] == allowed


async def test_silence_of_an_emp_is_no_answer_about_the_driver(alone: Bridged) -> None:
    await alone.connect("dcb", "emp", provider_ids=("DE-DCB",))

    def silent(asked: Asked) -> Any:
        raise PeerTimeout

    for script in (silent, _emp_says("310"), _emp_says("021")):
        alone.client.script = script
        said = await _asked_by_c1(alone)
        assert said.code >= 3000


async def test_all_emps_of_oicp_are_asked_about_a_card_of_which_nothing_is_known(bridge: Bridged) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    for name in ("dcb", "raw"):
        await bridge.connect(name, "emp", provider_ids=(f"DE-{name.upper()}",))
    bridge.client.script = _emp_says("102")
    assert await _code(bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")) is Code.UNKNOWN_CARD
    assert len(bridge.client.of("AuthorizeStart")) == 2


async def test_a_contract_of_a_provider_that_is_not_here_is_put_to_no_other(bridge: Bridged) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await bridge.connect("raw", "emp", provider_ids=("DE-RAW",))
    bridge.client.script = _emp_says("000", ProviderID="DE-RAW")
    contract = {"PlugAndChargeIdentification": {"EvcoID": "DE-NOC-C00000001-0"}}
    asked = bridge.ask("abc", "AuthorizeStart", _start(Identification=contract), id="DE*ABC")
    assert await _code(asked) is Code.UNKNOWN_CONTRACT
    assert bridge.client.asked == []
    assert bridge.world.peers.sent == []


async def _code(asked: Any) -> Code:
    with pytest.raises(Refused) as refused:
        await asked
    return refused.value.code


async def test_a_card_that_oicp_cannot_write_is_not_asked_about(alone: Bridged) -> None:
    await alone.connect("dcb", "emp", provider_ids=("DE-DCB",))
    said = await alone.world.ask("POST", "/ocpi/2.3.0/sender/tokens/CARD-OF-PAPER/authorize", by="c1")
    assert (said.http, said.code) == (404, 2004)
    assert alone.client.asked == []


async def test_between_two_partners_of_oicp_one_session_id_serves_both(alone: Bridged) -> None:
    await alone.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await alone.connect("dcb", "emp", provider_ids=("DE-DCB",))
    alone.client.script = _emp_says("000", ProviderID="DE-DCB", EMPPartnerSessionID="emp-1")
    said = await alone.ask("abc", "AuthorizeStart", _start(PartnerProductID="AC1"), id="DE*ABC")
    asked = alone.client.of("AuthorizeStart")[0]
    assert said["SessionID"] == asked["SessionID"]
    assert (asked["CPOPartnerSessionID"], asked["PartnerProductID"]) == ("cpo-1", "AC1")
    assert said["EMPPartnerSessionID"] == "emp-1"
    row = await alone.oicp.bridge.ledger.get(said["SessionID"])
    assert (row.cpo, row.emp) == ("abc", "dcb")


def _says_with(http: int, status_code: int | None) -> Any:
    def script(sent: Sent) -> Any:
        raise PeerRefused("often", http=http, status_code=status_code)

    return script


@pytest.mark.parametrize("status_code", [None, 2000, 2001, 3000])
@pytest.mark.parametrize("http", [408, 429, 500, 503])
async def test_an_emsp_that_fails_or_has_too_much_to_do_is_silent_and_says_no_no(
    bridge: Bridged, http: int, status_code: int | None
) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _says_with(http, status_code)
    assert await _code(bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")) is Code.PARTNER_SILENT


@pytest.mark.parametrize(
    ("status_code", "code"),
    [
        (2002, Code.NOBODY_POSITIVE),
        (2004, Code.UNKNOWN_CARD),
        (3000, Code.PARTNER_SILENT),
    ],
)
async def test_what_an_emsp_says_with_http_200_is_its_word(bridge: Bridged, status_code: int, code: Code) -> None:
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await _card_of_e1(bridge)
    bridge.world.peers.script = _says_with(200, status_code)
    assert await _code(bridge.ask("abc", "AuthorizeStart", _start(), id="DE*ABC")) is code
