"""Mistakes with reserved time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modules.cdrs.check.amounts import NONE, Figures
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import RESERVING, is_only_reserved, kinds_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

RESERVATIONS = Suppositions()


def _was_reserved(bill: Bill) -> bool:
    return any(not kinds_of(period).isdisjoint(RESERVING) for period in bill.case.periods)


@RESERVATIONS(Cause.RESERVATION)
def reserved_for_nothing(bill: Bill) -> Iterator[Figures]:
    """The reservation was not billed."""
    if "reservation" in bill.exact:
        yield {**bill.billed_as(lambda s: 0 if s.reserved else s.billed), "reservation": NONE}


@RESERVATIONS(Cause.RESERVATION)
def no_fee(bill: Bill) -> Iterator[Figures]:
    """The flat fee of the reservation was not billed."""
    yield bill.billed_as(lambda s: 0 if _is_fee(s) else s.billed)


@RESERVATIONS(Cause.RESERVATION)
def fee_alone(bill: Bill) -> Iterator[Figures]:
    """The reserved time was not billed, only the flat fee of the reservation."""
    if any(map(_is_fee, bill.segments)):
        yield bill.billed_as(lambda s: 0 if s.reserved and not _is_fee(s) else s.billed)


def _is_fee(segment: Segment) -> bool:
    return segment.reserved and segment.dimension.name == "FLAT"


@RESERVATIONS(Cause.RESERVATION)
def both_fees(bill: Bill) -> Iterator[Figures]:
    """The fees of a reservation that was used and of one that expired were both billed."""
    if not _was_reserved(bill):
        return
    billed = {id(segment.component) for segment in bill.segments}
    other = bill.segments_of(reservation_expired=not bill.case.reservation_expired)
    more = [segment for segment in other if segment.reserved and id(segment.component) not in billed]
    for beside in ([segment for segment in more if _is_fee(segment)], more):
        if beside:
            yield bill.summed(bill.line(segment, segment.billed) for segment in [*bill.segments, *beside])


@RESERVATIONS(Cause.RESERVATION)
def in_another_field(bill: Bill) -> Iterator[Figures]:
    """The cost of the reservation stands in the cost of something else."""
    reserved = bill.exact.get("reservation", NONE)
    if reserved == NONE:
        return
    for to in ("time", "parking", "fixed"):
        yield {**bill.exact, "reservation": NONE, to: bill.exact.get(to, NONE).plus(reserved)}


@RESERVATIONS(Cause.RESERVATION)
def fee_in_another_field(bill: Bill) -> Iterator[Figures]:
    """The flat fee of the reservation stands in the fixed cost, and not in that of the reservation."""
    if not any(map(_is_fee, bill.segments)):
        return
    for time in ("reservation", "time"):
        places = {True: "fixed", False: time}
        lines = (
            replace(line, part=places[_is_fee(s)]) if s.reserved else line
            for s, line in ((s, bill.line(s, s.billed)) for s in bill.segments)
        )
        yield {"reservation": NONE, **bill.summed(lines)}


@RESERVATIONS(Cause.RESERVATION)
def used_or_expired(bill: Bill) -> Iterator[Figures]:
    """A reservation that was used was billed as one that expired, or the other way round."""
    if _was_reserved(bill):
        yield bill.again(reservation_expired=not bill.case.reservation_expired)


@RESERVATIONS(Cause.RESERVATION)
def one_flat(bill: Bill) -> Iterator[Figures]:
    """A flat fee was charged once in all, although the reservation and the session each have one."""
    if _was_reserved(bill):
        yield bill.again(policy=replace(bill.claim.fine_policy, flat_once_per="session"))
        yield bill.billed_as(lambda s: 0 if s.dimension.name == "FLAT" and not s.reserved else s.billed)


@RESERVATIONS(Cause.RESERVATION)
def reserved_as_charging(bill: Bill) -> Iterator[Figures]:
    """Reserved time was billed at the price of charging time."""

    def as_time(period: dict[str, Any]) -> None:
        named = dict.fromkeys(RESERVING, "TIME")
        period["dimensions"] = [{**d, "type": named.get(d["type"], d["type"])} for d in period["dimensions"]]

    if _was_reserved(bill):
        figures = bill.with_periods(as_time)
        yield figures
        yield {**figures, "time": bill.exact.get("time", NONE), "reservation": _less(figures, bill.exact)}


def _less(figures: Figures, base: Figures) -> Any:
    now, before = figures.get("time", NONE), base.get("time", NONE)
    incl = now.incl - before.incl if now.incl is not None and before.incl is not None else None
    return now._replace(excl=now.excl - before.excl, incl=incl)


@RESERVATIONS(Cause.RESERVATION)
def clock_of_the_reservation(bill: Bill) -> Iterator[Figures]:
    """The time of the reservation was counted into the duration of the session."""

    def in_session(period: dict[str, Any]) -> None:
        if is_only_reserved(period):
            period["dimensions"] = [*period["dimensions"], {"type": "ENERGY", "volume": 0}]

    if _was_reserved(bill):
        yield bill.with_periods(in_session)
