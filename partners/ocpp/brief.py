"""Calls of 1.6 that can often be answered at once, read no further than that needs.

A heartbeat, a sample of a charge that goes on, a card that needs nobody's word: most of what chargers say. Each has a
function from the text of the frame to the answer, or to None: then nothing was done, and the call is read in full and
handled in the usual way (`v16.py`), which gives the same answer, only later. What is not written as the schema wants it
is never brief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final

import msgspec

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.inbound import encode
from partners.ocpp.live import Link
from partners.ocpp.rpc import Ready
from partners.ocpp.together import Done
from partners.ocpp.told import PLAIN, REGISTER, Told
from partners.ocpp.v16 import Version16, id_tag_info


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Value(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    value: str
    context: str = ""
    format: str = "Raw"
    measurand: str = REGISTER
    phase: str = ""
    location: str = "Outlet"
    unit: str = "Wh"


class _Moment(msgspec.Struct, forbid_unknown_fields=True):
    timestamp: str
    sampledValue: list[_Value]  # noqa: N815 - OCPP's own name


class _MeterValues(msgspec.Struct, forbid_unknown_fields=True):
    connectorId: int  # noqa: N815
    meterValue: list[_Moment]  # noqa: N815
    transactionId: int | None = None  # noqa: N815


class _Authorize(msgspec.Struct, forbid_unknown_fields=True):
    idTag: Annotated[str, msgspec.Meta(max_length=20)]  # noqa: N815


_AUTHORIZE: Final = msgspec.json.Decoder(tuple[int, str, str, _Authorize])
_NOTED: Final = Ready("{}", waits=True)
_HEARTBEAT: Final = msgspec.json.Decoder(tuple[int, str, str, _Nothing])
_METER_VALUES: Final = msgspec.json.Decoder(tuple[int, str, str, _MeterValues])


def heartbeat(v16: Version16, link: Link, text: str, done: Done) -> Ready | None:
    """Our time."""
    _HEARTBEAT.decode(text)
    return Ready(f'{{"currentTime":"{timestamp(v16.hub.clock.now())}"}}')


def authorize(v16: Version16, link: Link, text: str, done: Done) -> Ready | None:
    """A card that was shown before and needs nobody's word."""
    tag, live = _AUTHORIZE.decode(text)[3].idTag, link.live
    known = v16.cards.answer(tag, live.identity) if live.station.is_for_everybody else None
    if known is None:
        return None
    live.begin_journey(tag, trace.new_request_id(), v16.hub.clock.monotonic())
    return Ready(encode({"idTagInfo": id_tag_info(known.allowed, known.group_id)}).decode())


def meter_values(v16: Version16, link: Link, text: str, done: Done) -> Ready | None:
    """A sample that may wait for the ledger."""
    payload = _METER_VALUES.decode(text)[3]
    moments = payload.meterValue
    register = _register(moments[0].sampledValue) if len(moments) == 1 else ""
    told = Told(payload.connectorId, payload.transactionId, [moment.timestamp for moment in moments], register)
    if not v16.transactions.sample_at_once(link.live.identity, told, text, v16.hub.clock.now(), done):
        return None
    link.measured(told.first, v16.hub.clock.monotonic())
    return _NOTED


def _register(values: list[_Value]) -> str:
    """The text of the one register among them, if it is of the outlet, of all phases, in Wh and not signed."""
    found = None
    for value in values:
        if value.format != "Raw" or (value.measurand == REGISTER and found is not None):
            return ""
        if value.measurand == REGISTER:
            found = value
    is_plain = found is not None and (found.phase, found.location, found.unit) == PLAIN
    return found.value if found is not None and is_plain else ""


BRIEF: Final[Mapping[str, Callable[[Version16, Link, str, Done], Ready | None]]] = {
    "Authorize": authorize,
    "Heartbeat": heartbeat,
    "MeterValues": meter_values,
}
"""By action. msgspec's errors mean None too (`rpc.Brief`)."""
