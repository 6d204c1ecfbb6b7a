"""The messages of partners as the flows get them: in OICP's own spelling, whatever spelling they came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from hub.core.jsontypes import Tree
from partners.oicp import ids
from partners.oicp.face import Call, Handler
from partners.oicp.identifying import check_shown, in_capitals, is_said
from partners.oicp.wire import ANSWERS, REQUESTS, Unfit, read, read_notification
from partners.oicp.wire.faults import Finding
from partners.oicp.wire.message import forms
from partners.oicp.wire.notifications import BY_TYPE
from partners.oicp.wire.reading import MISSING, Read

log = structlog.get_logger()

_NOTIFICATION: Final = "ChargingNotification"
_PULLS: Final = ("Pull", "GetChargeDetailRecords")
_OF_CHARGES: Final = ("ChargeDetailRecord", _NOTIFICATION)
_PASSED_ON: Final = (
    *("CPOPartnerSessionID", "EMPPartnerSessionID", "PartnerProductID"),
    *("ErrorType", "ErrorAdditionalInfo"),
)
"""What goes on as it came, and has to fit where it goes."""


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
        message = _checked(operation, understood, is_hub=call.connection.kind == "hub")
        return await handler(replace(call, message=message))

    return serve


def _checked(operation: str, understood: Read, *, is_hub: bool) -> Tree:
    """A message about one charge, with its ids in capitals. Raises: Unfit."""
    tree = understood.tree
    faults = tuple(_too_long(operation, tree))
    if not is_hub and operation in _OF_CHARGES:
        faults += tuple(each for each in understood.findings if each.is_dropped and _is_of_the_charge(each))
    if faults:
        raise Unfit(faults)
    evse_id, identification = tree.get("EvseID"), tree.get("Identification")
    if isinstance(evse_id, str):
        tree = {**tree, "EvseID": ids.written(evse_id)}
    if identification is None:
        return tree
    if operation == _NOTIFICATION and not is_said(identification):
        return {name: value for name, value in tree.items() if name != "Identification"}
    if not is_hub:
        unread = tuple(each for each in understood.findings if each.is_dropped and _is_in_it(each))
        if unread and not is_said(identification):
            raise Unfit(unread)
        check_shown(operation, identification)
    return {**tree, "Identification": in_capitals(identification)}


def _is_of_the_charge(finding: Finding) -> bool:
    """A time or an energy that cannot be read is not one that was left out."""
    return finding.pointer.count("/") == 1 and finding.problem != MISSING


def _is_in_it(finding: Finding) -> bool:
    return finding.pointer.lower().startswith("/identification/")


def _too_long(operation: str, tree: Tree) -> Iterator[Finding]:
    known = forms(BY_TYPE[tree["Type"]] if operation == _NOTIFICATION else REQUESTS[operation])
    for name in _PASSED_ON:
        fault = known[name].kind.fault(tree[name]) if name in tree and name in known else ""
        if fault:
            yield Finding(f"/{name}", fault)


def _check_filters(message: Mapping[str, Any], understood: Read) -> None:
    """A filter that cannot be read is none, and would give all. Raises: Unfit."""
    faults = tuple(each for each in understood.findings if each.is_dropped and not _is_left_out(each))
    empty = tuple(Finding(f"/{name}", "is empty") for name, value in message.items() if value == {})
    if faults or empty:
        raise Unfit(faults + empty)


def _is_left_out(finding: Finding) -> bool:
    """Is it a field of the message that is not there? One that is there lacks nothing of its own."""
    return finding.problem == MISSING and finding.pointer.count("/") == 1


def answered(operation: str, tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer of a partner in OICP's own spelling; as it came, where it is none of that operation."""
    try:
        return read(ANSWERS[operation], tree).tree
    except Unfit:
        return tree
