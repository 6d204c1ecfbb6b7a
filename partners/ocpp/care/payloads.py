"""The same orders in each version of OCPP: tables, and the words of the charger's answers turned into ours.

1.6 has two ways. The older one (GetDiagnostics, UpdateFirmware) numbers nothing; that of the security whitepaper does,
and signs. 2.0.1 and 2.1 have the second, in other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree

LogKind = Literal["diagnostics", "security"]

_LOG_TYPES: Final[Mapping[str, str]] = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}


class Order(NamedTuple):
    """A CALL."""

    action: str
    payload: Tree


class Span(NamedTuple):
    """From when to when; None is open."""

    since: datetime | None
    until: datetime | None


def log_order(version: str, kind: LogKind, number: int, url: str, span: Span) -> Order:
    """Bring a log to `url`."""
    since, until = span
    if version == "1.6" and kind == "diagnostics":
        times = {"startTime": since, "stopTime": until}
        given = {name: timestamp(moment) for name, moment in times.items() if moment is not None}
        return Order("GetDiagnostics", {"location": url, "retries": 2, "retryInterval": 60, **given})
    times = {"oldestTimestamp": since, "latestTimestamp": until}
    log = {"remoteLocation": url}
    log |= {name: timestamp(moment) for name, moment in times.items() if moment is not None}
    payload: Tree = {"logType": _LOG_TYPES[kind], "requestId": number, "retries": 2, "retryInterval": 60, "log": log}
    return Order("GetLog", payload)


class LogAnswer(NamedTuple):
    """What a station said to it: the name that its file has, or why there will be none."""

    file_name: str
    refused: str


def log_answer(action: str, payload: Tree) -> LogAnswer:
    """Without a name GetDiagnostics says that there is nothing to bring."""
    if action == "GetDiagnostics":
        name = payload.get("fileName")
        return LogAnswer(name, "") if isinstance(name, str) and name else LogAnswer("", "has no diagnostics")
    status, name = payload.get("status"), payload.get("filename")
    if status in ("Accepted", "AcceptedCanceled"):
        return LogAnswer(name if isinstance(name, str) else "", "")
    return LogAnswer("", f"answered {status}" if isinstance(status, str) else "gave no status")


LOG_WORDS: Final[Mapping[str, str]] = {
    "Uploading": "uploading",
    "Uploaded": "uploaded",
    "UploadFailed": "failed",
    "UploadFailure": "failed",
    "BadMessage": "failed",
    "NotSupportedOperation": "failed",
    "PermissionDenied": "failed",
    "AcceptedCanceled": "failed",
    "Idle": "",
}
"""DiagnosticsStatusNotification and LogStatusNotification of all versions. "" says nothing of a request."""
