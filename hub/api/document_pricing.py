"""What the management API says of cases to be priced and of lint, as JSON Schema."""

from __future__ import annotations

from typing import Final

from hub.core.jsontypes import Tree
from modules.cdrs.check import Verdict
from modules.tariffs.lint import PROTOCOLS, LintCode, Severity

_TEXT: Final[Tree] = {"type": "string"}
_TEXT_OR_NULL: Final[Tree] = {"type": ["string", "null"]}
_ANY_OBJECT: Final[Tree] = {"type": "object"}
_TEXTS: Final[Tree] = {"type": "array", "items": _TEXT}
_DECIMAL: Final[Tree] = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_QUANTITY: Final[Tree] = {"type": ["object", "null"], "additionalProperties": _DECIMAL}
_MONEY: Final[Tree] = {
    "type": ["object", "null"],
    "properties": {"excl": _DECIMAL, "incl": {**_DECIMAL, "type": ["string", "null"]}},
    "required": ["excl", "incl"],
}
_COSTS: Final = ("", "_energy", "_time", "_parking", "_fixed", "_reservation")


def _samples(unit: str) -> Tree:
    entry = {"type": "object", "properties": {"at": _TEXT, unit: {"type": ["number", "string"]}}}
    return {"type": "array", "items": {**entry, "required": ["at", unit]}}


_STATES: Final[Tree] = {
    "type": "array",
    "items": {"type": "object", "properties": {"at": _TEXT, "state": _TEXT}, "required": ["at", "state"]},
}
_TIMELINE: Final[Tree] = {
    "type": "object",
    "properties": {
        "start": _TEXT,
        "end": _TEXT,
        "states": _STATES,
        "meter": _samples("kwh"),
        "power": _samples("kw"),
        "current": _samples("a"),
    },
    "required": ["start", "end"],
}
PRICING_CASE: Final[Tree] = {
    "type": "object",
    "properties": {
        "name": _TEXT_OR_NULL,
        "kind": {"type": "string", "enum": ["cdr", "session", "timeline"]},
        "ocpi_version": {"type": "string", "enum": ["2.1.1", "2.2.1", "2.3.0"]},
        "timezone": _TEXT_OR_NULL,
        "tariffs": {"type": "array", "items": _ANY_OBJECT},
        "cdr": _ANY_OBJECT,
        "session": _ANY_OBJECT,
        "timeline": _TIMELINE,
        "reservation_expired": {"type": ["boolean", "null"]},
        "policy": {"type": ["object", "null"]},
        "expected": {"type": ["object", "null"]},
    },
    "required": ["ocpi_version"],
}
"""A CDR, a session or a timeline with its tariffs, both in the form of `ocpi_version`."""

PRICING_RESULT: Final[Tree] = {
    "type": "object",
    "properties": {
        "name": _TEXT_OR_NULL,
        **{f"total{cost}_cost": _MONEY for cost in _COSTS},
        "taxes_by_percentage": _QUANTITY,
        "billed": _QUANTITY,
        "boundaries": _TEXTS,
        "warnings": _TEXTS,
        "error": {"type": "null"},
        "check": {"$ref": "#/components/schemas/PriceCheck"},
        "receipt": {"$ref": "#/components/schemas/Receipt"},
    },
    "required": ["name", *(f"total{cost}_cost" for cost in _COSTS), "billed", "boundaries", "warnings", "error"],
}
"""Amounts as decimal text; null where the dimension does not occur, or the amount after taxes is not known."""

_OBJECTS: Final[Tree] = {"type": "array", "items": _ANY_OBJECT}
RECEIPT: Final[Tree] = {
    "type": "object",
    "properties": {
        "format": {"type": "integer", "const": 1},
        "currency": _TEXT_OR_NULL,
        "credit_reference_id": {
            **_TEXT,
            "description": "Of a credit alone: what it takes back. Its figures are below 0.",
        },
        "place": {"type": "object", "properties": {"location": _TEXT, "evse": _TEXT}},
        "time_zone": _TEXT_OR_NULL,
        "policy": _ANY_OBJECT,
        **dict.fromkeys(("lines", "steps", "limits", "figures", "warnings"), _OBJECTS),
    },
    "required": ["format", "currency", "time_zone", "policy", "lines", "steps", "limits", "figures", "warnings"],
}
"""`place` is there where something is known of it."""

PRICE_CHECK: Final[Tree] = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean"},
        "tolerance": {"type": ["number", "string"]},
        "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
        "why": _TEXT,
        "deviations": {"type": "array", "items": _ANY_OBJECT},
        "computed": _ANY_OBJECT,
        "warnings": _TEXTS,
        "differences": {"type": "array", "items": _ANY_OBJECT},
    },
    "required": ["ok", "tolerance"],
}
"""Of what the CDR claims: the verdict with its deviations. Of what a case expects: the differences."""

_FINDING: Final[Tree] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "enum": [code.value for code in LintCode]},
        "severity": {"type": "string", "enum": [severity.value for severity in Severity]},
        "pointer": _TEXT,
        "message": _TEXT,
        "versions": {"type": "array", "items": {"type": "string", "enum": list(PROTOCOLS)}},
        "example": {"type": ["object", "null"]},
    },
    "required": ["code", "severity", "pointer", "message", "versions", "example"],
}
FINDINGS: Final[Tree] = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": _FINDING},
        "counted": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["items", "counted"],
}
