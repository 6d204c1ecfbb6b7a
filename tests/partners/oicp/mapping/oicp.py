"""Records of OICP: a plain one, and strategies for any that tell a place."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from hub.core.jsontypes import Tree
from partners.oicp.mapping.points import Point
from partners.oicp.wire.enums import GEO_FORMATS, PLUGS
from partners.oicp.wire.evse_data import PulledEvseDataRecordType
from tests.partners.oicp.messages import messages

RECORD: Final[Tree] = {
    "EvseID": "DE*ABC*E1",
    "ChargingPoolID": "DE*ABC*P1",
    "ChargingStationNames": [{"lang": "en", "value": "Station Road"}],
    "Address": {
        "Country": "DEU",
        "City": "Berlin",
        "Street": "Station Road",
        "PostalCode": "10829",
        "HouseNum": "7",
        "TimeZone": "UTC+01:00",
    },
    "GeoCoordinates": {"Google": {"Coordinates": "52.480495 13.356465"}},
    "Plugs": ["Type 2 Outlet"],
    "ChargingFacilities": [{"PowerType": "AC_3_PHASE", "Voltage": 230, "Amperage": 32, "Power": 22}],
    "RenewableEnergy": True,
    "CalibrationLawDataAvailability": "Local",
    "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
    "PaymentOptions": ["Contract"],
    "ValueAddedServices": ["None"],
    "Accessibility": "Free publicly accessible",
    "HotlinePhoneNumber": "+4930123456",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": True,
    "DynamicInfoAvailable": "auto",
    "OperatorID": "DE*ABC",
    "OperatorName": "ABC technologies",
}


def record(**fields: Any) -> Tree:
    """A record, with other fields; None takes one away."""
    tree = {**deepcopy(RECORD), **fields}
    return {name: value for name, value in tree.items() if value is not None}


def address(**fields: Any) -> Tree:
    """Its address, with other fields; None takes one away."""
    tree: Tree = {**RECORD["Address"], **fields}
    return {name: value for name, value in tree.items() if value is not None}


@st.composite
def records(draw: st.DrawFn) -> Tree:
    """Records of any sort that tell a place on earth and have a plug."""
    tree = draw(messages(PulledEvseDataRecordType))
    latitude, longitude = draw(st.decimals(-90, 90, places=6)), draw(st.decimals(-180, 180, places=6))
    return {
        **tree,
        "EvseID": draw(st.sampled_from(["DE*ABC*E1", "NLXYZE22*3", "+49*810*000*438"])),
        "Address": {**tree["Address"], "Country": draw(st.sampled_from(["DEU", "NLD", "USA"]))},
        "GeoCoordinates": Point(latitude, longitude).said(draw(st.sampled_from(GEO_FORMATS))),
        "Plugs": [draw(st.sampled_from(PLUGS[3:])), *tree["Plugs"]],
    }
