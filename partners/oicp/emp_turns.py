"""Whom we ask as an EMP, and when again after a failure: of each service of a hub by itself."""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.errors import BusbarError, PeerRefused
from hub.core.ports import Hub
from hub.core.registry import State
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection


def emp_hubs(bridge: Bridge) -> list[Connection]:
    """Where we are an EMP."""
    return [each for each in bridge.connections.all() if each.kind == "hub" and each.provider_ids]


def may_be_asked(hub: Hub, connection: Connection, not_before: Mapping[str, float]) -> bool:
    """`not_before`: by partner, the end of its pause, on the monotonic clock."""
    is_connected = hub.registry.get(connection.partner).state is State.CONNECTED
    is_due = hub.clock.monotonic() >= not_before.get(connection.partner, 0.0)
    return bool(connection.base_url) and is_connected and is_due


def pause_s(hub: Hub, failures: int, fault: BusbarError) -> float:
    """How long a service is left alone after so many failures in a row: as long as it asks for, where it says so."""
    asked_s = fault.retry_after_s if isinstance(fault, PeerRefused) else None
    step_s = min(hub.settings.lane_first_s * 2 ** min(failures - 1, 20), hub.settings.lane_cap_s)
    return step_s if asked_s is None else asked_s
