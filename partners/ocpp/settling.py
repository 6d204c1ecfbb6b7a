"""What we ask a station by ourselves, after it connected or booted and has been left in peace for a while (rule R18).

Only what is unknown: the state of connectors we have not heard of, its make if it never told, what it can do (1.6: its
configuration; 2.x: its variables, whose report comes in parts and is gathered by `device_model.py`). What it does not
support is remembered and not asked again. Nothing is asked while it replays a queue of transactions.
"""

from __future__ import annotations

from functools import partial
from secrets import randbelow
from typing import Final

import structlog

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from modules.commands import reservations
from partners.ocpp import rpc, tariffs_told
from partners.ocpp.desired import applying
from partners.ocpp.live import Link, Live
from partners.ocpp.numbering import socketed
from partners.ocpp.stations import Stations

log = structlog.get_logger()

ASKED: Final = (
    "SupportedFeatureProfiles",
    "NumberOfConnectors",
    "ReserveConnectorZeroSupported",
    "ConnectionTimeOut",
    "MeterValueSampleInterval",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
)
"""Configuration keys that change what we do."""

REPLAY_S: Final = 2.0
_TIMEOUT_S: Final = 30.0


async def settle(hub: Hub, stations: Stations, link: Link) -> None:
    """Ask what is unknown, one question after the other, as long as this socket is the station's."""
    live = link.live
    if link.waits:
        return
    if not live.learned.vendor:
        await _trigger(stations, link, "BootNotification", None)
    if link.version != "1.6":
        await _inventory(stations, link)
    elif live.learned.features is None:
        await _configuration(stations, link)
    for connector in live.station.places():
        if connector not in live.connectors:
            await _trigger(stations, link, "StatusNotification", connector)
    await tariffs_told.tell(hub, link, partial(ask, stations, link))
    if link.booted:
        link.booted = False
        await _look_at_reservations(hub, live)
        await applying.after_boot(hub, stations, stations.view(live.identity))


async def boot_again(hub: Hub, stations: Stations, link: Link) -> None:
    """It was told to wait, and need not any more."""
    await _trigger(stations, link, "BootNotification", None)


async def _look_at_reservations(hub: Hub, live: Live) -> None:
    """A connector that is Available after a boot keeps no reservation (rule R25)."""
    for connector, heard in list(live.connectors.items()):
        if heard.status == "Available" and connector > 0:
            await reservations.ended(hub, live.identity, connector)


async def _trigger(stations: Stations, link: Link, message: str, connector: int | None) -> None:
    payload: Tree = {"requestedMessage": message}
    if connector is not None and link.version == "1.6":
        payload["connectorId"] = connector
    elif connector is not None:
        evse, own = socketed(connector)
        payload["evse"] = {"id": evse, "connectorId": own}
    await ask(stations, link, "TriggerMessage", payload)


async def _inventory(stations: Stations, link: Link) -> None:
    """All variables of a station of 2.x, once for each firmware; at least those that can be set (B07)."""
    if stations.models.is_asked(link.live):
        return
    for base in ("FullInventory", "ConfigurationInventory"):
        request = randbelow(2**31 - 1) + 1
        stations.models.asks(link.live, request)
        answer = await ask(stations, link, "GetBaseReport", {"requestId": request, "reportBase": base})
        if answer is None or answer.get("status") == "Accepted":
            return


async def _configuration(stations: Stations, link: Link) -> None:
    answer = await ask(stations, link, "GetConfiguration", {"key": list(ASKED)})
    keys = answer.get("configurationKey") if answer is not None else None
    if isinstance(keys, list):
        await _learn(stations, link.live, [item for item in keys if isinstance(item, dict)])


async def _learn(stations: Stations, live: Live, keys: list[Tree]) -> None:
    told = {str(item.get("key")): item["value"] for item in keys if isinstance(item.get("value"), str)}
    live.learned.configuration = {key: value[:500] for key, value in told.items() if key in ASKED}
    profiles = told.get("SupportedFeatureProfiles")
    if profiles is not None:
        live.learned.features = tuple(name.strip() for name in profiles.split(",") if name.strip())[:32]
    await stations.save_learned(live)


async def ask(stations: Stations, link: Link, action: str, payload: Tree) -> Tree | None:
    """What a station answers; None, when it does not, or is known not to support it."""
    live = link.live
    if live.link is not link or action in live.learned.not_supported:
        return None
    outcome = await link.rpc.call(action, payload, timeout_s=_TIMEOUT_S)
    await stations.learn_from(live, action, outcome)
    if isinstance(outcome, rpc.CallResult):
        return outcome.payload
    log.info("station did not answer", station=live.identity, action=action, outcome=type(outcome).__name__)
    return None
