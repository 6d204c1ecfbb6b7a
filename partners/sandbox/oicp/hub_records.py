"""What a hub does not believe in a charge detail record, and which ones an EMP asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from partners.sandbox.oicp.hub_ledger import Kept
from partners.sandbox.oicp.ids import folded
from partners.sandbox.wire import Json, instant

_MOST_KWH: Final = Decimal(1000)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


def implausible(record: Mapping[str, Json], evse: Mapping[str, Json] | None) -> str | None:
    """The first reason for 022, None for a record that may be true. `evse`: its data, where the hub has it."""
    begin, end = record.get("MeterValueStart"), record.get("MeterValueEnd")
    signed = record.get("SignedMeteringValues") or []
    external = evse is not None and evse["CalibrationLawDataAvailability"] == "External"
    doubts = {
        "more than 1000 kWh": record["ConsumedEnergy"] > _MOST_KWH,
        "the session ends in the future": instant(record["SessionEnd"]) > datetime.now(UTC) + _CLOCKS_DIFFER,
        "the meter ran backwards": begin is not None and end is not None and end < begin,
        "signed values are missing": external and not signed,
        "signed values without their CalibrationLawVerificationInfo": bool(signed)
        and not record.get("CalibrationLawVerificationInfo"),
        "a signed End without a Start": [each.get("MeteringStatus") for each in signed] == ["End"],
    }
    return next((why for why, holds in doubts.items() if holds), None)


def asked_for(kept: Kept, asked: Mapping[str, Json]) -> bool:
    """Is it among those that eRoamingGetChargeDetailRecords wants?"""
    if not instant(asked["From"]) <= instant(kept.record["SessionEnd"]) < instant(asked["To"]):
        return False
    if asked.get("SessionID") and kept.session.session_id not in asked["SessionID"]:
        return False
    operators = asked.get("OperatorID") or []
    wanted = [operators] if isinstance(operators, str) else operators
    if wanted and folded(kept.session.cpo) not in map(folded, wanted):
        return False
    return asked.get("CDRForwarded") in (None, kept.outcome == "delivered")
