"""May a driver stop? Asked of his EMP, where that speaks OICP and serves AuthorizeStop, which it need not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.errors import PeerFault
from partners.oicp import voices
from partners.oicp.answers import Refused, code_of
from partners.oicp.bridge import Bridge
from partners.oicp.contracts import is_connected, may_have
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.authorization import OF_EMPS, Verdict, verdict_of

_WAIT_S: Final = 5.0


async def emp_lets_stop(bridge: Bridge, session: OicpSession, message: Mapping[str, Any]) -> bool:
    """True: the EMP says yes. False: it does not say, or may not be asked. Raises: Refused, with its no."""
    connection = bridge.connections.of(session.emp) if session.emp else None
    if connection is None or not is_connected(bridge.hub, session.emp):
        return False
    if not may_have(bridge.hub, session.cpo, session.emp_party, "tokens"):
        return False
    path_id = voices.operator(connection, session.cpo_party)
    asked = {**message, "OperatorID": path_id}
    try:
        said = await bridge.ask(connection, "AuthorizeStop", asked, id=path_id, deadline_s=_WAIT_S, wait=False)
    except PeerFault:
        return False
    code = code_of(said)
    if code in OF_EMPS:
        raise Refused(code)
    return verdict_of(said) is Verdict.ALLOWED
