"""What a command is answered at once: each command, each reason, each version. OCPI mod_commands."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.ports import Outcome
from tests.modules.commands.world import (
    TIMEOUT_S,
    World,
    cancel,
    reserve,
    response_url,
    start,
    stop,
    token,
    unlock,
)

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
SINCE_2_2 = VERSIONS[1:]
pytestmark = pytest.mark.parametrize("version", VERSIONS)


def is_answer(data: Any, version: str, result: str, *, follows: bool = False) -> bool:
    if version == "2.1.1":
        return bool(data == {"result": result})
    return bool((data["result"], data["timeout"]) == (result, 2 * TIMEOUT_S if follows else 0))


async def orders(world: World, version: str) -> dict[str, Any]:
    """One good order for each command of `version`."""
    session_id = await world.running_session("NL*EEE")
    found = {
        "START_SESSION": start(version, evse_uid="E2"),
        "STOP_SESSION": stop(session_id),
        "UNLOCK_CONNECTOR": unlock(),
        "RESERVE_NOW": reserve(version, evse_uid="E2"),
    }
    if version != "2.1.1":
        await world.commanded("RESERVE_NOW", reserve(version, evse_uid="E2"), version=version)
        found["CANCEL_RESERVATION"] = cancel()
    return found


async def test_a_command_that_can_go_to_the_charger_is_accepted_with_the_timeout(world: World, version: str) -> None:
    for name, order in (await orders(world, version)).items():
        data = await world.commanded(name, order, version=version)
        assert is_answer(data, version, "ACCEPTED", follows=True), (name, data)


async def test_a_command_to_a_charger_that_is_offline_is_rejected(world: World, version: str) -> None:
    found = await orders(world, version)
    world.chargers.offline = {"CP1"}
    world.chargers.calls.clear()
    for name, order in found.items():
        data = await world.commanded(name, order, version=version)
        assert is_answer(data, version, "REJECTED"), (name, data)
    assert world.chargers.calls == []


async def test_a_command_that_the_charger_lacks_is_not_supported(world: World, version: str) -> None:
    found = await orders(world, version)
    world.chargers.features = set()
    for name, order in found.items():
        data = await world.commanded(name, order, version=version)
        assert is_answer(data, version, "NOT_SUPPORTED"), (name, data)


async def test_an_unknown_command_is_not_supported_whatever_its_body(world: World, version: str) -> None:
    for name in ("MAKE_COFFEE", "start_session"):
        assert is_answer(await world.commanded(name, ["?"], version=version), version, "NOT_SUPPORTED")


async def test_cancel_reservation_does_not_exist_in_2_1_1(world: World, version: str) -> None:
    data = await world.commanded("CANCEL_RESERVATION", cancel(), version=version)
    assert is_answer(data, version, "NOT_SUPPORTED" if version == "2.1.1" else "REJECTED")


@pytest.mark.parametrize("missing", [{"location_id": "LOC9"}, {"evse_uid": "E9"}])
async def test_an_unknown_place_is_2003_with_rejected_in_its_data(
    world: World, version: str, missing: dict[str, str]
) -> None:
    found = {
        "START_SESSION": start(version, **missing),
        "RESERVE_NOW": reserve(version, **missing),
        "UNLOCK_CONNECTOR": unlock(**missing),
    }
    for name, order in found.items():
        answer = await world.command(name, order, version=version)
        assert (answer.status_code, answer.json()["status_code"]) == (200, 2003)
        assert is_answer(answer.json()["data"], version, "REJECTED")


async def test_an_unknown_connector_is_an_unknown_place(world: World, version: str) -> None:
    answer = await world.command("UNLOCK_CONNECTOR", unlock(connector_id="9"), version=version)
    assert answer.json()["status_code"] == 2003


async def test_an_evse_without_a_charger_is_rejected(world: World, version: str) -> None:
    data = await world.commanded("START_SESSION", start(version, evse_uid="BARE"), version=version)
    assert is_answer(data, version, "REJECTED")


async def test_a_foreign_and_an_unknown_session_look_the_same(world: World, version: str) -> None:
    foreign = await world.running_session("FR*FFF")
    answers = [
        await world.commanded("STOP_SESSION", stop(session_id), version=version)
        for session_id in (foreign, "00000000-0000-4000-8000-000000000000")
    ]
    assert answers[0] == answers[1]
    assert is_answer(answers[0], version, "UNKNOWN_SESSION")
    assert world.chargers.calls == []


async def test_a_session_that_is_over_is_not_stopped_again(world: World, version: str) -> None:
    session_id = await world.running_session("NL*EEE")
    await world.ended_session(session_id)
    data = await world.commanded("STOP_SESSION", stop(session_id), version=version)
    assert is_answer(data, version, "REJECTED")


async def test_session_ids_compare_without_case(world: World, version: str) -> None:
    session_id = await world.running_session("NL*EEE")
    data = await world.commanded("STOP_SESSION", stop(session_id.upper()), version=version)
    assert is_answer(data, version, "ACCEPTED", follows=True)
    assert world.chargers.calls == [("remote_stop", {"station": "CP1", "transaction": session_id})]


async def test_a_connector_where_another_partners_driver_charges_is_not_unlocked(world: World, version: str) -> None:
    await world.running_session("FR*FFF")
    data = await world.commanded("UNLOCK_CONNECTOR", unlock(), version=version)
    assert is_answer(data, version, "REJECTED")
    assert world.chargers.calls == []


async def test_a_foreign_token_is_2004_with_rejected_in_its_data(world: World, version: str) -> None:
    foreign = token("FR", "FFF")
    for name, order in (("START_SESSION", start(token=foreign)), ("RESERVE_NOW", reserve(token=foreign))):
        if version == "2.1.1":
            continue
        answer = await world.command(name, order, version=version)
        assert (answer.status_code, answer.json()["status_code"]) == (200, 2004)
        assert is_answer(answer.json()["data"], version, "REJECTED")
    assert world.chargers.calls == []


async def test_a_cpo_has_no_business_with_commands(world: World, version: str) -> None:
    answer = await world.command("UNLOCK_CONNECTOR", unlock(), by="cpo", version=version)
    assert (answer.status_code, answer.json()["status_code"]) == (403, 2000)


async def test_a_result_goes_only_to_the_partners_own_site(world: World, version: str) -> None:
    found = await orders(world, version)
    await world.quiet()
    world.peers.posted.clear()
    world.chargers.calls.clear()
    for name, order in found.items():
        aimed_elsewhere = {**order, "response_url": response_url(host="fff.example.org")}
        answer = await world.command(name, aimed_elsewhere, version=version)
        assert (answer.status_code, answer.json()["status_code"]) == (200, 2001), name
    await world.quiet()
    assert (world.chargers.calls, world.peers.posted) == ([], [])


async def test_a_body_of_wrong_content_is_2001(world: World, version: str) -> None:
    answer = await world.command("STOP_SESSION", {"response_url": response_url()}, version=version)
    assert (answer.status_code, answer.json()["status_code"]) == (200, 2001)


async def test_commands_of_several_partners_to_one_connector_do_not_disturb_each_other(
    world: World, version: str
) -> None:
    theirs = start(version, response_url=response_url(host="fff.example.org"))
    if version != "2.1.1":
        theirs["token"] = token("FR", "FFF")
    world.chargers.answers["remote_start"] = Outcome.EVSE_OCCUPIED
    first = await world.commanded("START_SESSION", start(version), version=version)
    second = await world.commanded("START_SESSION", theirs, by="fff", version=version)
    assert first == second
    assert sorted(name for name, _, _ in world.peers.posted) == ["eee", "fff"]
