"""Saying a limit to a charger, and judging what comes back: a yes is a yes only when its schedule does not deny it."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final

import structlog

from hub.core.jsontypes import Tree
from partners.ocpp import rpc, schemas
from partners.ocpp.live import Link, Live
from partners.ocpp.sites import payloads
from partners.ocpp.sites.payloads import WORDS, Cap
from partners.ocpp.stations import Stations

log = structlog.get_logger()

TIMEOUT_S: Final = 20.0
_ASK_S: Final = 10.0
_AHEAD_S: Final = 60
_CANNOT: Final = frozenset({"NotSupported", "NotImplemented"})
_SLACK: Final = {"A": Decimal("0.5"), "W": Decimal(120)}


class Said(Enum):
    """What became of it."""

    YES = "it accepted"
    NO = "it refused: what it was told before holds"
    CANNOT = "it does not support that"
    UNSENT = "it was never sent"
    DENIED = "it accepted, and its schedule says more"
    UNHEARD = "sent, and not answered: either may hold"


class Teller:
    """Of all stations."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._mute: dict[str, int] = {}
        """Stations that did not tell their schedule, and over which connection: there they are asked no more."""

    async def say(self, live: Live, link: Link, payload: Tree) -> Said:
        """SetChargingProfile, over this socket."""
        outcome = await self._call(live, link, payloads.ACTION, payload, TIMEOUT_S)
        match outcome:
            case rpc.CallResult(answer):
                status = answer.get("status")
                if status == "Accepted":
                    return Said.YES
                return Said.CANNOT if status in _CANNOT else Said.NO
            case rpc.CallError(code):
                return Said.CANNOT if code in _CANNOT else Said.NO
            case rpc.TimedOut() | rpc.Lost():
                return Said.UNHEARD
        return Said.UNSENT

    async def denies(self, live: Live, link: Link, connector: int, cap: Cap) -> Decimal | None:
        """What its schedule says for now, if that is more than `cap`. Where it has none to tell, it does not deny."""
        if payloads.ASK in live.learned.not_supported or self._mute.get(live.identity) == link.generation:
            return None
        ask = WORDS[link.version].ask(connector, _AHEAD_S, cap.unit)
        outcome = await self._call(live, link, payloads.ASK, ask, _ASK_S)
        if isinstance(outcome, rpc.TimedOut):
            self._mute[live.identity] = link.generation
        if not isinstance(outcome, rpc.CallResult) or outcome.payload.get("status") != "Accepted":
            return None
        found = payloads.at_first(outcome.payload)
        if found is None or found[0] != cap.unit or found[1] <= cap.limit + _SLACK[cap.unit]:
            return None
        log.warning("charger's schedule is above its limit", station=live.identity, connector=connector)
        return found[1]

    async def _call(self, live: Live, link: Link, action: str, payload: Tree, timeout_s: float) -> rpc.Outcome:
        finding = schemas.check(link.version, action, payload, strict=True)
        if finding is not None:
            log.error("limit not sent", station=live.identity, action=action, why=finding.text)
            return rpc.NotSent("superseded")
        outcome = await link.rpc.call(action, payload, timeout_s=timeout_s, wait_s=timeout_s)
        await self._stations.learn_from(live, action, outcome)
        return outcome
