"""Objects of OCPI in our form: a plain one of each, and strategies for any."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from hub.core.jsontypes import Tree
from modules.locations.wire import EVSE as EVSE_WIRE
from modules.locations.wire import LOCATION
from partners.oicp.mapping.enums import PLUGS
from tests.laws.objects import objects

WHEN: Final = "2026-03-01T10:00:00Z"

CONNECTOR: Final[Tree] = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "max_electric_power": 22080,
    "last_updated": WHEN,
}
EVSE: Final[Tree] = {
    "uid": "DEABCE1",
    "evse_id": "DE*ABC*E1",
    "status": "AVAILABLE",
    "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
    "connectors": [CONNECTOR],
    "last_updated": WHEN,
}
PLACE: Final[Tree] = {
    "country_code": "DE",
    "party_id": "ABC",
    "id": "DEABCP1",
    "publish": True,
    "name": "Station Road",
    "address": "Station Road 7",
    "city": "Berlin",
    "postal_code": "10829",
    "country": "DEU",
    "coordinates": {"latitude": "52.480495", "longitude": "13.356465"},
    "evses": [EVSE],
    "time_zone": "Europe/Berlin",
    "opening_times": {"twentyfourseven": True},
    "help_phone": "+4930123456",
    "last_updated": WHEN,
}


def place(**fields: Any) -> Tree:
    """A location, with other fields; None takes one away."""
    tree = {**deepcopy(PLACE), **fields}
    return {name: value for name, value in tree.items() if value is not None}


def evse(**fields: Any) -> Tree:
    """An EVSE, with other fields; None takes one away."""
    tree = {**deepcopy(EVSE), **fields}
    return {name: value for name, value in tree.items() if value is not None}


def connector(**fields: Any) -> Tree:
    """A connector, with other fields; None takes one away."""
    tree = {**CONNECTOR, **fields}
    return {name: value for name, value in tree.items() if value is not None}


@st.composite
def locations(draw: st.DrawFn) -> Tree:
    """Locations of any sort, most of which can be told: published, with ids and plugs that OICP has."""
    country = draw(st.sampled_from(["DE", "NL"]))
    tree = {**draw(objects(LOCATION["2.3.0"].form)), "country_code": country, "party_id": "A1B", "publish": True}
    tree["evses"] = draw(st.lists(objects(EVSE_WIRE["2.3.0"].form), min_size=1, max_size=2))
    phone = draw(st.sampled_from(["+4930123456", "0049 (0)30-123456", "call us", None]))
    ours = LOCATION["2.3.0"].read({**tree, "help_phone": phone}).tree()
    for at, each in enumerate(ours["evses"]):
        each |= {"evse_id": f"{country}*A1B*E{at}*7", "uid": f"{country}A1BE{at}7"}
        each["status"] = draw(st.sampled_from(["AVAILABLE", "CHARGING", "OUTOFORDER", "PLANNED"]))
        for part in draw(st.lists(st.sampled_from(each["connectors"]), max_size=2)):
            part["standard"] = draw(st.sampled_from([*PLUGS, "IEC_62196_T2"]))
    return ours
