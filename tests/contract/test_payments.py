"""Payments on both interfaces. OCPI mod_payments_interfaces_and_endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import PeerRefused
from hub.core.parties import PartyRole
from hub.core.registry import State
from modules.payments.store import CONFIRMATIONS, TERMINALS
from tests.world import Sent, World

TERMINALS_HERE = "receiver/payments/terminals"
ADVICE_HERE = "receiver/payments/financial-advice-confirmations"
OF_CPO = "sender/payments/terminals"
TO_C1 = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
NOW = "2026-05-04T10:00:00Z"


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


@pytest.fixture
async def ptp(world: World) -> World:
    """With the providers t1 and t2."""
    await world.join("t1", "NL*PTA", PartyRole.PTP)
    await world.join("t2", "NL*PTB", PartyRole.PTP)
    return world


def terminal(terminal_id: str = "T1", **fields: Any) -> dict[str, Any]:
    return {"terminal_id": terminal_id, "address": "Königstraße 1", "country": "AUT", "last_updated": NOW, **fields}


def advice(number: str = "F1", **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "authorization_reference": "pp-100",
        "total_costs": {"before_taxes": 5, "taxes": [{"name": "VAT", "amount": Decimal("0.95")}]},
        "currency": "EUR",
        "eft_data": ["Mastercard", "AID: A0000000041010", "Nr: **** **** **** 1234", "Amount: EUR 5.95"],
        "capture_status_code": "SUCCESS",
        "last_updated": NOW,
        **fields,
    }


async def test_a_terminal_is_new_once_and_read_back_by_its_provider(ptp: World) -> None:
    assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal())).http == 201
    async with ptp.unchanged():
        assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal())).http == 200
        older = terminal(city="Linz", last_updated="2026-05-04T09:00:00Z")
        assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=older)).code == 1000
    assert (await ptp.ask("GET", ptp.at(f"{TERMINALS_HERE}/t1"), by="t1")).data == terminal()


async def test_the_minimal_terminal_of_the_text_is_enough(ptp: World) -> None:
    assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body={"terminal_id": "T9"})).http == 201
    got = await ptp.ask("GET", ptp.at(f"{TERMINALS_HERE}/T9"), by="t1")
    assert got.data == {"terminal_id": "T9", "last_updated": "2026-05-04T10:00:00.000Z"} | {
        "last_updated": got.data["last_updated"]
    }
    said = await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body={"reference": "SN1"})
    assert (said.http, said.code) == (200, 2002)


async def test_a_confirmation_is_taken_with_a_price_of_either_form(ptp: World) -> None:
    as_in_examples = advice(total_costs={"excl_vat": 4, "incl_vat": 4.4}, eft_data=None, capture_status_code="FAILED")
    assert (await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=as_in_examples)).http == 201
    got = (await ptp.ask("GET", ptp.at(f"{ADVICE_HERE}/F1"), by="t1")).data
    assert got["total_costs"] == {"before_taxes": 4, "taxes": [{"name": "VAT", "amount": 0.4}]}
    later = advice(last_updated="2026-05-04T12:00:00Z")
    assert (await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=later)).http == 200
    assert (await ptp.ask("GET", ptp.at(f"{ADVICE_HERE}/F1"), by="t1")).data["capture_status_code"] == "SUCCESS"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (TERMINALS_HERE, terminal(country="AUSTRIA"), "/country"),
        (TERMINALS_HERE, terminal(location_ids=["L" * 37]), "/location_ids/0"),
        (TERMINALS_HERE, terminal(reference="4111 1111 1111 1111"), "/reference"),
        (TERMINALS_HERE, terminal(x_note={"a": ["4111111111111111"]}), "/x_note/a/0"),
        (ADVICE_HERE, advice(eft_data=["PAN 4111-1111-1111-1111 12/26"]), "/eft_data/0"),
        (ADVICE_HERE, advice(capture_status_message="card 5500000000000004 refused"), "/capture_status_message"),
        (ADVICE_HERE, advice(x_pan=4111111111111111), "/x_pan"),
        (ADVICE_HERE, advice(capture_status_code="PERHAPS"), "/capture_status_code"),
        (ADVICE_HERE, advice(authorization_reference=""), "/authorization_reference"),
        (ADVICE_HERE, "text", "/"),
    ],
)
async def test_a_bad_body_and_any_card_number_is_refused_without_effect(
    ptp: World, path: str, body: Any, pointer: str
) -> None:
    async with ptp.unchanged():
        said = await ptp.ask("POST", ptp.at(path), by="t1", body=body)
        assert (said.http, said.code) == (200, 2001)
        assert said.message.startswith(pointer)
        assert "4111" not in said.message


async def test_each_role_has_its_own_interface(ptp: World) -> None:
    async with ptp.unchanged():
        for by in ("c1", "e1"):
            for method, path in (("POST", TERMINALS_HERE), ("GET", f"{ADVICE_HERE}/F1"), ("POST", ADVICE_HERE)):
                said = await ptp.ask(method, ptp.at(path), by=by, body=advice() if method == "POST" else None)
                assert (said.http, said.code) == (403, 2000), (by, path)
        for by in ("t1", "e1"):
            for method, path in (("GET", OF_CPO), ("PATCH", f"{OF_CPO}/T1"), ("POST", f"{OF_CPO}/activate")):
                said = await ptp.ask(method, ptp.at(path), by=by, body={} if method != "GET" else None)
                assert (said.http, said.code) == (403, 2000), (by, path)


async def test_a_provider_sees_its_own_terminals_only(ptp: World) -> None:
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal())
    for by, path in (("t2", "T1"), ("t1", "T2")):
        said = await ptp.ask("GET", ptp.at(f"{TERMINALS_HERE}/{path}"), by=by)
        assert (said.http, said.code) == (404, 2000)
    assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t2", body=terminal(city="Graz"))).http == 201
    assert len(await ptp.documents(TERMINALS)) == 2


async def test_a_terminal_is_for_the_cpo_that_is_named_else_for_nobody(ptp: World) -> None:
    named = terminal("T2", country_code="BE", party_id="BBB")
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal("T1"), headers=TO_C1)
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=named)
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal("T3"))
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal("T4", country_code="DE", party_id="BSB"))
    assert await holders(ptp) == {"T1": "BE*AAA", "T2": "BE*BBB", "T3": "", "T4": "DE*BSB"}
    for by, ids in (("c1", ["T1"]), ("c2", ["T2"])):
        said = await ptp.ask("GET", ptp.at(OF_CPO), by=by)
        assert [each["terminal_id"] for each in said.data] == ids
        assert said.headers["x-total-count"] == "1"
    assert (await ptp.ask("GET", ptp.at(f"{OF_CPO}/T2"), by="c1")).http == 404
    assert (await ptp.ask("GET", ptp.at(f"{OF_CPO}/T1"), by="c1")).data["terminal_id"] == "T1"


async def holders(world: World) -> dict[str, str]:
    """The CPO that has each terminal, by id."""
    return {document.columns["id"]: document.audience for document in await world.documents(TERMINALS)}


@pytest.mark.parametrize("names", ["headers", "body"])
@pytest.mark.parametrize("same_time", [True, False])
async def test_a_later_post_names_the_cpo_of_a_terminal_that_nobody_has(
    ptp: World, names: str, same_time: bool
) -> None:
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal())
    body = terminal() if same_time else terminal(last_updated="2026-05-04T12:00:00Z")
    if names == "body":
        body |= {"country_code": "BE", "party_id": "AAA"}
    headers = TO_C1 if names == "headers" else ()
    said = await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=body, headers=headers)
    assert (said.http, said.code) == (200, 1000)
    assert (await ptp.ask("GET", ptp.at(f"{OF_CPO}/T1"), by="c1")).data == body
    assert "BE*AAA" in [row.change.audience for row in await ptp.store.changes(after=0, limit=100)]


async def test_a_terminal_is_not_taken_from_the_cpo_that_has_it(ptp: World) -> None:
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal(), headers=TO_C1)
    newer = {"last_updated": "2026-05-04T12:00:00Z"}
    to_c2 = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "BBB")]
    async with ptp.unchanged():
        for fields, headers in (({}, to_c2), ({"country_code": "BE", "party_id": "BBB"}, [])):
            said = await ptp.ask(
                "POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal(**newer, **fields), headers=headers
            )
            assert (said.http, said.code) == (200, 2001), fields
            assert "BE*AAA has this terminal" in said.message
    assert (await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal(**newer))).code == 1000
    assert await holders(ptp) == {"T1": "BE*AAA"}


async def test_a_terminal_that_names_one_cpo_and_is_addressed_to_another_is_refused(ptp: World) -> None:
    async with ptp.unchanged():
        named = terminal(country_code="BE", party_id="BBB")
        said = await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=named, headers=TO_C1)
        assert (said.http, said.code) == (200, 2001)


async def test_a_confirmation_is_not_taken_from_the_cpo_that_has_it(ptp: World) -> None:
    await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice())
    assert (await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice(), headers=TO_C1)).code == 1000
    (kept,) = await ptp.documents(CONFIRMATIONS)
    assert kept.audience == "BE*AAA"
    to_c2 = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "BBB")]
    async with ptp.unchanged():
        said = await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice(), headers=to_c2)
        assert (said.http, said.code) == (200, 2001)


async def test_a_confirmation_follows_the_cdr_with_its_reference(ptp: World) -> None:
    await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice())
    await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice("F2"), headers=TO_C1)
    said = await ptp.ask("GET", ptp.at("sender/payments/financial-advice-confirmations"), by="c1")
    assert [each["id"] for each in said.data] == ["F2"]
    assert (await ptp.ask("GET", ptp.at("sender/payments/financial-advice-confirmations/F2"), by="c1")).code == 1000
    assert (await ptp.ask("GET", ptp.at("sender/payments/financial-advice-confirmations/F1"), by="c1")).http == 404
    assert {each.audience for each in await ptp.documents(CONFIRMATIONS)} == {"", "BE*AAA"}


async def test_nobody_captures_less_than_nothing(ptp: World) -> None:
    async with ptp.unchanged():
        said = await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice(total_costs={"before_taxes": -5}))
        assert (said.http, said.code) == (200, 2001)


async def with_terminal(world: World) -> None:
    await world.ask("POST", world.at(TERMINALS_HERE), by="t1", body=terminal(), headers=TO_C1)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_a_cpo_changes_goes_to_the_provider_and_is_kept_once_it_agrees(ptp: World, method: str) -> None:
    await with_terminal(ptp)
    part = {"location_ids": ["L1", "L2"], "customer_reference": "OMV"}
    said = await ptp.ask(method, ptp.at(f"{OF_CPO}/T1"), by="c1", body=part)
    assert (said.http, said.code) == (200, 1000)
    (sent,) = ptp.peers.sent
    assert (sent.partner, sent.brief, sent.body) == ("t1", (method, "payments", "terminals/T1"), part)
    assert (said.headers["ocpi-from-party-id"], said.headers["ocpi-to-party-id"]) == ("PTA", "AAA")
    kept = (await ptp.ask("GET", ptp.at(f"{OF_CPO}/T1"), by="c1")).data
    assert (kept["location_ids"], kept["city" if "city" in kept else "country"]) == (["L1", "L2"], "AUT")


async def test_what_the_provider_refuses_is_told_as_it_is_and_not_kept(ptp: World) -> None:
    await with_terminal(ptp)

    def refuse(sent: Sent) -> None:
        raise PeerRefused("no such location", http=200, status_code=2003)

    ptp.peers.script = refuse
    before = await ptp.dump()
    said = await ptp.ask("PATCH", ptp.at(f"{OF_CPO}/T1"), by="c1", body={"location_ids": ["L1"]})
    assert (said.http, said.code) == (200, 2003)
    assert await ptp.dump() == before


async def test_a_change_of_a_foreign_unknown_or_wrong_terminal_reaches_nobody(ptp: World) -> None:
    await with_terminal(ptp)
    async with ptp.unchanged():
        for by, path, body, answer in (
            ("c2", "T1", {"location_ids": ["L1"]}, (404, 2000)),
            ("c1", "T7", {"location_ids": ["L1"]}, (404, 2000)),
            ("c1", "T1", {"terminal_id": "T2"}, (200, 2001)),
            ("c1", "T1", {"location_ids": 7}, (200, 2001)),
            ("c1", "T1", {"customer_reference": "4111111111111111"}, (200, 2001)),
            ("c1", "T1", {"country_code": "BE", "party_id": "BBB"}, (200, 2001)),
            ("c1", "T1", {"party_id": "bbb"}, (200, 2001)),
        ):
            said = await ptp.ask("PATCH", ptp.at(f"{OF_CPO}/{path}"), by=by, body=body)
            assert (said.http, said.code) == answer, (by, path, body)
        for by, path in (("c2", "T1"), ("c1", "T7")):
            assert (await ptp.ask("POST", ptp.at(f"{OF_CPO}/{path}/deactivate"), by=by)).http == 404


async def test_activation_goes_to_the_provider_that_is_named_or_the_only_one(ptp: World) -> None:
    asked = {"reference": "SN-1", "location_ids": ["L1"]}
    async with ptp.unchanged():
        said = await ptp.ask("POST", ptp.at(f"{OF_CPO}/activate"), by="c1", body=asked)
        assert (said.http, said.code) == (200, 2002)
    headers = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "PTB")]
    said = await ptp.ask("POST", ptp.at(f"{OF_CPO}/activate"), by="c1", body=asked, headers=headers)
    assert said.code == 1000
    await ptp.registry.save(ptp.partner("t2").model_copy(update={"state": State.BLOCKED}))
    assert (await ptp.ask("POST", ptp.at(f"{OF_CPO}/activate"), by="c1", body=asked)).code == 1000
    assert [(sent.partner, sent.path) for sent in ptp.peers.sent] == [
        ("t2", ("terminals", "activate")),
        ("t1", ("terminals", "activate")),
    ]


@pytest.mark.parametrize("named", [("BE", "BBB"), ("NL", "EEE"), ("DE", "BSB")])
async def test_nobody_orders_terminals_in_the_name_of_another_party(ptp: World, named: tuple[str, str]) -> None:
    await with_terminal(ptp)
    party = {"country_code": named[0], "party_id": named[1]}
    to_t1 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "PTA")]
    async with ptp.unchanged():
        for method, path, headers in (
            ("POST", "activate", to_t1), ("PUT", "T1", ()), ("PATCH", "T1", ())
        ):  # fmt: skip
            said = await ptp.ask(method, ptp.at(f"{OF_CPO}/{path}"), by="c1", body=party, headers=headers)
            assert (said.http, said.code) == (200, 2001), path
            assert said.message.startswith("/party_id: ")
    own = {"country_code": "be", "party_id": "AAA"}
    assert (await ptp.ask("POST", ptp.at(f"{OF_CPO}/activate"), by="c1", body=own, headers=to_t1)).code == 1000


async def test_deactivation_goes_to_the_terminals_provider(ptp: World) -> None:
    await with_terminal(ptp)
    assert (await ptp.ask("POST", ptp.at(f"{OF_CPO}/t1/deactivate"), by="c1")).code == 1000
    assert ptp.peers.to("t1") == [("POST", "payments", "terminals/T1/deactivate")]
    await ptp.registry.save(ptp.partner("t1").model_copy(update={"state": State.BLOCKED}))
    said = await ptp.ask("POST", ptp.at(f"{OF_CPO}/T1/deactivate"), by="c1")
    assert (said.http, said.code) == (200, 4003)


@pytest.mark.parametrize("old", ["2.1.1", "2.2.1"])
async def test_older_versions_have_no_such_module(world: World, old: str) -> None:
    assert (await world.ask("GET", world.at(OF_CPO, version=old), by="c1")).http == 404
