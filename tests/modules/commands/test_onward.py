"""Commands for the chargers of other CPOs: where they go, what arrives there, and how the result comes home."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.core.agreements import Agreement
from hub.core.callbacks import CALLBACKS
from hub.core.errors import BusbarError, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.parties import Party, PartyRole
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner, State
from hub.core.units import Unit
from modules.commands import passed_on
from modules.commands.passed_on import PASSED_ON
from modules.commands.references import REFERENCES
from modules.locations import store as locations
from modules.sessions import store as sessions
from tests.world import VERSIONS, Said, Sent, World, a_world, location, stored_token, token, until

C1 = Party("BE", "AAA")
URL = "https://e1.example/results/7"
LATER = "2026-05-04T12:00:00Z"
NOT_THEIRS = (
    *("http://127.0.0.1/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/x", "https://localhost/x"),
    *("https://e2.example/x", "http://e1.example/x", "ftp://e1.example/x", "https://e1.example@evil.example/x"),
    *("https://busbar.example/x", "/x", "https://metadata.google.internal/x"),
)
ORDERS = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR")


@pytest.fixture(params=VERSIONS)
def far(request: pytest.FixtureRequest) -> str:
    """The version of the CPO."""
    return str(request.param)


@pytest.fixture
async def world(sqlite_url: str, version: str, far: str) -> AsyncIterator[World]:
    """E1 and E2 speak `version`, the CPOs c1 and c2 `far`; c1 has LOC9, and a session of E1's driver."""
    async with a_world(sqlite_url, version) as made:
        await furnish(made, far)
        yield made


async def furnish(world: World, far: str) -> None:
    for name in ("c1", "c2"):
        await world.registry.save(world.partner(name).model_copy(update={"version": far}))
    tree = {**location("LOC9"), "country_code": "BE", "party_id": "AAA", "last_updated": LATER}
    tree["evses"] = [evse | {"last_updated": LATER} for evse in tree["evses"]]
    for evse in tree["evses"]:
        evse["connectors"] = [each | {"last_updated": LATER} for each in evse["connectors"]]
    await world.store.commit(Unit().put(locations.put_of(C1, tree)))
    await session(world, "S9", "NL*EEE")
    world.peers.script = accepted


async def session(world: World, session_id: str, audience: str, owner: Party = C1, evse: str = "E7") -> None:
    tree = {"id": session_id, "country_code": owner.country_code, "party_id": owner.party_id, "status": "ACTIVE"}
    put = sessions.put_of({**tree, "evse_uid": evse, "last_updated": LATER}, audience)
    await world.store.commit(Unit().put(put))


def accepted(sent: Sent) -> Any:
    """What a CPO answers that is asked."""
    return said(sent, "ACCEPTED") if sent.module == "commands" else None


def said(sent: Sent, result: str) -> Any:
    is_old = sent.body is not None and "2.1.1" in sent.body["response_url"]
    return {"result": result} if is_old else {"result": result, "timeout": 20}


def order(name: str, version: str, **fields: Any) -> dict[str, Any]:
    place = {"location_id": "LOC9", "evse_uid": "E1"}
    reservation = {"reservation_id": 7 if version == "2.1.1" else "R7"}
    bodies: dict[str, dict[str, Any]] = {
        "START_SESSION": {"token": token(version), **place},
        "STOP_SESSION": {"session_id": "S9"},
        "RESERVE_NOW": {"token": token(version), **place, **reservation, "expiry_date": LATER},
        "CANCEL_RESERVATION": reservation,
        "UNLOCK_CONNECTOR": {**place, "connector_id": "1"},
    }
    return {"response_url": URL, **bodies[name], **fields}


async def send(world: World, name: str, *, by: str = "e1", to: str = "", **fields: Any) -> Said:
    headers = [("OCPI-to-country-code", to[:2]), ("OCPI-to-party-id", to[3:])] if to else []
    body = order(name, world.version, **fields)
    return await world.ask("POST", world.at(f"receiver/commands/{name}"), by=by, body=body, headers=headers)


def _told(world: World, count: int) -> bool:
    return len(results_told(world)) == count


def orders_sent(world: World) -> list[Sent]:
    return [sent for sent in world.peers.sent if sent.module == "commands"]


async def result(world: World, sent: Sent, body: Any, *, by: str = "c1") -> Said:
    """The CPO POSTs a result to the URL that it was given, with its own token."""
    return await world.ask("POST", urlsplit(sent.body["response_url"]).path, by=by, body=body)


def results_told(world: World) -> list[tuple[str, str, Any]]:
    return [(sent.partner, sent.module, sent.body) for sent in world.peers.sent if sent.module.startswith("https")]


async def test_each_command_reaches_the_cpo_in_its_version_with_our_response_url(world: World, far: str) -> None:
    for name in ORDERS:
        if world.version == "2.1.1" and name == "CANCEL_RESERVATION":
            continue
        answer = await send(world, name)
        assert (answer.http, answer.code) == (200, 1000)
        if far == "2.1.1" and name == "CANCEL_RESERVATION":
            assert answer.data["result"] == "NOT_SUPPORTED"
            continue
        assert answer.data["result"] == "ACCEPTED"
        sent = orders_sent(world)[-1]
        assert (sent.partner, sent.method, sent.path, sent.to, sent.sender) == (
            *("c1", "POST", (name,), "BE*AAA", "NL*EEE"),
        )
        assert sent.body["response_url"].startswith(f"https://busbar.example/ocpi/{far}/sender/commands/{name}/")
        assert ("contract_id" in sent.body.get("token", {})) is (far != "2.1.1" and "token" in sent.body)


async def test_the_answer_is_the_cpos_in_the_callers_version(world: World, far: str) -> None:
    answer = await send(world, "START_SESSION")
    if world.version == "2.1.1":
        assert answer.data["result"] == "ACCEPTED"
    else:
        assert answer.data == {"result": "ACCEPTED", "timeout": 30 if far == "2.1.1" else 20}
        assert answer.headers["ocpi-from-party-id"] == "AAA"
    world.peers.script = lambda sent: said(sent, "REJECTED")
    assert (await send(world, "START_SESSION")).data["result"] == "REJECTED"


async def test_the_result_is_told_once_in_the_callers_version(world: World, far: str) -> None:
    await send(world, "START_SESSION")
    (sent,) = orders_sent(world)
    word = "REJECTED" if far == "2.1.1" else "EVSE_OCCUPIED"
    assert (await result(world, sent, {"result": word})).code == 1000
    await until(lambda: results_told(world))
    told = "EVSE_OCCUPIED" if "2.1.1" not in (world.version, far) else "REJECTED"
    assert results_told(world) == [("e1", URL, {"result": told})]
    assert (await result(world, sent, {"result": "ACCEPTED"})).code == 1000
    assert len(results_told(world)) == 1
    (posted,) = [each for each in world.peers.sent if each.module == URL]
    assert (posted.to, posted.sender) == ("NL*EEE", "BE*AAA")


async def test_a_result_counts_what_its_sender_cannot_be_told_of_it_once(world: World, far: str) -> None:
    await send(world, "START_SESSION")
    (sent,) = orders_sent(world)
    text = [{"language": "en", "text": "A car is there."}]
    body = {"result": "REJECTED"} if far == "2.1.1" else {"result": "EVSE_OCCUPIED", "message": text}
    for _ in range(2):
        assert (await result(world, sent, body)).code == 1000
    await until(lambda: results_told(world))
    lost = {each.field: times for each, times in (await world.hub.losses.of("e1")).items() if each.way == "out"}
    loses = world.version == "2.1.1" and far != "2.1.1"
    assert {field: lost.get(field) for field in ("/result", "/message")} == dict.fromkeys(
        ("/result", "/message"), 1 if loses else None
    )


async def test_a_result_in_an_envelope_is_understood(world: World) -> None:
    await send(world, "STOP_SESSION")
    wrapped = {"status_code": 1000, "timestamp": LATER, "data": {"result": "ACCEPTED"}}
    assert (await result(world, orders_sent(world)[0], wrapped)).code == 1000
    await until(lambda: results_told(world))
    assert results_told(world) == [("e1", URL, {"result": "ACCEPTED"})]


async def test_a_result_that_is_late_goes_nowhere(world: World) -> None:
    await send(world, "STOP_SESSION")
    world.clock.move_to(31)
    assert (await result(world, orders_sent(world)[0], {"result": "ACCEPTED"})).code == 1000
    assert results_told(world) == []


async def test_after_a_refusal_no_result_is_awaited(world: World) -> None:
    world.peers.script = lambda sent: said(sent, "REJECTED")
    await send(world, "STOP_SESSION")
    world.clock.move_to(0.001)
    assert (await result(world, orders_sent(world)[0], {"result": "ACCEPTED"})).code == 1000
    assert results_told(world) == []


async def test_a_result_that_is_faster_than_the_answer_counts(world: World) -> None:
    """The CPO answers when the charger has acted, and only then its answer comes."""
    gate = asyncio.Event()

    async def slow(partner: Partner, *args: Any, **named: Any) -> PeerAnswer:
        answer = await send_now(partner, *args, **named)
        if partner.name == "c1":
            await gate.wait()
        return answer

    send_now, world.peers.send = world.peers.send, slow  # type: ignore[method-assign]
    asking = asyncio.create_task(send(world, "STOP_SESSION"))
    await until(lambda: orders_sent(world))
    assert (await result(world, orders_sent(world)[0], {"result": "ACCEPTED"})).code == 1000
    await until(lambda: results_told(world))
    gate.set()
    assert (await asking).data["result"] == "ACCEPTED"
    assert (await result(world, orders_sent(world)[0], {"result": "ACCEPTED"})).code == 1000
    assert len(results_told(world)) == 1


async def test_only_the_cpo_that_was_asked_may_tell_a_result(world: World) -> None:
    await send(world, "STOP_SESSION")
    (sent,) = orders_sent(world)
    async with world.unchanged():
        for by, answer in (("c2", (404, 2000)), ("e1", (403, 2000)), ("e2", (403, 2000)), ("p", (401, 2000))):
            said_ = await result(world, sent, {"result": "ACCEPTED"}, by=by)
            assert (said_.http, said_.code) == answer, by
        other = urlsplit(sent.body["response_url"]).path
        for path in (other.replace("STOP_SESSION", "START_SESSION"), other[:-1], other + "-canceled"):
            answer_ = await world.ask("POST", path, by="c1", body={"result": "ACCEPTED"})
            assert (answer_.http, answer_.code) == (404, 2000), path
    assert (await result(world, sent, {"result": "MAYBE"})).code == 2001
    assert (await result(world, sent, b"{")).http == 400


async def test_a_canceled_reservation_follows_until_it_expires(world: World, far: str) -> None:
    if far == "2.1.1":
        return
    await send(world, "RESERVE_NOW")
    (sent,) = orders_sent(world)
    await result(world, sent, {"result": "ACCEPTED"})
    await until(lambda: len(results_told(world)) == 1)
    world.clock.move_to(3600)
    for _ in range(2):
        assert (await result(world, sent, {"result": "CANCELED_RESERVATION"})).code == 1000
    if world.version == "2.1.1":
        assert len(results_told(world)) == 1
    else:
        await until(lambda: len(results_told(world)) == 2)
        assert results_told(world)[1] == ("e1", URL, {"result": "CANCELED_RESERVATION"})


async def test_nothing_follows_a_reservation_that_was_refused_or_is_over(world: World, far: str) -> None:
    if far == "2.1.1":
        return
    for id_, first, at_s in ((1, "REJECTED", 10.0), (2, "ACCEPTED", 3 * 3600.0)):
        await send(world, "RESERVE_NOW", reservation_id=id_ if world.version == "2.1.1" else f"R{id_}")
        sent = orders_sent(world)[-1]
        await result(world, sent, {"result": first})
        await until(partial(_told, world, id_))
        world.clock.move_to(at_s)
        assert (await result(world, sent, {"result": "CANCELED_RESERVATION"})).code == 1000
        assert len(results_told(world)) == id_


async def test_a_cpo_of_2_1_1_knows_a_reservation_by_a_number_of_ours(world: World, far: str) -> None:
    mine = 7 if world.version == "2.1.1" else "R7"
    for by, response_url in (("e1", URL), ("e2", "https://e2.example/7"), ("e1", URL)):
        card = token(world.version, "NL*EEE" if by == "e1" else "NL*FFF", uid=f"CARD-{by}")
        assert (await send(world, "RESERVE_NOW", by=by, token=card, response_url=response_url)).code == 1000
    ids = [sent.body["reservation_id"] for sent in orders_sent(world)]
    if far == "2.1.1":
        assert ids[0] == ids[2] != ids[1]
        assert all(isinstance(each, int) for each in ids)
        assert ids[0] == await passed_on.number_of(world.hub, "NL*EEE", str(mine))
    else:
        assert ids == [str(mine)] * 3


async def test_reservations_that_are_over_are_forgotten(world: World) -> None:
    await send(world, "RESERVE_NOW")
    await passed_on.forget(world.hub)
    assert await world.documents(PASSED_ON)
    world.clock.move_to(2 * 3600 + 1)
    await passed_on.forget(world.hub)
    assert not await world.documents(PASSED_ON)


async def test_a_reference_that_the_cpo_cannot_say_is_remembered_for_the_charge(world: World, far: str) -> None:
    if world.version == "2.1.1":
        return
    await send(world, "START_SESSION", authorization_reference="REF1")
    assert ("authorization_reference" in orders_sent(world)[0].body) is (far != "2.1.1")
    assert len(await world.documents(REFERENCES)) == (far == "2.1.1")


async def test_who_has_no_headers_is_told_of_none_where_two_cpos_have_a_session_of_one_id(world: World) -> None:
    await session(world, "S9", "NL*EEE", owner=Party("BE", "BBB"))
    said = await send(world, "STOP_SESSION")
    assert (said.http, said.code) == (200, 2001)
    assert ("OCPI-to headers" in said.message) is (world.version != "2.1.1")


async def test_a_session_of_another_emsp_is_unknown(world: World, far: str) -> None:
    await session(world, "S8", "NL*FFF")
    await session(world, "S7", "")
    for session_id in ("S8", "S7", "S6"):
        answer = await send(world, "STOP_SESSION", session_id=session_id)
        assert (answer.code, answer.data["result"]) == (1000, "UNKNOWN_SESSION"), session_id
        if world.version != "2.1.1" and session_id != "S6":
            answer = await send(world, "STOP_SESSION", session_id=session_id, to="BE*AAA")
            assert answer.data["result"] == "UNKNOWN_SESSION"
    assert orders_sent(world) == []
    if world.version != "2.1.1":  # not on record: a CPO that sees who asks may judge
        answer = await send(world, "STOP_SESSION", session_id="S6", to="BE*AAA")
        assert answer.data["result"] == ("UNKNOWN_SESSION" if far == "2.1.1" else "ACCEPTED")


async def test_a_token_must_be_the_senders(world: World) -> None:
    foreign = stored_token("NL*FFF", "CARD2")
    await world.ask(
        "PUT", world.at("receiver/tokens/NL/FFF/CARD2"), by="e2", body=token(world.version, "NL*FFF", "CARD2")
    )
    theirs = token(world.version, "NL*FFF", "CARD2") if world.version == "2.1.1" else foreign
    async with world.unchanged():
        for name in ("START_SESSION", "RESERVE_NOW"):
            answer = await send(world, name, token=theirs)
            assert (answer.http, answer.code) == (200, 2000 if world.version == "2.1.1" else 2004)
            assert answer.data["result"] == "REJECTED"


async def test_nobody_unlocks_the_cable_of_anothers_driver(world: World) -> None:
    await session(world, "S8", "NL*FFF", evse="E1")
    answer = await send(world, "UNLOCK_CONNECTOR")
    assert answer.data["result"] == "REJECTED"
    assert orders_sent(world) == []


async def test_a_result_goes_to_nobody_but_its_sender(world: World) -> None:
    async with world.unchanged():
        for url in NOT_THEIRS:
            for name in ORDERS if world.version != "2.1.1" else ORDERS[:3]:
                answer = await send(world, name, response_url=url)
                assert (answer.http, answer.code) == (200, 2001), (name, url)


async def test_no_answer_of_the_cpo_is_told_by_its_kind(world: World) -> None:
    for fault, http, code, code_211 in (
        (PeerTimeout(), 200, 4002, 3000),
        (PeerUnreachable(), 200, 4003, 3000),
        (PeerNonsense(), 200, 4000, 3000),
        (PeerRefused("no", http=404, status_code=2003), 404, 2003, 2003),
        (PeerRefused("no", http=200, status_code=2001), 200, 2001, 2001),
        (PeerRefused("no", http=404), 200, 4000, 3000),
    ):
        world.peers.script = partial(fail, fault)
        answer = await send(world, "START_SESSION")
        assert (answer.http, answer.code) == (http, code_211 if world.version == "2.1.1" else code)


def fail(fault: BusbarError, sent: Sent) -> Any:
    raise fault


async def test_an_answer_that_says_nothing_is_nonsense(world: World) -> None:
    world.peers.script = lambda sent: None
    assert (await send(world, "STOP_SESSION")).code == (3000 if world.version == "2.1.1" else 4000)


async def test_who_is_not_there_is_told_by_4001_and_4003(world: World) -> None:
    if world.version == "2.1.1":
        return
    for to, code in (("ZZ*ZZZ", 4001), ("NL*FFF", 4001)):
        assert (await send(world, "STOP_SESSION", to=to)).code == code, to
    await world.registry.save(world.partner("c2").model_copy(update={"state": State.BLOCKED}))
    assert (await send(world, "STOP_SESSION", to="BE*BBB")).code == 4003
    assert orders_sent(world) == []


async def test_an_agreement_decides_who_may_be_ordered(world: World) -> None:
    await world.hub.agreements.put(Agreement("e1", "BE*AAA", "commands", allow=False), actor="test")
    answer = await send(world, "STOP_SESSION")
    assert (answer.http, answer.code) == (200, 2000 if world.version == "2.1.1" else 4001)
    assert orders_sent(world) == []


async def test_an_order_for_our_own_party_stays_here(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1", hub_party="NL*HUB") as world:
        await furnish(world, "2.2.1")
        answer = await send(world, "START_SESSION", to="DE*BSB")
        assert (answer.code, answer.data["result"]) == (2003, "REJECTED")
        assert orders_sent(world) == []
        assert (await send(world, "START_SESSION", to="NL*HUB")).data["result"] == "ACCEPTED"
        assert orders_sent(world)[-1].to == "BE*AAA"


async def test_a_location_of_two_cpos_is_ours_or_must_be_named(world: World) -> None:
    tree = {**location("LOC9", evses=("E5",)), "country_code": "BE", "party_id": "BBB", "last_updated": LATER}
    await world.store.commit(Unit().put(locations.put_of(Party("BE", "BBB"), tree)))
    assert (await send(world, "START_SESSION")).data["result"] == "ACCEPTED"  # only one has E1
    assert orders_sent(world)[-1].partner == "c1"
    assert (await send(world, "START_SESSION", evse_uid=None)).code == 2001
    if world.version != "2.1.1":
        assert (await send(world, "START_SESSION", evse_uid=None, to="BE*BBB")).code == 1000
        assert orders_sent(world)[-1].partner == "c2"


async def test_who_may_not_see_a_location_does_not_find_it(world: World) -> None:
    await world.hub.agreements.put(Agreement("e1", "BE*AAA", "locations", allow=False), actor="test")
    answer = await send(world, "START_SESSION")
    assert (answer.code, answer.data["result"]) == (2003, "REJECTED")


async def test_between_ends_of_one_version_all_but_the_url_passes_as_it_came(world: World, far: str) -> None:
    await send(world, "START_SESSION", x_vendor={"a": [1, "b"]})
    sent = orders_sent(world)[0]
    assert sent.body["x_vendor"] == {"a": [1, "b"]}
    if world.version == far:
        assert sent.body | {"response_url": URL} == order("START_SESSION", far, x_vendor={"a": [1, "b"]})


async def test_what_is_promised_is_on_disk_before_the_cpo_hears(world: World) -> None:
    seen: list[int] = []

    def script(sent: Sent) -> Any:
        seen.append(world.store.revision(CALLBACKS))
        return accepted(sent)

    before = world.store.revision(CALLBACKS)
    world.peers.script = script
    await send(world, "STOP_SESSION")
    assert seen[0] > before


async def test_an_hub_behind_us_is_no_cpo(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        await furnish(world, "2.2.1")
        await world.join("h", "NL*HUB", PartyRole.HUB)
        assert (await send(world, "STOP_SESSION", to="NL*HUB")).code == 4001
