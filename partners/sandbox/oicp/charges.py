"""Charges that a CPO simulates: begun by a card or from afar, told in notifications, ended in a record.

A charge of 30 minutes takes no time: it began 30 minutes ago when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from partners.sandbox.oicp.line import Answer
from partners.sandbox.oicp.wire import given, moment
from partners.sandbox.wire import Json

if TYPE_CHECKING:
    from partners.sandbox.oicp.cpo import Cpo

_HALF_AN_HOUR: Final = timedelta(minutes=30)


@dataclass
class Charge:
    """One session. `ids`: the SessionID and what both sides call it; `state`: allowed, reserved, charging or over."""

    ids: dict[str, Json]
    evse_id: str
    identification: Mapping[str, Json]
    state: str = "allowed"
    product: str | None = None
    began: datetime = field(default_factory=lambda: datetime.now(UTC) - _HALF_AN_HOUR)
    minutes: float = 30.0
    kwh: Decimal = Decimal(10)

    @property
    def session(self) -> str:
        """Its SessionID."""
        return str(self.ids["SessionID"])

    def lasts(self, *, minutes: float, kwh: Json) -> None:
        """It began so long ago."""
        self.minutes, self.kwh = float(minutes), Decimal(str(kwh))
        self.began = datetime.now(UTC) - timedelta(minutes=self.minutes)

    def at(self, share: float) -> str:
        """The moment when this share of it was over."""
        return moment(self.began + timedelta(minutes=self.minutes * share))

    def about(self) -> dict[str, Json]:
        """What every message on it says."""
        return given(
            {
                **self.ids,
                "EvseID": self.evse_id,
                "Identification": self.identification,
                "PartnerProductID": self.product,
            }
        )


class Charges:
    """The sessions of one CPO, by SessionID. What asks raises NoHubError and httpx.HTTPError."""

    def __init__(self, cpo: Cpo) -> None:
        self._cpo = cpo
        self.all: dict[str, Charge] = {}

    def keep(self, charge: Charge) -> Charge:
        """It is allowed from now on."""
        self.all[charge.session] = charge
        return charge

    def running_at(self, evse_id: str) -> list[Charge]:
        """Those that hold this EVSE."""
        return [one for one in self.all.values() if one.evse_id == evse_id and one.state in ("reserved", "charging")]

    async def begin(self, charge: Charge, *, minutes: float = 30.0, kwh: Json = 10) -> Answer:
        """Energy flows: the Start notification. `minutes` and `kwh` are those of the whole charge to come."""
        charge.lasts(minutes=minutes, kwh=kwh)
        charge.state = "charging"
        return await self.notify(charge, "Start")

    async def notify(self, charge: Charge, kind: str, *, share: float = 0.5, **other: Json) -> Answer:
        """One notification: Start, Progress at a share of the charge, End or Error."""
        about = {"Type": kind, "OperatorID": self._cpo.party, **charge.about(), **_told(charge, kind, share), **other}
        return await self._cpo.ask("ChargingNotification", given(about))

    async def end(self, charge: Charge, *, notified: bool = True, **other: Json) -> Answer:
        """Energy flows no more: the End notification, and the record."""
        charge.state = "over"
        if notified:
            await self.notify(charge, "End")
        return await self.record(charge, **other)

    async def record(self, charge: Charge, **other: Json) -> Answer:
        """Send the CDR; again, if it was sent before. `other` fields replace what they are named like."""
        begin, end = charge.at(0), charge.at(1)
        times = {"SessionStart": begin, "ChargingStart": begin, "ChargingEnd": end, "SessionEnd": end}
        meter = {"MeterValueStart": Decimal(1000), "MeterValueEnd": 1000 + charge.kwh}
        tree = {**charge.about(), **times, "ConsumedEnergy": charge.kwh, **meter, **other}
        return await self._cpo.ask("ChargeDetailRecord", given(tree))

    async def whole(self, charge: Charge, *, progress: int = 1, **how: Any) -> Answer:
        """From the first to the last, as it happens by itself."""
        await self.begin(charge, **how)
        for number in range(progress):
            await self.notify(charge, "Progress", share=(number + 1) / (progress + 1))
        return await self.end(charge)

    def listed(self) -> list[dict[str, Json]]:
        """For testers."""
        return [{"state": charge.state, "kwh": charge.kwh, **charge.about()} for charge in self.all.values()]


def _told(charge: Charge, kind: str, share: float) -> dict[str, Json]:
    begin = {"ChargingStart": charge.at(0), "SessionStart": charge.at(0)}
    if kind == "Start":
        return {**begin, "MeterValueStart": Decimal(1000)}
    if kind == "Progress":
        duration = int(charge.minutes * 60_000 * share)
        so_far = round(charge.kwh * Decimal(str(share)), 3)
        return {
            **begin,
            "EventOccurred": charge.at(share),
            "ChargingDuration": duration,
            "ConsumedEnergyProgress": so_far,
        }
    if kind == "End":
        return {**begin, "ChargingEnd": charge.at(1), "ConsumedEnergy": charge.kwh}
    return {"ErrorType": "ConnectorError", "ErrorAdditionalInfo": "the plug does not sit", "PartnerProductID": None}
