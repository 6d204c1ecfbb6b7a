"""What a MeterValues says of itself, as far as it must be known to let it wait: whose, of when, and its register."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hub.core.jsontypes import Json, Tree
from partners.ocpp.readings import parse_decimal, parse_time
from partners.ocpp.samples import Glimpse

REGISTER: Final = "Energy.Active.Import.Register"
PLAIN: Final = ("", "Outlet", "Wh")
"""Phase, location and unit of a plain register."""

_NUMBER: Final = (int, type(None))
_WHOLE_DIGITS: Final = 12


class Told(NamedTuple):
    """What a MeterValues says of itself: the connector, the transaction if it names one, its times as text.

    `register` is the text of its one plain register in Wh, "" when it has none or several.
    """

    connector: int
    number: int | None
    times: Sequence[str]
    register: str = ""

    @property
    def first(self) -> datetime | None:
        """Its first time; None, where that cannot be read."""
        return parse_time(self.times[0]) if self.times else None


def told_in(payload: Tree) -> Told | None:
    """None, when it is not written as it should be."""
    connector, number, moments = (payload.get(name) for name in ("connectorId", "transactionId", "meterValue"))
    if type(connector) is not int or type(number) not in _NUMBER or type(moments) is not list:
        return None
    times = [time for moment in moments if type(moment) is dict and type(time := moment.get("timestamp")) is str]
    return Told(connector, number, times, _register(moments)) if len(times) == len(moments) else None


def _register(moments: list[Json]) -> str:
    values = moments[0].get("sampledValue") if len(moments) == 1 else None
    values = values if type(values) is list and all(type(value) is dict for value in values) else []
    found = [value for value in values if value.get("measurand", REGISTER) == REGISTER]
    if len(found) != 1 or any(value.get("format", "Raw") != "Raw" for value in values):
        return ""
    value = found[0]
    is_plain = (value.get("phase", ""), value.get("location", "Outlet"), value.get("unit", "Wh")) == PLAIN
    return value["value"] if is_plain and type(value.get("value")) is str else ""


def plain_time(times: Sequence[str], since: datetime, until: datetime) -> datetime | None:
    """The last of several times, if none lies outside, as by a clock that was not set."""
    newest = None
    for time in times:
        at = parse_time(time)
        if at is None or not since <= at <= until:
            return None
        newest = at if newest is None else max(newest, at)
    return newest


def glimpse_of(told: Told, at: datetime) -> Glimpse | None:
    """What can be seen of it at once; None, when it must be read to know."""
    text = told.register
    is_short = len(text) <= _WHOLE_DIGITS and text.isascii() and text.isdigit()
    register = int(text) if is_short else parse_decimal(text)
    return None if register is None else Glimpse(told.connector, at, register)
