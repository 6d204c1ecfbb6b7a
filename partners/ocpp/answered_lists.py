"""Lists that chargers of 2.x report (O03, K09), where the answer to an order of ours says what is in them.

A charger that has nothing to report sends no report: it says so in its answer, and where all was asked for there is
nothing. A message that it has taken for its display, or has no more (O01, O05), is known without asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Unit
from partners.ocpp import device_model, reported

_EMPTY: Final[Mapping[tuple[str, str], str]] = {
    ("GetDisplayMessages", "Unknown"): "display-messages",
    ("GetChargingProfiles", "NoProfiles"): "charging-profiles",
    ("GetDERControl", "NotFound"): "der-controls",
}
"""Action and status of its answer -> subject of which the charger has nothing of what was asked for."""
_MESSAGES: Final = "display-messages"


async def noted(hub: Hub, identity: str, action: str, payload: Tree, answer: Tree) -> None:
    """Keep what `answer` to this order says of a list. Raises: NotReady."""
    status = str(answer.get("status"))
    empty = _EMPTY.get((action, status))
    if empty is not None and all(value in (None, {}) for name, value in payload.items() if name != "requestId"):
        put = reported.put_of(identity, empty, {"rows": {}}, hub.clock.now())
        await hub.store.commit(Unit().put(put))
    elif (action, status) == ("SetDisplayMessage", "Accepted"):
        shown = device_model.SUBJECTS[_MESSAGES].read({"messageInfo": [payload.get("message")]})
        await device_model.noted(hub, identity, _MESSAGES, shown)
    elif action == "ClearDisplayMessage" and status in ("Accepted", "Unknown"):
        await device_model.noted(hub, identity, _MESSAGES, {}, gone=[str(payload.get("id"))])
