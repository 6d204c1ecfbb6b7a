"""Versions and their details (version_information_endpoint)."""

from __future__ import annotations

import pytest

from modules.versions.wire import VERSION, VERSION_DETAILS

URL = "https://example.com/ocpi/cpo/2.1.1/x"


def details(*modules: str) -> dict[str, object]:
    return {"version": "2.1.1", "endpoints": [{"identifier": module, "url": URL} for module in modules]}


@pytest.mark.parametrize(
    ("party_role", "senders"),
    [("CPO", {"credentials", "locations", "cdrs"}), ("EMSP", {"credentials", "tokens", "commands"})],
)
def test_who_owns_the_data_of_a_2_1_1_module_follows_from_what_the_party_does(
    party_role: str, senders: set[str]
) -> None:
    tree = details("credentials", "locations", "cdrs", "tokens", "commands")
    read = VERSION_DETAILS["2.1.1"].read(tree, given={"party_role": party_role})
    assert {each.identifier for each in read.endpoints if each.role == "SENDER"} == senders


def test_the_role_that_the_caller_knows_is_taken() -> None:
    read = VERSION_DETAILS["2.1.1"].read(details("tokens"), given={"role": "SENDER"})
    assert read.endpoints[0].role == "SENDER"


def test_2_1_1_endpoints_have_no_role() -> None:
    ours = {"version": "2.1.1", "endpoints": [{"identifier": "tokens", "role": "SENDER", "url": URL}]}
    assert VERSION_DETAILS["2.1.1"].write(ours) == (details("tokens"), ())


def test_a_version_of_the_future_and_a_module_of_ones_own_are_read() -> None:
    assert VERSION["2.1.1"].read({"version": "3.0", "url": URL}).version == "3.0"
    endpoint = {"identifier": "nltnm-tokens", "role": "RECEIVER", "url": URL}
    assert VERSION_DETAILS["2.2.1"].read({"version": "2.2.1", "endpoints": [endpoint]}).tree()["endpoints"] == [
        endpoint
    ]
