"""Invoice reconciliation on both interfaces. OCPI mod_invoice_reconciliation_interfaces_and_endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.parties import PartyRole
from modules.invoicereconciliation.store import RECORDS
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


async def test_who_pays_pulls_its_records_and_nobody_elses(world: World) -> None:
    await world.ask("POST", world.at(HERE), by="c1", body=record(), headers=TO_E1)
    await world.ask("POST", world.at(HERE), by="c2", body=record("BE*BBB"), headers=TO_E1)
    await world.ask("POST", world.at(HERE), by="c2", body=record("BE*BBB", "REC9"))
    for by, count in (("e1", 2), ("e2", 0), ("c1", 0)):
        said = await world.ask("GET", world.at("sender/invoicereconciliation"), by=by)
        assert (len(said.data), said.headers["x-total-count"]) == (count, str(count)), by


async def test_reverse_billing_is_the_same_the_other_way_round(world: World) -> None:
    reverse = record("NL*EEE")
    headers = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
    said = await world.ask("POST", world.at(HERE), by="e1", body=reverse, headers=headers)
    assert said.http == 201
    assert (await world.ask("GET", world.at("sender/invoicereconciliation"), by="c1")).data == [reverse]


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
