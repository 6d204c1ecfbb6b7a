"""The messages of partners as the flows get them: in OICP's own spelling, whatever spelling they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from partners.oicp.answers import FieldFault, Malformed
from partners.oicp.face import Call, Handler
from partners.oicp.wire import ANSWERS, REQUESTS, Unfit, read, read_notification

log = structlog.get_logger()

_NOTIFICATION = "ChargingNotification"


def reading(operation: str, handler: Handler) -> Handler:
    """`handler`, which gets its message in OICP's own spelling. Raises: Malformed, for one that cannot be acted on."""

    async def serve(call: Call) -> Mapping[str, Any]:
        try:
            if operation == _NOTIFICATION:
                understood = read_notification(call.message)
            else:
                understood = read(REQUESTS[operation], call.message)
        except Unfit as unfit:
            raise Malformed([FieldFault(_named(fault.pointer), fault.problem) for fault in unfit.faults]) from None
        if understood.findings:
            found = [f"{finding.pointer}: {finding.problem}" for finding in understood.findings[:5]]
            log.info("oicp message put right", partner=call.partner.name, operation=operation, findings=found)
        return await handler(replace(call, message=understood.tree))

    return serve


def answered(operation: str, tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer of a partner in OICP's own spelling; as it came, where it is none of that operation."""
    try:
        return read(ANSWERS[operation], tree).tree
    except Unfit:
        return tree


def _named(pointer: str) -> str:
    """A JSON pointer as hubs name fields: `EvseDataRecord[0].Address.City`."""
    words = ""
    for part in pointer.split("/")[1:]:
        words += f"[{part}]" if part.isdigit() else f".{part}" if words else part
    return words
