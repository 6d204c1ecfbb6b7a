"""CDRs of our own sessions: how they are cut, what they state, and that the far end can check them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.parties import Party
from modules.cdrs.build import AlreadyCredited, Sample, SessionFacts, State, build, credit, running
from modules.tariffs.pricing import Case, Code, NoTariffInForce, UnfitSession, UnknownTariff, price

TOKEN = {
    "country_code": "NL",
    "party_id": "MSP",
    "uid": "012345678",
    "type": "RFID",
    "contract_id": "NL8ACC12E46L89",
    "issuer": "somebody",
    "valid": True,
}


def element(*components: tuple[str, str, int], **restrictions: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "price_components": [
            {"type": kind, "price": Decimal(amount), "vat": Decimal(20), "step_size": step}
            for kind, amount, step in components
        ]
    }
    return {**tree, "restrictions": restrictions} if restrictions else tree


def tariff(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "country_code": "NL",
        "party_id": "CPO",
        "id": "T1",
        "currency": "EUR",
        "tax_included": "NO",
        "elements": list(elements),
        "last_updated": "2024-01-01T00:00:00Z",
        **more,
    }


PLAIN = tariff(element(("ENERGY", "0.25", 1)))


def location(tariff_ids: Sequence[str] = ("T1",), **more: Any) -> dict[str, Any]:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": list(tariff_ids),
        "last_updated": "2024-01-01T00:00:00Z",
    }
    evse = {"uid": "3256", "evse_id": "NL*CPO*E041503001", "status": "AVAILABLE", "connectors": [connector]}
    return {
        "id": "LOC1",
        "name": "Gent Zuid",
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "postal_code": "9000",
        "country": "BEL",
        "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
        "time_zone": "Europe/Amsterdam",
        "evses": [evse],
        **more,
    }


def at(text: str) -> datetime:
    """`HH:MM[:SS]` on Monday 2024-01-15, or a whole date and time; UTC."""
    return datetime.fromisoformat(text if "T" in text else f"2024-01-15T{text}").replace(tzinfo=UTC)


def session(start: str | None = "09:00", end: str | None = "10:00", **more: Any) -> SessionFacts:
    facts: dict[str, Any] = {
        "session_id": "S1",
        "party": Party("NL", "CPO"),
        "token": TOKEN,
        "location": location(),
        "evse_uid": "3256",
        "connector_id": "1",
        "tariffs": [PLAIN],
        "currency": "EUR",
        "auth_method": "WHITELIST",
        "start": at(start) if start else None,
        "end": at(end) if end else None,
        **more,
    }
    return SessionFacts(**facts)


def register(*readings: tuple[str, str]) -> list[Sample]:
    return [Sample(at(moment), Decimal(value)) for moment, value in readings]


def shape(cdr: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Start of each period, and its volumes without trailing zeros."""
    return [
        (
            period["start_date_time"][11:-5].removesuffix(":00"),
            {d["type"]: f"{d['volume'].normalize():f}" for d in period["dimensions"]},
        )
        for period in cdr["charging_periods"]
    ]


def test_a_plain_session_has_one_period_and_every_required_field() -> None:
    facts = session(register=register(("09:00", "100.0"), ("09:31", "105.5"), ("10:00", "110.5")))
    cdr = build(facts)
    assert cdr == {
        "country_code": "NL",
        "party_id": "CPO",
        "id": "S1",
        "session_id": "S1",
        "start_date_time": "2024-01-15T09:00:00.000Z",
        "end_date_time": "2024-01-15T10:00:00.000Z",
        "cdr_token": {
            "country_code": "NL",
            "party_id": "MSP",
            "uid": "012345678",
            "type": "RFID",
            "contract_id": "NL8ACC12E46L89",
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "LOC1",
            "name": "Gent Zuid",
            "address": "F.Rooseveltlaan 3A",
            "city": "Gent",
            "postal_code": "9000",
            "country": "BEL",
            "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
            "evse_uid": "3256",
            "evse_id": "NL*CPO*E041503001",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "tariffs": [PLAIN],
        "charging_periods": [
            {
                "start_date_time": "2024-01-15T09:00:00.000Z",
                "tariff_id": "T1",
                "dimensions": [
                    {"type": "ENERGY", "volume": Decimal("10.5")},
                    {"type": "TIME", "volume": Decimal(1)},
                ],
            }
        ],
        "total_cost": {
            "before_taxes": Decimal("2.625"),
            "taxes": [{"name": "VAT", "percentage": Decimal(20), "amount": Decimal("0.525")}],
        },
        "total_energy": Decimal("10.5"),
        "total_energy_cost": {
            "before_taxes": Decimal("2.625"),
            "taxes": [{"name": "VAT", "percentage": Decimal(20), "amount": Decimal("0.525")}],
        },
        "total_time": Decimal(1),
        "last_updated": "2024-01-15T10:00:00.000Z",
    }


def test_what_is_known_besides_is_passed_on() -> None:
    signed = {
        "encoding_method": "OCMF",
        "signed_values": [{"nature": "End", "plain_data": "x", "signed_data": "y"}],
    }
    cdr = build(
        session(authorization_reference="R1", remark="r", meter_id="M", signed_data=signed, cdr_id="C9"),
        now=at("11:00"),
    )
    assert (cdr["id"], cdr["session_id"], cdr["last_updated"]) == ("C9", "S1", "2024-01-15T11:00:00.000Z")
    assert (cdr["authorization_reference"], cdr["remark"], cdr["meter_id"]) == ("R1", "r", "M")
    assert cdr["signed_data"] == signed


def test_our_own_pause_is_charging_time_and_the_cars_pause_is_parking() -> None:
    cdr = build(
        session(
            tariffs=[tariff(element(("TIME", "2.00", 1), ("PARKING_TIME", "5.00", 1)))],
            states=[
                State(at("09:00"), "CHARGING"),
                State(at("09:10"), "SUSPENDED_EVSE"),
                State(at("09:20"), "CHARGING"),
                State(at("09:30"), "SUSPENDED_EV"),
                State(at("09:45"), "FINISHING"),
            ],
        )
    )
    assert shape(cdr) == [("09:00", {"TIME": "0.5"}), ("09:30", {"PARKING_TIME": "0.5"})]
    assert (cdr["total_time"], cdr["total_parking_time"]) == (Decimal(1), Decimal("0.5"))
    assert cdr["total_cost"]["before_taxes"] == Decimal("3.50")


def test_a_state_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(UnfitSession, match="not a state"):
        build(session(states=[State(at("09:10"), "FAULTED")]))


def test_a_threshold_in_kwh_is_cut_at_exactly_its_energy() -> None:
    cdr = build(
        session(
            tariffs=[tariff(element(("ENERGY", "0.20", 1), max_kwh=7), element(("ENERGY", "0.30", 1)))],
            register=register(("09:00", "0"), ("09:30", "3"), ("10:00", "10")),
        )
    )
    assert shape(cdr) == [
        ("09:00", {"ENERGY": "7", "TIME": "0.7857"}),
        ("09:47:08", {"ENERGY": "3", "TIME": "0.2143"}),
    ]
    assert cdr["total_cost"]["before_taxes"] == Decimal("2.30")


def test_an_evening_price_is_cut_where_the_wall_clock_says_so() -> None:
    evening = tariff(
        element(("ENERGY", "0.10", 1), start_time="20:00", end_time="07:00"), element(("ENERGY", "0.30", 1))
    )
    cdr = build(session("18:30", "19:30", tariffs=[evening], register=register(("18:30", "0"), ("19:30", "6"))))
    assert [start for start, _ in shape(cdr)] == ["18:30", "19:00"]
    assert cdr["total_cost"]["before_taxes"] == Decimal("1.20")


def test_a_repeated_hour_has_its_night_price_twice() -> None:
    night = tariff(element(("TIME", "1.00", 1), start_time="02:00", end_time="02:30"), element(("TIME", "6.00", 1)))
    cdr = build(session("2024-10-26T23:30:00", "2024-10-27T02:00:00", tariffs=[night]))
    assert [start for start, _ in shape(cdr)] == ["23:30", "00:00", "00:30", "01:00", "01:30"]
    assert cdr["total_cost"]["before_taxes"] == Decimal("10.00")


def test_a_skipped_hour_has_no_night_price() -> None:
    night = tariff(element(("TIME", "1.00", 1), start_time="02:00", end_time="03:00"), element(("TIME", "6.00", 1)))
    cdr = build(session("2024-03-31T00:30:00", "2024-03-31T01:30:00", tariffs=[night]))
    assert [start for start, _ in shape(cdr)] == ["00:30"]
    assert cdr["total_cost"]["before_taxes"] == Decimal("6.00")


def test_a_weekday_price_is_cut_at_the_local_midnight() -> None:
    monday = tariff(element(("TIME", "1.00", 1), day_of_week=["MONDAY"]), element(("TIME", "2.00", 1)))
    cdr = build(session("22:00", "2024-01-16T00:00:00", tariffs=[monday]))
    assert [start for start, _ in shape(cdr)] == ["22:00", "23:00"]
    assert cdr["total_cost"]["before_taxes"] == Decimal("3.00")


def test_an_idle_fee_after_four_hours_is_not_missed() -> None:
    idle = tariff(element(("FLAT", "10.00", 1), min_duration=14400), element(("ENERGY", "0.25", 1)))
    assert [s for s, _ in shape(build(session("09:00", "13:30", tariffs=[idle])))] == ["09:00", "13:00"]
    assert build(session("09:00", "13:30", tariffs=[idle]))["total_fixed_cost"]["before_taxes"] == 10
    assert "total_fixed_cost" not in build(session("09:00", "13:00", tariffs=[idle]))


def test_a_sample_over_a_power_threshold_begins_a_period() -> None:
    fast = tariff(element(("ENERGY", "0.20", 1), max_power=16), element(("ENERGY", "0.50", 1)))
    power = [("09:00", "6"), ("09:10", "7"), ("09:20", "48"), ("09:40", "40"), ("09:50", "4")]
    cdr = build(session(tariffs=[fast], power=register(*power), register=register(("09:00", "0"), ("10:00", "30"))))
    assert shape(cdr) == [
        ("09:00", {"ENERGY": "10", "TIME": "0.3333", "MIN_POWER": "6", "MAX_POWER": "7"}),
        ("09:20", {"ENERGY": "15", "TIME": "0.5", "MIN_POWER": "40", "MAX_POWER": "48"}),
        ("09:50", {"ENERGY": "5", "TIME": "0.1667", "MIN_POWER": "4", "MAX_POWER": "4"}),
    ]
    assert cdr["total_cost"]["before_taxes"] == Decimal("10.50")


def test_periods_on_both_sides_of_a_band_are_not_joined_into_the_band() -> None:
    band = tariff(element(("TIME", "9.00", 1), min_current=10, max_current=16), element(("TIME", "1.00", 1)))
    cdr = build(session(tariffs=[band], current=register(("09:00", "6"), ("09:30", "20"))))
    assert cdr["total_cost"]["before_taxes"] == Decimal("1.00")
    assert len(cdr["charging_periods"]) == 2


def test_late_and_early_readings_count_for_the_whole() -> None:
    cdr = build(session(register=register(("10:00:02", "110.1"), ("08:59:58", "100"), ("09:30", "105"))))
    assert cdr["total_energy"] == Decimal("10.1")


def test_the_shares_add_up_although_each_is_rounded() -> None:
    thirds = tariff(
        *(element(("TIME", str(n), 1), max_duration=n * 1000) for n in (1, 2, 3)), element(("TIME", "4", 1))
    )
    cdr = build(session(tariffs=[thirds], register=register(("09:00", "0"), ("10:00", "1.00005"))))
    volumes = [Decimal(v["ENERGY"]) for _, v in shape(cdr)]
    assert len(volumes) == 4
    assert sum(volumes) == cdr["total_energy"] == Decimal("1.0001")


def test_a_reservation_comes_first_and_is_part_of_the_whole() -> None:
    reserving = tariff(
        element(("TIME", "5.00", 60), reservation="RESERVATION"),
        element(("FLAT", "0.50", 1), ("ENERGY", "0.25", 1)),
    )
    cdr = build(
        session(
            tariffs=[reserving],
            reservation_start=at("08:45"),
            register=register(("09:00", "0"), ("10:00", "20")),
        )
    )
    assert shape(cdr)[0] == ("08:45", {"RESERVATION_TIME": "0.25"})
    assert cdr["start_date_time"] == "2024-01-15T08:45:00.000Z"
    assert cdr["total_time"] == Decimal("1.25")
    assert cdr["total_reservation_cost"]["before_taxes"] == Decimal("1.25")
    assert cdr["total_cost"]["before_taxes"] == Decimal("6.75")


def test_nobody_came() -> None:
    reserving = tariff(
        element(("FLAT", "4.00", 1), reservation="RESERVATION_EXPIRES"),
        element(("TIME", "2.00", 600), reservation="RESERVATION"),
        element(("FLAT", "0.50", 1)),
    )
    facts = session(
        tariffs=[reserving],
        start=None,
        reservation_start=at("09:00"),
        reservation_expired=True,
        evse_uid="#NA",
        connector_id="#NA",
    )
    cdr = build(facts)
    assert cdr["total_cost"]["before_taxes"] == Decimal("6.00")
    assert "session_id" not in cdr
    assert cdr["cdr_location"]["evse_id"] == cdr["cdr_location"]["connector_id"] == "#NA"


def test_a_connector_without_any_tariff_costs_nothing_and_that_is_said() -> None:
    facts = session(location=location(tariff_ids=()), tariffs=[], currency="SEK")
    cdr = build(facts)
    assert (cdr["total_cost"], cdr["currency"]) == ({"before_taxes": Decimal(0)}, "SEK")
    assert "tariffs" not in cdr
    assert [w.code for w in running(facts, at("10:00")).warnings] == [Code.NO_TARIFF]


def test_a_tariff_that_is_not_at_hand_is_never_free() -> None:
    with pytest.raises(UnknownTariff):
        build(session(tariffs=[]))
    with pytest.raises(NoTariffInForce):
        build(session(tariffs=[{**PLAIN, "end_date_time": "2024-01-15T09:00:00Z"}]))


def test_the_first_tariff_of_the_connector_that_is_in_force_and_fits_is_taken() -> None:
    ad_hoc = {**PLAIN, "id": "A", "type": "AD_HOC_PAYMENT"}
    later = {**PLAIN, "id": "L", "start_date_time": "2024-01-15T09:00:01Z"}
    facts = session(location=location(("a", "l", "t1")), tariffs=[PLAIN, later, ad_hoc], tariff_type="REGULAR")
    assert [tree["id"] for tree in build(facts)["tariffs"]] == ["T1"]


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnfitSession, match="no such EVSE"):
        build(session(evse_uid="other"))
    with pytest.raises(UnfitSession, match="has not ended"):
        build(session(end=None))
    with pytest.raises(UnfitSession, match="before it starts"):
        build(session("10:00", "09:59"))


def test_a_token_without_a_contract_has_no_cdr() -> None:
    nameless = {field: value for field, value in TOKEN.items() if field != "contract_id"}
    with pytest.raises(UnfitSession, match="token has no contract_id"):
        build(session(token=nameless))


def test_a_long_address_is_cut_to_what_a_cdr_may_hold() -> None:
    assert len(build(session(location=location(address="x" * 60)))["cdr_location"]["address"]) == 45


def test_an_evse_without_an_evse_id_is_not_applicable() -> None:
    place = location()
    del place["evses"][0]["evse_id"]
    assert build(session(location=place))["cdr_location"]["evse_id"] == "#NA"


def test_a_credit_takes_back_the_total_and_nothing_else() -> None:
    cdr = build(session(register=register(("09:00", "0"), ("10:00", "20"))))
    back = credit(cdr, now=at("2024-01-16T00:00:00"))
    changed = {field for field in back if back[field] != cdr.get(field)}
    assert changed == {"id", "credit", "credit_reference_id", "total_cost", "last_updated"}
    assert (back["id"], back["credit"], back["credit_reference_id"]) == ("S1-C", True, "S1")
    assert back["total_cost"] == {
        "before_taxes": Decimal("-5.0000"),
        "taxes": [{"name": "VAT", "percentage": Decimal(20), "amount": Decimal("-1.0000")}],
    }
    with pytest.raises(AlreadyCredited):
        credit(back)


def test_a_running_session_costs_what_was_measured_until_now() -> None:
    facts = session(end=None, register=register(("09:00", "0"), ("09:30", "5"), ("10:00", "11")))
    half = running(facts, at("09:40"))
    assert (half.kwh, half.total_cost["before_taxes"]) == (Decimal(5), Decimal("1.25"))
    done = running(facts, at("10:00"))
    assert (done.kwh, done.total_cost["before_taxes"]) == (Decimal(11), Decimal("2.75"))


def test_after_the_end_a_session_costs_no_more() -> None:
    facts = session(tariffs=[tariff(element(("TIME", "2.00", 1)))])
    assert running(facts, at("12:00")).total_cost == build(facts)["total_cost"]


def test_the_far_end_gets_the_same_price_from_the_cdr_without_a_warning() -> None:
    rich = tariff(
        element(("TIME", "1.20", 900), ("PARKING_TIME", "3", 300), end_time="11:00"),
        element(("ENERGY", "0.20", 100), max_kwh=5),
        element(("ENERGY", "0.30", 100), ("TIME", "2", 60)),
    )
    cdr = build(
        session(
            "09:07:13",
            "11:31:59",
            tariffs=[rich],
            states=[State(at("10:41:07"), "SUSPENDED_EV")],
            register=register(("09:07:13", "12.3"), ("10:00", "15.9"), ("10:41:07", "23.77")),
        )
    )
    again = price(
        Case(
            "2.3.0",
            "Europe/Amsterdam",
            cdr["tariffs"],
            cdr["start_date_time"],
            cdr["end_date_time"],
            cdr["charging_periods"],
        )
    )
    assert again.total.tree() == cdr["total_cost"]
    spans = [w for w in again.warnings if w.code == Code.PERIOD_SPANS_A_PRICE_CHANGE]
    assert spans == []


def test_seconds_are_enough_for_a_day_of_a_tariff_by_the_hour() -> None:
    hourly = tariff(
        *(
            element(("ENERGY", f"0.{10 + h}", 1), start_time=f"{h:02}:00", end_time=f"{(h + 1) % 24:02}:00")
            for h in range(24)
        )
    )
    start = at("2024-01-15T00:00:00")
    cdr = build(
        session(
            "2024-01-15T00:00:00",
            "2024-01-16T00:00:00",
            tariffs=[hourly],
            register=[Sample(start + timedelta(hours=h), Decimal(h)) for h in range(25)],
        )
    )
    assert len(cdr["charging_periods"]) == 24
    assert cdr["total_cost"]["before_taxes"] == sum(Decimal(f"0.{10 + h}") for h in range(24))
