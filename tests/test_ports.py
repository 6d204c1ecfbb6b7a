"""A port that a test holds for a program is that program's alone."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.ports import Port


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"here\n")
    writer.close()


async def test_its_program_listens_there_again_and_again_and_nobody_answers_in_between() -> None:
    port = Port()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port.number)
        async with await asyncio.start_server(answer, "127.0.0.1", port.number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
            assert await reader.read() == b"here\n"
            writer.close()
            await writer.wait_closed()
    port.release()


def test_it_is_taken_for_who_does_not_mean_it() -> None:
    port = Port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port.number))
    port.release()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port.number))
