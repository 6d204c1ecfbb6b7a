"""The asynchronous result: one POST of a bare object to the response_url, whatever happens between."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.errors import PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.ports import Outcome
from hub.core.registry import State
from modules.commands import results
from tests.modules.commands.world import TIMEOUT_S, After, World, cancel, reserve, response_url, start, stop, unlock

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
METHODS = {
    "START_SESSION": "remote_start",
    "STOP_SESSION": "remote_stop",
    "RESERVE_NOW": "reserve",
    "CANCEL_RESERVATION": "cancel_reservation",
    "UNLOCK_CONNECTOR": "unlock",
}
IN_2_1_1 = {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.TIMEOUT, Outcome.NOT_SUPPORTED}
"""CommandResponseType there; all else is REJECTED (mod_commands, 2.1.1)."""


async def order(world: World, name: str, version: str) -> Any:
    match name:
        case "START_SESSION":
            return start(version)
        case "STOP_SESSION":
            return stop(await world.running_session("NL*EEE"))
        case "RESERVE_NOW":
            return reserve(version)
        case "CANCEL_RESERVATION":
            await world.commanded("RESERVE_NOW", reserve(version), version=version)
            world.peers.posted.clear()
            return cancel()
        case _:
            return unlock()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", METHODS)
async def test_each_outcome_reaches_the_response_url_in_the_words_of_the_version(
    world: World, name: str, version: str
) -> None:
    if (name, version) == ("CANCEL_RESERVATION", "2.1.1"):
        return
    for outcome in Outcome:
        world.peers.posted.clear()
        world.chargers.answers.clear()
        body = {**await order(world, name, version), "response_url": response_url(f"{name}/{outcome}")}
        world.chargers.answers[METHODS[name]] = outcome
        await world.commanded(name, body, version=version)
        told = outcome if version != "2.1.1" or outcome in IN_2_1_1 else Outcome.REJECTED
        assert world.peers.posted == [("eee", body["response_url"], {"result": told.value})]


async def test_silence_of_the_charger_is_a_timeout(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    data = await world.commanded("START_SESSION", start())
    await world.pass_s(TIMEOUT_S - 1)
    assert world.peers.results == []
    await world.pass_s(1)
    assert world.peers.results == [{"result": "TIMEOUT"}]
    assert world.clock.passed_s < data["timeout"]


async def test_a_late_answer_of_the_charger_is_recorded_and_not_told(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    await world.pass_s(TIMEOUT_S)
    await results.late(world.hub, "CP1", "START_SESSION", Outcome.ACCEPTED)
    await results.late(world.hub, "CP2", "START_SESSION", Outcome.ACCEPTED)
    assert world.peers.results == [{"result": "TIMEOUT"}]
    (command,) = await world.kept_commands()
    assert (command.state, command.result, command.late) == ("reported", "TIMEOUT", "ACCEPTED")


async def test_a_late_answer_belongs_to_the_command_that_timed_out(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    await world.pass_s(TIMEOUT_S)
    world.chargers.answers["remote_start"] = Outcome.ACCEPTED
    await world.commanded("START_SESSION", start())
    await results.late(world.hub, "CP1", "START_SESSION", Outcome.REJECTED)
    await results.late(world.hub, "CP1", "START_SESSION", Outcome.ACCEPTED)
    late = {command.result: command.late for command in await world.kept_commands()}
    assert late == {"TIMEOUT": "REJECTED", "ACCEPTED": ""}


async def test_an_outcome_after_another_process_gave_up_is_late_too(world: World) -> None:
    world.chargers.answers["remote_start"] = After(TIMEOUT_S + 10, Outcome.ACCEPTED)
    await world.commanded("START_SESSION", start())
    await results.recover(world.hub)
    await world.pass_s(3600)
    assert world.peers.results == [{"result": "TIMEOUT"}]
    (command,) = await world.kept_commands()
    assert (command.result, command.late) == ("TIMEOUT", "ACCEPTED")


async def test_a_fault_of_ours_is_told_as_failed(world: World) -> None:
    world.chargers.answers["unlock"] = RuntimeError("a bug in the gateway")
    await world.commanded("UNLOCK_CONNECTOR", unlock())
    assert world.peers.results == [{"result": "FAILED"}]


async def test_a_command_that_a_crash_left_unanswered_is_a_timeout_once(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    await world.restart()
    assert world.peers.results == []
    await world.pass_s(TIMEOUT_S + results.RECOVERY_GRACE.total_seconds())
    assert world.peers.results == [{"result": "TIMEOUT"}]
    await world.restart()
    await world.pass_s(10 * TIMEOUT_S)
    assert len(world.peers.results) == 1
    assert len(world.chargers.calls) == 1


async def test_a_command_from_before_a_long_stop_is_a_timeout_at_once(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    await world.crash()
    world.clock.move_to(3600)
    await world.restart()
    assert world.peers.results == [{"result": "TIMEOUT"}]


async def test_a_result_that_a_crash_left_untold_is_told(world: World) -> None:
    world.peers.faults = [PeerUnreachable()]
    await world.commanded("START_SESSION", start())
    assert world.peers.results == []
    await world.restart()
    await world.pass_s(TIMEOUT_S + results.RECOVERY_GRACE.total_seconds())
    assert world.peers.results == [{"result": "ACCEPTED"}]


async def test_a_process_beside_us_that_still_works_on_a_command_is_not_disturbed(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    await results.recover(world.hub)
    await world.pass_s(10 * TIMEOUT_S)
    assert world.peers.results == [{"result": "TIMEOUT"}]


@pytest.mark.parametrize(
    "fault",
    [PeerUnreachable(), PeerRefused(http=503), PeerRefused(http=429), PeerRefused(http=500), PeerRefused(http=401)],
)
async def test_a_post_that_had_no_effect_is_tried_again(world: World, fault: PeerFault) -> None:
    world.peers.faults = [fault, fault]
    await world.commanded("START_SESSION", start())
    await world.pass_s(TIMEOUT_S)
    assert (world.peers.tries, world.peers.results) == (3, [{"result": "ACCEPTED"}])


async def test_a_result_expires_with_the_announced_timeout(world: World) -> None:
    world.hub.settings = world.hub.settings.model_copy(update={"command_timeout_s": 4})
    world.peers.faults = [PeerUnreachable()] * 100
    world.chargers.answers["remote_start"] = After(4, Outcome.TIMEOUT)
    data = await world.commanded("START_SESSION", start())
    assert data["timeout"] == 8
    await world.pass_s(3600)
    assert world.peers.tries == 3, "at 4, 5 and 7 s"
    assert [command.state for command in await world.kept_commands()] == ["undelivered"]


@pytest.mark.parametrize("fault", [PeerRefused(http=404), PeerRefused(http=200, status_code=2001)])
async def test_a_result_that_the_partner_refuses_is_not_repeated(world: World, fault: PeerFault) -> None:
    world.peers.faults = [fault]
    await world.commanded("START_SESSION", start())
    await world.pass_s(3600)
    assert world.peers.tries == 1
    assert [command.state for command in await world.kept_commands()] == ["undelivered"]


@pytest.mark.parametrize("silence", [PeerTimeout(), PeerNonsense("it broke off")])
@pytest.mark.parametrize("refusal", [None, PeerRefused(http=404), PeerRefused(http=200, status_code=2001)])
async def test_a_result_without_an_answer_is_sent_again_and_a_refusal_then_says_that_it_was_there(
    world: World, silence: PeerFault, refusal: PeerFault | None
) -> None:
    world.peers.faults = [silence, *([refusal] if refusal is not None else [])]
    await world.commanded("START_SESSION", start())
    await world.pass_s(3600)
    assert world.peers.tries == 2
    assert [command.state for command in await world.kept_commands()] == ["reported"]


async def test_a_result_that_was_answered_in_a_form_of_their_own_is_not_repeated(world: World) -> None:
    world.peers.faults = [PeerNonsense(answered=True)]
    await world.commanded("START_SESSION", start())
    await world.pass_s(3600)
    assert world.peers.tries == 1
    assert [command.state for command in await world.kept_commands()] == ["reported"]


async def test_a_partner_that_has_left_gets_no_result(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.commanded("START_SESSION", start())
    partner = world.hub.registry.get("eee")
    await world.hub.registry.save(partner.model_copy(update={"state": State.UNREGISTERED}))
    await world.pass_s(TIMEOUT_S)
    assert world.peers.tries == 0


async def test_the_command_is_on_disk_before_its_sender_reads_accepted(world: World) -> None:
    world.chargers.answers["remote_start"] = None
    await world.command("START_SESSION", start(response_url=response_url("DISK")))
    (command,) = await world.kept_commands()
    assert (command.partner, command.command, command.station) == ("eee", "START_SESSION", "CP1")
    assert command.response_url == response_url("DISK")
    await world.quiet()
