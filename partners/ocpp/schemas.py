"""The official JSON Schemas of OCPP, compiled once per version, action and direction.

The files are those of the `ocpp` package: 1.6 with all eleven messages of the security whitepaper, 2.0.1 (64
actions), 2.1 (91 actions, one of them a SEND that has no response). None is missing, so nothing is added
here; a test counts.

Two ways to check. What comes in is checked without formats: chargers write times in many ways, and `readings`
reads them leniently. What we send (`strict`) must keep the formats too. A check costs about 1.5 µs for a
MeterValues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, Protocol

import jsonschema_rs
import ocpp

from hub.core.jsontypes import Json
from partners.ocpp.answers import Fault

Direction = Literal["request", "response"]

_FOLDERS: Final = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_SENDS: Final = {"2.1": frozenset({"NotifyPeriodicEventStream"})}
"""Actions that come as SEND (message type 6), to which nobody answers."""

TRANSACTION_ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "1.6": frozenset({"StartTransaction", "StopTransaction", "MeterValues"}),
    "2.0.1": frozenset({"TransactionEvent", "MeterValues"}),
    "2.1": frozenset({"TransactionEvent", "MeterValues"}),
}
"""Messages that carry money: an invalid one is flagged and handled all the same, never answered with a
CALLERROR.
"""

_TOLERATED: Final = frozenset({"BootNotification", "StatusNotification"})
"""Messages without which a charger is lost to us. What is too long or not on a list in them is passed over."""

_FAULT_OF_KEYWORD: Final = {
    "additionalProperties": Fault.FORMAT,
    "required": Fault.OCCURRENCE,
    "minItems": Fault.OCCURRENCE,
    "maxItems": Fault.OCCURRENCE,
    "type": Fault.TYPE,
}


class _Problem(Protocol):
    @property
    def schema_path(self) -> list[str | int]: ...
    @property
    def instance_path(self) -> list[str | int]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a payload breaks its schema. Names the place, never the value: values hold card numbers."""

    fault: Fault
    pointer: str
    keyword: str

    @property
    def text(self) -> str:
        """At most 200 characters, safe to send back."""
        return f"{self.fault} (at {self.pointer or '/'}, by {self.keyword})"[:200]


def is_tolerable(action: str, finding: Finding) -> bool:
    """Is it better to take this message as it is than to refuse it? Chargers refused here never charge (rule R1)."""
    return action in _TOLERATED and finding.fault is Fault.PROPERTY and finding.pointer != "/status"


@cache
def actions(version: str) -> frozenset[str]:
    """The actions of `version`, both directions, SENDs included."""
    ending = ".json" if version == "1.6" else "Request.json"
    names = {path.name for path in _folder(version).glob("*.json")}
    called = {name.removesuffix(ending) for name in names if name.endswith(ending)}
    return frozenset(name for name in called if not name.endswith("Response")) | sends(version)


def sends(version: str) -> frozenset[str]:
    """The actions that are a SEND in `version`."""
    return _SENDS.get(version, frozenset())


def check(
    version: str, action: str, payload: Json, direction: Direction = "request", *, strict: bool = False
) -> Finding | None:
    """The first thing that is wrong with `payload`, or None.

    Raises: KeyError, when `version` has no such message.
    """
    validator = _validator(version, action, direction, strict)
    if validator.is_valid(payload):
        return None
    problem: _Problem = next(iter(validator.iter_errors(payload)))
    keyword = str(problem.schema_path[-1])
    pointer = "".join(f"/{step}" for step in problem.instance_path)
    return Finding(_FAULT_OF_KEYWORD.get(keyword, Fault.PROPERTY), pointer[:120], keyword)


@cache
def _validator(version: str, action: str, direction: Direction, strict: bool) -> jsonschema_rs.Validator:
    path = _folder(version) / _file_name(version, action, direction)
    if action not in actions(version) or not path.is_file():
        raise KeyError(f"{version} has no {direction} {action}")
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return jsonschema_rs.validator_for(schema, validate_formats=strict)


def _file_name(version: str, action: str, direction: Direction) -> str:
    if direction == "response":
        return f"{action}Response.json"
    plain = version == "1.6" or action in sends(version)
    return f"{action}.json" if plain else f"{action}Request.json"


def _folder(version: str) -> Path:
    return Path(ocpp.__file__).parent / _FOLDERS[version] / "schemas"
