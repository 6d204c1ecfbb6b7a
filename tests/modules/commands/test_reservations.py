"""Reservations: numbers, replacement, and each of their ends. OCPI mod_commands_reservenow_object, rule R25."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.ports import Outcome
from modules.commands import late, reservations
from modules.sessions import service as sessions
from tests.modules.commands.world import (
    NOW,
    TIMEOUT_S,
    After,
    World,
    cancel,
    reserve,
    response_url,
    start,
    token,
    unlock,
)

CANCELED = {"result": "CANCELED_RESERVATION"}


async def states(world: World) -> list[str]:
    return [kept.state for kept in await world.kept_reservations()]


async def number(world: World) -> int:
    """The number of the last reservation, as its charger knows it."""
    orders = [call for method, call in world.chargers.calls if method == "reserve"]
    return int(orders[-1]["reservation"])


async def reserved(world: World, **fields: Any) -> int:
    """A reservation that the charger holds. Returns: its number there."""
    how = {name: fields.pop(name) for name in ("by", "version") if name in fields}
    order = reserve(how.get("version", "2.2.1"), **fields)
    assert (await world.commanded("RESERVE_NOW", order, **how))["result"] == "ACCEPTED"
    world.peers.posted.clear()
    return await number(world)


async def test_a_reservation_is_held_under_a_number_of_ours_and_has_a_session(world: World) -> None:
    held = await reserved(world, token={**token(), "group_id": "GROUP-1"})
    method, told = world.chargers.calls[0]
    assert method == "reserve"
    assert told == {
        "place": world.chargers.places["E1"],
        "reservation": held,
        "id_tag": "APP-1",
        "parent_tag": "GROUP-1",
        "expiry": timestamp(NOW + timedelta(hours=1)),
    }
    assert (await states(world), await world.session_statuses()) == (["held"], ["RESERVATION"])


async def test_two_parties_may_use_the_same_reservation_id(world: World) -> None:
    ours = await reserved(world)
    theirs = await reserved(
        world, by="fff", token=token("FR", "FFF"), response_url=response_url(host="fff.example.org"), evse_uid="E2"
    )
    assert ours != theirs
    await world.commanded("CANCEL_RESERVATION", cancel())
    assert world.chargers.calls[-1] == ("cancel_reservation", {"station": "CP1", "reservation": ours})


async def test_a_group_that_is_too_long_for_the_charger_is_left_out(world: World) -> None:
    await reserved(world, token={**token(), "group_id": "G" * 21})
    assert world.chargers.calls[0][1]["parent_tag"] is None


async def test_without_an_evse_an_available_one_is_reserved(world: World) -> None:
    await reserved(world, evse_uid=None)
    assert world.chargers.calls[0][1]["place"] == world.chargers.places["E1"]


async def test_a_reservation_that_ends_before_it_begins_is_2001(world: World) -> None:
    answer = await world.command("RESERVE_NOW", reserve(expiry_date=timestamp(NOW)))
    assert answer.json()["status_code"] == 2001


async def test_a_reservation_that_the_charger_refuses_is_none(world: World) -> None:
    world.chargers.answers["reserve"] = Outcome.EVSE_OCCUPIED
    await world.commanded("RESERVE_NOW", reserve())
    assert world.peers.results == [{"result": "EVSE_OCCUPIED"}]
    assert (await states(world), await world.session_statuses()) == (["refused"], [])
    assert (await world.commanded("CANCEL_RESERVATION", cancel()))["result"] == "REJECTED"


async def test_the_same_id_again_replaces_under_the_same_number_and_session(world: World) -> None:
    first = await reserved(world)
    later = timestamp(NOW + timedelta(hours=2))
    assert await reserved(world, reservation_id="r7", expiry_date=later) == first
    (kept,) = await world.kept_reservations()
    assert timestamp(kept.expires) == later
    assert await world.session_statuses() == ["RESERVATION"]


async def test_a_replacement_at_another_connector_ends_the_first_session(world: World) -> None:
    first = await reserved(world)
    assert await reserved(world, evse_uid="E2") == first
    assert await world.session_statuses() == ["COMPLETED", "RESERVATION"]
    assert [method for method, _ in world.chargers.calls] == ["reserve", "reserve"]


async def test_a_replacement_at_another_charger_is_given_back_at_the_first(world: World) -> None:
    first = await reserved(world)
    assert await reserved(world, evse_uid="E3") == first
    assert world.chargers.calls[-1] == ("cancel_reservation", {"station": "CP1", "reservation": first})
    assert await states(world) == ["held"]


async def test_a_replacement_that_is_refused_leaves_the_first(world: World) -> None:
    await reserved(world)
    world.chargers.answers["reserve"] = Outcome.EVSE_OCCUPIED
    await world.commanded("RESERVE_NOW", reserve(evse_uid="E2"))
    (kept,) = await world.kept_reservations()
    assert (kept.state, kept.evse_uid) == ("held", "E1")


async def test_its_sender_cancels_a_reservation(world: World) -> None:
    held = await reserved(world)
    assert (await world.commanded("CANCEL_RESERVATION", cancel()))["result"] == "ACCEPTED"
    assert world.chargers.calls[-1] == ("cancel_reservation", {"station": "CP1", "reservation": held})
    assert world.peers.posted == [("eee", response_url("CANCEL"), {"result": "ACCEPTED"})]
    assert (await states(world), await world.session_statuses()) == (["canceled"], ["COMPLETED"])


async def test_a_reservation_that_the_charger_knows_no_more_is_over(world: World) -> None:
    await reserved(world)
    world.chargers.answers["cancel_reservation"] = Outcome.UNKNOWN_RESERVATION
    await world.commanded("CANCEL_RESERVATION", cancel())
    assert world.peers.results == [{"result": "UNKNOWN_RESERVATION"}]
    assert (await states(world), await world.session_statuses()) == (["canceled"], ["COMPLETED"])


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.FAILED])
async def test_a_reservation_that_could_not_be_canceled_stays(world: World, outcome: Outcome) -> None:
    await reserved(world)
    world.chargers.answers["cancel_reservation"] = outcome
    await world.commanded("CANCEL_RESERVATION", cancel())
    assert (await states(world), await world.session_statuses()) == (["held"], ["RESERVATION"])


async def test_somebody_elses_reservation_does_not_keep_a_stuck_cable_locked(world: World) -> None:
    await reserved(world)
    order = unlock(response_url=response_url(host="fff.example.org"))
    assert (await world.commanded("UNLOCK_CONNECTOR", order, by="fff"))["result"] == "ACCEPTED"


@pytest.mark.parametrize("by", ["eee", "fff"])
async def test_an_unknown_and_a_foreign_reservation_look_the_same(world: World, by: str) -> None:
    await reserved(world)
    host = {"eee": "eee.example.com", "fff": "fff.example.org"}[by]
    order = cancel("R7" if by == "fff" else "R9", response_url=response_url(host=host))
    assert (await world.commanded("CANCEL_RESERVATION", order, by=by))["result"] == "REJECTED"
    assert await states(world) == ["held"]


@pytest.mark.parametrize(
    ("connector", "by_number", "id_tag", "parent_tag", "is_used"),
    [
        (1, True, "SOMEBODY", None, True),
        (2, True, "SOMEBODY", None, True),
        (1, False, "app-1", None, True),
        (1, False, "OTHER-CARD", "GROUP-1", True),
        (1, False, "GROUP-1", None, True),
        (1, False, "SOMEBODY", None, False),
        (1, False, "", None, False),
        (2, False, "APP-1", None, False),
    ],
)
async def test_a_transaction_takes_up_the_reservation_by_number_or_by_tag(
    world: World, connector: int, by_number: bool, id_tag: str, parent_tag: str | None, is_used: bool
) -> None:
    held = await reserved(world, token={**token(), "group_id": "GROUP-1"}, authorization_reference="REF-9")
    use = await reservations.used(
        world.hub,
        "CP1",
        connector,
        number=held if by_number else None,
        id_tag=id_tag,
        parent_tag=parent_tag,
    )
    assert (use is not None) is is_used
    if use is not None:
        assert (use.decision.reference, use.decision.auth_method) == ("REF-9", "COMMAND")
        assert use.decision.token is not None
        assert use.decision.token["uid"] == "APP-1"


async def test_a_used_reservation_becomes_an_active_session_in_one_unit(world: World) -> None:
    await reserved(world)
    use = await reservations.used(world.hub, "CP1", 1, number=None, id_tag="APP-1")
    assert use is not None
    begun = sessions.Begun(reservations.place_of(use.reservation), use.decision, NOW, None)
    _, unit = await sessions.begin(world.hub, begun, reserved=use.charge)
    for write in use.unit.writes:
        unit.writes.append(write)
    await world.store.commit(unit)
    assert (await states(world), await world.session_statuses()) == (["used"], ["ACTIVE"])
    assert await reservations.used(world.hub, "CP1", 1, number=None, id_tag="APP-1") is None
    assert await reservations.expired(world.hub) == 0
    assert world.peers.results == []


async def test_an_unused_reservation_expires_without_a_result(world: World) -> None:
    await reserved(world)
    await world.pass_s(3599)
    assert await reservations.expired(world.hub) == 0
    await world.pass_s(1)
    assert await reservations.used(world.hub, "CP1", 1, number=None, id_tag="APP-1") is None
    assert await reservations.expired(world.hub) == 1
    await world.quiet()
    assert (await states(world), await world.session_statuses()) == (["expired"], ["COMPLETED"])
    assert world.peers.results == []


@pytest.mark.parametrize(
    ("station", "connector", "ends"),
    [("CP1", 1, True), ("CP1", 0, True), ("CP1", None, True), ("CP1", 2, False), ("CP2", 1, False)],
)
async def test_a_connector_that_fails_ends_its_reservation_and_the_sender_is_told(
    world: World, station: str, connector: int | None, ends: bool
) -> None:
    await reserved(world)
    await reservations.ended(world.hub, station, connector)
    await world.quiet()
    assert await states(world) == (["ended"] if ends else ["held"])
    told = [("eee", response_url("RESERVE_NOW"), CANCELED)] if ends else []
    assert world.peers.posted == told


async def test_a_reservation_that_we_withdraw_is_told_to_the_url_of_the_reserve_now(world: World) -> None:
    held = await reserved(world)
    assert await reservations.withdraw(world.hub, "NL*EEE/R7", actor="operator") is Outcome.ACCEPTED
    await world.quiet()
    assert world.chargers.calls[-1] == ("cancel_reservation", {"station": "CP1", "reservation": held})
    assert world.peers.posted == [("eee", response_url("RESERVE_NOW"), CANCELED)]
    assert (await states(world), await world.session_statuses()) == (["canceled"], ["COMPLETED"])


async def test_a_charger_that_is_gone_does_not_keep_us_from_withdrawing(world: World) -> None:
    await reserved(world)
    world.chargers.offline = {"CP1"}
    await reservations.withdraw(world.hub, "NL*EEE/R7", actor="operator")
    await world.quiet()
    assert (await states(world), world.peers.results) == (["canceled"], [CANCELED])


async def test_2_1_1_has_no_word_for_a_reservation_that_is_withdrawn(world: World) -> None:
    await reserved(world, version="2.1.1")
    await reservations.ended(world.hub, "CP1", 1)
    await world.quiet()
    assert (await states(world), world.peers.results) == (["ended"], [])


async def test_the_notice_of_a_withdrawn_reservation_survives_a_crash(world: World) -> None:
    await reserved(world)
    await reservations.ended(world.hub, "CP1", 1)
    await world.restart()
    await world.pass_s(60)
    assert world.peers.results == [CANCELED]


async def test_a_reservation_that_timed_out_at_the_charger_is_not_held(world: World) -> None:
    world.chargers.answers["reserve"] = None
    await world.commanded("RESERVE_NOW", reserve())
    assert await states(world) == ["asked"]
    await world.pass_s(30)
    assert (await states(world), world.peers.results) == (["asked"], [{"result": "TIMEOUT"}])
    assert await world.session_statuses() == []


async def test_an_id_that_is_over_may_be_used_again(world: World) -> None:
    first = await reserved(world)
    await world.commanded("CANCEL_RESERVATION", cancel())
    assert await reserved(world) == first
    assert await states(world) == ["held"]


async def test_a_long_uid_reserves_by_its_alias(world: World) -> None:
    long = token(uid="L" * 36)
    await reserved(world, token=long)
    alias = world.chargers.calls[0][1]["id_tag"]
    assert len(alias) == 20
    await world.commanded("START_SESSION", start(token=long))
    assert world.chargers.calls[-1][1]["id_tag"] == alias
    assert await reservations.used(world.hub, "CP1", 1, number=None, id_tag=alias) is not None


async def unanswered(world: World, name: str, order: dict[str, Any]) -> None:
    """The charger is silent, so the sender is told TIMEOUT."""
    method = {"RESERVE_NOW": "reserve", "CANCEL_RESERVATION": "cancel_reservation"}[name]
    world.chargers.answers[method] = None
    await world.commanded(name, order)
    await world.pass_s(TIMEOUT_S)
    assert world.peers.results[-1] == {"result": "TIMEOUT"}
    world.chargers.answers[method] = Outcome.ACCEPTED


async def test_a_reservation_that_a_charger_makes_too_late_is_given_back(world: World) -> None:
    await unanswered(world, "RESERVE_NOW", reserve())
    await late.answered(world.hub, "CP1", "RESERVE_NOW", Outcome.ACCEPTED)
    assert world.chargers.calls[-1] == ("cancel_reservation", {"station": "CP1", "reservation": await number(world)})
    assert (await states(world), await world.session_statuses()) == (["canceled"], [])
    assert world.peers.results == [{"result": "TIMEOUT"}]


async def test_a_late_refusal_gives_nothing_back(world: World) -> None:
    await unanswered(world, "RESERVE_NOW", reserve())
    await late.answered(world.hub, "CP1", "RESERVE_NOW", Outcome.REJECTED)
    assert [method for method, _ in world.chargers.calls] == ["reserve"]


async def test_one_that_was_asked_for_again_is_kept_whatever_comes_late(world: World) -> None:
    await unanswered(world, "RESERVE_NOW", reserve())
    await reserved(world)
    await late.answered(world.hub, "CP1", "RESERVE_NOW", Outcome.ACCEPTED)
    assert [method for method, _ in world.chargers.calls] == ["reserve", "reserve"]
    assert await states(world) == ["held"]


async def test_one_that_is_asked_for_again_at_that_moment_is_kept_too(world: World) -> None:
    await unanswered(world, "RESERVE_NOW", reserve())
    world.chargers.answers["reserve"] = After(5, Outcome.ACCEPTED)
    await world.commanded("RESERVE_NOW", reserve())
    await late.answered(world.hub, "CP1", "RESERVE_NOW", Outcome.ACCEPTED)
    await world.pass_s(5)
    assert [method for method, _ in world.chargers.calls] == ["reserve", "reserve"]
    assert await states(world) == ["held"]


async def test_the_sender_of_one_that_was_not_answered_may_cancel_it(world: World) -> None:
    await unanswered(world, "RESERVE_NOW", reserve())
    assert (await world.commanded("CANCEL_RESERVATION", cancel()))["result"] == "ACCEPTED"
    assert await states(world) == ["canceled"]


async def test_one_that_a_charger_gives_up_too_late_is_over(world: World) -> None:
    await reserved(world)
    await unanswered(world, "CANCEL_RESERVATION", cancel())
    assert await states(world) == ["held"]
    await late.answered(world.hub, "CP1", "CANCEL_RESERVATION", Outcome.ACCEPTED)
    assert (await states(world), await world.session_statuses()) == (["canceled"], ["COMPLETED"])
    assert world.peers.results == [{"result": "TIMEOUT"}]
