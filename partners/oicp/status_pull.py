"""What the EVSEs of a hub where we are an EMP do, asked for every few minutes.

It is a service of its own: one that gives no data may well give statuses, and the other way round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog

from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from partners.oicp.apart import Apart
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.emp_turns import emp_hubs, may_be_asked, pause_s
from partners.oicp.evse_intake import EvseIntake
from partners.oicp.evse_pull import EvsePull
from partners.oicp.evse_table import EvseRow, key_of
from partners.oicp.fetching import fetched
from partners.oicp.mapping.evse_status import NOT_FOUND

log = structlog.get_logger()

_CAP: Final = 128 * 1024 * 1024
_LOOK_EVERY_S: Final = 5.0
_STATES: Final = 500


class StatusPull:
    """All hubs from which we pull."""

    def __init__(self, bridge: Bridge, intake: EvseIntake, data: EvsePull) -> None:
        self._bridge = bridge
        self._hub = bridge.hub
        self._intake = intake
        self._data = data
        self._apart = Apart(bridge.hub, "oicp status pull")
        self._not_before: dict[str, float] = {}
        self._faults: dict[str, tuple[int, str]] = {}
        """By hub, how often in a row it gave no status, and why not the last time."""
        self._unknown: dict[str, set[str]] = {}
        """By hub, the EVSEs whose status it told last, and that are not here."""

    async def run(self) -> None:
        """Pull what is due, for ever."""
        while True:
            for each in emp_hubs(self._bridge):
                if may_be_asked(self._hub, each, self._not_before):
                    self._apart.begin(each.partner, partial(self._guarded, each))
            await self._hub.clock.sleep(_LOOK_EVERY_S)

    async def _guarded(self, connection: Connection) -> None:
        name = connection.partner
        self._not_before[name] = self._hub.clock.monotonic() + connection.status_every_s
        try:
            await self.pull(name)
        except BusbarError as fault:
            failures = self._faults.get(name, (0, ""))[0] + 1
            self._faults[name] = failures, fault.message
            self._not_before[name] = self._hub.clock.monotonic() + pause_s(self._hub, failures, fault)
            log.warning("status pull fails", partner=name, failures=failures, why=fault.message)
        except Exception as error:  # one odd answer must not stop the pulls for ever
            log.exception("status pull failed", partner=name, error=type(error).__name__)
            self._not_before[name] = self._hub.clock.monotonic() + self._hub.settings.lane_cap_s

    async def pull(self, name: str) -> int:
        """What all do. Returns: how many of them are known here. Raises: PeerFault's children, Conflict, NotReady."""
        connection = self._bridge.connections.get(name)
        message = {"ProviderID": connection.provider_ids[0]}
        tree, _ = await fetched(self._bridge, connection, "PullEvseStatus", message, cap=_CAP)
        operators: Sequence[Tree] = (tree.get("EvseStatuses") or {}).get("OperatorEvseStatus") or ()
        statuses = {
            key_of(record["EvseID"]): str(record["EvseStatus"])
            for operator in operators
            for record in operator.get("EvseStatusRecord") or ()
        }
        keys, unknown, written = list(statuses), set[str](), 0
        for at in range(0, len(keys), _STATES):
            some = keys[at : at + _STATES]
            known = await self._intake.known(some)
            ours = [key for key in some if key in known and _is_there(known[key][1], name)]
            unknown.update(key for key in some if key not in known)
            await self._intake.write_states({key: statuses[key] for key in ours}, {key: known[key] for key in ours})
            written += len(ours)
            await asyncio.sleep(0)
        self._faults.pop(name, None)
        news, self._unknown[name] = unknown - self._unknown.get(name, set()), unknown
        if news or NOT_FOUND in statuses.values():
            log.info("status of EVSEs without data", partner=name, unknown=len(unknown), new=len(news))
            await self._data.look_soon(name)
        return written

    async def shown(self) -> list[dict[str, Any]]:
        """What operators should see: hubs that give no status."""
        found: list[dict[str, Any]] = []
        for connection in emp_hubs(self._bridge):
            failures, why = self._faults.get(connection.partner, (0, ""))
            if failures:
                reason = f"the status of EVSEs cannot be pulled: {why}"
                found.append({"owner": connection.partner, "reason": reason, "things": failures, "example": ""})
        return found


def _is_there(row: EvseRow, partner: str) -> bool:
    return not row.gone and row.source.partition("/")[0] == partner
