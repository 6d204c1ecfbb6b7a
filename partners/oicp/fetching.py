"""What we fetch from a hub where we are an EMP: one large answer, read as a whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hub.core.errors import PeerNonsense, PeerRefused
from hub.core.jsontypes import Tree
from partners.oicp.answers import Code, code_of
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.wire import ANSWERS, Unfit, read

_DEADLINE_S: Final = 120.0


class Fetched(NamedTuple):
    """An answer: as it is read, without the records that cannot be; and as it came."""

    tree: Tree
    came: Tree


async def fetched(
    bridge: Bridge, connection: Connection, operation: str, message: Mapping[str, Any], *, cap: int, **more: Any
) -> Fetched:
    """Ask as the first of our ids there; of the answer at most `cap` bytes are read.

    Raises: PeerFault's children, also where the hub says no.
    """
    answer = await bridge.client.call(
        *(connection, operation, message),
        id=connection.provider_ids[0],
        deadline_s=_DEADLINE_S,
        cap=cap,
        wait=True,
        **more,
    )
    code = code_of(answer.tree)
    if (code and code.zfill(3) != Code.SUCCESS) or answer.tree.get("Result") is False:
        raise PeerRefused(f"{operation}: StatusCode {code[:20]}", http=200)
    try:
        found = await asyncio.to_thread(read, ANSWERS[operation], answer.tree)
    except Unfit as fault:
        raise PeerNonsense(f"{operation}: {fault.message[:150]}") from None
    if not found.tree:
        raise PeerNonsense(f"{operation}: there is nothing in the answer")
    return Fetched(found.tree, answer.tree)
