"""A template of configuration: for whom it is, what it may hold, and what differs from it."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.errors import InvalidRequest
from partners.ocpp.desired.template import parsed

STATION = {"identity": "CP1", "vendor": "VendorX", "model": "M1 Plus", "firmware": "2.3"}


@pytest.mark.parametrize(
    ("patterns", "fits"),
    [
        ({"model": "m1*"}, True),
        ({"vendor": "vendorx", "model": "*", "firmware": "2.*"}, True),
        ({"vendor": "VendorX", "firmware": "3.*"}, False),
        ({"model": "M1"}, False),
    ],
)
def test_it_is_for_chargers_that_fit_all_its_patterns(patterns: dict[str, str], fits: bool) -> None:
    assert parsed({**patterns, "values": {"HeartbeatInterval": 60}}).fits(STATION) is fits


def test_a_charger_that_never_told_its_model_fits_only_what_is_for_all() -> None:
    unknown = {**STATION, "model": None}
    assert not parsed({"model": "M*", "values": {"A": 1}}).fits(unknown)
    assert parsed({"model": "*", "values": {"A": 1}}).fits(unknown)


def test_what_differs_is_told_in_its_order_and_booleans_in_any_case_are_equal() -> None:
    told = [
        {"name": "heartbeatinterval", "values": {"Actual": "60"}},
        {"name": "LocalPreAuthorize", "values": {"Actual": "True"}},
        {"name": "CpoName", "values": {}},
    ]
    wanted = {"LocalPreAuthorize": True, "Missing": "x", "CpoName": "us", "HeartbeatInterval": 300}
    assert parsed({"model": "*", "values": wanted}).drift(told) == [
        ("Missing", "x", None),
        ("CpoName", "us", None),
        ("HeartbeatInterval", "300", "60"),
    ]


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        ({"values": {"A": 1}}, "/model"),
        ({"model": 1, "values": {"A": 1}}, "/model"),
        ({"model": "*", "values": {}}, "/values"),
        ({"model": "*", "values": {"A": None}}, "/values/A"),
        ({"model": "*", "values": {"A.B:Target": "1"}}, "/values/A.B:Target"),
        ({"model": "*", "keys": {}, "values": {"A": 1}}, "/keys"),
    ],
)
def test_what_is_no_template_is_refused_where_it_is_wrong(tree: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed(tree)
    assert refused.value.message.startswith(f"{where}:")


@pytest.mark.parametrize("name", ["AuthorizationKey", "authorizationkey", "SecurityCtrlr.BasicAuthPassword"])
def test_a_secret_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed({"model": "*", "values": {name: "hush-hush"}})
    assert "hush-hush" not in refused.value.message
