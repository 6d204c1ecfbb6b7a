"""Mistakes with reserved time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from modules.cdrs.check.amounts import NONE, Figures
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.claim import RESERVING, is_only_reserved, kinds_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

RESERVATIONS = Suppositions()


def _was_reserved(bill: Bill) -> bool:
    return any(not kinds_of(period).isdisjoint(RESERVING) for period in bill.case.periods)


@RESERVATIONS(Cause.RESERVATION)
def reserved_for_nothing(bill: Bill) -> Iterator[Figures]:
    """The reservation was not billed."""
    if "reservation" in bill.exact:
        yield {**bill.billed_as(lambda s: 0 if s.reserved else s.billed), "reservation": NONE}
        yield {**bill.billed_as(lambda s: 0 if s.reserved and s.dimension.name == "FLAT" else s.billed)}
        yield {**bill.billed_as(lambda s: 0 if s.reserved and part_of(s) != "fixed" else s.billed)}


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
