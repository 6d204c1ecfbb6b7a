"""Invoice reconciliation on both interfaces. OCPI mod_invoice_reconciliation_interfaces_and_endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules.invoicereconciliation.store import RECORDS
from modules.invoicereconciliation.waiting import look_again
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.world import World

HERE = "receiver/invoicereconciliation"
AT = f"{HERE}/BE/AAA/REC1"


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


def record(owner: str = "BE*AAA", record_id: str = "REC1", **fields: Any) -> dict[str, Any]:
    country_code, party_id = owner.split("*")
    return {
        "country_code": country_code,
        "party_id": party_id,
        "id": record_id,
        "invoice_id": "2026-05/17",
        "cdrs": ["CDR1", "C" * 39],
        "last_updated": "2026-05-04T10:00:00Z",
        **fields,
    }


TO_E1 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "EEE")]
CPOS = {"c1": "BE*AAA", "c2": "BE*BBB"}


async def test_a_record_is_new_once_changed_by_put_and_gone_by_delete(world: World) -> None:
    posted = await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    assert (posted.http, posted.code) == (201, 1000)
    async with world.unchanged():
        again = await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
        assert (again.http, again.code) == (200, 1000)
    later = record(cdrs=["CDR2"], last_updated="2026-05-04T11:00:00Z", x_vendor={"a": 1})
    assert (await world.ask("PUT", world.at(AT), by="c1", body=later)).http == 200
    got = await world.ask("GET", world.at(AT.replace("REC1", "rec1")), by="c1")
    assert (got.data["cdrs"], got.data["x_vendor"]) == (["CDR2"], {"a": 1})
    assert (await world.ask("DELETE", world.at(AT), by="c1")).code == 1000
    assert (await world.ask("GET", world.at(AT), by="c1")).http == 404


async def test_a_put_of_an_unknown_record_makes_it(world: World) -> None:
    assert (await world.ask("PUT", world.at(AT), by="c1", body=record())).http == 201


async def test_an_older_copy_changes_nothing(world: World) -> None:
    await world.ask("PUT", world.at(AT), by="c1", body=record())
    async with world.unchanged():
        older = record(invoice_id="other", last_updated="2026-05-04T09:00:00Z")
        assert (await world.ask("PUT", world.at(AT), by="c1", body=older)).code == 1000


async def billed(world: World, driver: str = "NL*EEE", cdr_id: str = "CDR1", *, by: str = "c1") -> None:
    """A CPO brings the CDR of a charge of that party's driver."""
    owner, party = (dict(zip(("country_code", "party_id"), p.split("*"), strict=True)) for p in (CPOS[by], driver))
    card = {**party, "uid": "CARD1", "type": "RFID", "contract_id": f"{driver.replace('*', '-')}-C1"}
    tree = wired(but(EVENING, **owner, id=cdr_id, cdr_token=card), world.version)
    assert (await world.ask("POST", world.at("receiver/cdrs"), by=by, body=tree)).code == 1000


async def pulled(world: World, by: str) -> list[str]:
    """The ids in the list of that partner."""
    said = await world.ask("GET", world.at("sender/invoicereconciliation"), by=by)
    assert said.headers["x-total-count"] == str(len(said.data))
    return [each["id"] for each in said.data]


async def test_who_pays_pulls_its_records_and_nobody_elses(world: World) -> None:
    for by in CPOS:
        await billed(world, by=by)
    await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    await world.ask("POST", world.at(HERE), by="c2", body=record("BE*BBB"), headers=TO_E1)
    await world.ask("POST", world.at(HERE), by="c2", body=record("BE*BBB", "REC9", cdrs=["CDR9"]))
    for by, ids in (("e1", ["REC1", "REC1"]), ("e2", []), ("c1", [])):
        assert await pulled(world, by) == ids, by


async def test_a_record_is_refused_for_a_party_that_none_of_its_cdrs_is_with(world: World) -> None:
    for cdr_id in ("CDR1", "CDR2"):
        await billed(world, "NL*FFF", cdr_id)
    both = record(cdrs=["CDR1", "cdr2"])
    async with world.unchanged():
        for method, path in (("POST", HERE), ("PUT", AT)):
            said = await world.ask(method, world.at(path), by="c1", body=both, headers=TO_E1)
            assert (said.http, said.code) == (200, 2001)
            assert said.message == "/cdrs: none of these is with NL*EEE"
    await billed(world, "NL*EEE", "CDR3")
    assert (
        await world.ask("POST", world.at(HERE), by="c1", body=record(cdrs=["CDR1", "CDR3"]), headers=TO_E1)
    ).http == 201
    assert (await pulled(world, "e1"), await pulled(world, "e2")) == (["REC1"], [])


async def test_a_record_for_a_party_waits_for_a_cdr_that_is_with_it(world: World) -> None:
    await billed(world, "NL*FFF")
    assert (
        await world.ask("POST", world.at(HERE), by="c1", body=record(cdrs=["CDR1", "LATE"]), headers=TO_E1)
    ).http == 201
    for cdr_id, by in (("LATE", "c2"), ("OTHER", "c1")):
        await billed(world, cdr_id=cdr_id, by=by)
    await look_again(world.hub)
    assert (await pulled(world, "e1"), await pulled(world, "e2")) == ([], [])
    await billed(world, cdr_id="LATE")
    await look_again(world.hub)
    assert (await pulled(world, "e1"), await pulled(world, "e2")) == (["REC1"], [])


async def test_a_record_that_waits_may_be_said_to_be_for_somebody_else(world: World) -> None:
    await billed(world, "NL*FFF")
    await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    to_e2 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "FFF")]
    assert (await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=to_e2)).code == 1000
    assert (await pulled(world, "e1"), await pulled(world, "e2")) == ([], ["REC1"])


async def test_a_correction_stays_with_whom_the_record_is_with(world: World) -> None:
    await billed(world)
    await billed(world, "NL*FFF", "CDR2")
    await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    later = "2026-05-04T11:00:00Z"
    async with world.unchanged():
        for cdrs in (["CDR2"], ["CDR2", "LATE"]):
            said = await world.ask("PUT", world.at(AT), by="c1", body=record(cdrs=cdrs, last_updated=later))
            assert (said.http, said.code) == (200, 2001)
            assert said.message.startswith("/cdrs: NL*EEE has this record")
    both = record(cdrs=["CDR2", "CDR1"], last_updated=later)
    assert (await world.ask("PUT", world.at(AT), by="c1", body=both)).code == 1000
    assert await pulled(world, "e1") == ["REC1"]


async def test_nobody_is_told_that_a_record_is_gone_which_nobody_had(world: World) -> None:
    await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    last = await world.store.last_change()
    assert (await world.ask("DELETE", world.at(AT), by="c1")).code == 1000
    assert await world.store.last_change() == last


async def test_a_record_for_another_party_of_the_payers_platform_goes_there(world: World) -> None:
    platform = world.partner("e1")
    other = Claim(role=PartyRole.EMSP, party=Party.parse("NL*EE2"))
    await world.registry.save(platform.model_copy(update={"claims": (*platform.claims, other)}))
    await billed(world, "NL*EE2")
    assert (await world.ask("POST", world.at(HERE), by="c1", body=record(cdrs=["CDR1"]), headers=TO_E1)).http == 201
    assert await pulled(world, "e1") == ["REC1"]


async def test_a_cdr_of_211_that_names_no_party_tells_of_nobody(world: World) -> None:
    await world.join("old", "BE*OLD", PartyRole.CPO, version="2.1.1")
    card = {"country_code": "NL", "party_id": "EEE", "uid": "C1", "type": "RFID", "contract_id": "NL-EEE-C1"}
    tree = wired(but(EVENING, country_code="BE", party_id="OLD", cdr_token=card), "2.1.1")
    at_old = world.at("receiver/cdrs", version="2.1.1")
    world.version = "2.1.1"
    assert (await world.ask("POST", at_old, by="old", body=tree)).code == 1000
    world.version = "2.3.0"
    await world.registry.save(world.partner("old").model_copy(update={"version": "2.3.0"}))
    said = await world.ask("POST", world.at(HERE), by="old", body=record("BE*OLD", cdrs=["CDR1"]), headers=TO_E1)
    assert said.http == 201
    assert await pulled(world, "e1") == []


async def test_reverse_billing_is_the_same_the_other_way_round(world: World) -> None:
    await billed(world)
    reverse = record("NL*EEE")
    headers = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
    said = await world.ask("POST", world.at(HERE), by="e1", body=reverse, headers=headers)
    assert said.http == 201
    assert (await world.ask("GET", world.at("sender/invoicereconciliation"), by="c1")).data == [reverse]
    other = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "BBB")]
    async with world.unchanged():
        wrong = record("NL*EEE", "REC2", cdrs=["CDR1"])
        assert (await world.ask("POST", world.at(HERE), by="e1", body=wrong, headers=other)).code == 2001


async def test_a_record_without_address_is_for_whom_its_cdrs_are(world: World) -> None:
    session = await world.charge("NL*EEE")
    reverse = record("NL*EEE", cdrs=["NOBODYS", session])
    await world.ask("POST", world.at(HERE), by="e1", body=reverse)
    (kept,) = await world.store.select(RECORDS)
    assert kept.audience == world.hub.settings.party


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (record(cdrs=[]), "/cdrs"),
        (record(cdrs=["C" * 40]), "/cdrs/0"),
        (record(invoice_id="I" * 256), "/invoice_id"),
        ({key: value for key, value in record().items() if key != "invoice_id"}, "/invoice_id"),
        ([], "/"),
    ],
)
async def test_a_bad_body_is_2001_and_has_no_effect(world: World, body: Any, pointer: str) -> None:
    async with world.unchanged():
        for method, path in (("POST", HERE), ("PUT", AT)):
            said = await world.ask(method, world.at(path), by="c1", body=body)
            assert (said.http, said.code) == (200, 2001)
            assert said.message.startswith(pointer)


async def test_the_url_the_body_and_the_caller_name_one_party(world: World) -> None:
    async with world.unchanged():
        for method, path, body, answer in (
            ("POST", HERE, record("BE*BBB"), (200, 2001)),
            ("PUT", AT, record("BE*BBB"), (200, 2001)),
            ("PUT", AT, record(record_id="REC2"), (200, 2001)),
            ("PUT", AT.replace("AAA", "BBB"), record("BE*BBB"), (404, 2000)),
            ("GET", AT.replace("AAA", "BBB"), None, (404, 2000)),
            ("DELETE", AT.replace("AAA", "BBB"), None, (404, 2000)),
            ("GET", AT, None, (404, 2000)),
            ("DELETE", AT, None, (404, 2000)),
            ("PATCH", AT, {}, (405, 2000)),
        ):
            said = await world.ask(method, world.at(path), by="c1", body=body)
            assert (said.http, said.code) == answer, (method, path)


async def test_a_nap_has_no_business_here(world: World) -> None:
    await world.join("nap", "DE*NAP", PartyRole.NAP)
    async with world.unchanged():
        for method, path in (("GET", "sender/invoicereconciliation"), ("POST", HERE), ("PUT", AT), ("DELETE", AT)):
            said = await world.ask(method, world.at(path), by="nap", body=record() if method[0] == "P" else None)
            assert (said.http, said.code) == (403, 2000)


@pytest.mark.parametrize("old", ["2.1.1", "2.2.1"])
async def test_older_versions_have_no_such_module(world: World, old: str) -> None:
    said = await world.ask("GET", world.at("sender/invoicereconciliation", version=old), by="c1")
    assert said.http == 404
