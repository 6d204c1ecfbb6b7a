"""Orders of telling in which charges of one id hide one another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from partners.ocpp import used_again
from partners.ocpp.events import Event, Flag
from partners.ocpp.facts import Facts
from partners.ocpp.shared_anew import named_anew
from tests.partners.ocpp.said import at
from tests.partners.ocpp.test_ledger_laws_used_again import Charge, Heard, ahead, bill_of

CASES = {
    "an end at another EVSE hides that the charge goes on": (
        [Charge(1, "AA", 14, (42, 42)), Charge(2, "BB", 9, (0, 3, 5, 5, 5)), Charge(2, "AA", 15, (5, 5, 8, 8, 9))],
        "1:Started@9 2:Started@15 0:Ended@16 2:Ended@20 0:Started@14 1:Ended@14",
    ),
    "of two without a beginning the one that was told to go on first begins": (
        [Charge(1, "AA", 16, (37, 37, 37)), Charge(1, "AA", 27, (41, 42, 45, 47, 47)), Charge(2, "BB", 19, (0, 0, 0))],
        "0:Updated@18 2:Ended@22 1:Ended@32 2:Started@19 0:Started@16 0:Ended@19 1:Started@27",
    ),
    "what is between the parts of a charge makes none of its own": (
        [Charge(1, "AA", 0, (0, 0, 3)), Charge(2, "AA", 0, (0, 3, 5, 5, 5))],
        "1:Updated@2 0:Ended@3 1:Updated@4 1:Ended@5 0:Started@0 1:Started@0",
    ),
    "three at one EVSE that took nothing and one beside them": (
        [
            Charge(1, "AA", 12, (0, 0, 0, 0, 0)),
            Charge(2, "AA", 10, (0, 0, 0, 0)),
            Charge(2, "AA", 16, (0, 0)),
            Charge(2, "AA", 19, (0, 1)),
        ],
        """3:Started@19 0:Updated@13 0:Updated@14 0:Updated@15 0:Updated@16 0:Ended@17 1:Started@10 1:Updated@11
        1:Updated@12 1:Updated@13 3:Updated@20 2:Started@16 2:Updated@17 2:Ended@18 0:Started@12 1:Ended@14
        3:Ended@21""",
    ),
}


@pytest.mark.parametrize("shows", [True, False], ids=["the card ends it", "no card ends it"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_charges_of_one_id_do_not_hide_one_another(case: tuple[list[Charge], str], shows: bool) -> None:
    charges, order = case
    told = [_by_name(charge.told("zero", shows=shows)) for charge in charges]
    hub = Heard()
    for said in order.split():
        number, name = said.split(":")
        hub.hear(told[int(number)][name])
    found = list(hub.book.transactions.values())
    assert len(found) == len(charges)
    assert all(charge.is_billed(found) for charge in charges)
    assert sum(Flag.ID_USED_AGAIN in charge.flags for charge in found) == len(charges) - 1


@pytest.mark.parametrize("tag", ["AA", "BB", None])
@pytest.mark.parametrize(("evse", "begins"), [(1, 5), (2, 5), (2, 15)], ids=["there", "beside", "beside and later"])
def test_a_lone_end_of_another_charge_leaves_the_bill_as_it_was(evse: int, begins: int, tag: str | None) -> None:
    known, other = Charge(1, "AA", 10, (0, 5, 13)), Charge(evse, "BB", begins, (2, 14))
    hub = Heard()
    for event in known.told("zero"):
        hub.hear(event)
    hub.hear(replace(other.told("zero")[-1], id_tag=tag))
    found = list(hub.book.transactions.values())
    assert known.is_billed(found)
    (alone,) = (charge for charge in found if bill_of(charge) != known.bill)
    assert Flag.END_ALONE in alone.flags
    for event in other.told("zero"):
        hub.hear(event)
    assert all(charge.is_billed(list(hub.book.transactions.values())) for charge in (known, other))


def test_what_is_of_no_charge_at_hand_is_never_of_the_first_one_that_was_put_away() -> None:
    before, after = (Charge(2, "AA", begins, (0, 0)).told("zero") for begins in (20, 30))
    alone = used_again.another(Charge(1, "BB", 10, (3, 5)).told("zero", shows=True)[-1])
    told = [alone, *map(used_again.another, before[:1])]
    facts = Facts.gathered("CP1", told)
    assert dict(named_anew(facts, used_again.another(after[0]), told)) == {alone: alone.named}


def _by_name(events: list[Event]) -> dict[str, Event]:
    """By type and minute after noon."""
    return {f"{event.part.type}@{event.arrival.minute}": event for event in events if event.part is not None}


@pytest.mark.parametrize("order", ["Ended Started", "Ended Updated Started", "Updated Ended Started"])
@pytest.mark.parametrize("minutes", [0, 10, 120, 25 * 60])
def test_an_end_that_is_heard_first_is_of_its_charge_however_far_the_clock_is_ahead(minutes: int, order: str) -> None:
    charge, hub = Charge(1, "AA", 0, (0, 3, 8)), Heard()
    told = [ahead(event, minutes) for event in charge.told("right", shows=True)]
    said: dict[str, Event] = {event.part.type: event for event in told if event.part is not None}
    for place, name in enumerate(order.split()):
        hub.hear(said[name], at(5 + place / 60))
    (billed,) = hub.book.transactions.values()
    assert (bill_of(billed), Flag.END_ALONE in billed.flags) == (charge.bill, False)
