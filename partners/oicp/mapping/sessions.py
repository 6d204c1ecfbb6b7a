"""A running charge: OCPI's Session, and the notifications of OICP (Start, Progress, End, Error).

"End" says that no more energy flows, and not that the session is over: the car may go on standing there, which is
PARKING_TIME in OCPI, and the session stays ACTIVE until the CDR is there or SessionEnd is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.types import parse_datetime
from modules.sessions.model import Session
from partners.oicp.mapping import times
from partners.oicp.mapping.strangers import strangers
from partners.oicp.mapping.terms import Notes
from partners.oicp.wire.message import forms
from partners.oicp.wire.notifications import BY_TYPE

Message = Mapping[str, Any]

PROGRESS_EVERY: Final = timedelta(minutes=5)
"""A hub refuses a Progress that comes sooner after the last."""
_NO_ENERGY: Final = Decimal(0)
_KWH: Final = Decimal("0.001")
_HOURS: Final = Decimal("0.0001")
_NOT_OF_OICP: Final = ("auth_method", "connector_id", "meter_id", "currency", "total_cost")
_NOT_OF_OCPI: Final = (
    *("MeterValueStart", "MeterValueEnd", "MeterValueInBetween", "PartnerProductID", "PenaltyTimeStart"),
    *("ErrorType", "ErrorAdditionalInfo", "ChargingDuration", "EventOccurred"),
)


def session_of(base: Tree, message: Message, known: Tree | None, now: str) -> Tree:
    """The Session after a notification; `base` is what the ledger knows of it (party, id, token, place, currency)."""
    message = _of_its_type(message)
    before = known or {"kwh": _NO_ENERGY, "charging_periods": []}
    begun = _moment(message, "SessionStart", "ChargingStart") or before.get("start_date_time") or now
    kwh = _energy(message, before["kwh"])
    tree: Tree = {
        **base,
        "start_date_time": before.get("start_date_time", begun),
        "kwh": kwh,
        "status": before.get("status", "ACTIVE"),
        "charging_periods": _periods(message, before, kwh, begun),
        "last_updated": now,
    }
    ended = _moment(message, "SessionEnd")
    if ended and message["Type"] == "End":
        tree |= {"status": "COMPLETED", "end_date_time": ended}
    if message["Type"] == "Error" and known is None:
        tree["status"] = "INVALID"
    return tree


def _of_its_type(message: Message) -> Message:
    """Without fields that its type does not have: nobody has looked at what is in them."""
    known = forms(BY_TYPE[message["Type"]])
    return {name: value for name, value in message.items() if name in known}


def _energy(message: Message, before: Decimal) -> Decimal:
    told = message.get("ConsumedEnergyProgress", message.get("ConsumedEnergy"))
    return before if told is None else max(Decimal(told), before)


def _moment(message: Message, *names: str) -> str:
    return next((times.to_ocpi(message[name]) for name in names if message.get(name)), "")


def _periods(message: Message, before: Tree, kwh: Decimal, begun: str) -> list[Tree]:
    """One period of energy, and behind it one of parking once energy has stopped."""
    start = _moment(message, "ChargingStart") or begun
    known = list(before.get("charging_periods") or ())
    if known:
        start = known[0]["start_date_time"]
    end = _moment(message, "ChargingEnd")
    if end and times.instant(end) < times.instant(start):
        end = ""
    periods = [{"start_date_time": start, "dimensions": [{"type": "ENERGY", "volume": kwh}]}]
    over = _moment(message, "SessionEnd")
    if end and message["Type"] == "End":
        parked = _hours(end, over) if over else Decimal(0)
        periods.append({"start_date_time": end, "dimensions": [{"type": "PARKING_TIME", "volume": parked}]})
    return periods if end or len(known) < 2 else [periods[0], *known[1:]]


def _hours(begin: str, end: str) -> Decimal:
    seconds = Decimal((parse_datetime(end) - parse_datetime(begin)) / timedelta(seconds=1))
    return (max(seconds, Decimal(0)) / 3600).quantize(_HOURS, ROUND_HALF_UP)


def notifications_of(session: Tree, told: Mapping[str, str], *, time_zone: str, now: str) -> list[dict[str, Any]]:
    """What is to be said of a Session, after what was `told` already (`start`, `progress`, `end`: when).

    Without who and where: the caller adds the ids. Never more than one Progress in five minutes.
    """
    said: list[dict[str, Any]] = []
    status = session["status"]
    if status == "INVALID":
        return [] if "end" in told else [{"Type": "Error", "ErrorType": "CriticalError"}]
    if status not in ("ACTIVE", "COMPLETED"):
        return []
    if status == "ACTIVE" and not (session["kwh"] > 0 or session.get("charging_periods")):
        return []
    begun, ended = charging_span(session)
    start = times.to_oicp(begun, time_zone)
    if "start" not in told:
        said.append(
            {
                "Type": "Start",
                "ChargingStart": start,
                "SessionStart": times.to_oicp(session["start_date_time"], time_zone),
            }
        )
    if ended or status == "COMPLETED":
        return said if "end" in told else [*said, _end(session, begun, ended, time_zone)]
    if "start" in told and _is_due(told, now):
        said.append(
            {
                "Type": "Progress",
                "ChargingStart": start,
                "EventOccurred": times.to_oicp(session["last_updated"], time_zone),
                "ChargingDuration": _milliseconds(begun, session["last_updated"]),
                "ConsumedEnergyProgress": energy_of(session["kwh"]),
            }
        )
    return said


def energy_of(kwh: Decimal | int) -> Decimal:
    """Energy with the three decimals that OICP has."""
    exact = Decimal(kwh)
    rounded = exact.quantize(_KWH, ROUND_HALF_UP)
    return exact if exact == rounded else rounded


def lost_of(session: Mapping[str, Any]) -> tuple[str, ...]:
    """What notifications do not say of a Session."""
    notes = Notes()
    notes.lose_all(session, _NOT_OF_OICP)
    notes.lose(*strangers(Session, session))
    return tuple(notes.lost)


def lost_in(message: Message) -> tuple[str, ...]:
    """What a Session does not say of a notification."""
    notes = Notes()
    notes.lose_all(message, _NOT_OF_OCPI)
    return tuple(notes.lost)


def _end(session: Tree, begun: str, ended: str, time_zone: str) -> dict[str, Any]:
    over = session.get("end_date_time", "")
    message: dict[str, Any] = {
        "Type": "End",
        "ChargingStart": times.to_oicp(begun, time_zone),
        "ChargingEnd": times.to_oicp(ended or over or session["last_updated"], time_zone),
        "SessionStart": times.to_oicp(session["start_date_time"], time_zone),
        "ConsumedEnergy": energy_of(session["kwh"]),
    }
    return message | ({"SessionEnd": times.to_oicp(over, time_zone)} if over else {})


def _is_due(told: Mapping[str, str], now: str) -> bool:
    last = told.get("progress") or told["start"]
    return parse_datetime(now) - parse_datetime(last) >= PROGRESS_EVERY


def _milliseconds(begin: str, end: str) -> int:
    return max(0, (parse_datetime(end) - parse_datetime(begin)) // timedelta(milliseconds=1))


def charging_span(tree: Tree) -> tuple[str, str]:
    """When energy began and ceased to flow, of a Session or CDR; "" for the end while it still does.

    Where no period says so, it is the whole.
    """
    periods: list[Tree] = sorted(
        tree.get("charging_periods") or (), key=lambda each: parse_datetime(each["start_date_time"])
    )
    with_energy = [at for at, period in enumerate(periods) if _has_energy(period)]
    over = tree.get("end_date_time", "")
    if not with_energy:
        measured = [period["start_date_time"] for period in periods if _measures_energy(period)]
        return (measured or [tree["start_date_time"]])[0], over
    after = with_energy[-1] + 1
    ended = periods[after]["start_date_time"] if after < len(periods) else over
    return periods[with_energy[0]]["start_date_time"], ended


def _measures_energy(period: Tree) -> bool:
    return any(each["type"] == "ENERGY" for each in period["dimensions"])


def _has_energy(period: Tree) -> bool:
    return any(each["type"] == "ENERGY" and each["volume"] > 0 for each in period["dimensions"])
