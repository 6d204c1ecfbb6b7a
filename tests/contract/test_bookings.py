"""Bookings on both interfaces. OCPI mod_bookings_interfaces_and_endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.errors import PeerRefused
from hub.core.parties import PartyRole
from modules.bookings.editions import QUIRK
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS
from tests.modules.bookings.booked import TERMS, asked, calendar, canceling, open_place, place, slot
from tests.world import Sent, World, token

LATER = "2026-05-04T11:00:00Z"
PLACES = "receiver/bookings/BE/AAA/booking_locations"
OF_C1 = f"{PLACES}/BX1"
BOOKING = "receiver/bookings/BE/AAA/BK1"


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


def theirs(place_id: str = "BX1", owner: str = "BE*AAA", **fields: Any) -> dict[str, Any]:
    """A booking location of another CPO."""
    country_code, party_id = owner.split("*")
    about = {"country_code": country_code, "party_id": party_id, "last_updated": "2026-05-04T10:00:00Z"}
    return {**place(place_id), **about, **fields}


def booking(number: str = "BK1", owner: str = "BE*AAA", **fields: Any) -> dict[str, Any]:
    """A booking of another CPO, for e1."""
    country_code, party_id = owner.split("*")
    request = asked(booking_location_id="BX1")
    entry = {"request_status": "PENDING", "booking_request": request, "request_received": "2026-05-04T10:00:00Z"}
    return {
        "id": number,
        "country_code": country_code,
        "party_id": party_id,
        "request_id": "REQ1",
        "location_id": "LOC1",
        "period": slot(10, 11),
        "reservation_status": "PENDING",
        "authorization_reference": "ref-REQ1",
        "booking_terms": TERMS,
        "booking_requests": [entry],
        "last_updated": "2026-05-04T10:00:00Z",
        **fields,
    }


# sender: what eMSPs see and ask for


async def test_an_emsp_lists_gets_and_books_what_is_ours(world: World) -> None:
    await open_place(world)
    (listed,) = (await world.ask("GET", world.at("sender/bookings/booking_locations"), by="e1")).data
    assert (listed["id"], listed["country_code"]) == ("BL1", "DE")
    one = await world.ask("GET", world.at("sender/bookings/booking_locations/bl1"), by="e1")
    assert one.data == listed
    got = await world.ask("GET", world.at("sender/bookings/booking_locations/BL1/cal"), by="e1")
    assert got.data == listed["calendars"][0]
    said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=asked())
    assert (said.http, said.code, said.data["reservation_status"]) == (201, 1000, "RESERVED")
    again = await world.ask("POST", world.at("sender/bookings"), by="e1", body=asked())
    assert (again.http, again.data) == (200, said.data)
    assert (await world.ask("GET", world.at("sender/bookings"), by="e1")).data == [said.data]
    assert (await world.ask("GET", world.at("sender/bookings"), by="e2")).data == []


async def test_a_rejection_says_why(world: World) -> None:
    await open_place(world)
    said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=asked(6, 7))
    assert (said.http, said.code, said.data["reservation_status"]) == (201, 1000, "REJECTED")
    assert "not open" in said.message


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("timeslot_from=2026-05-05T09:00:00Z", ["BL2"]),
        ("timeslot_from=2026-05-05T08:00:00Z&timeslot_to=2026-05-05T09:00:00Z", ["BL1"]),
        ("timeslot_to=2026-05-05T08:00:00Z", []),
        ("timeslot_from=2026-05-05T00:00:00Z&limit=1", ["BL1"]),
        ("timeslot_from=2026-05-05T00:00:00Z&limit=1&offset=1", ["BL2"]),
        ("date_from=2027-01-01T00:00:00Z", []),
    ],
)
async def test_places_are_filtered_by_what_is_free(world: World, query: str, ids: list[str]) -> None:
    await open_place(world)
    await open_place(world, place("BL2", "E2", calendars=[calendar((14, 16))]))
    said = await world.ask("GET", world.at(f"sender/bookings/booking_locations?{query}"), by="e1")
    assert [each["id"] for each in said.data] == ids
    if "limit=1" in query:
        assert said.headers["x-total-count"] == "2"
        assert ("offset=1" in said.headers.get("link", "")) == ("offset" not in query)


@pytest.mark.parametrize("name", ["timeslot_from", "timeslot_to"])
async def test_a_filter_that_is_no_time_is_2001(world: World, name: str) -> None:
    said = await world.ask("GET", world.at(f"sender/bookings/booking_locations?{name}=soon"), by="e1")
    assert (said.http, said.code) == (200, 2001)


@pytest.mark.parametrize(
    ("by", "body", "answer"),
    [
        ("e1", {"request_id": "R"}, (200, 2001)),
        ("e1", [], (200, 2001)),
        ("e2", asked(), (200, 2001)),
        ("e1", asked(booking_location_id="NONE"), (200, 2003)),
        ("e1", asked(tokens=[asked(owner="NL*FFF")["tokens"][0]]), (200, 2004)),
        ("e1", canceling(), (200, 2001)),
        ("c1", asked(), (403, 2000)),
    ],
)
async def test_a_request_that_cannot_be_decided_has_no_effect(
    world: World, by: str, body: Any, answer: tuple[int, int]
) -> None:
    await open_place(world)
    async with world.unchanged():
        said = await world.ask("POST", world.at("sender/bookings"), by=by, body=body)
        assert (said.http, said.code) == answer


async def test_what_is_not_there_is_404(world: World) -> None:
    await open_place(world)
    for path in ("booking_locations/NONE", "booking_locations/BL1/NONE", "booking_locations/NONE/CAL"):
        said = await world.ask("GET", world.at(f"sender/bookings/{path}"), by="e1")
        assert (said.http, said.code) == (404, 2000)


async def test_a_cpo_has_no_business_on_the_sender_side_nor_an_emsp_on_the_receivers(world: World) -> None:
    async with world.unchanged():
        for by, method, path, body in (
            ("c1", "GET", "sender/bookings", None),
            ("c1", "GET", "sender/bookings/booking_locations", None),
            ("e1", "GET", OF_C1, None),
            ("e1", "PUT", OF_C1, theirs()),
            ("e1", "PATCH", f"{OF_C1}/CAL", {}),
            ("e1", "PUT", BOOKING, booking()),
            ("e1", "PATCH", BOOKING, {}),
        ):
            said = await world.ask(method, world.at(path), by=by, body=body)
            assert (said.http, said.code) == (403, 2000), (by, method, path)


# receiver: what CPOs push


async def test_a_cpo_puts_and_patches_its_booking_locations_and_calendars(world: World) -> None:
    assert (await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())).http == 201
    async with world.unchanged():
        assert (await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())).http == 200
    part = {"tariff_ids": ["T9"], "booking_terms": {"noshow_timeout": 5}, "last_updated": LATER}
    assert (await world.ask("PATCH", world.at(OF_C1), by="c1", body=part)).code == 1000
    new = {**calendar((1, 2), calendar_id="C2"), "last_updated": "2026-05-04T12:00:00Z"}
    assert (await world.ask("PUT", world.at(f"{OF_C1}/C2"), by="c1", body=new)).code == 1000
    moved = {"timeslot_increment": 5, "last_updated": "2026-05-04T13:00:00Z"}
    assert (await world.ask("PATCH", world.at(f"{OF_C1}/c2"), by="c1", body=moved)).code == 1000
    kept = (await world.ask("GET", world.at(OF_C1), by="c1")).data
    assert (kept["tariff_ids"], kept["last_updated"]) == (["T9"], "2026-05-04T13:00:00Z")
    assert kept["booking_terms"] == {**TERMS, "noshow_timeout": 5}
    got = (await world.ask("GET", world.at(f"{OF_C1}/C2"), by="c1")).data
    assert got == {**new, **moved} == kept["calendars"][1]


async def test_a_patch_is_also_taken_where_the_examples_send_it(world: World) -> None:
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())
    at = "receiver/bookings/bookinglocations/BE/AAA/BX1"
    for path, part in ((at, {"tariff_ids": []}), (f"{at}/CAL", {"timeslot_increment": 1})):
        said = await world.ask("PATCH", world.at(path), by="c1", body={**part, "last_updated": LATER})
        assert (said.http, said.code) == (200, 1000)
    kept = (await world.ask("GET", world.at(OF_C1), by="c1")).data
    assert "tariff_ids" not in kept
    assert kept["calendars"][0]["timeslot_increment"] == 1


async def test_a_cpo_puts_and_patches_bookings_until_they_have_ended(world: World) -> None:
    assert (await world.ask("PUT", world.at(BOOKING), by="c1", body=booking())).http == 201
    evse = {"evse_uid": "EVS1", "last_updated": LATER}
    assert (await world.ask("PATCH", world.at(BOOKING), by="c1", body=evse)).code == 1000
    done = {"reservation_status": "FULFILLED", "last_updated": "2026-05-04T12:00:00Z"}
    assert (await world.ask("PATCH", world.at(BOOKING), by="c1", body=done)).code == 1000
    kept = (await world.ask("GET", world.at(BOOKING), by="c1")).data
    assert (kept["reservation_status"], kept["booking_option"]) == ("FULFILLED", {"evse_uid": "EVS1"})
    async with world.unchanged():
        back = {"reservation_status": "RESERVED", "last_updated": "2026-05-04T13:00:00Z"}
        said = await world.ask("PATCH", world.at(BOOKING), by="c1", body=back)
        assert (said.http, said.code) == (200, 2001)
        assert "ended as FULFILLED" in said.message
    assert (await world.ask("GET", world.at("sender/bookings"), by="e1")).data == [kept]
    assert (await world.ask("GET", world.at("sender/bookings"), by="e2")).data == []


async def test_a_booking_that_is_addressed_to_another_emsp_is_refused(world: World) -> None:
    to_e2 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "FFF")]
    async with world.unchanged():
        said = await world.ask("PUT", world.at(BOOKING), by="c1", body=booking(), headers=to_e2)
        assert (said.http, said.code) == (200, 2001)
        assert "of NL*EEE, and the OCPI-to headers name NL*FFF" in said.message
    to_e1 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "EEE")]
    assert (await world.ask("PUT", world.at(BOOKING), by="c1", body=booking(), headers=to_e1)).http == 201
    part = {"evse_uid": "EVS1", "last_updated": LATER}
    async with world.unchanged():
        said = await world.ask("PATCH", world.at(BOOKING), by="c1", body=part, headers=to_e2)
        assert (said.http, said.code) == (200, 2001)
    assert (await world.ask("PATCH", world.at(BOOKING), by="c1", body=part, headers=to_e1)).code == 1000


async def test_a_booking_keeps_its_request_id_and_who_asked_for_it(world: World) -> None:
    await world.ask("PUT", world.at(BOOKING), by="c1", body=booking())
    foreign = {**booking()["booking_requests"][0], "booking_request": asked(owner="NL*FFF", tokens=[])}
    async with world.unchanged():
        for fields in ({"request_id": "REQ2"}, {"booking_requests": [*booking()["booking_requests"], foreign]}):
            for method, body in (
                ("PUT", booking(**fields, last_updated=LATER)),
                ("PATCH", {**fields, "last_updated": LATER}),
            ):
                said = await world.ask(method, world.at(BOOKING), by="c1", body=body)
                assert (said.http, said.code) == (200, 2001), (method, fields)


async def test_what_is_wrong_foreign_old_or_unknown_changes_nothing(world: World) -> None:
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())
    await world.ask("PUT", world.at(BOOKING), by="c1", body=booking())
    old = "2026-05-04T09:00:00Z"
    foreign_place, foreign_booking = OF_C1.replace("AAA", "BBB"), BOOKING.replace("AAA", "BBB")
    async with world.unchanged():
        for method, path, body, answer in (
            ("PUT", OF_C1, theirs(owner="BE*BBB"), (200, 2001)),
            ("PUT", OF_C1, theirs("BX2"), (200, 2001)),
            ("PUT", OF_C1, theirs(location_id=None), (200, 2001)),
            ("PUT", foreign_place, theirs(owner="BE*BBB"), (404, 2000)),
            ("PUT", OF_C1, theirs(tariff_ids=["X"], last_updated=old), (200, 1000)),
            ("PATCH", OF_C1, {"tariff_ids": ["X"], "last_updated": old}, (200, 1000)),
            ("PATCH", OF_C1, {"tariff_ids": ["X"]}, (200, 2001)),
            ("PATCH", OF_C1, {"location_id": None, "last_updated": LATER}, (200, 2001)),
            ("PATCH", OF_C1, {"id": "BX2", "last_updated": LATER}, (200, 2001)),
            ("PATCH", f"{PLACES}/NONE", {"last_updated": LATER}, (404, 2003)),
            ("PUT", f"{PLACES}/NONE/CAL", calendar((1, 2)), (404, 2003)),
            ("PATCH", f"{OF_C1}/NONE", {"last_updated": LATER}, (404, 2000)),
            ("PUT", f"{OF_C1}/C9", calendar((1, 2)), (200, 2001)),
            ("GET", f"{PLACES}/NONE", None, (404, 2000)),
            ("GET", foreign_place, None, (404, 2000)),
            ("PUT", BOOKING, booking("BK2"), (200, 2001)),
            ("PUT", BOOKING, booking(booking_requests=[]), (200, 2001)),
            ("PUT", foreign_booking, booking(owner="BE*BBB"), (404, 2000)),
            ("PATCH", BOOKING, {"reservation_status": "SOON", "last_updated": LATER}, (200, 2001)),
            ("PATCH", "receiver/bookings/BE/AAA/NONE", {"last_updated": LATER}, (404, 2000)),
            ("GET", "receiver/bookings/BE/AAA/NONE", None, (404, 2000)),
            ("DELETE", BOOKING, None, (405, 2000)),
            ("POST", OF_C1, {}, (405, 2000)),
        ):
            said = await world.ask(method, world.at(path), by="c1", body=body)
            assert (said.http, said.code) == answer, (method, path, body, said.message)


async def test_what_a_cpo_offers_is_seen_by_emsps_and_addressed_ones_by_theirs_alone(world: World) -> None:
    await open_place(world)
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())
    to_e2 = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "FFF")]
    await world.ask("PUT", world.at(f"{PLACES}/BX2"), by="c1", body=theirs("BX2"), headers=to_e2)
    for by, ids in (("e1", ["BL1", "BX1"]), ("e2", ["BL1", "BX1", "BX2"])):
        said = await world.ask("GET", world.at("sender/bookings/booking_locations"), by=by)
        assert [each["id"] for each in said.data] == ids
    assert (await world.ask("GET", world.at("sender/bookings/booking_locations/BX2"), by="e1")).http == 404


# the hub between: requests for other CPOs' places


async def test_a_request_for_anothers_place_goes_there_and_its_answer_comes_back(world: World) -> None:
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())
    answer = booking(reservation_status="RESERVED")
    world.peers.script = lambda sent: answer
    request = asked(booking_location_id="BX1", x_vendor=1)
    said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=request)
    assert (said.http, said.code, said.data) == (200, 1000, answer)
    (sent,) = world.peers.sent
    assert (sent.partner, sent.brief, sent.body) == ("c1", ("POST", "Booking", ""), request)
    assert (said.headers["ocpi-from-party-id"], said.headers["ocpi-to-party-id"]) == ("AAA", "EEE")
    (kept,) = await world.documents(BOOKINGS)
    assert (kept.owner, kept.audience) == ("BE*AAA", "NL*EEE")


async def test_nobody_books_anothers_place_for_anothers_driver(world: World) -> None:
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())
    card = await world.ask(
        "PUT", world.at("receiver/tokens/NL/FFF/CARD9"), by="e2", body=token("2.3.0", "NL*FFF", "CARD9")
    )
    assert card.code == 1000
    own = asked()["tokens"][0]
    foreign = asked(owner="NL*FFF")["tokens"][0]
    async with world.unchanged():
        for tokens in ([foreign], [own, foreign], [{**own, "uid": "CARD9"}]):
            for to in ([], [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]):
                request = asked(booking_location_id="BX1", tokens=tokens)
                said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=request, headers=to)
                assert (said.http, said.code) == (200, 2004)


async def test_what_the_other_cpo_refuses_is_told_as_it_is(world: World) -> None:
    await world.ask("PUT", world.at(OF_C1), by="c1", body=theirs())

    def refuse(sent: Sent) -> None:
        raise PeerRefused("no such place", http=200, status_code=2003)

    world.peers.script = refuse
    said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=asked(booking_location_id="BX1"))
    assert (said.http, said.code) == (200, 2003)
    other = [{**booking()["booking_requests"][0], "booking_request": asked(request_id="REQ2")}]
    foreign = [{**booking()["booking_requests"][0], "booking_request": asked(owner="NL*FFF", tokens=[])}]
    for nonsense in (
        None,
        {"id": "X"},
        booking(owner="BE*BBB"),
        booking(request_id="REQ2"),
        booking(booking_requests=other),
        booking(booking_requests=foreign),
    ):
        world.peers.script = lambda sent, nonsense=nonsense: nonsense  # type: ignore[misc]
        said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=asked(booking_location_id="BX1"))
        assert (said.http, said.code) == (200, 4000)
    assert await world.documents(BOOKINGS) == []


async def test_a_partner_of_1_0_is_read_and_written_in_its_words(world: World) -> None:
    await open_place(world)
    partner = world.partner("e1")
    await world.registry.save(partner.model_copy(update={"quirks": (QUIRK,)}))
    (listed,) = (await world.ask("GET", world.at("sender/bookings/booking_locations"), by="e1")).data
    assert listed["booking_terms"][0]["cancel_until_minutes"] == 120
    assert listed["evse_uid"] == "E1"
    assert listed["calendars"][0]["step_size"] == 15
    assert "start_from" in listed["calendars"][0]["available_timeslots"][0]
    request = asked()
    del request["booking_location_id"]
    request |= {
        "evse_uid": "E1",
        "period": {"start_from": "2026-05-05T10:00:00Z", "end_before": "2026-05-05T11:00:00Z"},
    }
    said = await world.ask("POST", world.at("sender/bookings"), by="e1", body=request)
    assert (said.code, said.data["reservation_status"], said.data["evse_uid"]) == (1000, "RESERVED", "E1")
    assert said.data["period"]["start_from"] == "2026-05-05T10:00:00Z"
    (other,) = (await world.ask("GET", world.at("sender/bookings/booking_locations"), by="e2")).data
    assert isinstance(other["booking_terms"], dict)


async def test_a_booking_location_of_1_0_is_taken_into_our_form(world: World) -> None:
    old, terms = theirs(), {name: value for name, value in TERMS.items() if not name.endswith("_booking_duration")}
    old |= {"evse_uid": "E7", "booking_terms": [terms], "tariff_id": ["T1"], "bookable": {"reservation_required": True}}
    option = {"vehicle_types": ["VAN"], "format": "CABLE", "restricted_to_type": False, "parking_space_length": 600}
    old["bookable_parking_options"] = [option]
    old["calendars"] = [
        {
            "id": "CAL",
            "begin_from": "2026-05-05T00:00:00Z",
            "end_before": "2026-05-06T00:00:00Z",
            "step_size": 15,
            "available_timeslots": [{"start_from": "2026-05-05T08:00:00Z", "end_before": "2026-05-05T20:00:00Z"}],
            "last_updated": "2026-05-04T10:00:00Z",
        }
    ]
    for name in ("booking_option", "tariff_ids"):
        del old[name]
    assert (await world.ask("PUT", world.at(OF_C1), by="c1", body=old)).http == 201
    kept = (await world.ask("GET", world.at(OF_C1), by="c1")).data
    assert kept["booking_option"] == {
        "evse_uid": "E7",
        "vehicle_types": ["VAN"],
        "connector_format": ["CABLE"],
        "min_parking_space_length": 600,
    }
    assert (kept["booking_terms"], kept["policy"]) == (terms, {"reservation_required": True})
    assert kept["calendars"][0]["timeslot_increment"] == 15
    assert len(await world.documents(BOOKING_LOCATIONS)) == 1


async def test_a_payment_provider_books_for_its_customers_too(world: World) -> None:
    await open_place(world)
    await world.join("t1", "NL*PTA", PartyRole.PTP)
    said = await world.ask("POST", world.at("sender/bookings"), by="t1", body=asked(owner="NL*PTA", tokens=[]))
    assert said.data["reservation_status"] == "RESERVED"


@pytest.mark.parametrize("old", ["2.1.1", "2.2.1"])
async def test_older_versions_have_no_such_module(world: World, old: str) -> None:
    assert (await world.ask("GET", world.at("sender/bookings", version=old), by="e1")).http == 404
