"""A new charger is put into service: begun, looked at, and what can be done for each step.

Nobody needs to do it in one go, or at one screen: what there is to see is worked out from what is known (`steps.py`).
EVSEs that are given with it are kept from partners until it is done (`modules/locations/withheld.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.control import stations
from hub.control.asks import Commission, CommissionStep
from hub.control.commissioning.facts import gathered, templates_for
from hub.control.commissioning.steps import SKIPPABLE, Facts, Step, Trial, is_over, steps_of
from hub.control.stations import register
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Outcome
from hub.core.units import Audit
from modules.locations import withheld
from modules.locations.store import key_of
from partners.ocpp.desired import applying
from partners.ocpp.numbering import socketed

if TYPE_CHECKING:
    from hub.app import Program

_CHARGER_S: Final = 30.0


async def begin(program: Program, identity: str, ask: Commission, *, actor: str) -> Tree:
    """Register a charger, or change it, and put it into service; one that is on its way stays so.

    Returns: as `show`, with `password` if one was made. Raises: NotFound, InvalidRequest.
    """
    made: Tree = {}
    if ask.evses:
        made = await _registered_with_its_evses(program, identity, ask, actor)
    elif ask.station is not None:
        made = await stations.put(program, identity, dict(ask.station), actor=actor)
    view = await (await register(program)).view(identity)
    waiting = await withheld.evses_at(program.store, view["location"]) if view["location"] else []
    hidden = [str(evse["uid"]) for evse in waiting]
    await (await register(program)).commission(view["identity"], hidden, actor=actor)
    password = {"password": made["password"]} if "password" in made else {}
    return {**await show(program, identity), **password}


async def _registered_with_its_evses(program: Program, identity: str, ask: Commission, actor: str) -> Tree:
    """Register a charger at EVSEs that partners do not see yet: both or neither. Raises: InvalidRequest."""
    station = dict(ask.station or {})
    location, uids = str(station.get("location") or ""), [str(evse.get("uid")) for evse in ask.evses]
    if not location:
        raise InvalidRequest("/station/location: is needed to know where these EVSEs are to be")
    key = key_of(program.settings.party, location.rpartition("/")[2])
    before = {evse["uid"] for evse in await withheld.evses_at(program.store, key)}
    audit = Audit(actor, "station.evses_withheld", identity, ", ".join(uids))
    await withheld.withhold(program.store, key, ask.evses, now=program.hub.clock.now(), audit=audit)
    try:
        return await stations.put(program, identity, station, actor=actor)
    except InvalidRequest:
        fresh = [uid for uid in uids if uid not in before]
        await withheld.abandon(program.store, key, fresh, audit=Audit(actor, "station.evses_abandoned", identity))
        raise


async def show(program: Program, identity: str) -> Tree:
    """How far it is. Raises: NotFound."""
    return _shown(await gathered(program, identity))


def _shown(facts: Facts) -> Tree:
    view, found = facts.view, steps_of(facts)
    now = view["commissioning"] or {}
    return {
        "identity": view["identity"],
        "url": view["url"],
        "state": "done" if now.get("done") else "under way" if now else "not begun",
        "since": now.get("since"),
        "done": now.get("done"),
        "withheld": list(now.get("withheld", ())),
        "next": next((each.step for each in found if not is_over(each)), None),
        "steps": [each._asdict() for each in found],
        "charge": _charge(facts.tested),
    }


def _charge(tested: Trial | None) -> Tree | None:
    """The test charge, in figures."""
    if tested is None:
        return None
    return {"session_id": tested.session_id, "open": tested.is_open, "kwh": tested.kwh, "price": tested.price}


async def act(program: Program, identity: str, ask: CommissionStep, *, actor: str) -> Tree:
    """Do something for a step. Returns: as `show`, with `outcome`. Raises: NotFound, InvalidRequest."""
    facts = await gathered(program, identity)
    if facts.view["commissioning"] is None or facts.view["commissioning"]["done"]:
        raise InvalidRequest(f"{facts.view['identity']} is not being commissioned; PUT its commissioning first")
    match ask.do:
        case "ask":
            outcome = await _ask_states(program, facts)
        case "template":
            outcome = await _configure(program, facts, actor)
        case "start":
            outcome = await _start(program, facts, ask)
        case "stop":
            outcome = await _stop(program, facts)
        case "skip":
            outcome = await _skip(program, facts, ask, actor)
        case "publish":
            outcome = await _publish(program, facts, force=ask.force, actor=actor)
    return {**await show(program, identity), "outcome": outcome}


async def abandon(program: Program, identity: str, *, actor: str) -> None:
    """It is not put into service: EVSEs that waited for that are forgotten. Raises: NotFound, InvalidRequest."""
    view = await (await register(program)).view(identity)
    now = view["commissioning"]
    if now is None or now["done"]:
        raise NotFound(f"{view['identity']} is not being commissioned")
    audit = Audit(actor, "station.evses_abandoned", view["identity"], ", ".join(now["withheld"]))
    if now["withheld"]:
        await withheld.abandon(program.store, view["location"], now["withheld"], audit=audit)
    await (await register(program)).abandon(view["identity"], actor=actor)


async def _ask_states(program: Program, facts: Facts) -> str:
    """Ask for the state of each connector that is planned. Returns: how many said that they will tell."""
    taken = 0
    for number in facts.planned:
        payload: Tree = {"requestedMessage": "StatusNotification"}
        if facts.view["version"] == "1.6":
            payload["connectorId"] = number
        else:
            evse, connector = socketed(number)
            payload["evse"] = {"id": evse, "connectorId": connector}
        asked = (facts.view["identity"], "TriggerMessage", payload)
        called = await (await register(program)).call(*asked, timeout_s=_CHARGER_S, force=False)
        taken += called.outcome == "result" and (called.payload or {}).get("status") == "Accepted"
    return f"{taken} of {len(facts.planned)} connectors will tell"


async def _configure(program: Program, facts: Facts, actor: str) -> str:
    """Bring it to what the templates for it want. Returns: how many values differed."""
    templates = await templates_for(program, facts.view)
    done = await applying.bring(program.hub, program.stations, facts.view, templates, actor=actor) if templates else []
    return f"{len(done)} values differed"


async def _start(program: Program, facts: Facts, ask: CommissionStep) -> str:
    """A charge by a card of ours. Raises: InvalidRequest."""
    number = ask.connector or min(facts.planned, default=0)
    place = facts.planned.get(number)
    if not ask.token:
        raise InvalidRequest("/token: is needed, the uid of a card of ours")
    if place is None:
        raise InvalidRequest(f"/connector: it has none of this number; there are {sorted(facts.planned)}")
    chargers = program.hub.chargers
    at = chargers.place(*place.split("/", 1))
    if at is None:
        raise InvalidRequest("/connector: is on no EVSE")
    outcome = await chargers.remote_start(at, id_tag=ask.token, timeout_s=_CHARGER_S)
    return str(outcome)


async def _stop(program: Program, facts: Facts) -> str:
    """Raises: InvalidRequest."""
    tested = facts.tested
    if tested is None or not tested.is_open:
        raise InvalidRequest("no charge goes on")
    station, session = facts.view["identity"], tested.session_id
    outcome: Outcome = await program.hub.chargers.remote_stop(station, transaction=session, timeout_s=_CHARGER_S)
    return str(outcome)


async def _skip(program: Program, facts: Facts, ask: CommissionStep, actor: str) -> str:
    """Raises: InvalidRequest."""
    if ask.step not in SKIPPABLE:
        raise InvalidRequest(f"/step: only these can be done without: {', '.join(SKIPPABLE)}")
    await (await register(program)).skip(facts.view["identity"], ask.step, actor=actor)
    return "skipped"


async def _publish(program: Program, facts: Facts, *, force: bool, actor: str) -> str:
    """Let partners see it. Raises: InvalidRequest, when a step is not over and nobody insists."""
    left = [each for each in steps_of(facts)[:-1] if not is_over(each)]
    if left and not force:
        raise InvalidRequest(f"not yet: {'; '.join(f'{each.step} is {each.state}, {each.found}' for each in left)}")
    view, hidden = facts.view, facts.view["commissioning"]["withheld"]
    forced = f"; forced, although: {', '.join(_words(each) for each in left)}" if left else ""
    audit = Audit(actor, "station.published", view["identity"], f"{', '.join(hidden)}{forced}")
    if hidden:
        await withheld.publish(program.store, view["location"], hidden, now=program.hub.clock.now(), audit=audit)
    await (await register(program)).commissioned(view["identity"], actor=actor)
    return "published"


def _words(step: Step) -> str:
    return f"{step.step} {step.state}"
