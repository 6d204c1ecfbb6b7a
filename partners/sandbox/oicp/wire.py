"""The small forms of OICP: status codes, acknowledgements, refusals, moments, media of identification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from partners.sandbox.modes import Temper
from partners.sandbox.oicp.operations import Operation
from partners.sandbox.wire import Json, encode

SUCCESS: Final = "000"
_MEANINGS: Final = {
    "000": "done",
    "001": "the hub failed",
    "009": "the data cannot be changed that way",
    "017": "not yours to say",
    "018": "the EvseID is of another operator",
    "019": "the EvcoID is of another provider",
    "022": "the data is wrong",
    "101": "these credentials are wrong",
    "102": "this card is unknown",
    "103": "this card cannot be read",
    "105": "this contract is unknown",
    "106": "nobody said yes",
    "200": "this contract is locked",
    "210": "there is no contract for this",
    "300": "there is no such partner",
    "310": "the partner did not answer",
    "320": "the partner does not offer this",
    "400": "there is no such session, or it is over",
    "501": "the EVSE cannot be reached",
    "510": "no car is connected",
    "601": "the EVSE is reserved",
    "602": "the EVSE is in use",
    "603": "there is no such EVSE",
    "604": "the EVSE is not for roaming",
    "700": "the EVSE is out of service",
}
_LOCAL: Final = ZoneInfo("Europe/Berlin")
_UNKNOWN: Final = {"QRCodeIdentification": "101", "PlugAndChargeIdentification": "105", "RemoteIdentification": "105"}


def status(code: str, info: str | None = None) -> dict[str, Json]:
    """A StatusCode."""
    return {"Code": code, "Description": _MEANINGS.get(code, "other")} | ({"AdditionalInfo": info} if info else {})


def acknowledgement(code: str = SUCCESS, info: str | None = None, **fields: Json) -> dict[str, Json]:
    """An eRoamingAcknowledgement, with the fields that are not None."""
    return {"Result": code == SUCCESS, "StatusCode": status(code, info), **given(fields)}


def refusal(operation: Operation, code: str, info: str | None = None) -> dict[str, Json]:
    """A no in the form of the operation's answer."""
    if operation.answered == "Acknowledgement":
        return acknowledgement(code, info)
    if operation.answered.startswith("Authorization"):
        return {"AuthorizationStatus": "NotAuthorized", "StatusCode": status(code, info)}
    return {"StatusCode": status(code, info)}


def of_temper(temper: Temper) -> bytes:
    """What a bad mode says: without a Result, as platforms do it."""
    refused = temper.mode.refused_status
    return b"" if refused == 429 else encode({"StatusCode": status("017" if refused == 401 else "001", temper.name)})


def given(fields: Mapping[str, Json]) -> dict[str, Json]:
    """What there is of it: null is not said."""
    return {name: value for name, value in fields.items() if value is not None}


def sessions_of(tree: Mapping[str, Json]) -> dict[str, Json]:
    """The ids by which both sides know the session, to be repeated in an answer."""
    return given({name: tree.get(name) for name in ("SessionID", "CPOPartnerSessionID", "EMPPartnerSessionID")})


def moment(at: datetime | None = None) -> str:
    """A moment with the local offset, as OICP wants it."""
    return (at or datetime.now(_LOCAL)).astimezone(_LOCAL).isoformat(timespec="milliseconds")


def medium(identification: Mapping[str, Json]) -> tuple[str, str]:
    """The kind of an Identification, and the UID or the EvcoID in it. Raises: ValueError."""
    for kind, details in identification.items():
        if isinstance(details, dict):
            return kind, str(details.get("UID") or details.get("EvcoID")).upper()
    raise ValueError("the identification is empty")


def unknown(identification: Mapping[str, Json]) -> str:
    """The code that says: nobody of ours."""
    return _UNKNOWN.get(medium(identification)[0], "102")
