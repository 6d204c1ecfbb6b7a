"""What is written in one turn of the loop goes out in one piece, and nothing is lost at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hub.http_cork import Cork


class Wire:
    """A transport that remembers what it was handed."""

    def __init__(self) -> None:
        self.handed: list[list[bytes]] = []
        self.closed_after: int | None = None

    def writelines(self, parts: Sequence[bytes]) -> None:
        assert self.closed_after is None
        self.handed.append(list(parts))

    def close(self) -> None:
        self.closed_after = len(self.handed)

    def get_extra_info(self, name: str) -> str:
        return f"the wire's {name}"


def corked(wire: Any) -> Cork:
    return Cork(wire, asyncio.get_running_loop(), lambda: False)


async def test_head_and_body_leave_together_and_the_next_turn_on_its_own() -> None:
    wire = Wire()
    cork = corked(wire)
    cork.write(b"head")
    cork.write(b"body")
    assert wire.handed == []
    await asyncio.sleep(0)
    cork.write(b"more")
    await asyncio.sleep(0)
    assert wire.handed == [[b"head", b"body"], [b"more"]]


async def test_what_waits_is_sent_before_the_connection_is_closed_and_only_once() -> None:
    wire = Wire()
    cork = corked(wire)
    cork.write(b"the end")
    cork.close()
    await asyncio.sleep(0)
    assert (wire.handed, wire.closed_after) == ([[b"the end"]], 1)


async def test_all_else_is_the_transport_s_own() -> None:
    assert corked(Wire()).get_extra_info("peername") == "the wire's peername"
