"""What chargers of 2.x tell or ask beside their charges: each message is answered validly, and does what is useful."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.core.inbound import encode
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.chargingprofiles import store as profiles
from modules.commands import store as commands
from partners.ocpp import device_model, reported, schemas, vendor_data
from partners.ocpp.live import Live
from partners.ocpp.needs import Needs
from partners.ocpp.v2_notices import NOTICES
from partners.ocpp.vat_numbers import FORMS, is_well_formed
from partners.ocpp.vendor_data import VendorAnswer, VendorMessage
from tests.partners.ocpp.example_payloads import example
from tests.partners.ocpp.site import Payload, Point, Site, recently, until

AT = "2026-05-01T12:00:00.000Z"
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}


async def a_point(site: Site, version: str = "2.1") -> Point:
    return await site.point(protocols=[f"ocpp{version}"])


async def audits(site: Site, action: str) -> list[Audit]:
    rows = await site.hub.store.audit_rows(after=0, limit=1000)
    return [row.audit for row in rows if row.audit.action == action]


async def rows(site: Site, subject: str) -> Payload:
    found: Payload = (await reported.read(site.hub.store, "CP1", subject)).get("rows", {})
    return found


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_every_notice_is_answered_as_its_schema_says(site: Site, version: str) -> None:
    told = sorted(set(NOTICES) & schemas.actions(version) - schemas.sends(version))
    async with await a_point(site, version) as cp:
        for action in told:
            payload = example(version, action)
            assert schemas.check(version, action, payload, strict=True) is None, action
            answer = await cp.call(action, payload)
            assert schemas.check(version, action, answer, "response", strict=True) is None, (action, answer)
    assert len(told) == {"2.0.1": 12, "2.1": 23}[version]


async def test_a_reservation_that_a_charger_holds_no_more_is_told(site: Site) -> None:
    number = await held(site, "R1", until=timedelta(hours=1))
    async with await a_point(site) as cp:
        await cp.call("ReservationStatusUpdate", {"reservationId": number + 1, "reservationUpdateStatus": "Removed"})
        assert await states(site) == {"R1": "held"}
        await cp.call("ReservationStatusUpdate", {"reservationId": number, "reservationUpdateStatus": "Removed"})
        assert await states(site) == {"R1": "ended"}
    (notice,) = await site.hub.store.select(commands.COMMANDS)
    assert b"CANCELED_RESERVATION" in notice.body


async def test_a_reservation_that_expired_at_the_charger_is_over_and_nobody_is_told(site: Site) -> None:
    number = await held(site, "R1", until=timedelta(seconds=2))
    async with await a_point(site, "2.0.1") as cp:
        await cp.call("ReservationStatusUpdate", {"reservationId": number, "reservationUpdateStatus": "Expired"})
    assert await states(site) == {"R1": "expired"}
    assert await site.hub.store.select(commands.COMMANDS) == []


async def held(site: Site, name: str, *, until: timedelta) -> int:
    """A reservation at CP1; its number."""
    reservation = commands.Reservation(
        key=f"NL*EEE/{name}",
        partner="eee",
        version="2.2.1",
        response_url="https://eee.example.com/R1",
        owner="NL*EEE",
        station="CP1",
        connector=1,
        location="DE*BSB/LOC1",
        evse_uid="E1",
        connector_id="1",
        token=commands.raw({"uid": "CARD"}),
        id_tag="CARD",
        expires=site.hub.clock.now() + until,
        state=commands.HELD,
    )
    await site.hub.store.commit(Unit().put(commands.reservation_put(reservation)))
    (document,) = await site.hub.store.select(commands.RESERVATIONS)
    return document.seq


async def states(site: Site) -> dict[str, str]:
    documents = await site.hub.store.select(commands.RESERVATIONS)
    return {document.key.split("/")[1]: document.columns["state"] for document in documents}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("action", ["NotifyChargingLimit", "ClearedChargingLimit", "NotifyEVChargingSchedule"])
async def test_who_set_a_profile_hears_that_other_limits_hold(site: Site, version: str, action: str) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
    (session,) = await site.sessions()
    follows = profiles.Profile("NL*EEE", is_followed=True)
    await site.hub.store.commit(Unit().put(profiles.put_of(session["id"], follows, now=site.hub.clock.now())))
    async with await a_point(site, version) as cp:
        periods = [{"startPeriod": 0, "limit": 4000}]
        schedule = {"evseId": 1, "duration": 3600, "scheduleStart": AT, "chargingRateUnit": "W"}
        cp.answers["GetCompositeSchedule"] = {
            "status": "Accepted",
            "schedule": {**schedule, "chargingSchedulePeriod": periods},
        }
        await cp.call(action, {**example(version, action), "evseId": 2})
        await cp.call(action, {**example(version, action), "evseId": 1})
        await until(lambda: bool(cp.asked))

        async def is_told() -> bool:
            changes = await site.hub.store.changes(after=0, limit=1000)
            return any(row.change.module == "chargingprofiles" for row in changes)

        await until(is_told)
        assert [payload["evseId"] for _, payload in cp.asked] == [1]
    document = await profiles.find(site.hub.store, session["id"])
    assert document is not None
    active = profiles.active_in(document)
    assert active is not None
    (period,) = active["charging_profile"]["charging_profile_period"]
    assert period["limit"] == 4000


async def test_limits_are_kept_by_evse_and_source_until_they_are_cleared(site: Site) -> None:
    async with await a_point(site) as cp:
        for evse, source in ((1, "EMS"), (2, "SO"), (1, "SO")):
            limit = {"chargingLimit": {"chargingLimitSource": source}, "evseId": evse}
            await cp.call("NotifyChargingLimit", limit)
        assert set(await rows(site, "limits")) == {"1/EMS", "2/SO", "1/SO"}
        await cp.call("ClearedChargingLimit", {"chargingLimitSource": "SO", "evseId": 1})
        assert set(await rows(site, "limits")) == {"1/EMS", "2/SO"}
        await cp.call("ClearedChargingLimit", {"chargingLimitSource": "SO"})
        assert set(await rows(site, "limits")) == {"1/EMS"}


async def test_what_a_car_needs_is_kept_where_power_is_shared_out(site: Site) -> None:
    needs = {
        "requestedEnergyTransfer": "DC",
        "departureTime": "2026-05-01T18:00:00Z",
        "dcChargingParameters": {"evMaxCurrent": 200, "evMaxVoltage": 920, "energyAmount": 30000, "stateOfCharge": 20},
    }
    live = site.gateway.stations.get("CP1")
    for version, status in (("2.0.1", "Rejected"), ("2.1", "NoChargingProfile")):
        async with await a_point(site, version) as cp:
            answer = await cp.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})
            assert answer == {"status": status}
    kept = live.needs[1]
    departure = datetime(2026, 5, 1, 18, tzinfo=UTC)
    assert kept == Needs(1, kept.at, "DC", departure, Decimal(30000), Decimal(200), soc=20)
    assert (await rows(site, "needs"))["1"]["energy_wh"] == "30000"


async def test_a_stream_of_values_tells_what_an_event_would(site: Site) -> None:
    variable = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
    monitor = {"id": 3, "transaction": False, "value": 1, "type": "Periodic", "severity": 9}
    custom = {**monitor, "eventNotificationType": "CustomMonitor"}
    report = {"monitor": [{**variable, "variableMonitoring": [custom]}], "requestId": 1, "seqNo": 0}
    async with await a_point(site) as cp:
        await cp.call("NotifyMonitoringReport", {**report, "generatedAt": AT})
        stream = {"id": 5, "params": {"interval": 1}, "variableMonitoringId": 3}
        assert await cp.call("OpenPeriodicEventStream", {"constantStreamData": stream}) == {"status": "Accepted"}
        assert site.gateway.stations.get("CP1").streams == {5: 3}
        data = {"data": [{"t": 0, "v": "1"}, {"t": 1, "v": "2"}], "id": 5, "pending": 0, "basetime": AT}
        await cp.socket.send(encode([6, "s1", "NotifyPeriodicEventStream", data]).decode())
        await cp.call("Heartbeat", {})
        await cp.call("ClosePeriodicEventStream", {"id": 5})
        assert site.gateway.stations.get("CP1").streams == {}
        assert cp.stray == []


async def test_nothing_is_said_to_be_good_that_was_not_looked_at(site: Site) -> None:
    async with await a_point(site) as cp:
        asked = {"certificateHashData": HASHES, "source": "OCSP", "urls": ["http://o"]}
        answer = await cp.call("GetCertificateChainStatus", {"certificateStatusRequests": [asked]})
        assert [each["status"] for each in answer["certificateStatus"]] == ["Failed"]
        told = await cp.call("GetCertificateStatus", {"ocspRequestData": {**HASHES, "responderURL": "http://o"}})
        assert told == {"status": "Failed"}
        wanted = {"iso15118SchemaVersion": "urn", "action": "Install", "exiRequest": "AA=="}
        assert (await cp.call("Get15118EVCertificate", wanted))["status"] == "Failed"


async def test_what_is_told_once_is_kept_for_good(site: Site) -> None:
    async with await a_point(site) as cp:
        paid = {"pspRef": "P1", "status": "Settled", "settlementAmount": 12.5, "settlementTime": AT, "receiptId": "17"}
        await cp.call("NotifySettlement", {**paid, "transactionId": "T1"})
        await cp.call("NotifyDERAlarm", {"controlType": "FreqDroop", "timestamp": AT, "gridEventFault": "OverVoltage"})
    (row,) = await audits(site, "station.settlement")
    assert (row.subject, row.detail) == ("P1", "Settled 12.5 transaction T1 receipt 17")
    (row,) = await audits(site, "station.der_alarm")
    assert (row.subject, row.detail) == ("FreqDroop", "begun OverVoltage")


async def test_a_list_that_was_asked_for_is_gathered_and_takes_the_place_of_the_one_before(site: Site) -> None:
    message = {"priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello"}}
    async with await a_point(site, "2.0.1") as cp:
        first = [{"id": 1, **message}]
        await cp.call("NotifyDisplayMessages", {"requestId": 1, "tbc": True, "messageInfo": first})
        await cp.call("NotifyDisplayMessages", {"requestId": 1, "messageInfo": [{"id": 2, **message}]})
        assert set(await rows(site, "display-messages")) == {"1", "2"}
        await cp.call("NotifyDisplayMessages", {"requestId": 2, "messageInfo": [{"id": 3, **message}]})
        assert set(await rows(site, "display-messages")) == {"3"}
        for n, more in ((0, True), (1, False)):
            part = {"data": f"part {n}", "seqNo": n, "tbc": more, "generatedAt": AT, "requestId": 4}
            await cp.call("NotifyCustomerInformation", part)
        assert [row["data"] for row in (await rows(site, "customer-information")).values()] == ["part 0", "part 1"]


async def test_messages_that_a_display_was_given_and_has_no_more_are_known_without_asking(site: Site) -> None:
    message = {"priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello"}}
    async with await a_point(site, "2.0.1") as cp:
        await cp.call("NotifyDisplayMessages", {"requestId": 1, "messageInfo": [{"id": 1, **message}]})
        for status, shown in (("Rejected", {"1"}), ("Accepted", {"1", "2"})):
            cp.answers["SetDisplayMessage"] = {"status": status}
            await site.gateway.stations.call("CP1", "SetDisplayMessage", {"message": {"id": 2, **message}})
            assert set(await rows(site, "display-messages")) == shown
        cp.answers["ClearDisplayMessage"] = {"status": "Accepted"}
        await site.gateway.stations.call("CP1", "ClearDisplayMessage", {"id": 1})
        assert set(await rows(site, "display-messages")) == {"2"}


@pytest.mark.parametrize(
    ("subject", "action", "everything", "some", "nothing"),
    [
        ("display-messages", "GetDisplayMessages", {}, {"priority": "InFront"}, "Unknown"),
        ("charging-profiles", "GetChargingProfiles", {"chargingProfile": {}}, {"evseId": 0}, "NoProfiles"),
        ("der-controls", "GetDERControl", {}, {"controlId": "C1"}, "NotFound"),
    ],
)
async def test_a_list_of_which_the_charger_has_nothing_is_empty(
    site: Site, subject: str, action: str, everything: Payload, some: Payload, nothing: str
) -> None:
    before = reported.put_of("CP1", subject, {"rows": {"1": {"id": 1}}}, site.hub.clock.now())
    await site.hub.store.commit(Unit().put(before))
    async with await a_point(site) as cp:
        for status, asked, kept in (("Accepted", {}, {"1"}), (nothing, some, {"1"}), (nothing, {}, set())):
            cp.answers[action] = {"status": status}
            called = await site.gateway.stations.call("CP1", action, {"requestId": 2, **everything, **asked})
            assert (called.outcome, called.finding) == ("result", "")
            assert set(await rows(site, subject)) == kept


async def test_what_is_told_of_one_customer_is_not_taken_for_what_was_told_of_another(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_model, "QUIET_S", 0.05)
    async with await a_point(site, "2.0.1") as cp:
        for request, part, more in ((4, 1, False), (4, 0, True), (5, 0, True)):
            told = {
                "data": f"{request}: part {part}",
                "seqNo": part,
                "tbc": more,
                "generatedAt": AT,
                "requestId": request,
            }
            await cp.call("NotifyCustomerInformation", told)

        async def is_kept() -> bool:
            kept = (await rows(site, "customer-information")).values()
            return sorted((row["requestId"], row["data"]) for row in kept) == [
                (4, "4: part 0"),
                (4, "4: part 1"),
                (5, "5: part 0"),
            ]

        await until(is_kept)


async def test_what_is_told_and_asked_of_a_customer_is_in_no_frame_that_is_shown(site: Site) -> None:
    async with await a_point(site, "2.0.1") as cp:
        cp.answers["CustomerInformation"] = {"status": "Accepted"}
        asked = {"requestId": 4, "report": True, "clear": False, "customerIdentifier": "Ada Lovelace"}
        await site.gateway.stations.call("CP1", "CustomerInformation", asked)
        told = {"data": "Ada Lovelace has 04A1B2C3", "seqNo": 0, "generatedAt": AT, "requestId": 4}
        await cp.call("NotifyCustomerInformation", told)
        shown = str(site.gateway.stations.messages("CP1"))
        assert "NotifyCustomerInformation" in shown
        assert "Ada" not in shown
        assert "04A1B2C3" not in shown


@pytest.mark.parametrize(
    ("number", "status"),
    [("DE123456789", "Accepted"), ("NL 8596.54.321 B01", "Accepted"), ("DE12345", "Rejected"), ("XX1", "Rejected")],
)
async def test_a_vat_number_is_checked_by_its_form(site: Site, number: str, status: str) -> None:
    async with await a_point(site) as cp:
        told = await cp.call("VatNumberValidation", {"vatNumber": number, "evseId": 1})
    assert told == {"vatNumber": number, "evseId": 1, "status": status}


def test_every_country_of_the_union_has_a_form() -> None:
    assert len(FORMS) == 28
    assert is_well_formed("ATU12345678")
    assert not is_well_formed("")


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_vendors_message_goes_to_who_registered_for_it(site: Site, protocol: str) -> None:
    heard: list[VendorMessage] = []

    @vendor_data.handles("com.Example")
    async def example_of_a_vendor(hub: Hub, live: Live, message: VendorMessage) -> VendorAnswer:
        heard.append(message)
        return VendorAnswer("Accepted", "yes")

    payload = {"vendorId": "com.example", "messageId": "Ask", "data": "x"}
    try:
        live = site.gateway.stations.get("CP1")
        assert await vendor_data.answer(site.hub, live, payload) == {"status": "Accepted", "data": "yes"}
        async with await site.point(protocols=[protocol]) as cp:
            assert await cp.call("DataTransfer", payload) == {"status": "Accepted", "data": "yes"}
        unknown = await vendor_data.answer(site.hub, live, {"vendorId": "nobody"})
        assert unknown == {"status": "UnknownVendorId"}
    finally:
        vendor_data.HANDLERS.clear()
    assert heard[-1] == VendorMessage("com.example", "Ask", "x")
