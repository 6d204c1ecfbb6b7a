"""Does a message keep to OICP 2.3? Every breach by JSON pointer, none forgiven."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from partners.sandbox.oicp.spec import CHOICES, EITHER, ENUMS, IDS, OBJECTS
from partners.sandbox.spec import Field
from partners.sandbox.wire import Json, instant

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def check(kind: str, tree: Json) -> list[str]:
    """Every breach in `tree`, a message or a part of one, each as `<json pointer>: <what is wrong>`."""
    return breaches_of_form(kind, tree) or breaches_of_sense(kind, tree)


def breaches_of_form(kind: str, tree: Json) -> list[str]:
    """What the tables say of fields and their values."""
    return list(_object(_exact(kind, tree), tree, ""))


def breaches_of_sense(kind: str, tree: Json) -> list[str]:
    """What the text says beside the tables, of a message whose form is right."""
    kind = _exact(kind, tree)
    return list(_RULES[kind](tree) if kind in _RULES else ())


def _exact(kind: str, tree: Json) -> str:
    """A notification is one of four."""
    if kind == "ChargingNotification" and isinstance(tree, dict) and tree.get("Type") in ENUMS["NotificationType"]:
        return f"{tree['Type']}Notification"
    return kind


def _object(kind: str, tree: Json, at: str) -> Iterator[str]:
    if not isinstance(tree, dict):
        yield f"{at or '/'}: is not an object"
        return
    table = OBJECTS[kind]
    if kind in CHOICES and sum(tree.get(name) is not None for name in table) != 1:
        yield f"{at}: is not exactly one of {', '.join(table)}"
    yield from (f"{at}/{name}: there is no such field" for name in tree if name not in table and kind not in _OPEN)
    yield from (f"{at}/{name}: is null" for name, value in tree.items() if value is None and name not in _NULLABLE)
    for field in table.values():
        value = tree.get(field.name)
        if isinstance(value, str) and f"{kind}/{field.name}" in EITHER:
            value = [value]
        yield from _field(field, value, f"{at}/{field.name}", given=field.name in tree)


def _field(field: Field, value: Json, at: str, *, given: bool) -> Iterator[str]:
    if value is None or (field.many and value == []):
        if field.required and (value is not None or not given):
            yield f"{at}: is required"
    elif not field.many:
        yield from _value(field, value, at)
    elif not isinstance(value, list):
        yield f"{at}: is not an array"
    else:
        for index, item in enumerate(value):
            yield from _value(field, item, f"{at}/{index}")


def _value(field: Field, value: Json, at: str) -> Iterator[str]:
    if field.kind in OBJECTS:
        yield from _object(field.kind, value, at)
    elif field.kind in ENUMS:
        if not (isinstance(value, str) and value in ENUMS[field.kind]):
            yield f"{at}: {value!r} is no {field.kind}"
    elif field.kind in IDS:
        if not (isinstance(value, str) and re.fullmatch(IDS[field.kind], value)):
            yield f"{at}: does not have the form of a {field.kind}"
    elif wrong := _PRIMITIVES[field.kind](field, value):
        yield f"{at}: {wrong}"


def _string(field: Field, value: Json) -> str | None:
    if not isinstance(value, str):
        return "is not a string"
    if not value:
        return "is empty"
    return f"is longer than {field.length} characters" if field.length and len(value) > field.length else None


def _int(field: Field, value: Json) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "is not an integer"
    return f"has more than {field.length} digits" if field.length and len(str(abs(value))) > field.length else None


def _decimal(_: Field, value: Json) -> str | None:
    fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return None if fits else "is not a number"


def _energy(field: Field, value: Json) -> str | None:
    wrong = _decimal(field, value)
    too_fine = wrong is None and Decimal(value) != round(Decimal(value), 3)
    return "has more than three decimals" if too_fine else wrong


def _boolean(_: Field, value: Json) -> str | None:
    return None if isinstance(value, bool) else "is not a boolean"


def _datetime(_: Field, value: Json) -> str | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return "is not a moment with its offset"
    try:
        instant(value)
    except ValueError:
        return "is not a moment that exists"
    return None


_PRIMITIVES: Mapping[str, Callable[[Field, Json], str | None]] = {
    "string": _string,
    "int": _int,
    "decimal": _decimal,
    "energy": _energy,
    "boolean": _boolean,
    "DateTime": _datetime,
}
_NULLABLE = frozenset({"SessionID", "deltaType"})
"""What the hub itself says as null: no session was made, no change is told."""
_OPEN = frozenset({"EvseDataPage", "CdrPage", "ChargingNotification"})
"""Answers to which platforms add fields of their own; and a notification of no known type, which may have any."""


def _no_rfid_record(tree: Json) -> Iterator[str]:
    if "RFIDIdentification" in tree["Identification"]:
        yield "/Identification: RFIDIdentification is for authentication data and CDRs only"


def _only_remote(tree: Json) -> Iterator[str]:
    if "RemoteIdentification" not in tree["Identification"]:
        yield "/Identification: a remote order carries a RemoteIdentification"


def _verdict(tree: Json) -> Iterator[str]:
    allowed = tree["AuthorizationStatus"] == "Authorized"
    if allowed != (tree["StatusCode"]["Code"] == "000"):
        yield "/StatusCode/Code: contradicts the AuthorizationStatus"
    if allowed:
        yield from (f"/{name}: is missing from a yes" for name in ("SessionID", "ProviderID") if not tree.get(name))


def _acknowledged(tree: Json) -> Iterator[str]:
    if tree["Result"] != (tree["StatusCode"]["Code"] == "000"):
        yield "/StatusCode/Code: contradicts the Result"


def _progress(tree: Json) -> Iterator[str]:
    if tree.get("ChargingDuration") is None and tree.get("ConsumedEnergyProgress") is None:
        yield "/: has neither ChargingDuration nor ConsumedEnergyProgress"


def _record_times(tree: Json) -> Iterator[str]:
    names = ("SessionStart", "ChargingStart", "ChargingEnd", "SessionEnd")
    moments = [instant(tree[name]) for name in names]
    if moments != sorted(moments):
        yield "/: SessionStart, ChargingStart, ChargingEnd and SessionEnd are not in order"
    if tree["ConsumedEnergy"] < 0:
        yield "/ConsumedEnergy: is negative"
    if len(tree.get("SignedMeteringValues") or ()) > 10:
        yield "/SignedMeteringValues: are more than ten"


def _opening(tree: Json) -> Iterator[str]:
    if not tree["IsOpen24Hours"] and not tree.get("OpeningTimes"):
        yield "/OpeningTimes: are required where it is not open for 24 hours"
    for name, alone in (("PaymentOptions", "No Payment"), ("ValueAddedServices", "None")):
        if alone in tree[name] and len(tree[name]) > 1:
            yield f"/{name}: {alone} stands alone"


def _twice(way: str) -> Callable[[Json], Iterator[str]]:
    outer, inner = way.split("/")

    def rule(tree: Json) -> Iterator[str]:
        for index, record in enumerate(tree[outer].get(inner) or ()):
            yield from (f"/{outer}/{inner}/{index}{breach}" for breach in _opening(record))

    return rule


def _delta_alone(tree: Json) -> Iterator[str]:
    if tree.get("LastCall"):
        for name in ("SearchCenter", "CountryCodes", "OperatorIds"):
            if tree.get(name):
                yield f"/{name}: may not be combined with LastCall"


def _at_most_100(tree: Json) -> Iterator[str]:
    if len(tree["EvseID"]) > 100:
        yield "/EvseID: are more than 100"


_RULES: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "AuthorizeStart": _no_rfid_record,
    "AuthorizeStop": _no_rfid_record,
    "AuthorizationStart": _verdict,
    "RemoteStart": _only_remote,
    "ReservationStart": _only_remote,
    "Acknowledgement": _acknowledged,
    "ProgressNotification": _progress,
    "ChargeDetailRecord": _record_times,
    "EvseDataRecord": _opening,
    "PulledEvseDataRecord": _opening,
    "PushEvseData": _twice("OperatorEvseData/EvseDataRecord"),
    "PullEvseData": _delta_alone,
    "PullEvseStatusById": _at_most_100,
}
