"""How we come to ask each operation of a partner, and what became of its answer, in the words of `codes_called`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.errors import PeerFault, PeerNonsense, PeerRefused
from hub.core.inbound import encode
from hub.core.lane_faults import Fate, judge
from hub.core.operations import RECEIVER
from hub.core.parties import Party
from modules.locations import foreign
from modules.locations import service as locations
from modules.tariffs import service as tariffs
from modules.tokens import service as tokens
from modules.tokens.wire import TOKEN
from partners.oicp.acknowledged import DOUBTED, REFUSED
from partners.oicp.evse_sending import Refusal
from partners.oicp.ledger import ENDED
from partners.oicp.set_push import OICP_SETS
from tests.modules.sessions.records import a_session
from tests.partners.oicp.between import Between
from tests.partners.oicp.code_scenes import CAR, EVSE, Tree, card, row
from tests.world import OURS, location, stored_token, tariff, their_location, token, until

CONTRACT: Final = "DE-DCB-C00000001-6"
AAA: Final = Party("BE", "AAA")
_NUMBERS: Final = count(1)
_WAITED: Final = "kept and pushed again"
_ASIDE: Final = "set aside"
_TO_ABC: Final = (("OCPI-to-country-code", "DE"), ("OCPI-to-party-id", "ABC"))

Play = Callable[[Between], Awaitable[str]]


def _uid() -> str:
    return f"{next(_NUMBERS):08X}"


# A driver.


async def authorize_start(between: Between) -> str:
    contract = f"DE-DCB-C{next(_NUMBERS):08}"
    path = f"/ocpi/2.3.0/sender/tokens/{contract}/authorize?type=EMAID"
    said = await between.world.ask("POST", path, by="c1")
    if said.code == 2004:
        return "unknown token"
    return str(said.data["allowed"]) if said.code == 1000 else "no word of the provider"


async def authorize_stop(between: Between) -> str:
    """Asked by what began the charge, and by something else."""
    session = await row(between)
    stop = {"OperatorID": "DE*ABC", "SessionID": session.id}
    known = await between.ask("cpo", "AuthorizeStop", {**stop, "Identification": CAR})
    other = await between.ask("cpo", "AuthorizeStop", {**stop, "Identification": card("FFFFFFFF")})
    if known.code == other.code:
        return "may stop" if known.code == "000" else "may not stop"
    assert (known.code, other.code) == ("000", "102")
    return "stops with what began it"


# Orders of an eMSP of OCPI.


async def _ordered(between: Between, name: str, **fields: Any) -> str:
    url = f"https://e1.example/results/{next(_NUMBERS)}"
    body = {"response_url": url, **fields}
    path = f"/ocpi/2.3.0/receiver/commands/{name}"
    answer = await between.world.ask("POST", path, by="e1", body=body, headers=_TO_ABC)
    assert answer.data["result"] == "ACCEPTED", answer.body
    told = await until(lambda: [sent.body["result"] for sent in between.world.peers.sent if sent.module == url])
    return str(told[0])


async def _wish(between: Between) -> Tree:
    driver = token("2.3.0", type="APP_USER", uid="app-1", contract_id="NL-EEE-C12345678-X")
    expiry = timestamp(between.world.clock.now() + timedelta(minutes=10))
    place = await between.oicp.table.find(EVSE)
    assert place is not None
    at = {"location_id": place.location_id, "evse_uid": place.evse_uid}
    return {"token": driver, **at, "expiry_date": expiry, "reservation_id": f"r{next(_NUMBERS)}"}


async def remote_start(between: Between) -> str:
    wish = await _wish(between)
    named = ("token", "location_id", "evse_uid")
    return await _ordered(between, "START_SESSION", **{name: wish[name] for name in named})


async def reservation_start(between: Between) -> str:
    return await _ordered(between, "RESERVE_NOW", **await _wish(between))


async def remote_stop(between: Between) -> str:
    session = await row(between, "remote", emp="", emp_party="NL*EEE", provider_id="NL-EEE")
    return await _ordered(between, "STOP_SESSION", session_id=session.id)


async def reservation_stop(between: Between) -> str:
    name = f"r{next(_NUMBERS)}"
    await row(between, "reservation", emp="", emp_party="NL*EEE", provider_id="NL-EEE", reservation=f"NL*EEE/{name}")
    return await _ordered(between, "CANCEL_RESERVATION", reservation_id=name)


# What is told of a charge.


async def _driven(between: Between) -> tuple[Any, Tree]:
    driver = token("2.3.0", "DE*DCB", _uid(), contract_id=CONTRACT)
    fields: Tree = {"cpo": "", "cpo_party": "BE*AAA", "evse_id": "BE*AAA*E1", "token": driver}
    session = await row(between, **fields)
    named = ("country_code", "party_id", "uid", "type", "contract_id")
    return session, {name: driver[name] for name in named}


async def notification(between: Between) -> str:
    session, driver = await _driven(between)
    name = f"s{next(_NUMBERS)}"
    told = a_session("2.3.0", id=name, cdr_token=driver, authorization_reference=session.reference, status="ACTIVE")
    path = f"/ocpi/2.3.0/receiver/sessions/BE/AAA/{name}"
    assert (await between.world.ask("PUT", path, by="c1", body=told)).code == 1000
    await between.oicp.peers.send(
        between.world.partner("emp"), "PUT", "sessions", RECEIVER, ("BE", "AAA", name), body=encode(told)
    )
    known = await between.oicp.bridge.ledger.get(session.id)
    assert known.state != ENDED
    return "told" if "start" in known.told else "told again with the next change"


async def record(between: Between) -> str:
    session, driver = await _driven(between)
    cdr = {
        "country_code": "BE",
        "party_id": "AAA",
        "id": f"cdr-{next(_NUMBERS)}",
        "session_id": session.id,
        "authorization_reference": session.reference,
        "start_date_time": "2026-05-04T09:00:00Z",
        "end_date_time": "2026-05-04T10:00:00Z",
        "cdr_token": driver,
        "cdr_location": {"id": "X1", "evse_uid": "U1"},
        "charging_periods": [
            {"start_date_time": "2026-05-04T09:00:00Z", "dimensions": [{"type": "ENERGY", "volume": Decimal("7.5")}]}
        ],
        "currency": "EUR",
        "total_cost": {"before_taxes": Decimal("3.75")},
        "total_energy": Decimal("7.5"),
    }
    try:
        await between.oicp.peers.send(between.world.partner("emp"), "POST", "cdrs", RECEIVER, body=encode(cdr))
    except PeerFault as fault:
        fate = judge(fault).fate
        return _ASIDE if fate is Fate.REFUSED else "brought again" if fate in (Fate.DOWN, Fate.TROUBLE) else fate
    return "delivered"


# What is pushed to a hub where we are a CPO and an EMP.


async def _location(between: Between, uid: str) -> None:
    tree = their_location("2.3.0", location_id=f"Y{uid}", evses=(uid,), at=between.world.clock.now())
    for evse in tree["evses"]:
        evse["evse_id"] = f"BE*AAA*EY{uid}"
    await foreign.put(between.world.hub, foreign.Spot(AAA, f"Y{uid}"), tree)
    await between.oicp.follower.catch_up()


async def push_data(between: Between) -> str:
    uid = _uid()
    await _location(between, uid)
    with suppress(Refusal):
        await between.oicp.evse_push.push("hbs")
    key = f"BEAAAEY{uid}"
    known = (await between.oicp.evse_push.acknowledged.get_many("hbs", [key])).get(key)
    if known is None:
        return _WAITED
    return _ASIDE if known.digest.startswith(REFUSED) else "taken"


async def push_status(between: Between) -> str:
    uid = _uid()
    await _location(between, uid)
    with suppress(Refusal):
        await between.oicp.evse_push.push("hbs")
    key = f"BEAAAEY{uid}"
    known = (await between.oicp.evse_push.acknowledged.get_many("hbs", [key]))[key]
    if known.digest == DOUBTED:
        return "data told again"
    return "taken" if known.status == "Available" else _WAITED


async def _of_set(between: Between, name: str) -> str:
    before = await _set(between, name)
    with suppress(Refusal):
        await between.oicp.exchanges.push("hbs")
    news = (await _set(between, name)) - before
    if not news:
        return _WAITED
    return _ASIDE if all(digest.startswith(REFUSED) for _, digest in news) else "taken"


async def _set(between: Between, name: str) -> set[tuple[str, str]]:
    """What was told, by digest."""
    found = await between.world.store.select(OICP_SETS, equal={"set": f"hbs/{name}"}, limit=10_000)
    return {(each.key, each.columns["digest"]) for each in found}


async def push_cards(between: Between) -> str:
    uid, now = _uid(), between.world.clock.now()
    tree = {**stored_token(str(OURS), uid), "contract_id": "DE-BSB-C12345678", "last_updated": timestamp(now)}
    await tokens.put(between.world.store, OURS, uid, TOKEN["2.3.0"].read(tree), now=now)
    return await _of_set(between, "cards")


async def push_products(between: Between) -> str:
    name = f"P{_uid()}"
    await tariffs.put(between.world.store, OURS, name, tariff(name), now=between.world.clock.now())
    return await _of_set(between, "products")


async def push_evse_prices(between: Between) -> str:
    name = f"L{_uid()}"
    await locations.put(between.world.store, OURS, name, location(name, evses=(name,)), now=between.world.clock.now())
    await between.oicp.follower.catch_up()
    return await _of_set(between, "evse prices")


# What is pulled from it.


async def _pulled(pull: Awaitable[Any]) -> str:
    try:
        await pull
    except (PeerRefused, PeerNonsense):
        return "asked again"
    return "taken"


async def pull_data(between: Between) -> str:
    return await _pulled(between.oicp.evse_pull.pull_data("hbs", whole=True))


async def pull_status(between: Between) -> str:
    return await _pulled(between.oicp.status_pull.pull("hbs"))


async def pull_prices(between: Between) -> str:
    return await _pulled(between.oicp.exchanges.prices.pull("hbs"))


async def pull_records(between: Between) -> str:
    return await _pulled(between.oicp.record_pull.reconcile("hbs"))


PLAYS: Final[Mapping[str, Play]] = {
    "AuthorizeStart": authorize_start,
    "AuthorizeStop": authorize_stop,
    "AuthorizeRemoteStart": remote_start,
    "AuthorizeRemoteStop": remote_stop,
    "AuthorizeRemoteReservationStart": reservation_start,
    "AuthorizeRemoteReservationStop": reservation_stop,
    "ChargingNotification": notification,
    "ChargeDetailRecord": record,
    "PushEvseData": push_data,
    "PushEvseStatus": push_status,
    "PushAuthenticationData": push_cards,
    "PushPricingProductData": push_products,
    "PushEVSEPricing": push_evse_prices,
    "PullEvseData": pull_data,
    "PullEvseStatus": pull_status,
    "PullPricingProductData": pull_prices,
    "PullEVSEPricing": pull_prices,
    "GetChargeDetailRecords": pull_records,
}
YES: Final[Mapping[str, Tree]] = {
    "PullEvseData": {"content": [], "last": True},
    "GetChargeDetailRecords": {"content": [], "last": True},
    "PullEvseStatus": {"EvseStatuses": {"OperatorEvseStatus": []}},
    "PullPricingProductData": {"PricingProductData": []},
    "PullEVSEPricing": {"EVSEPricing": []},
}
"""What a yes holds besides its StatusCode."""
