"""A message that the hub passes on, and what it makes of the answer."""

from __future__ import annotations

import httpx

from partners.sandbox.oicp.call import Refused, Reply
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.line import Answer, Line
from partners.sandbox.oicp.wire import status
from partners.sandbox.wire import Json

_SILENT, _NOT_SERVED = "310", "320"


async def onward(line: Line, to: Member | None, name: str, party: str, tree: Json, *, timeout_s: float) -> Answer:
    """One message further, in the name of `party`. Silence is an answer too, and so is nobody to ask."""
    if to is None or not to.url:
        return Answer(200, {"Result": False, "StatusCode": status(_NOT_SERVED)})
    try:
        return await line.ask(to.url, name, party, tree, timeout_s=timeout_s)
    except httpx.HTTPError as error:
        return Answer(200, {"Result": False, "StatusCode": status(_SILENT, type(error).__name__)})


def relayed(answer: Answer, **instead: Json) -> Reply:
    """What the other side said, but for some fields. Raises: Refused, when it did not say anything of OICP."""
    if answer.http != 200 or "StatusCode" not in answer.tree:
        raise Refused(_SILENT, f"HTTP {answer.http}")
    if answer.code in (_SILENT, _NOT_SERVED):
        raise Refused(answer.code, answer.tree["StatusCode"].get("AdditionalInfo"))
    return Reply({**answer.tree, **instead})
