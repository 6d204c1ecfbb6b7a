"""Walks with partners that speak OICP, over TLS with client certificates: what a driver does, and who is billed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest

from hub.core.clock import timestamp
from tests.databases import a_database
from tests.walks.cpos import joined, location
from tests.walks.oicp_site import CONTRACT, OicpSite
from tests.walks.site import VERSIONS, Emsp, Place, Tree, until
from tests.walks.test_twenty import patches, twenty

QR_CONTRACT = "DE-DCB-C00000009-0"


@pytest.fixture(autouse=True)
def _all_is_well() -> None:
    """These walks have a site of their own."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def oicp(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OicpSite]:
    """A hub with partners of OICP and OCPI, as processes."""
    directory = tmp_path_factory.mktemp(f"oicp-{request.param}")
    database_url = a_database(request, directory)
    opened = OicpSite.open(database_url, directory)
    yield opened
    opened.close()


async def _pulled(oicp: OicpSite, place: Place) -> str:
    """The EvseID of a charger of ours, once the EMP has it."""

    def there() -> str:
        oicp.emp.do("pull")
        evses = oicp.emp.web.ask("GET", "/sandbox/state")["evses"]
        return next((each["EvseID"] for each in evses if each["EvseID"].endswith(f"*{place.evse}")), "")

    return await until(there, why=f"{place.evse} at the EMP")


async def test_a_driver_of_an_oicp_emp_taps_at_our_charger_and_is_billed(oicp: OicpSite) -> None:
    site, uid = oicp.site, "0102030405060708090A"
    place = site.place()
    oicp.emp.do("cards", evco_id=CONTRACT, uid=uid)
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=10, minutes=60)
        await charger.unplug()
        await charger.settled()
    [record] = await until(oicp.records, why="the record")
    assert (record["ConsumedEnergy"], record["Identification"]) == (
        10,
        {"RFIDMifareFamilyIdentification": {"UID": uid}},
    )
    assert oicp.notifications(record["SessionID"])[-1] == "End"
    oicp.nobody_complains()


async def test_an_oicp_emp_starts_and_stops_our_charger_from_afar(oicp: OicpSite) -> None:
    site = oicp.site
    place = site.place()
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        evse_id = await _pulled(oicp, place)
        begun = await asyncio.to_thread(oicp.emp.do, "remote", doing="start", EvseID=evse_id, evco_id=CONTRACT)
        assert begun["code"] == "000", begun
        session = begun["answer"]["SessionID"]
        await charger.charge(kwh=5, minutes=30)
        stop: dict[str, Any] = {"doing": "stop", "EvseID": evse_id, "SessionID": session}
        assert (await asyncio.to_thread(oicp.emp.do, "remote", **stop))["code"] == "000"
        await charger.unplug()
        await charger.settled()
    [record] = await until(lambda: oicp.records(session), why="the record")
    assert record["ConsumedEnergy"] == 5
    oicp.nobody_complains()


async def _pushed(oicp: OicpSite, evse_id: str, emsp: Emsp) -> Tree:
    """The location of an EVSE that the OICP CPO tells of, once an eMSP has it."""
    said = oicp.cpo.do("evses", action="insert", evses=[{"EvseID": evse_id}])
    assert said["code"] == "000", said
    assert oicp.cpo.do("statuses", action="insert", statuses={evse_id: "Available"})["code"] == "000"

    def there() -> Tree:
        found = emsp.held("locations")
        return next((each for each in found if _evse(each, evse_id).get("status") == "AVAILABLE"), {})

    return await until(there, why=f"{evse_id} at the eMSP")


def _evse(location: Tree, evse_id: str) -> Tree:
    return next((each for each in location.get("evses", ()) if each.get("evse_id") == evse_id), {})


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_ocpi_emsp_starts_a_charge_at_an_oicp_cpos_evse_and_is_billed(oicp: OicpSite, version: str) -> None:
    emsp = oicp.emsp(version)
    evse_id = f"DE*ABC*E{version.replace('.', '')}"
    location = await _pushed(oicp, evse_id, emsp)
    token = emsp.push_token(oicp.site.uid(), **{emsp.contract_field: f"NL-EEE-C0000{version.replace('.', '')}1"})
    outcome = await emsp.command(
        "START_SESSION",
        {"token": token, "location_id": location["id"], "evse_uid": _evse(location, evse_id)["uid"]},
    )
    assert outcome["answer"]["result"] == "ACCEPTED", outcome
    assert outcome["result"]["result"] == "ACCEPTED", outcome
    session = (await until(lambda: emsp.of_token("sessions", token), why="the session"))[0]
    stopped = await emsp.command("STOP_SESSION", {"session_id": session["id"]})
    assert stopped["result"]["result"] == "ACCEPTED", stopped
    [cdr] = await until(lambda: emsp.of_token("cdrs", token), why="the CDR")
    assert cdr["total_energy"] == 10
    oicp.nobody_complains()


async def test_a_card_of_an_ocpi_emsp_charges_at_an_oicp_cpo(oicp: OicpSite) -> None:
    emsp, evse_id = oicp.emsp("2.2.1"), "DE*ABC*ECARD"
    await _pushed(oicp, evse_id, emsp)
    token = emsp.push_token(oicp.site.uid()[2:], whitelist="NEVER")
    begun = oicp.cpo.do("authorize", uid=token["uid"], evse=evse_id)
    assert begun["code"] == "000", begun
    assert oicp.cpo.do("charge", session=begun["session"], kwh=7, minutes=30)["code"] == "000"
    [cdr] = await until(lambda: emsp.of_token("cdrs", token), why="the CDR")
    assert cdr["total_energy"] == 7
    assert oicp.cpo.do("authorize", uid="FFFFFFFF", evse=evse_id)["code"] == "102"
    oicp.nobody_complains()


async def test_an_oicp_emp_reserves_our_charger_and_gives_it_up_again(oicp: OicpSite) -> None:
    place = oicp.site.place()
    async with oicp.site.charger(place) as charger:
        await charger.boot()
        evse_id = await _pulled(oicp, place)
        kept = await asyncio.to_thread(
            oicp.emp.do, "remote", doing="reserve", EvseID=evse_id, evco_id=CONTRACT, Duration=15
        )
        assert kept["code"] == "000", kept
        release = {"doing": "release", "EvseID": evse_id, "SessionID": kept["answer"]["SessionID"]}
        assert (await asyncio.to_thread(oicp.emp.do, "remote", **release))["code"] == "000"
    oicp.nobody_complains()


async def test_an_oicp_emp_pulls_our_tariff_as_a_product(oicp: OicpSite) -> None:
    place, web = oicp.site.place(), oicp.site.hub.web
    web.ask("PATCH", "/api/v1/oicp/operators/DE*BSB", {"default_price": "0.60"})
    evse_id = await _pulled(oicp, place)
    pulled = await asyncio.to_thread(oicp.emp.do, "pull-prices", operators=["DE*BSB"])
    assert (pulled["products"]["code"], pulled["evses"]["code"]) == ("000", "000")
    [prices] = pulled["products"]["answer"]["PricingProductData"]
    [product] = prices["PricingProductDataRecords"]
    [fee] = product["AdditionalReferences"]
    assert (product["PricePerReferenceUnit"], product["ReferenceUnit"]) == (0.5, "KILOWATT_HOUR")
    assert (fee["AdditionalReference"], fee["PricePerAdditionalReferenceUnit"]) == ("START FEE", 1)
    [operator] = pulled["evses"]["answer"]["EVSEPricing"]
    told = {each["EvseID"]: each["EvseIDProductList"] for each in operator["EVSEPricing"]}
    assert told[evse_id] == [product["ProductID"]]
    oicp.nobody_complains()


async def test_an_emp_and_a_cpo_that_both_speak_oicp_charge_through_us(oicp: OicpSite) -> None:
    evse_id = "DE*ABC*EBOTH"
    await _pushed(oicp, evse_id, oicp.emsp("2.3.0"))
    begun = await asyncio.to_thread(oicp.emp.do, "remote", doing="start", EvseID=evse_id, evco_id=CONTRACT)
    assert begun["code"] == "000", begun
    session = begun["answer"]["SessionID"]
    await until(lambda: oicp.notifications(session), why="the start of the charge")
    stop: dict[str, Any] = {"doing": "stop", "EvseID": evse_id, "SessionID": session}
    assert (await asyncio.to_thread(oicp.emp.do, "remote", **stop))["code"] == "000"
    [record] = await until(lambda: oicp.records(session), why="the record")
    assert (record["EvseID"], record["ConsumedEnergy"]) == (evse_id, 10)
    assert oicp.notifications(session)[-1] == "End"
    oicp.nobody_complains()


async def test_a_charge_that_comes_of_a_reservation_has_its_session_id_and_stops_by_it(oicp: OicpSite) -> None:
    place = oicp.site.place()
    async with oicp.site.charger(place) as charger:
        await charger.boot()
        evse_id = await _pulled(oicp, place)
        order = {"EvseID": evse_id, "evco_id": CONTRACT}
        kept = await asyncio.to_thread(oicp.emp.do, "remote", doing="reserve", Duration=15, **order)
        session = kept["answer"]["SessionID"]
        await charger.plug_in()
        begun = await asyncio.to_thread(oicp.emp.do, "remote", doing="start", **order)
        assert (begun["code"], begun["answer"]["SessionID"]) == ("000", session)
        await charger.charge(kwh=5, minutes=30)
        stop: dict[str, Any] = {"doing": "stop", "EvseID": evse_id, "SessionID": session}
        assert (await asyncio.to_thread(oicp.emp.do, "remote", **{**stop, "EvseID": f"{evse_id}9"}))["code"] == "400"
        assert (await asyncio.to_thread(oicp.emp.do, "remote", **stop))["code"] == "000"
        await charger.unplug()
        await charger.settled()
    [record] = await until(lambda: oicp.records(session), why="the record")
    assert record["ConsumedEnergy"] == 5
    assert (await asyncio.to_thread(oicp.emp.do, "remote", **stop))["code"] == "400"
    oicp.nobody_complains()


def _results(outcome: Tree) -> tuple[str, str]:
    return outcome["answer"]["result"], outcome["result"]["result"]


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_an_ocpi_emsp_reserves_an_oicp_cpos_evse_and_gives_it_up_again(oicp: OicpSite, version: str) -> None:
    emsp, other = oicp.emsp(version), oicp.emsp("2.3.0" if version == "2.2.1" else "2.2.1")
    short = version.replace(".", "")
    evse_id, name = f"DE*ABC*ERES{short}", f"res-{short}"
    location = await _pushed(oicp, evse_id, emsp)
    token = emsp.push_token(oicp.site.uid(), contract_id=f"NL-EEE-C000R{short}1")

    async def becomes(status: str) -> None:
        def is_it() -> bool:
            return any(_evse(each, evse_id).get("status") == status for each in emsp.held("locations"))

        await until(is_it, why=f"{evse_id} to be {status} at the eMSP")

    wish: Tree = {"location_id": location["id"], "evse_uid": _evse(location, evse_id)["uid"]}
    wish["expiry_date"] = timestamp(datetime.now(UTC) + timedelta(minutes=20))
    reserved = await emsp.command("RESERVE_NOW", {**wish, "token": token, "reservation_id": name})
    assert _results(reserved) == ("ACCEPTED", "ACCEPTED"), reserved
    await becomes("RESERVED")
    [kept] = [each for each in oicp.cpo.web.ask("GET", "/sandbox/state")["charges"] if each["EvseID"] == evse_id]
    assert kept["state"] == "reserved"
    assert kept["Identification"]["RemoteIdentification"]["EvcoID"].startswith(token["contract_id"])

    theirs = other.push_token(oicp.site.uid(), contract_id=f"NL-EEE-C000S{short}1")
    refused = await other.command("RESERVE_NOW", {**wish, "token": theirs, "reservation_id": f"{name}-too"})
    assert _results(refused) == ("ACCEPTED", "EVSE_OCCUPIED"), refused

    cancelled = await emsp.command("CANCEL_RESERVATION", {"reservation_id": name})
    assert _results(cancelled) == ("ACCEPTED", "ACCEPTED"), cancelled
    await becomes("AVAILABLE")
    [cdr] = await until(lambda: emsp.of_token("cdrs", token), why="the CDR of a reservation that was given up")
    assert cdr["total_energy"] == 0
    oicp.nobody_complains()


async def test_a_record_whose_answer_is_lost_is_billed_once(oicp: OicpSite) -> None:
    site, uid = oicp.site, "0A0B0C0D"
    place = site.place()
    oicp.emp.do("cards", evco_id="DE-DCB-C00000002-4", uid=uid)
    oicp.emp.web.ask("PUT", "/sandbox/mode", {"mode": "lost-reply", "only": ["ChargeDetailRecord"], "times": 1})
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=3, minutes=30)
        await charger.unplug()
        await charger.settled()

    def mine() -> list[Tree]:
        return [each for each in oicp.records() if uid in str(each["Identification"])]

    def settled() -> bool:
        lane = site.hub.web.ask("GET", "/api/v1/partners/dcb")["lane"]
        return len(mine()) >= 1 and lane["waiting"] == 0

    await until(settled, why="the record, and the lane at rest")
    assert len({str(each) for each in mine()}) == 1


async def test_one_change_reaches_twenty_emsps_of_ocpi_and_the_emp_of_oicp(
    oicp: OicpSite, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with joined(oicp.site, "2.2.1", tmp_path_factory.mktemp("cpo")) as cpo:
        party = cpo.process.party
        oicp.site.hub.web.ask("PATCH", f"/api/v1/oicp/operators/{party}", {"hotline": "+3212345678"})
        async with twenty(oicp.site) as emsps:
            place = location("2.2.1", "BROAD")
            place["evses"][0]["evse_id"] = "BE*BBB*EBROAD"
            await asyncio.to_thread(cpo.does, "objects", module="locations", object=place)
            await until(lambda: all(emsp.mirror.listed("locations") for emsp in emsps), why="the location everywhere")
            change = {"path": ["BROAD", "BROAD-1"], "change": {"status": "CHARGING"}}
            await asyncio.to_thread(cpo.does, "patch", **change)
            await until(lambda: all(patches(emsp, "BROAD") for emsp in emsps), why="all twenty")

            def told() -> bool:
                statuses: Tree = oicp.emp.do("pull-status", evses=["BE*BBB*EBROAD"])["statuses"]
                return "Occupied" in statuses.values()

            await until(told, why="the EMP of OICP")
    oicp.nobody_complains()


def _code(pin: str) -> Tree:
    return {"QRCodeIdentification": {"EvcoID": QR_CONTRACT, "PIN": pin}}


async def test_a_qr_code_is_checked_by_its_emp_and_while_that_is_away_by_the_hash_that_it_left(oicp: OicpSite) -> None:
    evse_id, pin = "DE*ABC*EQR", "4711"
    await _pushed(oicp, evse_id, oicp.emsp("2.2.1"))
    oicp.emp.do("cards", evco_id=QR_CONTRACT, pin=pin)

    def asked(shown: str) -> Tree:
        said: Tree = oicp.cpo.do("authorize", identification=_code(shown), evse=evse_id)
        return said

    assert (asked(pin)["code"], asked("0000")["code"]) == ("000", "101")
    oicp.emp.web.ask("PUT", "/sandbox/mode", {"mode": "unavailable", "only": ["AuthorizeStart"]})
    assert asked(pin)["code"] == "310"
    kept = {"Value": bcrypt.hashpw(pin.encode(), bcrypt.gensalt(6)).decode(), "Function": "Bcrypt"}
    left: Tree = {"QRCodeIdentification": {"EvcoID": QR_CONTRACT, "HashedPIN": kept}}
    assert oicp.emp.do("push-cards", action="insert", identifications=[left])["code"] == "000"
    assert (asked(pin)["code"], asked("0000")["code"]) == ("000", "101")
    oicp.emp.web.ask("PUT", "/sandbox/mode", {"mode": "happy"})
    oicp.nobody_complains()


async def test_a_record_that_was_acknowledged_is_billed_once_though_the_hub_dies(oicp: OicpSite) -> None:
    emsp, evse_id, hub = oicp.emsp("2.3.0"), "DE*ABC*EKILL", oicp.site.hub
    await _pushed(oicp, evse_id, emsp)
    token = emsp.push_token(oicp.site.uid()[2:], whitelist="NEVER")
    begun = oicp.cpo.do("authorize", uid=token["uid"], evse=evse_id)
    assert begun["code"] == "000", begun
    assert oicp.cpo.do("charge", session=begun["session"], kwh=8, minutes=30)["code"] == "000"
    hub.process.kill()
    hub.start()
    await until(lambda: emsp.of_token("cdrs", token), why="the CDR")
    again = oicp.cpo.do("record", session=begun["session"])
    assert again["code"] == "000", again
    await asyncio.sleep(1)
    [cdr] = emsp.of_token("cdrs", token)
    assert cdr["total_energy"] == 8


async def test_an_emp_that_was_away_gets_its_record_when_it_is_back(oicp: OicpSite) -> None:
    site, uid = oicp.site, "0D0E0F01"
    place = site.place()
    oicp.emp.do("cards", evco_id="DE-DCB-C00000003-2", uid=uid)
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        oicp.emp.process.kill()
        await charger.charge(kwh=6, minutes=30)
        await charger.unplug()
        await charger.settled()
    await asyncio.sleep(1)
    oicp.emp.start()
    oicp.emp.wait()

    def mine() -> list[Tree]:
        return [each for each in oicp.records() if uid in str(each["Identification"])]

    [record] = await until(mine, why="the record")
    assert record["ConsumedEnergy"] == 6
