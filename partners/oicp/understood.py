"""The messages of partners as the flows get them: in OICP's own spelling, whatever spelling they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from partners.oicp.face import Call, Handler
from partners.oicp.wire import ANSWERS, REQUESTS, Unfit, read, read_notification
from partners.oicp.wire.faults import Finding
from partners.oicp.wire.reading import MISSING, Read

log = structlog.get_logger()

_NOTIFICATION = "ChargingNotification"
_PULLS = ("Pull", "GetChargeDetailRecords")


def reading(operation: str, handler: Handler) -> Handler:
    """`handler`, which gets its message in OICP's own spelling. Raises: Unfit."""

    async def serve(call: Call) -> Mapping[str, Any]:
        is_notification = operation == _NOTIFICATION
        understood = read_notification(call.message) if is_notification else read(REQUESTS[operation], call.message)
        if understood.findings:
            found = [f"{finding.pointer}: {finding.problem}" for finding in understood.findings[:5]]
            log.info("oicp message put right", partner=call.partner.name, operation=operation, findings=found)
        if operation.startswith(_PULLS):
            _check_filters(call.message, understood)
        return await handler(replace(call, message=understood.tree))

    return serve


def _check_filters(message: Mapping[str, Any], understood: Read) -> None:
    """A filter that cannot be read is none, and would give all. Raises: Unfit."""
    faults = tuple(each for each in understood.findings if each.is_dropped and each.problem != MISSING)
    empty = tuple(Finding(f"/{name}", "is empty") for name, value in message.items() if value == {})
    if faults or empty:
        raise Unfit(faults + empty)


def answered(operation: str, tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer of a partner in OICP's own spelling; as it came, where it is none of that operation."""
    try:
        return read(ANSWERS[operation], tree).tree
    except Unfit:
        return tree
