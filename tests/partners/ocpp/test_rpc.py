"""A connection to a charger that is hasty, slow, silent or hostile."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import errors
from partners.ocpp.answers import VERSIONS, Fault
from partners.ocpp.rpc import (
    LIMITS,
    CallError,
    CallResult,
    Connection,
    Incoming,
    LateAnswer,
    Limits,
    Lost,
    NotSent,
    Priority,
    Refused,
    TimedOut,
)
from partners.ocpp.schemas import actions, sends
from tests.partners.ocpp.hours import Hours, Wire, settle
from tests.partners.ocpp.test_frames import ANSWERABLE, HEARTBEAT, NO_MESSAGE

BOOT = {"chargePointModel": "M", "chargePointVendor": "V"}


def call(action: str, payload: Any, message_id: str = "m1") -> str:
    return json.dumps([2, message_id, action, payload])


class Charger:
    """A connection with its wire, its clock, and a handler that can be told what to do."""

    def __init__(self, version: str = "1.6", limits: Limits | None = None) -> None:
        self.wire, self.hours = Wire(), Hours()
        self.handled: list[Incoming] = []
        self.late: list[LateAnswer] = []
        self.result: dict[str, Any] = {}
        self.raises: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.connection = Connection(
            self.wire.send,
            self._handle,
            self.hours,
            version,
            limits,
            close=self.wire.close,
            on_late=self.late.append,
        )

    async def _handle(self, incoming: Incoming) -> dict[str, Any]:
        self.handled.append(incoming)
        if self.gate is not None:
            await self.gate.wait()
        if self.raises is not None:
            raise self.raises
        return self.result

    async def says(self, *texts: str) -> None:
        for text in texts:
            await self.connection.received(text)
        await settle()

    async def answers(self, number: int, payload: Any = None) -> None:
        """Answer the `number`th frame that it got."""
        await self.says(json.dumps([3, self.wire.frames[number][1], payload or {}]))

    async def is_asked(self, action: str = "ClearCache", payload: Any = None, **how: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(self.connection.call(action, payload or {}, **how))
        await settle()
        return task


@pytest.fixture
async def charger() -> Any:
    charger = Charger()
    yield charger
    charger.connection.closed()
    await settle()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", [*NO_MESSAGE.values(), *ANSWERABLE.values()], ids=[*NO_MESSAGE, *ANSWERABLE])
async def test_no_frame_ends_a_connection_or_is_echoed(text: str, version: str) -> None:
    charger = Charger(version)
    await charger.says(text, HEARTBEAT)
    assert charger.wire.frames[-1] == [3, "m1", {}]
    assert all(len(answer) <= 300 for answer in charger.wire.texts)
    assert charger.wire.closed_with in ([], [1009])


async def test_a_bad_frame_of_16_gets_the_code_of_16(charger: Charger) -> None:
    await charger.says('[2,"m1",["x"],{}]')
    assert charger.wire.frames == [[4, "m1", "FormationViolation", "the action is not a string", {}]]


async def test_ten_bad_frames_a_minute_are_borne_and_eleven_close(charger: Charger) -> None:
    await charger.says(*["nonsense"] * 10)
    assert charger.wire.closed_with == []
    await charger.says("nonsense")
    assert charger.wire.closed_with == [1008]
    assert charger.connection.counts["bad_frames"] == 11


async def test_bad_frames_spread_over_time_are_borne(charger: Charger) -> None:
    for _ in range(30):
        await charger.says("nonsense")
        await charger.hours.pass_s(10)
    assert charger.wire.closed_with == []


@pytest.mark.parametrize("letter", ["x", "é"])
async def test_a_frame_over_the_cap_closes_1009(charger: Charger, letter: str) -> None:
    await charger.says(call("DataTransfer", {"vendorId": letter * LIMITS["1.6"].frame_bytes}))
    assert charger.wire.closed_with == [1009]
    assert charger.handled == []


async def test_an_unknown_action_is_not_implemented(charger: Charger) -> None:
    await charger.says(call("Teleport", {}))
    assert charger.wire.frames[0][:3] == [4, "m1", "NotImplemented"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"chargePointModel": "M"}, "OccurenceConstraintViolation"),
        ({**BOOT, "chargePointModel": 7}, "TypeConstraintViolation"),
        ({**BOOT, "colour": "red"}, "FormationViolation"),
    ],
)
async def test_an_invalid_message_without_money_is_refused_by_name(charger: Charger, payload: Any, code: str) -> None:
    await charger.says(call("BootNotification", payload))
    assert charger.wire.frames[0][:3] == [4, "m1", code]
    assert charger.handled == []


@pytest.mark.parametrize("oddity", [{"chargePointModel": "x" * 21}, {"chargePointSerialNumber": "y" * 33}])
async def test_a_charger_whose_name_is_too_long_may_boot_all_the_same(charger: Charger, oddity: Any) -> None:
    await charger.says(call("BootNotification", {**BOOT, **oddity}))
    assert charger.wire.frames[0][:2] == [3, "m1"]
    assert len(charger.handled) == 1


async def test_a_status_that_does_not_exist_is_refused(charger: Charger) -> None:
    await charger.says(call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Bored"}))
    assert charger.wire.frames[0][:3] == [4, "m1", "PropertyConstraintViolation"]


async def test_an_idtag_of_100000_characters_is_not_sent_back(charger: Charger) -> None:
    await charger.says(call("Authorize", {"idTag": "SECRET" * 16_000}))
    assert charger.wire.frames[0][2] == "PropertyConstraintViolation"
    assert "SECRET" not in charger.wire.texts[0]
    assert charger.wire.frames[0][4] == {}


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "StartTransaction", {"connectorId": "one"}),
        ("1.6", "StopTransaction", {"transactionId": 0, "reason": "Boredom"}),
        ("1.6", "MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": 7}]}]}),
        ("2.0.1", "TransactionEvent", {"eventType": "Started", "meterValue": []}),
    ],
)
async def test_money_is_never_lost_to_a_schema(version: str, action: str, payload: Any) -> None:
    charger = Charger(version)
    text = call(action, payload)
    await charger.says(text)
    assert charger.wire.frames == [[3, "m1", {}]]
    assert charger.handled[0].raw == text
    assert charger.handled[0].finding is not None


async def test_calls_are_handled_one_by_one_in_their_order(charger: Charger) -> None:
    charger.gate = asyncio.Event()
    await charger.says(*(call("Heartbeat", {}, f"m{n}") for n in range(20)))
    assert len(charger.handled) == 1
    charger.gate.set()
    await settle()
    assert [frame[1] for frame in charger.wire.frames] == [f"m{n}" for n in range(20)]


async def test_our_call_is_answered_while_a_handler_still_thinks(charger: Charger) -> None:
    """Serialising both directions refused the Authorize after a RemoteStart, and charging never began."""
    charger.gate = asyncio.Event()
    asked = await charger.is_asked("RemoteStartTransaction", {"idTag": "A"})
    await charger.says(call("Authorize", {"idTag": "A"}))
    await charger.answers(0, {"status": "Accepted"})
    assert (await asked) == CallResult({"status": "Accepted"})
    assert charger.handled[0].action == "Authorize"
    charger.gate.set()


async def test_a_full_inbox_stops_reading_instead_of_refusing() -> None:
    charger = Charger(limits=replace(LIMITS["1.6"], unread=4))
    charger.gate = asyncio.Event()
    await charger.says(*(call("Heartbeat", {}, f"m{n}") for n in range(4)))
    reading = asyncio.create_task(charger.connection.received(call("Heartbeat", {}, "last")))
    await settle()
    assert not reading.done()
    charger.gate.set()
    await reading
    await settle()
    assert [frame[1] for frame in charger.wire.frames] == ["m0", "m1", "m2", "m3", "last"]


async def test_a_long_replay_is_slowed_down_and_never_refused() -> None:
    charger = Charger(limits=replace(LIMITS["1.6"], burst=5, frames_per_s=10))
    replay = asyncio.create_task(charger.says(*(call("Heartbeat", {}, f"m{n}") for n in range(15))))
    await charger.hours.pass_s(0.5)
    assert 5 <= len(charger.wire.frames) < 12
    await charger.hours.pass_s(2)
    await replay
    assert len(charger.wire.frames) == 15


async def test_what_a_charger_was_too_fast_with_is_not_waited_for_when_it_is_gone() -> None:
    charger = Charger(limits=replace(LIMITS["1.6"], burst=5, frames_per_s=0.001))
    replay = asyncio.create_task(charger.says(*(call("Heartbeat", {}, f"m{n}") for n in range(10))))
    await settle()
    assert not replay.done()
    charger.connection.closed()
    await replay
    assert len(charger.wire.frames) == 5


async def test_a_long_message_counts_as_many_so_that_nobody_keeps_the_hub_from_all_others() -> None:
    charger = Charger(limits=replace(LIMITS["1.6"], burst=40, frames_per_s=10))
    padded = {"connectorId": 1, "meterValue": [{"timestamp": "2026-05-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]}
    texts = [call("MeterValues", padded, f"m{n}") + " " * 70_000 for n in range(4)]
    hurry = asyncio.create_task(charger.says(*texts))
    answered = []
    for _ in range(5):
        await charger.hours.pass_s(1)
        answered.append(len(charger.wire.frames))
    await hurry
    assert answered == [2, 3, 3, 4, 4]
    assert charger.wire.closed_with == []


async def test_the_longest_message_of_a_quiet_charger_delays_nothing_and_two_of_them_do() -> None:
    charger = Charger("2.0.1", limits=replace(LIMITS["2.0.1"], burst=20, frames_per_s=10))
    longest = " " * 1_000_000
    await charger.says(call("Heartbeat", {}, "m1") + longest, call("Heartbeat", {}, "m2"))
    following = asyncio.create_task(charger.says(call("Heartbeat", {}, "m3") + longest))
    await settle()
    assert [frame[1] for frame in charger.wire.frames] == ["m1", "m2"]
    await charger.hours.pass_s(0.2)
    await following
    assert [frame[1] for frame in charger.wire.frames] == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("error", "code", "description"),
    [
        (ValueError("TAG-SECRET"), "InternalError", str(Fault.INTERNAL)),
        (errors.NotReady("disk TAG-SECRET"), "InternalError", str(Fault.INTERNAL)),
        (errors.MethodNotAllowed(), "NotSupported", "This method is not offered here."),
        (errors.Unauthorized("no"), "SecurityError", "no"),
        (Refused(Fault.SECURITY, "not before boot"), "SecurityError", "not before boot"),
        (RecursionError(), "InternalError", str(Fault.INTERNAL)),
    ],
)
async def test_what_a_handler_raises_is_answered_without_details(
    charger: Charger, error: Exception, code: str, description: str
) -> None:
    charger.raises = error
    await charger.says(HEARTBEAT)
    assert charger.wire.frames == [[4, "m1", code, description, {}]]


async def test_an_answer_that_cannot_be_written_is_an_internal_error(charger: Charger) -> None:
    charger.result = {"oops": object()}
    await charger.says(HEARTBEAT)
    assert charger.wire.frames[0][:3] == [4, "m1", "InternalError"]


wild: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**31), 10**31) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*BOOT, "connectorId", "meterValue", "timestamp", "limit"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.sampled_from(VERSIONS), st.data(), wild)
async def test_every_call_gets_exactly_one_answer_whatever_it_carries(
    version: str, data: st.DataObject, payload: Any
) -> None:
    action = data.draw(st.sampled_from(sorted(actions(version) - sends(version))))
    charger = Charger(version)
    await charger.says(call(action, payload), HEARTBEAT)
    assert [frame[1] for frame in charger.wire.frames] == ["m1", "m1"]
    assert charger.wire.frames[1][0] == 3


async def test_unsolicited_answers_leave_no_trace() -> None:
    charger = Charger(limits=replace(LIMITS["1.6"], burst=4000))
    await charger.says(*(json.dumps([3, f"x{n}", {}]) for n in range(3000)))
    assert charger.connection.counts["dropped_answers"] == 3000
    asked = await charger.is_asked()
    await charger.answers(0, {"status": "Accepted"})
    assert (await asked).payload == {"status": "Accepted"}


async def test_one_call_is_outstanding_and_the_urgent_ones_go_next(charger: Charger) -> None:
    asked = [await charger.is_asked("GetConfiguration")]
    for action, payload in (
        ("GetConfiguration", {"key": ["a"]}),
        ("ChangeConfiguration", {"key": "a", "value": "b"}),
        ("UnlockConnector", {"connectorId": 1}),
        ("RemoteStartTransaction", {"idTag": "A"}),
        ("RemoteStopTransaction", {"transactionId": 1}),
    ):
        asked.append(await charger.is_asked(action, payload))
    assert len(charger.wire.frames) == 1
    for number in range(6):
        assert len(charger.wire.frames) == number + 1
        await charger.answers(number)
    assert [frame[2] for frame in charger.wire.frames[1:]] == [
        "RemoteStopTransaction",
        "RemoteStartTransaction",
        "UnlockConnector",
        "ChangeConfiguration",
        "GetConfiguration",
    ]
    assert all(isinstance(outcome, CallResult) for outcome in await asyncio.gather(*asked))


async def test_the_queue_is_bounded_but_a_stop_pushes_polling_out(charger: Charger) -> None:
    asked = [await charger.is_asked("GetConfiguration", wait_s=1000) for _ in range(33)]
    assert charger.connection.waiting == 32
    assert await charger.connection.call("GetConfiguration", {}) == NotSent("queue full")
    stop = await charger.is_asked("RemoteStopTransaction", {"transactionId": 1})
    assert await asked[-1] == NotSent("queue full")
    await charger.answers(0)
    assert charger.wire.frames[1][2] == "RemoteStopTransaction"
    charger.connection.closed()
    assert await stop == Lost()


async def test_of_the_same_errand_only_the_latest_is_sent(charger: Charger) -> None:
    await charger.is_asked()
    first = await charger.is_asked("SetChargingProfile", {"n": 1}, same_as=("profile", 1))
    other = await charger.is_asked("SetChargingProfile", {"n": 3}, same_as=("profile", 2))
    second = await charger.is_asked("SetChargingProfile", {"n": 2}, same_as=("profile", 1))
    assert await first == NotSent("superseded")
    await charger.answers(0)
    await charger.answers(1)
    assert [frame[3] for frame in charger.wire.frames[1:]] == [{"n": 2}, {"n": 3}]
    await charger.answers(2)
    assert isinstance(await second, CallResult)
    assert isinstance(await other, CallResult)


async def test_a_timeout_leaves_the_socket_and_frees_the_line(charger: Charger) -> None:
    slow, following = await charger.is_asked(), await charger.is_asked("GetConfiguration", wait_s=60)
    await charger.hours.pass_s(29)
    assert not slow.done()
    await charger.hours.pass_s(1.5)
    assert await slow == TimedOut()
    assert charger.wire.closed_with == []
    await charger.answers(1, {"configurationKey": []})
    assert await following == CallResult({"configurationKey": []})


async def test_a_late_answer_is_matched_for_five_minutes(charger: Charger) -> None:
    slow = await charger.is_asked(timeout_s=30)
    await charger.hours.pass_s(31)
    assert await slow == TimedOut()
    await charger.hours.pass_s(200)
    await charger.answers(0, {"status": "Accepted"})
    assert [(late.action, late.outcome) for late in charger.late] == [
        ("ClearCache", CallResult({"status": "Accepted"}))
    ]
    assert charger.late[0].late_s == pytest.approx(201)
    await charger.answers(0)
    assert len(charger.late) == 1


async def test_after_five_minutes_a_late_answer_is_dropped(charger: Charger) -> None:
    await charger.is_asked()
    await charger.hours.pass_s(400)
    await charger.answers(0)
    assert charger.late == []
    assert charger.connection.counts["dropped_answers"] == 1


async def test_three_silent_calls_in_a_row_close_though_heartbeats_go_on(charger: Charger) -> None:
    for _ in range(3):
        assert charger.wire.closed_with == []
        await charger.is_asked()
        await charger.hours.pass_s(31)
        await charger.says(HEARTBEAT)
    assert charger.wire.closed_with == [1011]


async def test_an_answer_in_between_forgives_the_silence(charger: Charger) -> None:
    for _ in range(4):
        await charger.is_asked()
        await charger.hours.pass_s(31)
        await charger.answers(-1 if charger.wire.frames[-1][0] == 2 else 0)
    assert charger.wire.closed_with == []


async def test_what_waits_too_long_is_never_sent(charger: Charger) -> None:
    await charger.is_asked(timeout_s=100)
    waiting = await charger.is_asked("GetConfiguration", wait_s=5)
    await charger.hours.pass_s(6)
    assert await waiting == NotSent("waited too long")
    await charger.answers(0)
    assert len(charger.wire.frames) == 1


async def test_a_call_that_its_asker_gives_up_is_not_sent(charger: Charger) -> None:
    await charger.is_asked()
    given_up = await charger.is_asked("GetConfiguration")
    given_up.cancel()
    await settle()
    await charger.answers(0)
    assert len(charger.wire.frames) == 1


async def test_a_callerror_is_an_outcome(charger: Charger) -> None:
    asked = await charger.is_asked()
    await charger.says(json.dumps([4, charger.wire.frames[0][1], "NotSupported", "no cache", {}]))
    assert await asked == CallError("NotSupported", "no cache")


async def test_a_result_that_breaks_its_schema_is_handed_over_with_the_finding(charger: Charger) -> None:
    asked = await charger.is_asked()
    await charger.answers(0, {"status": "Perhaps"})
    outcome = await asked
    assert outcome.payload == {"status": "Perhaps"}
    assert outcome.finding.pointer == "/status"


async def test_a_lost_socket_ends_every_call_with_the_truth(charger: Charger) -> None:
    sent, waiting = await charger.is_asked(), await charger.is_asked()
    charger.connection.closed()
    assert await sent == Lost()
    assert await waiting == NotSent("not connected")
    assert await charger.connection.call("ClearCache", {}) == NotSent("not connected")
    await charger.says(HEARTBEAT)
    assert charger.handled == []


async def test_a_socket_that_breaks_while_sending_is_lost_not_stuck(charger: Charger) -> None:
    charger.wire.broken = True
    await charger.says(HEARTBEAT)
    assert await charger.connection.call("ClearCache", {}) == Lost()
    charger.wire.broken = False
    asked = await charger.is_asked(priority=Priority.STOP)
    await charger.answers(0)
    assert isinstance(await asked, CallResult)


async def test_a_send_of_21_is_handled_and_not_answered() -> None:
    charger = Charger("2.1")
    await charger.says(json.dumps([6, "m1", "NotifyPeriodicEventStream", {}]), HEARTBEAT)
    assert [frame[0] for frame in charger.wire.frames] == [3]
