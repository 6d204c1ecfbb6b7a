"""Who it is: cards and contracts in either protocol's words, never more than was said."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given

from hub.core.parties import Party
from modules.tokens.model import AllowedType
from modules.tokens.wire import TOKEN
from partners.oicp.answers import Code
from partners.oicp.mapping import authorization
from partners.oicp.mapping.authorization import Verdict
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Terms
from partners.oicp.mapping.tokens import (
    MEDIA,
    Medium,
    asked_about,
    data_record_of,
    expires_at,
    identification_of,
    is_synthetic,
    medium_of,
    remote_identification,
    token_of,
)
from partners.oicp.wire import IdentificationType, write
from partners.oicp.wire.message import forms
from tests.laws.objects import objects
from tests.partners.oicp.laws import BOUNDED
from tests.partners.oicp.mapping.ocpi import WHEN
from tests.partners.oicp.messages import messages

TERMS = Terms()
DCB = Party("DE", "DCB")
TOKEN_OF_A_CARD: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "DCB",
    "uid": "04A1B2C3",
    "type": "RFID",
    "contract_id": "DE-DCB-C12345678-4",
    "visual_number": "9876655",
    "issuer": "DE-DCB",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": WHEN,
}


def token(**fields: Any) -> dict[str, Any]:
    return {**TOKEN_OF_A_CARD, **fields}


def test_every_way_to_show_who_it_is_has_a_row() -> None:
    assert set(MEDIA) == set(forms(IdentificationType))


def test_a_card_in_authentication_data_comes_back_as_it_was() -> None:
    mapped = data_record_of(token(), TERMS)
    assert mapped.lost == ("/issuer",)
    identification = write(IdentificationType, mapped.value["Identification"])
    assert token_of(identification, DCB, received=WHEN).value == token()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "EMAID"}, "PlugAndChargeIdentification"),
        ({"type": "APP_USER"}, "RemoteIdentification"),
        ({"type": "OTHER"}, "RemoteIdentification"),
    ],
)
def test_others_are_named_by_their_contract(fields: dict[str, Any], field: str) -> None:
    assert identification_of(token(**fields)) == {field: {"EvcoID": "DE-DCB-C12345678-4"}}


@pytest.mark.parametrize("contract", ["DE-DCB-C12345678", "DEDCBC12345678", "de-dcb-c12345678"])
def test_a_missing_check_digit_is_computed_for_an_order(contract: str) -> None:
    assert remote_identification(token(contract_id=contract)) == {
        "RemoteIdentification": {"EvcoID": "DE-DCB-C12345678-4"}
    }


@pytest.mark.parametrize("contract", ["customer 17", "NL-TNM-000122045-U"])
def test_an_order_for_what_is_no_contract_of_oicp_is_not_said(contract: str) -> None:
    with pytest.raises(NotSayable):
        remote_identification(token(contract_id=contract))


@pytest.mark.parametrize(
    "fields", [{"valid": False}, {"uid": "0123456"}, {"type": "AD_HOC_USER"}, {"type": "APP_USER", "contract_id": "x"}]
)
def test_what_nobody_in_oicp_can_know_is_not_told(fields: dict[str, Any]) -> None:
    with pytest.raises(NotSayable):
        data_record_of(token(**fields), TERMS)


def test_a_card_whose_contract_cannot_be_written_is_told_without_it() -> None:
    mapped = data_record_of(token(contract_id="customer 17"), TERMS)
    assert "/contract_id" in mapped.lost
    assert "EvcoID" not in mapped.value["Identification"]["RFIDIdentification"]


def test_a_card_that_only_its_number_is_known_of_gets_a_contract_that_is_never_told() -> None:
    card = token_of({"RFIDMifareFamilyIdentification": {"UID": "04a1b2c3"}}, DCB, received=WHEN).value
    assert card["uid"] == "04A1B2C3"
    assert card["contract_id"] == "DE-DCB-04A1B2C3"
    assert card["whitelist"] == "NEVER"
    assert is_synthetic(card)
    with pytest.raises(NotSayable):
        remote_identification(card)


def test_a_qr_code_allows_nothing() -> None:
    code = {"QRCodeIdentification": {"EvcoID": "DE-DCB-C12345678-4", "PIN": "1234"}}
    with pytest.raises(NotSayable):
        medium_of(code)


def test_of_several_ways_the_first_that_the_operation_knows_counts() -> None:
    both = {
        "RemoteIdentification": {"EvcoID": "DE-DCB-C12345678-4"},
        "RFIDMifareFamilyIdentification": {"UID": "04A1B2C3"},
    }
    assert medium_of(both) == Medium("rfid", "RFID", "04A1B2C3", Code.UNKNOWN_CARD)


def test_the_bytes_of_a_card_are_turned_for_who_reads_them_so_and_back() -> None:
    turned = Terms(reverses_uids=True)
    asked = asked_about("04A1B2C3", "RFID", turned)
    assert asked == {"RFIDMifareFamilyIdentification": {"UID": "C3B2A104"}}
    assert medium_of(asked, turned).uid == "04A1B2C3"


@pytest.mark.parametrize(
    ("expiry", "valid"), [("2026-03-01T11:00:01+01:00", True), ("2026-03-01T11:00:00+01:00", False)]
)
def test_a_card_is_valid_until_it_expires(expiry: str, valid: bool) -> None:
    card = {"RFIDIdentification": {"UID": "04A1B2C3", "RFID": "nfc", "ExpiryDate": expiry}}
    assert token_of(card, DCB, received=WHEN).value["valid"] is valid
    assert expires_at(card).startswith("2026-03-01T10:00:0")


@BOUNDED
@given(identification=messages(IdentificationType))
def test_any_identification_is_a_valid_token_or_none(identification: dict[str, Any]) -> None:
    try:
        mapped = token_of(identification, DCB, received=WHEN)
    except NotSayable:
        return
    assert TOKEN["2.3.0"].read(mapped.value).tree() == mapped.value


@BOUNDED
@given(drawn=objects(TOKEN["2.3.0"].form))
def test_any_token_is_a_message_of_oicp_or_none(drawn: dict[str, Any]) -> None:
    tree = TOKEN["2.3.0"].read({**drawn, "country_code": "DE", "party_id": "DCB"}).tree()
    for say in (lambda: data_record_of(tree, TERMS).value["Identification"], lambda: identification_of(tree)):
        try:
            said = say()
        except NotSayable:
            continue
        write(IdentificationType, said)


def test_every_answer_of_ocpi_has_a_code_and_every_code_a_meaning() -> None:
    assert set(authorization.CODES) == set(get_args(get_args(AllowedType)[0]))
    assert set(authorization.VERDICTS) == set(Code)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("102", Verdict.UNKNOWN),
        ("105", Verdict.UNKNOWN),
        ("200", Verdict.BLOCKED),
        ("106", Verdict.NOT_ALLOWED),
        ("210", Verdict.NOT_ALLOWED),
        ("310", Verdict.SILENT),
        ("021", Verdict.BROKEN),
        ("999", Verdict.NOT_ALLOWED),
        ("", Verdict.NOT_ALLOWED),
        ("000", Verdict.NOT_ALLOWED),
    ],
)
def test_a_refusal_means_what_its_code_says(code: str, verdict: Verdict) -> None:
    assert authorization.verdict_of({"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": code}}) is verdict


def test_only_a_yes_with_a_yes_is_a_yes() -> None:
    def answer(code: str) -> dict[str, Any]:
        return {"AuthorizationStatus": "Authorized", "StatusCode": {"Code": code}}

    assert authorization.verdict_of(answer("000")) is Verdict.ALLOWED
    assert authorization.verdict_of(answer("200")) is Verdict.BLOCKED
    assert authorization.verdict_of({"AuthorizationStatus": "Authorized"}) is Verdict.ALLOWED
    assert authorization.verdict_of({}) is Verdict.BROKEN


@pytest.mark.parametrize(
    ("allowed", "code", "info"),
    [
        ("ALLOWED", Code.SUCCESS, ""),
        ("EXPIRED", Code.CONTRACT_LOCKED, "EXPIRED"),
        ("NOT_ALLOWED", Code.NOBODY_POSITIVE, "NOT_ALLOWED"),
    ],
)
def test_an_answer_of_ocpi_has_a_code_and_its_own_word_beside_it(allowed: str, code: Code, info: str) -> None:
    assert authorization.code_of_answer({"allowed": allowed}) == (code, info)


@pytest.mark.parametrize(
    ("http", "ocpi_code", "code"),
    [
        (404, 2004, Code.UNKNOWN_CARD),
        (200, 2004, Code.UNKNOWN_CARD),
        (200, 2002, Code.NOBODY_POSITIVE),
        (200, 4002, Code.PARTNER_SILENT),
        (500, 3000, Code.PARTNER_SILENT),
    ],
)
def test_an_error_of_ocpi_has_a_code(http: int, ocpi_code: int, code: Code) -> None:
    card = Medium("rfid", "RFID", "04A1B2C3", Code.UNKNOWN_CARD)
    assert authorization.code_of_error(http, ocpi_code, card) is code


def test_a_yes_names_the_session() -> None:
    yes = authorization.allowed("s", "DE-DCB", CPOPartnerSessionID="", EMPPartnerSessionID="e")
    assert list(yes) == ["SessionID", "EMPPartnerSessionID", "ProviderID", "AuthorizationStatus", "StatusCode"]


@pytest.mark.parametrize(
    ("uid", "token_type", "contract"),
    [("04A1B2C3", "RFID", "DE-DCB-04A1B2C3"), ("DE-DCB-C12345678-4", "EMAID", "DE-DCB-C12345678-4")],
)
def test_the_token_behind_an_answer_is_the_provider_s(uid: str, token_type: str, contract: str) -> None:
    tree = authorization.token_behind(DCB, uid, token_type, received=WHEN)
    assert tree["contract_id"] == contract
    assert TOKEN["2.3.0"].read(tree).tree() == tree
