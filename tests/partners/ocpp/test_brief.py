"""Calls that are answered at once: in order, when what they wrote is on disk, and as they would be in the usual way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hub.core.errors import NotReady
from partners.ocpp.brief import BRIEF
from partners.ocpp.rpc import Connection, Done, Incoming, Limits, Ready
from partners.ocpp.v16 import HANDLERS
from tests.partners.ocpp.hours import Hours, Wire, settle
from tests.partners.ocpp.site import BLOCKED_CARD, CARD, Site


def heartbeat(message_id: str) -> str:
    return json.dumps([2, message_id, "Heartbeat", {}])


class Briefly:
    """A connection on which a Heartbeat is brief, and its answer stands when the test says so."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.wire, self.gate = Wire(), asyncio.Event()
        self.done: Done | None = None
        self.can_send = True
        self.ready: Ready | Exception | None = None
        self.connection = Connection(
            self.wire.send,
            self._handle,
            Hours(),
            "1.6",
            limits,
            brief={"Heartbeat": self._brief},
            send_now=self._send_now,
        )

    def keep(self, error: BaseException | None = None) -> None:
        """What waited is on disk, or never will be."""
        assert self.done is not None
        self.done(error)

    @property
    def answered(self) -> list[str]:
        return [frame[1] for frame in self.wire.frames]

    async def _handle(self, incoming: Incoming) -> dict[str, Any]:
        await self.gate.wait()
        return {"currentTime": "later"}

    def _brief(self, text: str, done: Done) -> Ready | None:
        self.done = done
        if isinstance(self.ready, Exception):
            raise self.ready
        return self.ready

    def _send_now(self, text: str) -> bool:
        if self.can_send:
            self.wire.texts.append(text)
        return self.can_send


async def test_an_answer_that_stands_leaves_before_anything_else_happens() -> None:
    charger = Briefly()
    charger.ready = Ready('{"currentTime":"now"}')
    assert charger.connection.at_once(heartbeat("a"))
    assert charger.wire.texts == ['[3,"a",{"currentTime":"now"}]']


async def test_an_answer_waits_until_it_is_on_disk() -> None:
    charger = Briefly()
    charger.ready = Ready("{}", waits=True)
    assert charger.connection.at_once(heartbeat("a"))
    await settle()
    assert charger.answered == []
    charger.keep()
    await settle()
    assert charger.answered == ["a"]


async def test_what_could_not_be_kept_is_a_callerror() -> None:
    charger = Briefly()
    charger.ready = Ready("{}", waits=True)
    charger.connection.at_once(heartbeat("a"))
    charger.keep(NotReady("the disk is full"))
    await settle()
    ((kind, message_id, *_),) = charger.wire.frames
    assert (kind, message_id) == (4, "a")


async def test_nothing_overtakes_an_answer_that_waits() -> None:
    charger = Briefly()
    charger.ready = Ready("{}", waits=True)
    charger.gate.set()
    assert charger.connection.at_once(heartbeat("a"))
    assert not charger.connection.at_once(heartbeat("b"))
    reading = asyncio.create_task(charger.connection.received(heartbeat("b")))
    await settle()
    assert charger.answered == []
    charger.keep()
    await reading
    await settle()
    assert charger.answered == ["a", "b"]


async def test_nothing_is_brief_while_a_slow_call_is_handled() -> None:
    charger = Briefly()
    await charger.connection.received(heartbeat("a"))
    charger.ready = Ready("{}")
    assert not charger.connection.at_once(heartbeat("b"))
    charger.gate.set()
    await settle()
    assert charger.connection.at_once(heartbeat("c"))
    assert charger.answered == ["a", "c"]


@pytest.mark.parametrize("ready", [None, ValueError("odd")])
async def test_what_is_not_so_simple_is_left_to_the_usual_way(ready: Exception | None) -> None:
    charger = Briefly()
    charger.ready = ready
    assert not charger.connection.at_once(heartbeat("a"))
    assert charger.connection.counts["frames"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[2]",
        "nonsense",
        '[3,"a",{}]',
        '[2,"a\\"b","Heartbeat",{}]',
        '[2,"a","Reset",{}]',
        '[2,7,"Heartbeat",{}]',
    ],
)
async def test_what_is_no_call_of_a_brief_action_is_left_to_the_usual_way(text: str) -> None:
    charger = Briefly()
    charger.ready = Ready("{}")
    assert not charger.connection.at_once(text)


async def test_a_charger_that_hurries_is_slowed_down_in_the_usual_way() -> None:
    charger = Briefly(Limits(frames_per_s=1, burst=2))
    charger.ready = Ready("{}")
    assert [charger.connection.at_once(heartbeat(name)) for name in "abc"] == [True, True, False]


async def test_a_long_call_is_brief_only_as_long_as_it_may_come_at_once() -> None:
    charger = Briefly(Limits(frames_per_s=1, burst=6))
    charger.ready = Ready("{}")
    long = [heartbeat(name) + " " * 10_000 for name in "abc"]
    assert [charger.connection.at_once(text) for text in long] == [True, True, False]


async def test_a_full_socket_gets_its_answer_when_it_has_room() -> None:
    charger = Briefly()
    charger.ready, charger.can_send = Ready("{}"), False
    assert charger.connection.at_once(heartbeat("a"))
    await settle()
    assert charger.answered == ["a"]


async def test_nobody_is_answered_after_the_socket_is_gone() -> None:
    charger = Briefly()
    charger.ready = Ready("{}", waits=True)
    charger.connection.at_once(heartbeat("a"))
    charger.connection.closed()
    charger.keep()
    await settle()
    assert charger.answered == []
    assert not charger.connection.at_once(heartbeat("b"))


@pytest.mark.parametrize("card", [CARD, BLOCKED_CARD, "STRANGER"])
async def test_a_card_gets_the_same_answer_however_often_it_is_shown(site: Site, card: str) -> None:
    async with await site.point() as cp:
        answers = [await cp.call("Authorize", {"idTag": card}) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]


async def test_a_frame_in_fragments_and_one_behind_it_are_answered_in_order(site: Site) -> None:
    async with await site.point() as cp:
        stray: list[str] = []
        await cp.socket.send([heartbeat("a")[:9], heartbeat("a")[9:]])
        await cp.socket.send(heartbeat("b"))
        await cp.call("Heartbeat", {})
        stray += [frame[1] for frame in cp.stray]
    assert stray == ["a", "b"]


def test_every_brief_action_has_its_usual_way() -> None:
    assert BRIEF.keys() < HANDLERS.keys()
