"""A notification of a CPO of OICP, told to the EMP of OICP whose driver it is: its answer is the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.errors import PeerFault
from partners.oicp.answers import LONGEST_DESCRIPTION, LONGEST_INFO, Code, Refused
from partners.oicp.bridge import Bridge
from partners.oicp.contracts import is_connected, may_have
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.wire import Acknowledgement, write

Message = Mapping[str, Any]

WAIT_S: Final = 10.0
"""So long has who is told of a charge for its answer."""


async def pass_on(bridge: Bridge, row: OicpSession, message: Message) -> Message:
    """Raises: Refused, also where its EMP is blocked (310), or an agreement keeps charges there from it (210)."""
    connection = bridge.connections.of(row.emp)
    if connection is None or not connection.base_url:
        raise Refused(Code.NOT_OFFERED)
    if not is_connected(bridge.hub, row.emp):
        raise Refused(Code.PARTNER_SILENT)
    if not may_have(bridge.hub, row.emp, row.cpo_party, "sessions"):
        raise Refused(Code.NO_CONTRACT)
    try:
        answer = await bridge.ask(connection, "ChargingNotification", message, deadline_s=WAIT_S, wait=False)
    except NotSayable as fault:
        raise Refused(Code.DATA_ERROR, info=fault.reason) from None
    except PeerFault:
        raise Refused(Code.PARTNER_SILENT) from None
    try:
        return write(Acknowledgement, _shortened(answer))
    except NotSayable:
        raise Refused(Code.SYSTEM_ERROR, info="the provider answered nothing that can be read") from None


def _shortened(answer: Message) -> Message:
    """What an EMP explains at greater length than OICP allows is no reason to withhold what it answered."""
    status = answer.get("StatusCode")
    if not isinstance(status, Mapping):
        return answer
    lengths = {"Description": LONGEST_DESCRIPTION, "AdditionalInfo": LONGEST_INFO}
    cut = {name: status[name][:most] for name, most in lengths.items() if isinstance(status.get(name), str)}
    return {**answer, "StatusCode": {**status, **cut}}
