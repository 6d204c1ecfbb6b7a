"""The ledger, story by story: each is a charger that was seen to do this."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from partners.ocpp.events import SEVERITY, Event, Flag, Transaction, start_key
from partners.ocpp.facts import MOST_SAMPLES, Facts
from partners.ocpp.ledger import MOST_CHARGES, Book, apply, blank, expire, forget, settle, settled
from tests.partners.ocpp.said import DEAD, NOON, at, available, boot, sample, start, stop


def told(*events: Event, next_id: int = 1, station: str = "CP1") -> tuple[Book, list[str], int]:
    """The book after `events` one by one, the kinds of effect, and the sequence."""
    book, kinds = blank(station), list[str]()
    for event in events:
        applied = apply(book, event, next_id=next_id)
        book, next_id = applied.book, applied.next_id
        kinds += [effect.kind for effect in applied.effects]
    return book, kinds, next_id


def only(book: Book) -> Transaction:
    (charge,) = book.transactions.values()
    return charge


def test_a_plain_charge_is_billed_from_start_to_stop() -> None:
    book, kinds, next_id = told(start(), sample(30, "4.5", transaction=1), stop(transaction=1))
    charge = only(book)
    assert kinds == ["opened", "grew", "ended"]
    assert (charge.id, charge.energy_kwh, charge.start, charge.end) == (1, Decimal(7), NOON, at(60))
    assert (charge.ending, charge.reason, charge.flags, next_id) == ("stop", "Local", frozenset(), 2)


def test_a_repeated_start_gets_the_same_id_and_opens_nothing() -> None:
    book, _, next_id = told(start())
    again = apply(book, start(arrival=at(3)), next_id=next_id)
    assert again.event.assigned == 1
    assert [effect.kind for effect in again.effects] == ["repeated"]
    assert again.next_id == 2


def test_a_start_repeated_after_its_stop_still_gets_the_same_id() -> None:
    book, kinds, _ = told(start(), stop(transaction=1), start(arrival=at(90)))
    assert kinds == ["opened", "ended", "repeated"]
    assert only(book).ending == "stop"


@pytest.mark.parametrize("spelling", ["2026-05-01T12:00:00.000Z", "2026-05-01T14:00:00+02:00", "2026-05-01 12:00:00"])
def test_a_start_repeated_with_its_time_spelt_otherwise_is_the_same(spelling: str) -> None:
    book, _, _ = told(start(), replace(start(), timestamp=spelling, id_tag=" tag1"))
    assert len(book.transactions) == 1


def test_two_connectors_that_start_in_one_second_get_two_ids() -> None:
    book, _, _ = told(start(connector=1), start(connector=2))
    assert sorted(str(charge.id) for charge in book.transactions.values()) == ["1", "2"]


def test_a_replayed_stop_of_an_earlier_life_does_not_end_the_new_charge() -> None:
    """MicroOcpp sent Stop 1 of its old life, then Start, and a reborn counter answered 1 again."""
    old = stop(-60, transaction=1, meter=900)
    book, _, next_id = told(old, start(), next_id=1)
    assert only(book).id == 2
    assert only(book).ending == "open"
    assert len(book.orphans) == 1
    assert next_id == 3


def test_an_old_stop_that_comes_after_its_number_was_given_away_is_not_believed() -> None:
    book, _, _ = told(start(meter=1000), stop(-60, transaction=1, meter=900))
    assert only(book).ending == "open"
    assert len(book.orphans) == 1


@pytest.mark.parametrize("mentioned", [77, 10 + 2_000_000, 2**31 - 1, 10**11])
def test_nothing_that_a_charger_mentions_moves_the_sequence(mentioned: int) -> None:
    _, _, next_id = told(stop(transaction=mentioned), sample(5, "1", transaction=mentioned), next_id=5)
    assert next_id == 5


def test_a_number_that_a_charger_mentioned_is_not_given_to_it_even_after_a_restart() -> None:
    mentions = [stop(transaction=5, tag="X"), sample(5, "1", transaction=6)]
    book, _, next_id = told(*mentions, next_id=5)
    assert apply(book, start(), next_id=next_id).event.assigned == 7
    assert apply(settled("CP1", mentions), start(), next_id=next_id).event.assigned == 7


@pytest.mark.parametrize("transaction", [0, -1, -2000, 4711, None])
def test_an_offline_replay_is_one_charge_whatever_id_its_stop_names(transaction: int | None) -> None:
    """shiv3 replays start and stop 3 ms apart, the stop with transaction 0."""
    later = at(200)
    book, kinds, _ = told(
        start(arrival=later), stop(transaction=transaction, arrival=later + timedelta(milliseconds=3))
    )
    assert only(book).bill == (start_key(start()), Decimal(7), NOON, at(60))
    assert only(book).flags == {Flag.STOP_ID_UNKNOWN}
    assert kinds == ["opened", "ended"]


@pytest.mark.parametrize("transaction", [2, 4711, 2**31 - 1])
@pytest.mark.parametrize("tag", [None, "TAG1"])
@pytest.mark.parametrize("meter", [1000, 8000])
def test_a_stop_by_a_number_of_nobody_ends_nothing_that_runs(transaction: int, tag: str | None, meter: int) -> None:
    book, kinds, next_id = told(start(), stop(30, transaction=transaction, tag=tag, meter=meter))
    assert only(book).ending == "open"
    assert len(book.orphans) == 1
    assert kinds == ["opened", "grew", "orphaned"]
    assert only(book).flags == {Flag.STOP_MISNAMED}
    ended = apply(book, stop(transaction=1), next_id=next_id).book
    assert (only(ended).bill[1:], only(ended).flags) == ((Decimal(7), NOON, at(60)), frozenset())


def test_the_doubt_of_a_misnamed_stop_is_remarked_where_no_other_stop_comes() -> None:
    book, _, _ = told(start(), sample(30, "5", transaction=1), stop(31, transaction=4711, meter=9000), available(45))
    assert (only(book).energy_kwh, only(book).end) == (Decimal(4), at(45))
    assert Flag.STOP_MISNAMED in only(book).remark


@pytest.mark.parametrize("transaction", [0, -1, None])
def test_a_charger_that_forgot_its_number_still_ends_what_runs(transaction: int | None) -> None:
    book, _, _ = told(start(), stop(transaction=transaction, tag=None))
    assert (only(book).ending, only(book).energy_kwh) == ("stop", Decimal(7))


def test_a_number_made_up_offline_is_believed_only_with_the_token_of_the_start() -> None:
    book, _, _ = told(start(arrival=at(200)), stop(transaction=4711, tag=None, arrival=at(200)))
    assert only(book).ending == "open"


def test_a_clock_hours_behind_does_not_make_every_charge_an_offline_one() -> None:
    slow = NOON - timedelta(hours=8)
    book, _, _ = told(start(clock=slow), stop(60, transaction=4711, clock=slow))
    assert only(book).ending == "open"
    replayed = told(start(clock=slow, arrival=at(200)), stop(60, transaction=4711, clock=slow, arrival=at(201)))[0]
    assert only(replayed).energy_kwh == 7


@pytest.mark.parametrize("number", [0, -1, None])
def test_a_stop_with_neither_number_nor_token_ends_only_the_one_charge_there_is_if_it_took_energy(
    number: int | None,
) -> None:
    assert only(told(start(), stop(transaction=number, tag=None))[0]).energy_kwh == 7
    book, _, _ = told(start(), stop(transaction=number, tag=None, meter=1000))
    assert (only(book).ending, len(book.orphans)) == ("open", 1)
    two, _, _ = told(start(), start(5, connector=2), stop(transaction=number, tag=None))
    assert [charge.ending for charge in two.transactions.values()] == ["open", "open"]
    assert len(two.orphans) == 1
    offline = told(start(arrival=at(90)), stop(transaction=number, tag=None, meter=1000, arrival=at(91)))[0]
    assert (only(offline).ending, only(offline).energy_kwh) == ("stop", Decimal(0))


def test_a_stop_before_its_start_is_an_orphan_until_the_start_comes() -> None:
    book, kinds, _ = told(stop(), start(arrival=at(70)))
    assert kinds == ["orphaned", "opened", "ended"]
    assert only(book).energy_kwh == 7
    assert book.orphans == ()


def test_a_repeated_orphan_changes_nothing() -> None:
    book, kinds, _ = told(stop(), stop(arrival=at(99)))
    assert kinds == ["orphaned", "repeated"]
    assert len(book.orphans) == 1


def test_a_stop_of_another_token_is_never_guessed_to_belong_here() -> None:
    book, _, _ = told(start(tag="TAG1"), stop(tag="TAG2"))
    assert only(book).ending == "open"


def test_a_stop_by_another_token_ends_the_charge_it_names() -> None:
    book, _, _ = told(start(tag="TAG1"), stop(tag="PARENT", transaction=1))
    assert only(book).ending == "stop"
    assert only(book).stopped_by == "PARENT"


def test_an_unknown_stop_goes_to_the_charge_whose_meter_it_fits() -> None:
    book, _, _ = told(
        start(0, connector=1, meter=1_000_000), start(30, connector=2, meter=5_000_000), stop(60, meter=1_020_000)
    )
    ended = [charge for charge in book.transactions.values() if charge.ending == "stop"]
    assert [(charge.connector, charge.energy_kwh) for charge in ended] == [(1, Decimal(20))]


def test_an_unknown_stop_that_fits_two_charges_takes_the_nearest_and_says_so() -> None:
    book, _, _ = told(start(0, connector=1), start(30, connector=2), stop(60))
    ended = [charge for charge in book.transactions.values() if charge.ending == "stop"]
    assert [charge.connector for charge in ended] == [2]
    assert Flag.MATCH_AMBIGUOUS in ended[0].flags


def test_an_unknown_stop_cannot_reach_over_the_next_charge_on_its_connector() -> None:
    book, _, _ = told(start(0), start(70, meter=8000), stop(120, meter=9000))
    first, second = (book.transactions[key] for key in sorted(book.transactions, key=lambda key: key.time))
    assert first.ending == "estimated"
    assert second.energy_kwh == 1


def test_one_stop_sent_under_two_ids_is_one_stop() -> None:
    """It went out as -1 while offline, and again under its id."""
    book, _, _ = told(start(0), start(0, connector=2), stop(transaction=-1), stop(transaction=1))
    assert [charge.ending for charge in book.transactions.values()].count("stop") == 1
    assert book.orphans == ()


def test_two_stops_that_disagree_bill_the_earlier_and_say_so() -> None:
    book, kinds, _ = told(start(), stop(65, transaction=1, meter=9000), stop(60, transaction=1, meter=8000))
    assert only(book).energy_kwh == 7
    assert Flag.STOPS_DISAGREE in only(book).flags
    assert kinds[-1] == "revised"


@pytest.mark.parametrize("meters", [(6000, 16000), (16000, 6000), (16000, 6000, 16000), (6000, 2**31 - 1, 16000)])
def test_of_several_stops_of_one_time_the_lowest_meter_is_billed_in_any_order(meters: tuple[int, ...]) -> None:
    told_stops = [stop(transaction=1, meter=meter, arrival=at(60 + n)) for n, meter in enumerate(meters)]
    book, _, _ = told(start(), *told_stops)
    assert (only(book).energy_kwh, only(book).flags) == (Decimal(5), frozenset({Flag.STOPS_DISAGREE}))
    assert settle([start(assigned=1), *reversed(told_stops)]) == [only(book)]


def test_a_stop_that_leaves_the_bill_as_it_was_told_is_a_doubt() -> None:
    _, kinds, _ = told(start(), *(stop(transaction=1, meter=meter) for meter in (6000, 16000, 16000)))
    assert kinds == ["opened", "ended", "doubted", "repeated"]


def test_two_stations_that_both_say_0_stay_apart() -> None:
    events = [start(station="A", assigned="0"), start(station="B", assigned="0", meter=5000)]
    events += [stop(station="A", transaction="0"), stop(station="B", transaction="0", meter=6000)]
    assert [(charge.station, charge.energy_kwh) for charge in settle(events)] == [("A", Decimal(7)), ("B", Decimal(1))]


def test_a_station_cannot_enter_another_stations_book() -> None:
    with pytest.raises(ValueError, match="another station"):
        apply(blank("CP1"), start(station="CP2"), next_id=1)


def test_a_clock_in_1970_bills_by_arrival_and_says_so() -> None:
    book, _, _ = told(start(clock=DEAD), stop(transaction=1, clock=DEAD))
    charge = only(book)
    assert (charge.energy_kwh, charge.start, charge.end) == (Decimal(7), NOON, at(60))
    assert charge.flags == {Flag.CLOCK_BEFORE_2010}
    assert "clock was not set" in charge.remark


def test_a_clock_that_is_set_in_the_middle_never_makes_a_negative_duration() -> None:
    book, _, _ = told(start(0, clock=DEAD, arrival=at(90)), stop(60, arrival=at(90)))
    charge = only(book)
    assert charge.start == charge.end == at(60)
    assert charge.energy_kwh == 7


def test_a_stop_dated_before_its_start_lasts_no_time() -> None:
    book, _, _ = told(start(0), stop(-10, transaction=1))
    charge = only(book)
    assert charge.start == charge.end == NOON
    assert charge.energy_kwh == 7
    assert Flag.STOP_BEFORE_START in charge.flags


def test_a_clock_ten_minutes_ahead_is_remarked_and_what_it_says_is_dated_as_it_was_heard() -> None:
    book, _, _ = told(start(10, arrival=NOON))
    assert only(book).start == NOON
    assert only(book).flags == {Flag.CLOCK_AHEAD}


def test_a_clock_years_ahead_is_not_believed() -> None:
    book, _, _ = told(start(60 * 24 * 400, arrival=NOON))
    assert only(book).start == NOON


def test_an_unreadable_time_is_the_time_of_arrival() -> None:
    book, _, _ = told(replace(start(), timestamp="yesterday"))
    assert only(book).start == NOON
    assert Flag.TIME_UNREADABLE in only(book).flags


def test_samples_never_change_a_bill_that_has_both_ends() -> None:
    book, _, _ = told(start(), sample(30, "9999", transaction=1), stop(transaction=1), sample(59, "7", transaction=1))
    assert only(book).energy_kwh == 7
    assert [reading.at for reading in only(book).readings] == [at(30), at(59)]


def test_a_meter_value_after_the_stop_is_taken_and_shapes_nothing() -> None:
    book, kinds, _ = told(start(), stop(transaction=1), sample(75, "9", transaction=1))
    assert kinds[-1] == "repeated"
    assert only(book).readings == ()


def test_without_a_stop_the_last_sample_is_the_bill_and_available_the_end() -> None:
    book, kinds, _ = told(start(), sample(30, "5.25", transaction=1), available(45))
    charge = only(book)
    assert kinds == ["opened", "grew", "ended"]
    assert (charge.energy_kwh, charge.end, charge.ending) == (Decimal("4.25"), at(45), "estimated")
    assert Flag.ESTIMATED_END in charge.flags


def test_a_late_stop_corrects_an_estimated_end() -> None:
    book, kinds, _ = told(start(), sample(30, "5", transaction=1), available(45), stop(44, transaction=1, meter=6000))
    assert kinds[-1] == "revised"
    assert only(book).bill[1:] == (Decimal(5), NOON, at(44))


def test_a_replayed_available_from_before_the_start_ends_nothing() -> None:
    book, _, _ = told(start(), replace(available(-5), arrival=at(10)))
    assert only(book).ending == "open"


def test_a_sign_of_life_after_available_reopens() -> None:
    book, kinds, _ = told(start(), available(45), sample(50, "5", transaction=1))
    assert kinds[-1] == "reopened"
    assert only(book).ending == "open"


def test_the_next_charge_on_a_connector_ends_the_one_before() -> None:
    book, kinds, _ = told(start(), sample(30, "5", transaction=1), start(90, meter=6000))
    assert kinds == ["opened", "grew", "opened", "ended"] or kinds == ["opened", "grew", "ended", "opened"]
    first = next(charge for charge in book.transactions.values() if charge.id == 1)
    assert (first.ending, first.end, first.energy_kwh) == ("estimated", at(30), Decimal(4))


def test_a_boot_alone_ends_nothing_but_silence_after_it_does() -> None:
    book, _, _ = told(start(), sample(20, "5", transaction=1), boot(25))
    assert expire(book, now=at(40))[1] == ()
    after, effects = expire(book, now=at(56))
    assert [effect.kind for effect in effects] == ["ended"]
    assert only(after).end == at(20)


def test_a_charge_that_goes_on_after_a_boot_stays_open() -> None:
    book, _, _ = told(start(), boot(25), sample(27, "5", transaction=1))
    assert expire(book, now=at(600))[1] == ()


def test_a_meter_that_runs_backwards_bills_its_rising_parts() -> None:
    book, _, _ = told(
        start(meter=1000),
        sample(10, "3", transaction=1),
        sample(20, "0.5", transaction=1),
        stop(transaction=1, meter=900),
    )
    assert only(book).energy_kwh == Decimal("2.4")
    assert Flag.METER_FELL in only(book).flags


def test_intervals_add_up_when_there_is_no_register() -> None:
    book, _, _ = told(
        start(meter=None), *(sample(m, None, step="0.5", transaction=1) for m in (15, 30, 45, 45)), available(60)
    )
    assert only(book).energy_kwh == Decimal("1.5")
    assert Flag.METER_START_MISSING in only(book).flags


def test_a_sample_without_an_id_goes_to_the_charge_on_its_connector() -> None:
    book, _, _ = told(start(), sample(30, "5"), sample(30, "77", connector=2), sample(30, "99", connector=0))
    assert only(book).energy_kwh == 4


def test_kwh_under_the_label_wh_is_flagged_and_not_corrected() -> None:
    readings = [sample(m, str(Decimal(m) / 60 * 22 / 1000), transaction=1, power="22") for m in (0, 15, 30)]
    book, _, _ = told(start(meter=0), *readings, stop(transaction=1, meter=11))
    assert Flag.KWH_LABELLED_WH in only(book).flags


def test_a_restart_of_the_hub_changes_nothing() -> None:
    events = [start(assigned=1), sample(30, "5", transaction=1), stop(transaction=1), start(70, meter=8000, assigned=2)]
    before, _, _ = told(*events)
    after = settled("CP1", events)
    assert after.transactions == before.transactions
    assert apply(after, start(arrival=at(99)), next_id=3).event.assigned == 1


def test_a_book_that_forgets_keeps_what_is_open_and_the_orphans() -> None:
    book, _, _ = told(start(), stop(transaction=1), start(70, meter=8000), stop(68, transaction=99, tag="X"))
    kept = forget(book, before=at(65))
    assert [charge.id for charge in kept.transactions.values()] == [2]
    assert len(kept.orphans) == 1
    assert kept.facts.samples == {}


def test_a_forgotten_start_keeps_its_id_when_the_caller_remembers_it() -> None:
    book, _, _ = told(start(), stop(transaction=1))
    kept = forget(book, before=at(65))
    assert apply(kept, start(assigned=1), next_id=9).event.assigned == 1


def test_twins_that_two_nodes_answered_differently_are_one_charge_with_two_ids() -> None:
    charge = settle([start(assigned=7), start(assigned=9, arrival=at(1)), stop(transaction=9)])[0]
    assert (charge.id, charge.ids, charge.ending) == (7, frozenset({7, 9}), "stop")


def test_every_flag_has_a_severity_and_hard_ones_come_first_in_a_remark() -> None:
    assert set(SEVERITY) == set(Flag)
    charge = replace(settle([start()])[0], flags=frozenset({Flag.CLOCK_AHEAD, Flag.METER_FELL}))
    assert charge.remark.startswith(Flag.METER_FELL)


def test_an_id_that_a_charger_gave_to_two_charges_is_decided_by_content() -> None:
    events = [start(assigned="0"), start(70, meter=8000, assigned="0"), stop(130, transaction="0", meter=9000)]
    first, second = sorted(settle([*events, stop(transaction="0")]), key=lambda charge: charge.start)
    assert (first.energy_kwh, second.energy_kwh) == (Decimal(7), Decimal(1))
    assert first.ending == second.ending == "stop"


def test_a_charger_gone_mad_cannot_fill_the_memory_of_the_hub() -> None:
    book, next_id = blank("CP1"), 1
    for number in range(MOST_CHARGES + 200):
        event = start(number, tag=f"T{number}") if number % 2 else stop(number, tag=f"X{number}", transaction=-1)
        applied = apply(book, event, next_id=next_id)
        book, next_id = applied.book, applied.next_id
        assert len(book.facts.starts) + len(book.facts.stops) <= MOST_CHARGES
    assert len(book.open) == 1


def test_a_charge_of_a_week_keeps_its_energy_when_its_samples_are_thinned() -> None:
    readings = [sample(number, str(number), transaction=1) for number in range(1, MOST_SAMPLES + 2)]
    facts = Facts.gathered("CP1", readings).thinned()
    assert len(facts.samples) < MOST_SAMPLES * 0.6
    assert settle([start(meter=0, assigned=1), *facts.samples.values()])[0].energy_kwh == MOST_SAMPLES + 1
