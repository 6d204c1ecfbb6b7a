"""Every kind of document that looking after stations keeps."""

from __future__ import annotations

from typing import Final

from hub.core.units import Kind
from partners.ocpp.care.campaigns import CARE_CAMPAIGNS
from partners.ocpp.care.firmware import FIRMWARE
from partners.ocpp.care.links import CARE_LINKS
from partners.ocpp.care.lists import CARE_LISTS
from partners.ocpp.care.logs import CARE_LOGS
from partners.ocpp.care.updates import CARE_UPDATES

CARE_KINDS: Final[tuple[Kind, ...]] = (FIRMWARE, CARE_LINKS, CARE_LOGS, CARE_CAMPAIGNS, CARE_UPDATES, CARE_LISTS)
