"""Charging profiles of the sessions at our chargers. OCPI mod_charging_profiles, receiver interface.

A wish is on disk before its sender reads ACCEPTED; then the charger is asked, and what it says is told at the
response_url: ACCEPTED only what the charger accepted, and what its schedule then does not deny (`effect.py`); what it
does deny is taken back first (`at_charger.py`). After a stop of ours a wish whose end is not known is told REJECTED,
and taken back once its charger is there (`owed.py`).
Once a party has set a profile, it hears of each change that we know of (`publication.py`): the charger is asked for
its schedule after each change of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec
import structlog
from msgspec.structs import replace

from hub.core import trace
from hub.core.callbacks import CALLBACKS, WAITING, Expected, Told, find, new_id, take
from hub.core.errors import Conflict, InvalidRequest
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Limits, ProfileOutcome
from hub.core.registry import Partner
from hub.core.units import ABSENT, Document, Put, Unit
from modules.chargingprofiles import following, owed, plan
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.at_charger import LONGEST_S, SHOWN_S, Done, apply, limits_at, withdraw
from modules.chargingprofiles.keeping import ATTEMPTS, change, unit_of
from modules.chargingprofiles.model import SetChargingProfile
from modules.chargingprofiles.store import Profile
from modules.commands.response_url import check_response_url
from modules.commands.results import announced_s
from modules.sessions.charge import Charge, load

log = structlog.get_logger()

_PAUSES_S: Final = (10.0, 60.0, 300.0)
"""A charger that does not take what it is owed, though it is there, is told again after these; then when it is back."""

Act = Callable[[Document], Awaitable[Done]]
"""Asks the charger; the `seq` of what is known of the session's profiles is the number of the profile."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks, as which party, and in which version the result is to be told."""

    partner: Partner
    party: str
    version: str


def response(result: str, timeout_s: int = 0) -> Tree:
    """A ChargingProfileResponse; where no result follows, the timeout is 0."""
    return {"result": result, "timeout": timeout_s}


async def set_profile(hub: Hub, sender: Sender, session_id: str, order: SetChargingProfile) -> Tree:
    """OCPI mod_charging_profiles_put_method. Raises: InvalidRequest."""
    check_response_url(hub, sender.partner, order.response_url)
    charge = await _charge(hub, sender.partner, session_id)
    if not isinstance(charge, Charge):
        return charge
    limits = plan.limits_of(order.charging_profile, charge, await hub.chargers.limit_rules(charge.station))
    if limits is None:
        return response("REJECTED")

    async def act(asked: Document) -> Done:
        return await apply(hub, charge, limits, asked)

    return await _accept(hub, sender, charge, "set", order.response_url, act, changes=True)


async def clear_profile(hub: Hub, sender: Sender, session_id: str, response_url: str) -> Tree:
    """OCPI mod_charging_profiles_delete_method. Raises: InvalidRequest."""
    check_response_url(hub, sender.partner, response_url)
    charge = await _charge(hub, sender.partner, session_id)
    if not isinstance(charge, Charge):
        return charge

    async def act(asked: Document) -> Done:
        return await withdraw(hub, charge, asked)

    return await _accept(hub, sender, charge, "clear", response_url, act, changes=True)


async def show_profile(hub: Hub, sender: Sender, session_id: str, duration_s: int, response_url: str) -> Tree:
    """OCPI mod_charging_profiles_get_method. Raises: InvalidRequest."""
    check_response_url(hub, sender.partner, response_url)
    if not 0 < duration_s <= LONGEST_S:
        raise InvalidRequest(f"duration is 1 to {LONGEST_S} seconds")
    charge = await _charge(hub, sender.partner, session_id)
    if not isinstance(charge, Charge):
        return charge

    async def act(_: Document) -> Done:
        limits = await limits_at(hub, charge, duration_s)
        if isinstance(limits, ProfileOutcome):
            return Done({"result": limits})
        return Done({"result": ProfileOutcome.ACCEPTED, "profile": plan.active(limits, charge)})

    return await _accept(hub, sender, charge, "active", response_url, act, changes=False)


async def changed(hub: Hub, session_id: str) -> None:
    """The charger goes by other limits at this session than it told: its party hears of it, if it follows them."""
    document = await profiles.find(hub.store, session_id)
    charge = await load(hub.store, session_id) if document is not None else None
    if document is None or charge is None or not charge.is_open or not profiles.profile_in(document).is_followed:
        return
    await following.look(hub, charge)


async def recover(hub: Hub) -> None:
    """Tell the end of wishes that a stop of ours left open. Called once at each start."""
    for document in await hub.store.select(CALLBACKS, equal={"state": WAITING}, limit=100_000):
        expected = msgspec.json.decode(document.body, type=Expected)
        if expected.module != "chargingprofiles" or expected.receiver:
            continue
        if expected.subject:
            await owed.call_in(hub, expected.subject)
        await take(hub, expected, document, Told(encode({"result": ProfileOutcome.REJECTED})))
        if expected.subject:
            hub.background.start(settle(hub, expected.subject), name=f"owed to {expected.subject}")


async def settle(hub: Hub, session_id: str) -> None:
    """What a charger is owed is told it, and again where it does not take it; if it is not there, once it is.

    Called when it is there again, and when something becomes due. Of a charge that is over nothing is owed.
    """
    for pause_s in (*_PAUSES_S, None):
        if await _is_settled(hub, session_id) or pause_s is None:
            return
        await hub.clock.sleep(pause_s)


async def _is_settled(hub: Hub, session_id: str) -> bool:
    """Is there nothing to be told now, or was it told?"""
    while True:
        document = await profiles.find(hub.store, session_id)
        due = profiles.profile_in(document).owed if document is not None else None
        charge = await load(hub.store, session_id) if due is not None else None
        if due is None or charge is None or not charge.is_open:
            return True
        ahead_s = (due - hub.clock.now()).total_seconds()
        if ahead_s > 0:
            await hub.clock.sleep(ahead_s)
            continue
        if not await hub.chargers.reachable(charge.station):
            return True
        is_done = await owed.take_back(hub, charge, due)
        if is_done:
            await changed(hub, session_id)
        return is_done


async def may_have_lost(hub: Hub, session_id: str) -> None:
    """A charger began anew in the middle of a charge, or cleared a profile late: it may have lost what is in force.

    It is told that again.
    Where it does not take it, who set it hears what the charge goes by instead, and it is told again as `settle` does.
    """
    charge = await load(hub.store, session_id)
    if charge is None or not charge.is_open:
        return
    if await owed.lost(hub, charge) and not await _is_settled(hub, session_id):
        await following.lost(hub, charge)
        await hub.clock.sleep(_PAUSES_S[0])
    await settle(hub, session_id)


async def heard_late(hub: Hub, session_id: str) -> None:
    """A charger took a profile after its time: it is taken back then as well, unless it is another's by now."""
    if await owed.heard_late(hub, session_id):
        await settle(hub, session_id)


async def _charge(hub: Hub, partner: Partner, session_id: str) -> Charge | Tree:
    """The charge that may be limited now; else why not."""
    charge = await load(hub.store, session_id.lower())
    if charge is None or charge.owner not in partner.parties:
        return response("UNKNOWN_SESSION")
    if not charge.is_open or charge.reservation_only or not await hub.chargers.reachable(charge.station):
        return response("REJECTED")
    if not await hub.chargers.supports(charge.station, "SmartCharging"):
        return response("NOT_SUPPORTED")
    return charge


async def _accept(
    hub: Hub, sender: Sender, charge: Charge, what: str, response_url: str, act: Act, *, changes: bool
) -> Tree:
    expected = _expected(hub, sender, what, response_url, subject=charge.session_id if changes else "")
    for _ in range(ATTEMPTS):
        put = await _let_through(hub, sender, charge.session_id, what)
        if put is None:
            return response("TOO_OFTEN")
        try:
            await hub.store.commit(Unit().put(put).put(expected.put()))
        except Conflict:
            continue
        work = _perform(hub, charge, expected, act, changes=changes)
        hub.background.start(work, name=f"charging profile {charge.session_id}")
        return response("ACCEPTED", announced_s(hub))
    raise Conflict


async def _let_through(hub: Hub, sender: Sender, session_id: str, what: str) -> Put | None:
    """The note that this was asked now; None, when the same was asked just before."""
    now = hub.clock.now()
    document = await profiles.find(hub.store, session_id)
    known = profiles.profile_in(document) if document is not None else Profile(sender.party)
    last = known.asked.get(what)
    if last is not None and now < last + timedelta(seconds=hub.settings.profile_interval_s):
        return None
    asked = replace(owed.asked(hub, known, what, now), party=sender.party, asked={**known.asked, what: now})
    return profiles.put_of(session_id, asked, now=now, expect=document.version if document is not None else ABSENT)


def _expected(hub: Hub, sender: Sender, what: str, response_url: str, *, subject: str) -> Expected:
    """A result of ours: no partner may POST it."""
    return Expected(
        id=new_id(),
        module="chargingprofiles",
        about=what,
        asker=sender.partner.name,
        asker_party=sender.party,
        version=sender.version,
        response_url=response_url,
        receiver="",
        receiver_party=hub.settings.party,
        until=hub.clock.now() + timedelta(seconds=announced_s(hub)),
        correlation_id=trace.correlation(),
        subject=subject,
    )


async def _perform(hub: Hub, charge: Charge, expected: Expected, act: Act, *, changes: bool) -> None:
    document = await profiles.find(hub.store, charge.session_id)
    if document is None:
        return
    try:
        done = await act(document)
    except Exception as error:  # whatever broke on our side, the sender gets a result
        log.exception("charging profile failed", what=expected.about, error=type(error).__name__)
        done = Done({"result": ProfileOutcome.REJECTED})
        if changes:
            await owed.call_in(hub, charge.session_id)
    is_done = done.result["result"] is ProfileOutcome.ACCEPTED
    await _tell(hub, charge, expected.id, done)
    if done.is_taken_back:
        await changed(hub, charge.session_id)
    elif done.shown is not None or (is_done and changes):
        await following.look(hub, charge, done.shown)
    if changes and await owed.is_due(hub, charge.session_id):
        await hub.clock.sleep(_PAUSES_S[0])
        await settle(hub, charge.session_id)


async def _tell(hub: Hub, charge: Charge, expected_id: str, done: Done) -> None:
    """The result, and what is known with it, are on disk together: a stop between them would make one of them false."""
    for _ in range(ATTEMPTS):
        document = await profiles.find(hub.store, charge.session_id)
        if document is None:
            return
        known = profiles.profile_in(document)
        kept = done.into(known)
        also = None if kept is known else unit_of(hub, document, known, kept)
        awaited, at = await find(hub, expected_id, by="")
        if await take(hub, awaited, at, Told(encode(done.result)), also=also):
            return
        if at.columns["state"] != WAITING:
            return  # after a stop it was told REJECTED: it stays owed
        if hub.clock.now() > awaited.until:
            break
    await change(hub, charge.session_id, done.into)


async def limits_changed(hub: Hub, session_id: str) -> None:
    """What a charger allows a session became another by itself; who set a profile for it hears that (REQ-210)."""
    document = await profiles.find(hub.store, session_id)
    charge = await load(hub.store, session_id) if document is not None else None
    if document is None or charge is None or not charge.is_open or not profiles.profile_in(document).is_followed:
        return
    limits = await limits_at(hub, charge, SHOWN_S)
    if isinstance(limits, Limits):
        await following.tell(hub, charge, limits)
