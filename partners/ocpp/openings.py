"""What a new charge begins with: where it is, and what its token is answered.

A charge at a connector that is on no location can never be billed. While its charger is online it is refused, so that
no energy is given away; what was charged while it was offline is over, and is only kept.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from hub.core import trace
from hub.core.errors import BusbarError
from hub.core.ports import Hub, Place
from hub.core.units import Unit
from modules.commands import reservations
from modules.tokens.authorize import By, Decision, for_start, used_up
from modules.tokens.prefixes import RFID
from partners.ocpp import answers, maintenance
from partners.ocpp.billing import Opening
from partners.ocpp.events import Event
from partners.ocpp.live import Link
from partners.ocpp.status import DEBOUNCE
from partners.ocpp.surroundings import trusts_clock
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()

_NOWHERE: Final = Decision("NOT_ALLOWED", By.UNKNOWN)


class Openings:
    """For all stations."""

    def __init__(self, hub: Hub, transactions: Transactions) -> None:
        self._hub = hub
        self._transactions = transactions

    async def opening(
        self, link: Link, event: Event, number: int | None, *, token_type: str = RFID, own: str = ""
    ) -> Opening:
        """Of a start, which may name the reservation `number`. `own` is the key of its record, if it has one."""
        connector, tag = event.connector or 0, event.id_tag or ""
        place = link.live.station.places().get(connector)
        if place is None and not _is_replay(link, event):
            return Opening(None, _NOWHERE, correlation_id=trace.correlation())
        use = await reservations.used(self._hub, event.station, connector, number=number, id_tag=tag)
        if use is not None:
            spent = await self._spent(event, use.decision, use.reservation.id_tag)
            return Opening(place, use.decision, use.charge, use.unit, trace.correlation(), spent)
        decision = await self._decision(link, event, place, token_type)
        if decision.accepted and self._is_busy(tag, own):
            decision = Decision(answers.CONCURRENT_TX, decision.by, decision.token, decision.owner)
        return Opening(place, decision, None, None, trace.correlation(), await self._spent(event, decision))

    async def somewhere(self, link: Link, event: Event, token_type: str) -> Opening:
        """Of a start of 2.x with a token that has not said at which EVSE: the driver may not have chosen one yet."""
        decision = await self._decision(link, event, likely_place(link), token_type)
        return Opening(None, decision, correlation_id=trace.correlation())

    def _is_busy(self, tag: str, own: str) -> bool:
        one_each = self._hub.settings.ocpp_one_charge_per_token
        return one_each and self._transactions.is_charging(tag, but=own)

    async def _spent(self, event: Event, decision: Decision, *aliases: str) -> Unit:
        """What was remembered for this start, under each name that the token goes by."""
        uid = (decision.token or {}).get("uid", "")
        uids = filter(None, (event.id_tag, uid, *aliases))
        return await used_up(self._hub, uids, at=event.station) if decision.accepted else Unit()

    async def _decision(self, link: Link, event: Event, place: Place | None, token_type: str) -> Decision:
        try:
            found = await for_start(self._hub, event.id_tag or "", place, at=event.station, token_type=token_type)
            return maintenance.decided(link.live.station, place, found, ours=self._hub.settings.party)
        except BusbarError:
            raise
        except Exception as error:  # the charge goes on all the same: it must be on record, and be seen
            log.exception("token not decided on", station=event.station, error=type(error).__name__)
            return Decision("NOT_ALLOWED", By.UNKNOWN)


def likely_place(link: Link) -> Place | None:
    """Where a token is shown that names no connector. The only EVSE, or the only one with a car before it."""
    places = link.live.station.places()
    if len({place.evse_uid for place in places.values()}) == 1:
        return next(iter(places.values()))
    states = {number: heard.status for number, heard in link.live.connectors.items()}
    waiting = [place for number, place in places.items() if states.get(number) == "Preparing"]
    return waiting[0] if len(waiting) == 1 else None


def _is_replay(link: Link, event: Event) -> bool:
    """Did it begin before this connection, by the charger's clock as far as that was measured?"""
    if event.said is None or not trusts_clock(event):
        return False
    offset = link.live.clock_offset or timedelta(0)
    return event.said + offset < link.opened - DEBOUNCE
