"""Ids are read in every spelling that is met, compared in one, and written as a partner wants them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.countries import ALPHA_3
from hub.core.parties import Party
from partners.oicp.ids import (
    EvcoID,
    EvseID,
    InvalidId,
    OperatorID,
    OperatorStyle,
    ProviderID,
    ProviderStyle,
    UnknownCountry,
    canonical_pool,
    card_uid,
    fitting,
    folded_uid,
    from_path,
    in_path,
    is_session_id,
    written,
)
from partners.oicp.ids.dial_codes import COUNTRIES, DIAL_CODES
from tests.partners.oicp.laws import BOUNDED

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
COUNTRY = st.text(LETTERS, min_size=2, max_size=2)
CODE = st.text(LETTERS + DIGITS, min_size=3, max_size=3)
ISO_OPERATORS = st.builds(OperatorID, COUNTRY, CODE)
DIN_OPERATORS = st.builds(OperatorID, st.sampled_from(sorted(COUNTRIES)), st.text(DIGITS, min_size=3, max_size=3))
OPERATORS = ISO_OPERATORS | DIN_OPERATORS
EVSES = st.builds(EvseID, ISO_OPERATORS, st.text(LETTERS + DIGITS + "*", min_size=1, max_size=30)) | st.builds(
    EvseID, DIN_OPERATORS, st.text(DIGITS + "*", min_size=1, max_size=32)
)
REAL_EVSES = EVSES.filter(lambda evse: bool(evse.outlet.strip("*")))
CONTRACTS = st.builds(
    lambda country, code, instance, check: EvcoID("ISO", country, code, f"C{instance}", check),
    COUNTRY,
    CODE,
    st.text(LETTERS + DIGITS, min_size=8, max_size=8),
    st.sampled_from(["", *LETTERS, *DIGITS]),
) | st.builds(
    lambda country, code, instance, check: EvcoID("DIN", country, code, instance, check),
    COUNTRY,
    CODE,
    st.text(LETTERS + DIGITS, min_size=6, max_size=6),
    st.sampled_from(["", *DIGITS, "X"]),
)


@BOUNDED
@given(operator=OPERATORS)
def test_an_operator_that_is_written_is_read_as_the_same(operator: OperatorID) -> None:
    assert OperatorID.parse(str(operator)) == operator
    assert OperatorID.parse(operator.canonical) == operator
    assert OperatorID.parse(f" {str(operator).lower()} ") == operator


@BOUNDED
@given(evse=REAL_EVSES)
def test_an_evse_that_is_written_is_read_as_the_same(evse: EvseID) -> None:
    assert EvseID.parse(str(evse)) == evse
    assert EvseID.parse(str(evse).lower()) == evse


@BOUNDED
@given(evse=REAL_EVSES)
def test_the_canonical_form_of_an_evse_is_its_own_canonical_form(evse: EvseID) -> None:
    again = EvseID.parse(evse.canonical)
    assert again.canonical == evse.canonical
    assert again.operator == evse.operator
    assert again.uid == evse.uid


@BOUNDED
@given(evse=REAL_EVSES)
def test_the_uid_of_an_evse_fits_ocpi(evse: EvseID) -> None:
    assert 0 < len(evse.uid) <= 36


@BOUNDED
@given(contract=CONTRACTS)
def test_a_contract_that_is_written_is_read_as_the_same(contract: EvcoID) -> None:
    assert EvcoID.parse(str(contract)) == contract
    assert EvcoID.parse(contract.canonical).canonical == contract.canonical
    assert EvcoID.parse(contract.canonical) == contract.complete


@BOUNDED
@given(contract=CONTRACTS.filter(lambda contract: not contract.check))
def test_a_contract_without_a_check_digit_gets_the_right_one(contract: EvcoID) -> None:
    assert contract.complete.is_checked


def refusal(parse: Callable[[str], object], text: str) -> str:
    """What is said of a text that is no id; nothing of one that is."""
    try:
        parse(text)
    except InvalidId as fault:
        return fault.message
    return ""


@BOUNDED
@given(text=st.text(min_size=8, max_size=40))
@pytest.mark.parametrize("parse", [OperatorID.parse, ProviderID.parse, EvseID.parse, EvcoID.parse, card_uid])
def test_any_text_is_an_id_or_refused_without_being_told(parse: Callable[[str], object], text: str) -> None:
    assert text not in refusal(parse, text)


@pytest.mark.parametrize("text", ["DE*ABC", "DEABC", "de*abc", "DE-ABC"])
def test_an_operator_is_read_in_every_spelling(text: str) -> None:
    assert OperatorID.parse(text).party() == Party("DE", "ABC")


@pytest.mark.parametrize("text", ["+49*810", "49*810"])
def test_an_operator_of_din_is_the_party_of_its_country(text: str) -> None:
    operator = OperatorID.parse(text)
    assert operator.party() == Party("DE", "810")
    assert OperatorID.of(Party("DE", "810"), "+49*810") == operator


@pytest.mark.parametrize("text", ["+1*123", "+7*123", "+39*123", "+44*123", "+999*123"])
def test_a_calling_code_that_names_no_one_country_is_refused(text: str) -> None:
    with pytest.raises(UnknownCountry):
        OperatorID.parse(text).party()


@pytest.mark.parametrize("key", ["44", "+44*123"])
def test_configuration_says_to_which_country_a_shared_calling_code_belongs(key: str) -> None:
    assert OperatorID.parse("+44*123").party({key: "gb"}) == Party("GB", "123")


def test_configuration_that_names_no_country_says_nothing() -> None:
    with pytest.raises(UnknownCountry):
        OperatorID.parse("+44*123").party({"44": "UK"})


@pytest.mark.parametrize("party", [Party("DE", "ABC"), Party("ZZ", "810")])
def test_a_party_that_has_no_id_of_din_is_not_given_one(party: Party) -> None:
    with pytest.raises(InvalidId):
        OperatorID.of(party, "+49*810")


def test_no_calling_code_begins_with_another_one_and_all_name_countries() -> None:
    for code, countries in COUNTRIES.items():
        assert not [other for other in COUNTRIES if other != code and other.startswith(code)]
        assert set(countries) <= ALPHA_3.keys()
    assert all(country in COUNTRIES[code] for country, code in DIAL_CODES.items())


@pytest.mark.parametrize(("style", "wanted"), [("DE*ABC", "DE*ABC"), ("DEABC", "DEABC"), ("+49*810", "DE*ABC")])
def test_an_operator_is_written_as_a_partner_wants_it(style: OperatorStyle, wanted: str) -> None:
    assert OperatorID("DE", "ABC").styled(style) == wanted
    assert OperatorID("49", "810").styled(style) == "+49*810"


@pytest.mark.parametrize(("style", "wanted"), [("DE-DCB", "DE-DCB"), ("DEDCB", "DEDCB"), ("DE*DCB", "DE*DCB")])
def test_a_provider_is_written_as_a_partner_wants_it(style: ProviderStyle, wanted: str) -> None:
    assert ProviderID.of(Party("DE", "DCB")).styled(style) == wanted


@pytest.mark.parametrize("text", ["DE-8EO", "DE8EO", "DE*8EO", "de|8eo"])
def test_a_provider_is_read_in_every_spelling(text: str) -> None:
    assert ProviderID.parse(text).party() == Party("DE", "8EO")


@pytest.mark.parametrize("text", ["DE-8EO-extra", "*", "*anything", "DE8E", ""])
def test_what_is_no_provider_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        ProviderID.parse(text)


@pytest.mark.parametrize("text", ["DE*AB7*E840*6487", "DEAB7E8406487", "de*ab7*e840*6487", "DE-AB7-E840*6487"])
def test_spellings_of_one_evse_are_one(text: str) -> None:
    evse = EvseID.parse(text)
    assert evse.canonical == "DEAB7E8406487"
    assert evse.uid == "DEAB7E8406487"
    assert evse.operator.party() == Party("DE", "AB7")


@pytest.mark.parametrize("text", ["+49*810*000*438", "49*810*000438"])
def test_spellings_of_one_evse_of_din_are_one(text: str) -> None:
    evse = EvseID.parse(text)
    assert evse.canonical == "+49*810*000438"
    assert evse.uid == "49810000438"


@pytest.mark.parametrize("text", ["DE*AB7*840", "DE*AB7*E", "DE*AB7*E**", "49810000438", "", "DE*AB7*E1#2"])
def test_what_is_no_evse_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        EvseID.parse(text)


def test_an_evse_keeps_its_spelling_where_oicp_can_write_it() -> None:
    assert written("DEAB7E840*6487") == "DEAB7E840*6487"
    assert written("de-ab7-e840") == "DE*AB7*E840"


def test_ids_that_are_too_long_for_ocpi_stay_different() -> None:
    long = [EvseID.parse("+123*456*" + "9" * 31 + last).uid for last in "12"]
    assert len(set(long)) == 2
    assert all(len(uid) == 36 for uid in long)
    assert fitting("Ä pool") != fitting("Ö pool")


def test_spellings_of_one_pool_are_one() -> None:
    assert canonical_pool("it*123*p456*ab789") == canonical_pool("IT123P456AB789") == "IT123P456AB789"
    assert canonical_pool("no pool of ours") == "NO POOL OF OURS"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("DE-8EO-CAet5e4XY-3", "DE8EOCAET5E4XY3"),
        ("DE8EOCAet5e43X1", "DE8EOCAET5E43X1"),
        ("DE*8EO*Aet5e4*3", "DE8EOAET5E43"),
        ("DE8EOAet5e43", "DE8EOAET5E43"),
        ("NL-TNM-C00122045", "NLTNMC00122045K"),
        ("NL-TNM-012204", "NLTNM0122045"),
    ],
)
def test_a_contract_is_read_in_every_spelling(text: str, canonical: str) -> None:
    contract = EvcoID.parse(text)
    assert contract.canonical == canonical
    assert contract.party() == Party(text[:2], canonical[2:5])


def test_a_check_digit_that_came_is_kept_and_judged() -> None:
    wrong = EvcoID.parse("NL-TNM-C00122045-X")
    assert not wrong.is_checked
    assert str(wrong.complete) == "NL-TNM-C00122045-X"
    assert EvcoID.parse("NL-TNM-C00122045-K").is_checked


@pytest.mark.parametrize("text", ["04a1b2c3d4e5f6", "04:A1:B2:C3:D4:E5:F6", "04-a1-b2-c3-d4-e5-f6"])
def test_a_card_is_written_in_one_spelling(text: str) -> None:
    assert card_uid(text) == "04A1B2C3D4E5F6"


def test_the_bytes_of_a_card_are_turned_round_for_who_reads_them_so() -> None:
    assert card_uid("04A1B2C3", is_reversed=True) == "C3B2A104"


@pytest.mark.parametrize("text", ["AFFH1768", "12345ABCD", "04A1B2", ""])
def test_a_card_whose_number_oicp_cannot_write_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        card_uid(text)
    assert folded_uid(text) == text


def test_a_session_id_has_the_shape_of_a_guid() -> None:
    assert is_session_id("b2688855-7f00-0002-6d8e-48d883f6abb6")
    assert not is_session_id("b2688855")


@pytest.mark.parametrize("text", ["DE*ABC", "+49*810", "DE-DCB"])
def test_an_id_survives_a_path_written_raw_or_encoded(text: str) -> None:
    assert from_path(text) == text
    assert from_path(in_path(text)) == text
