"""Invoices, terminals and payments, as an operator has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.ports import Place
from hub.core.registry import State
from hub.core.units import Unit
from modules.invoicereconciliation import service as invoices
from modules.invoicereconciliation.wire import RECORD
from modules.payments import service as payments
from modules.payments.store import TERMINALS, confirmation_put, terminal_put
from modules.payments.whose import BY_NAME
from modules.payments.wire import CONFIRMATION
from modules.sessions import service as sessions
from modules.tokens.authorize import By, Decision
from tests.contract.test_invoicereconciliation import record
from tests.contract.test_payments import advice, terminal
from tests.hub.house import House
from tests.world import World, stored_token

T1 = "/api/v1/terminals/NL/PTA/T1"


async def invoice(house: House, *cdrs: str, record_id: str = "R1") -> Any:
    return await house.ask("POST", "/api/v1/invoices", {"invoice_id": "2026/1", "cdrs": list(cdrs), "id": record_id})


async def test_an_invoice_is_made_from_our_cdrs_and_checked(house: House) -> None:
    await house.furnish()
    cdrs = [await house.charge(kwh=10), await house.charge(kwh=4)]
    made = await invoice(house, *cdrs)
    assert made.status == 201, made.tree
    assert (made.tree["audience"], made.tree["check"]["agrees"]) == ("NL*EEE", True)
    (total,) = made.tree["check"]["totals"]
    assert (total["cdrs"], total["before_taxes"]) == (2, 7)
    shown = await house.ask("GET", "/api/v1/invoices/DE/BSB/R1")
    assert shown.tree == made.tree
    listed = (await house.ask("GET", "/api/v1/invoices")).tree
    assert ([each["record"]["id"] for each in listed["items"]], listed["total"]) == (["R1"], 1)


async def test_an_invoice_is_corrected_and_withdrawn(house: House) -> None:
    await house.furnish()
    first, second = await house.charge(), await house.charge()
    await invoice(house, first)
    told = await house.ask("PUT", "/api/v1/invoices/DE/BSB/R1", {"invoice_id": "2026/2", "cdrs": [second]})
    assert (told.tree["record"]["invoice_id"], told.tree["record"]["cdrs"]) == ("2026/2", [second])
    assert (await house.ask("DELETE", "/api/v1/invoices/DE/BSB/R1")).tree == {"deleted": "DE*BSB/R1"}
    assert (await house.ask("GET", "/api/v1/invoices/DE/BSB/R1")).status == 404


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"invoice_id": "X", "cdrs": ["NONE"]}, "/cdrs/0: we have no such CDR"),
        ({"invoice_id": "X", "cdrs": []}, "/cdrs"),
        ({"invoice_id": "", "cdrs": ["C"]}, "/invoice_id"),
        ({"invoice_id": "X", "cdrs": ["C" * 40]}, "/cdrs/0"),
        ({"cdrs": ["C"]}, "/invoice_id"),
    ],
)
async def test_an_invoice_that_cannot_be_is_refused(house: House, body: dict[str, Any], why: str) -> None:
    told = await house.ask("POST", "/api/v1/invoices", body)
    assert (told.status, told.code) == (422, "invalid_request")
    assert told.tree["error"]["message"].startswith(why)


async def test_only_our_own_records_are_ours_to_change(house: House) -> None:
    body = {"invoice_id": "X", "cdrs": ["C"]}
    assert (await house.ask("PUT", "/api/v1/invoices/NL/EEE/R1", body)).status == 422
    assert (await house.ask("DELETE", "/api/v1/invoices/NL/EEE/R1")).status == 422
    assert (await house.ask("DELETE", "/api/v1/invoices/DE/BSB/NONE")).status == 404


async def rule_of(house: House) -> tuple[str, str]:
    """Whom the only record is for, and what keeps it from there: in the list, and alone."""
    (listed,) = (await house.ask("GET", "/api/v1/invoices")).tree["items"]
    key = f"{listed['record']['country_code']}/{listed['record']['party_id']}/{listed['record']['id']}"
    shown = (await house.ask("GET", f"/api/v1/invoices/{key}")).tree
    assert (shown["audience"], shown["rule"]) == (listed["audience"], listed["rule"])
    return listed["audience"], listed["rule"]


async def test_it_is_said_what_keeps_a_record_from_who_pays(house: House) -> None:
    await house.furnish()
    await invoice(house, await house.charge())
    assert await rule_of(house) == ("NL*EEE", "no partner is NL*EEE")
    world = World.around(house.program.hub)
    e1 = await world.join("e1", "NL*EEE", PartyRole.EMSP, version="2.3.0")
    assert await rule_of(house) == ("NL*EEE", "")
    rest = tuple(endpoint for endpoint in e1.endpoints if endpoint.identifier != "invoicereconciliation")
    for changed, rule in (
        ({"state": State.BLOCKED}, "e1 is not connected"),
        ({"endpoints": rest}, "e1 takes no pushes of invoicereconciliation; it may pull"),
        ({"endpoints": rest, "version": "2.2.1"}, "e1 speaks OCPI 2.2.1, which has no such thing"),
    ):
        await world.registry.save(e1.model_copy(update=changed))
        assert await rule_of(house) == ("NL*EEE", rule)
    await world.registry.save(e1)
    await house.ask("PUT", "/api/v1/agreements", {"viewer": "e1", "owner": "DE*BSB", "module": "*", "allow": False})
    assert await rule_of(house) == ("NL*EEE", "agreement: deny viewer e1, owner DE*BSB, module *")


@pytest.mark.parametrize(
    ("named", "cdrs", "rule"),
    [
        ("", ["LATE"], "none of its CDRs is here"),
        ("NL*FFF", ["LATE"], "none of its CDRs is here"),
        ("NL*FFF", ["LATE", "OURS"], "none of its CDRs that are here is with NL*FFF"),
    ],
)
async def test_it_is_said_of_a_record_that_is_for_nobody_yet_what_it_waits_for(
    house: House, named: str, cdrs: list[str], rule: str
) -> None:
    await house.furnish()
    session = await house.charge()
    tree = RECORD["2.3.0"].read(record("DE*BSB", cdrs=[session if each == "OURS" else each for each in cdrs]))
    await invoices.take(house.program.hub, Party.parse("DE*BSB"), tree, to=named)
    assert await rule_of(house) == ("", rule)


async def kept(house: House, audience: str = "DE*BSB") -> None:
    """A terminal and a confirmation of NL*PTA."""
    confirmation = CONFIRMATION["2.3.0"].read(advice()).tree()
    unit = Unit().put(terminal_put("NL*PTA", terminal(), audience, decided_by=BY_NAME if audience else ""))
    await house.program.store.commit(unit.put(confirmation_put("NL*PTA", confirmation, audience)))


async def test_terminals_are_listed_and_shown(house: House) -> None:
    await kept(house)
    shown = {
        "provider": "NL*PTA",
        "audience": "DE*BSB",
        "decided_by": "the party that it names",
        "rule": "",
        "terminal": terminal(),
    }
    assert (await house.ask("GET", "/api/v1/terminals")).tree == {"items": [shown], "total": 1}
    assert (await house.ask("GET", T1)).tree == shown
    assert (await house.ask("GET", "/api/v1/terminals/NL/PTB/T1")).status == 404


async def test_it_is_said_why_nobody_has_a_terminal_and_what_keeps_it_from_who_has(house: House) -> None:
    await house.furnish()

    async def rule() -> str:
        (listed,) = (await house.ask("GET", "/api/v1/terminals")).tree["items"]
        assert (await house.ask("GET", T1)).tree == listed
        return str(listed["rule"])

    await kept(house, "")
    assert await rule() == "nothing says which CPO's it is: no OCPI-to, party, location or EVSE"
    await kept(house, "BE*AAA")
    assert await rule() == "no partner is BE*AAA"
    await house.program.store.commit(
        Unit().put(terminal_put("NL*PTA", terminal(country_code="BE", party_id="AAA"), ""))
    )
    assert await rule() == "no CPO here is BE*AAA, which it names"
    world = World.around(house.program.hub)
    await world.join("t1", "NL*PTA", PartyRole.PTP, version="2.3.0")
    await house.program.store.commit(Unit().put(terminal_put("NL*PTA", terminal(location_ids=["LU"]), "")))
    assert await rule() == "none of its locations and EVSEs is here"


async def test_a_terminal_that_nobody_has_is_ours_once_it_is_assigned(house: House) -> None:
    await house.furnish()
    world = World.around(house.program.hub)
    await world.join("t1", "NL*PTA", PartyRole.PTP, version="2.3.0")
    await kept(house, "")
    refused = await house.ask("POST", f"{T1}/deactivate")
    assert (refused.status, refused.code) == (422, "invalid_request")
    document = await payments.get_own(house.program.hub, TERMINALS, ["NL*PTA"], "T1")
    await payments.keep_change(house.program.hub, document, {"location_ids": ["LOC1"]})
    shown = (await house.ask("GET", T1)).tree
    assert (shown["audience"], shown["decided_by"]) == ("DE*BSB", "assigned here")
    assert shown["terminal"]["location_ids"] == ["LOC1"]


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"location_ids": ["NONE"]}, "/location_ids/0: we have no such location"),
        ({"evse_uids": ["E1", "NONE"]}, "/evse_uids/1: we have no such EVSE"),
        ({"location_ids": "LOC1"}, "/location_ids"),
        ({"customer_reference": "4111111111111111"}, "/customer_reference: looks like a card number"),
        ({"terminal_id": "T2"}, "the URL and the object name different terminals"),
        ({"country_code": "BE", "party_id": "AAA"}, "/party_id: the object names a party that is not yours"),
    ],
)
async def test_a_terminal_is_assigned_to_places_of_ours_only(house: House, part: dict[str, Any], why: str) -> None:
    await house.furnish()
    await kept(house)
    told = await house.ask("PATCH", T1, part)
    assert (told.status, told.code) == (422, "invalid_request")
    assert told.tree["error"]["message"].startswith(why)


async def test_a_terminal_of_another_cpo_or_of_nobody_connected_cannot_be_changed(house: House) -> None:
    await house.furnish()
    await kept(house, "BE*AAA")
    assert (await house.ask("PATCH", T1, {"location_ids": ["LOC1"]})).status == 422
    await kept(house)
    told = await house.ask("PATCH", T1, {"location_ids": ["LOC1"]})
    assert (told.status, told.code) == (502, "partner_unreachable")
    assert (await house.ask("POST", f"{T1}/deactivate")).status == 502
    assert (await house.ask("POST", "/api/v1/terminals/activate", {"reference": "SN"})).status == 502
    assert (await house.ask("GET", T1)).tree["terminal"] == terminal()


async def test_a_payment_shows_how_it_stands_with_our_books(house: House) -> None:
    await house.furnish()
    await kept(house)
    (payment,) = (await house.ask("GET", "/api/v1/payments")).tree["items"]
    assert (payment["state"], payment["cdrs"], payment["charged"]) == ("unmatched", [], None)
    assert (payment["confirmation"]["id"], payment["audience"], payment["rule"]) == ("F1", "DE*BSB", "")
    assert await payments.matching(house.program.hub, str(Party.parse("NL*PTA")), "pp-100") == []


async def test_it_is_said_what_keeps_a_confirmation_from_its_cpo(house: House) -> None:
    await house.furnish()
    world = World.around(house.program.hub)

    async def rule() -> str:
        (payment,) = (await house.ask("GET", "/api/v1/payments")).tree["items"]
        return str(payment["rule"])

    await kept(house, "")
    assert await rule() == "no CDR is here under authorization_reference pp-100"
    decision = Decision("ALLOWED", By.COMMAND, stored_token("NL*EEE"), "NL*EEE", "pp-100")
    now = house.program.hub.clock.now()
    begun = sessions.Begun(Place("CP1", 1, "DE*BSB/LOC1", "E1", "1"), decision, now, Decimal(0))
    charge, unit = await sessions.begin(house.program.hub, begun)
    await house.program.store.commit(unit)
    await house.program.store.commit(sessions.end(house.program.hub, charge, at=now, meter_kwh=Decimal(10)))
    assert await rule() == "no CDR of a token of NL*PTA is here under authorization_reference pp-100"
    await kept(house, "BE*AAA")
    assert await rule() == "no partner is BE*AAA"
    await world.join("c1", "BE*AAA", PartyRole.CPO, version="2.3.0")
    assert await rule() == ""
    await house.ask("PUT", "/api/v1/agreements", {"viewer": "c1", "owner": "NL*PTA", "module": "*", "allow": False})
    assert await rule() == "agreement: deny viewer c1, owner NL*PTA, module *"
