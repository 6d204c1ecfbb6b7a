"""Tokens in 2.1.1 and 2.2.1 (mod_tokens)."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.dialect import Loss
from hub.core.errors import InvalidRequest
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

OWNER = {"country_code": "DE", "party_id": "TNM"}
TOKEN_211: dict[str, Any] = {
    "uid": "012345678",
    "type": "RFID",
    "auth_id": "DE8ACC12E46L89",
    "visual_number": "DF000-2001-8999",
    "issuer": "TheNewMotion",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2015-06-29T22:39:09Z",
}
OURS: dict[str, Any] = {
    **OWNER,
    **{name: value for name, value in TOKEN_211.items() if name != "auth_id"},
    "contract_id": "DE8ACC12E46L89",
}


def test_the_auth_id_of_2_1_1_is_our_contract_id() -> None:
    token = TOKEN["2.1.1"].read(TOKEN_211, given=OWNER)
    assert token.contract_id == "DE8ACC12E46L89"
    assert TOKEN["2.1.1"].write(token.tree()) == (TOKEN_211, ())


def test_a_token_is_known_by_party_type_and_uid() -> None:
    one = TOKEN["2.3.0"].read({**OURS, "uid": "abc"})
    other = TOKEN["2.3.0"].read({**OURS, "uid": "ABC", "country_code": "de"})
    assert one.key == other.key == "DE*TNM/rfid/abc"


@pytest.mark.parametrize(
    ("version", "kind", "sent"),
    [
        ("2.1.1", "APP_USER", "OTHER"),
        ("2.1.1", "EMAID", "OTHER"),
        ("2.2.1", "APP_USER", "APP_USER"),
        ("2.2.1", "EMAID", "OTHER"),
        ("2.2.1", "LICENSE_PLATE", "OTHER"),
        ("2.3.0", "LICENSE_PLATE", "LICENSE_PLATE"),
    ],
)
def test_a_type_the_version_lacks_is_other(version: str, kind: str, sent: str) -> None:
    written, losses = TOKEN[version].write({**OURS, "type": kind})
    assert written["type"] == sent
    assert [loss.pointer for loss in losses] == (["/type"] if sent != kind else [])


def test_what_2_1_1_lacks_is_told() -> None:
    ours = {**OURS, "group_id": "G1", "default_profile_type": "GREEN", "energy_contract": {"supplier_name": "x"}}
    written, losses = TOKEN["2.1.1"].write(ours)
    assert written == TOKEN_211
    assert [loss.pointer for loss in losses] == ["/group_id", "/default_profile_type", "/energy_contract"]


def test_a_part_needs_no_look_up() -> None:
    assert TOKEN["2.1.1"].read_patch({"auth_id": "X", "valid": False}) == {"contract_id": "X", "valid": False}


def test_the_token_of_an_answer_comes_from_the_cache_in_2_1_1() -> None:
    info = AUTHORIZATION_INFO["2.1.1"].read({"allowed": "ALLOWED"}, given={"token": OURS})
    assert info.token.uid == "012345678"
    assert AUTHORIZATION_INFO["2.1.1"].write(info.tree()) == ({"allowed": "ALLOWED"}, ())


def test_an_answer_without_its_token_is_refused_where_it_must_have_one() -> None:
    with pytest.raises(InvalidRequest, match="/token: Field required"):
        AUTHORIZATION_INFO["2.2.1"].read({"allowed": "ALLOWED"})


def test_connectors_of_a_reference_are_lost_upwards() -> None:
    losses: list[Loss] = []
    tree = {"location_id": "L", "evse_uids": ["E"], "connector_ids": ["1"]}
    read = LOCATION_REFERENCES["2.1.1"].read(tree, losses=losses)
    assert read.tree() == {"location_id": "L", "evse_uids": ["E"]}
    assert [loss.pointer for loss in losses] == ["/connector_ids"]
