"""Credentials in 2.1.1 and 2.2.1 (credentials)."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.errors import InvalidRequest
from modules.credentials.wire import CREDENTIALS

URL = "https://example.com/ocpi/versions"


def role(name: str, party: str = "DE*HUB") -> dict[str, Any]:
    country_code, party_id = party.split("*")
    return {
        "role": name,
        "business_details": {"name": party},
        "party_id": party_id,
        "country_code": country_code,
    }


def credentials(*roles: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"token": "a-token", "url": URL, "roles": list(roles), **more}


def test_a_hub_of_2_2_1_is_a_hub_without_clients_of_ours() -> None:
    hub = CREDENTIALS["2.2.1"].read(credentials(role("HUB")))
    assert hub.hub_party_id == "DEHUB"
    assert [each.role for each in hub.roles] == ["OTHER"]
    assert CREDENTIALS["2.2.1"].write(hub.tree()) == (credentials(role("HUB")), ())


def test_a_hub_shows_itself_and_nobody_else_to_2_2_1() -> None:
    ours = credentials(role("CPO", "NL*ABC"), role("EMSP", "NL*XYZ"), hub_party_id="DEHUB")
    written, losses = CREDENTIALS["2.2.1"].write(ours)
    assert [(each["role"], each["country_code"], each["party_id"]) for each in written["roles"]] == [
        ("HUB", "DE", "HUB")
    ]
    assert [loss.pointer for loss in losses] == ["/roles/0", "/roles/1"]


def test_a_platform_that_is_no_hub_is_the_same_in_2_2_1() -> None:
    ours = credentials(role("CPO", "NL*ABC"), role("EMSP", "NL*ABC"))
    assert CREDENTIALS["2.2.1"].write(ours) == (ours, ())


def test_our_form_has_no_role_of_a_hub() -> None:
    with pytest.raises(InvalidRequest, match="/roles/0/role: "):
        CREDENTIALS["2.3.0"].read(credentials(role("HUB")))


def test_2_1_1_is_flat_and_does_what_its_url_says() -> None:
    flat = {
        "token": "a-token",
        "url": URL,
        "business_details": {"name": "NL*ABC"},
        "party_id": "ABC",
        "country_code": "NL",
    }
    read = CREDENTIALS["2.1.1"].read(flat, given={"role": "CPO"})
    assert read.tree() == credentials(role("CPO", "NL*ABC"))
    assert CREDENTIALS["2.1.1"].write(read.tree()) == (flat, ())


def test_2_1_1_holds_one_party_of_several() -> None:
    ours = credentials(role("CPO", "NL*ABC"), role("CPO", "NL*XYZ"))
    written, losses = CREDENTIALS["2.1.1"].write(ours, context={"party": "NL*XYZ"})
    assert written["party_id"] == "XYZ"
    assert [loss.pointer for loss in losses] == ["/roles/0"]


@pytest.mark.parametrize("token", ["", "a b", "x" * 65, "tok\n"])
def test_a_token_is_one_word_of_at_most_64_characters(token: str) -> None:
    with pytest.raises(InvalidRequest, match="/token: ") as fault:
        CREDENTIALS["2.3.0"].read({**credentials(role("CPO")), "token": token})
    assert not token or token not in fault.value.message


def test_a_token_does_not_show() -> None:
    assert "a-token" not in repr(CREDENTIALS["2.3.0"].read(credentials(role("CPO"))))


def test_a_role_is_known_by_party_and_what_it_does() -> None:
    read = CREDENTIALS["2.3.0"].read(credentials(role("CPO"), role("EMSP")))
    assert [each.key for each in read.roles] == ["DE*HUB/cpo", "DE*HUB/emsp"]
