"""Calls of 1.6 that can often be answered at once, read no further than that needs.

A heartbeat, a sample of a charge that goes on, a card that needs nobody's word: most of what chargers say. Each has a
function from the text of the frame to the answer, or to None: then nothing was done, and the call is read in full and
handled in the usual way (`v16.py`), which gives the same answer, only later. What is not written as the schema wants it
is never brief.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from hub.core.clock import timestamp
from partners.ocpp.live import Link
from partners.ocpp.rpc import Ready
from partners.ocpp.samples import Told
from partners.ocpp.v16 import Version16


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Moment(msgspec.Struct, forbid_unknown_fields=True):
    timestamp: str
    sampledValue: msgspec.Raw  # noqa: N815 - OCPP's own name


class _MeterValues(msgspec.Struct, forbid_unknown_fields=True):
    connectorId: int  # noqa: N815
    meterValue: list[_Moment]  # noqa: N815
    transactionId: int | None = None  # noqa: N815


_HEARTBEAT: Final = msgspec.json.Decoder(tuple[int, str, str, _Nothing])
_METER_VALUES: Final = msgspec.json.Decoder(tuple[int, str, str, _MeterValues])


def heartbeat(v16: Version16, link: Link, text: str) -> Ready | None:
    """Our time."""
    _HEARTBEAT.decode(text)
    return Ready(f'{{"currentTime":"{timestamp(v16.hub.clock.now())}"}}')


def meter_values(v16: Version16, link: Link, text: str) -> Ready | None:
    """A sample that may wait for the ledger."""
    payload = _METER_VALUES.decode(text)[3]
    told = Told(payload.connectorId, payload.transactionId, [moment.timestamp for moment in payload.meterValue])
    kept = v16.transactions.sample_at_once(link.live.identity, told, text, v16.hub.clock.now())
    if kept is None:
        return None
    link.money_at = v16.hub.clock.monotonic()
    return Ready("{}", kept)


BRIEF: Final[Mapping[str, Callable[[Version16, Link, str], Ready | None]]] = {
    "Heartbeat": heartbeat,
    "MeterValues": meter_values,
}
"""By action. msgspec's errors mean None too (`rpc.Brief`)."""
