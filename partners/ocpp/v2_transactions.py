"""TransactionEvent and MeterValues of 2.x: always answered, whatever they say, once what they say is on disk (R1).

An event with a token is answered what that token may: the one that pays, as it was decided when it was first told; one
that stops, or that comes later, for itself. It may stop as one of the payer's group too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from hub.core import trace
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Tree
from modules.sessions.costs import cost_of
from modules.tokens.authorize import authorize
from modules.tokens.contract_ids import EMAID
from modules.tokens.prefixes import RFID
from partners.ocpp import reports2, rpc, v2_states, v2_tokens
from partners.ocpp.billing import Opening
from partners.ocpp.connector_states import measure_clock
from partners.ocpp.events import Event, same_tag
from partners.ocpp.live import Link, remote_start
from partners.ocpp.matching import Start
from partners.ocpp.openings import likely_place
from partners.ocpp.rpc import Incoming
from partners.ocpp.settling import REPLAY_S
from partners.ocpp.transactions import Taken

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2

log = structlog.get_logger()

_WAIT_FOR_PARTS_S: Final = 10.0
_TIMEOUT_S: Final = 30.0


async def transaction_event(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A part of a transaction, of whatever type, in whatever order (E01 to E12; rules R1, R6, R10, R11)."""
    event = _placed(link, reports2.part(link.live.identity, incoming, v2.hub.clock.now()))
    _note_queue(v2, link, event)
    measure_clock(link, event)
    if event.part is None:
        log.warning("transaction event without an id", station=event.station)
        await v2.transactions.keep(event)
        return {}
    trace.begin(correlation_id=_journey(v2, link, event))
    taken = await v2.transactions.part(event, lambda start, own: _decide(v2, link, start, own))
    if taken.opening is not None:
        link.live.end_journey(taken.payer)
    if not taken.was_over:
        await v2_states.follow(v2, link, event, taken.connector)
    if taken.opening is not None or event.part.type == "Ended":
        await v2.stations.display.changed(link.live, taken.connector)
    if taken.has_gap and event.transaction not in link.asked:
        link.asked.add(str(event.transaction))
        v2.hub.background.start(_ask_for_parts(v2, link, str(event.transaction)), name=f"parts {event.station}")
    failpoint("ocpp.in.before_reply")
    return await _answer(v2, link, event, taken)


async def meter_values(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """What an EVSE measures outside of transactions (J01); where one goes on at it, these are its samples too."""
    event = reports2.meter(link.live.identity, incoming, v2.hub.clock.now())
    link.measured(event.said, v2.hub.clock.monotonic())
    trace.begin(correlation_id=v2.transactions.correlation_of(event.station, None, event.connector))
    await v2.transactions.report(event)
    failpoint("ocpp.in.before_reply")
    return {}


def _note_queue(v2: Version2, link: Link, event: Event) -> None:
    """A queue may be in replay, but for an Updated of now."""
    is_update = event.part is not None and event.part.type == "Updated"
    link.measured(event.said if is_update else None, v2.hub.clock.monotonic())


def _placed(link: Link, event: Event) -> Event:
    """Where no EVSE is named, and the station has one connector, there is no other that it could be."""
    places = link.live.station.places()
    if event.part is None or event.connector is not None or len(places) != 1:
        return event
    return v2_states.at(event, next(iter(places)))


def _journey(v2: Version2, link: Link, event: Event) -> str:
    """The journey of the charge; of one that begins, that of our command, or of the token that was shown."""
    known = v2.transactions.correlation_of_part(event)
    if known or event.part is None:
        return known
    now, remote = v2.hub.clock.monotonic(), event.part.remote
    commanded = link.live.journey_of(remote_start(remote), now) if remote is not None else ""
    return commanded or link.live.journey_of(event.id_tag or "", now)


async def _decide(v2: Version2, link: Link, start: Start, own: str) -> Opening:
    told = start.gathered
    token_type = EMAID if told is not None and told.payer is not None and told.payer[1][1] else RFID
    if not start.connector:
        return await v2.openings.somewhere(link, start.event, token_type)
    number = told.reservation[1] if told is not None and told.reservation is not None else None
    return await v2.openings.opening(link, start.event, number, token_type=token_type, own=own)


async def _answer(v2: Version2, link: Link, event: Event, taken: Taken) -> Tree:
    """TransactionEventResponse: what it cost, and what the token may.

    While a charge goes on, its session is priced less often than it is measured: CostUpdated tells what it costs then.
    """
    is_over = event.is_ended
    cost = await cost_of(v2.hub.store, taken.session) if taken.session and is_over else None
    answer: Tree = {} if cost is None else {"totalCost": cost}
    if event.id_tag:
        answer["idTokenInfo"] = await _token_info(v2, link, event, taken)
    return answer


async def _token_info(v2: Version2, link: Link, event: Event, taken: Taken) -> Tree:
    is_contract = event.part is not None and event.part.is_contract
    if taken.allowed and same_tag(taken.payer) == same_tag(event.id_tag):
        return v2_tokens.id_token_info(taken.allowed, taken.group)
    place, kind = likely_place(link), EMAID if is_contract else RFID
    decision = await authorize(v2.hub, event.id_tag or "", place, at=event.station, token_type=kind)
    group = v2_tokens.group_of(decision)
    stops = event.part is not None and not event.part.pays
    allowed = "ALLOWED" if stops and group and group == taken.group else decision.allowed
    return v2_tokens.id_token_info(allowed, group)


async def _ask_for_parts(v2: Version2, link: Link, transaction: str) -> None:
    """Are parts of this transaction still to come? Asked once what is replayed now has had time to come (E14)."""
    clock, live = v2.hub.clock, link.live
    await clock.sleep(_WAIT_FOR_PARTS_S)
    while clock.monotonic() - link.money_at < REPLAY_S and live.link is link:
        await clock.sleep(REPLAY_S)
    if live.link is not link or not v2.transactions.has_gap(live.identity, transaction):
        link.asked.discard(transaction)
        return
    if "GetTransactionStatus" in live.learned.not_supported:
        return
    outcome = await link.rpc.call("GetTransactionStatus", {"transactionId": transaction}, timeout_s=_TIMEOUT_S)
    await v2.stations.learn_from(live, "GetTransactionStatus", outcome)
    waits = outcome.payload.get("messagesInQueue") if isinstance(outcome, rpc.CallResult) else None
    log.warning("parts of a charge are missing", station=live.identity, transaction=transaction, more_to_come=waits)
