"""What can become of a CALL of ours, and how important each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from hub.core.jsontypes import Tree
from partners.ocpp.schemas import Finding


class Priority(IntEnum):
    """Who goes first. Stopping a charge is the most urgent thing there is, polling the least."""

    STOP = 0
    START = 1
    UNLOCK = 2
    OTHER = 3
    POLLING = 4


PRIORITIES: Final[Mapping[str, Priority]] = {
    "RemoteStopTransaction": Priority.STOP,
    "RequestStopTransaction": Priority.STOP,
    "RemoteStartTransaction": Priority.START,
    "RequestStartTransaction": Priority.START,
    "UnlockConnector": Priority.UNLOCK,
    "TriggerMessage": Priority.POLLING,
    "GetConfiguration": Priority.POLLING,
    "GetVariables": Priority.POLLING,
    "GetBaseReport": Priority.POLLING,
    "GetReport": Priority.POLLING,
    "GetCompositeSchedule": Priority.POLLING,
    "GetTransactionStatus": Priority.POLLING,
    "CostUpdated": Priority.POLLING,
    "SetDefaultTariff": Priority.POLLING,
}
"""Importance by action, where the caller names none; every other action is OTHER."""


NOT_KNOWN: Final = frozenset({"NotSupported", "NotImplemented"})
"""CALLERRORs of a charger that does not know an action."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The charger's answer. `finding` says where it breaks the schema; it is handed over all the same."""

    payload: Tree
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class CallError:
    """The charger refused with a CALLERROR."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Sent, and no answer in time. It may have been carried out."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Sent, and the socket went before the answer. It may have been carried out."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Never left us: it certainly was not carried out."""

    why: Literal["queue full", "waited too long", "superseded", "not connected"]


Outcome = CallResult | CallError | TimedOut | Lost | NotSent


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer that came after its time: the action it belongs to, and how late it was."""

    action: str
    outcome: CallResult | CallError
    late_s: float
