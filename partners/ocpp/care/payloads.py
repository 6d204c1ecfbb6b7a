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


class Image(NamedTuple):
    """A firmware as a station is told of it."""

    url: str
    signature: str
    certificate: str


def update_order(version: str, image: Image, number: int, now: datetime, *, signed: bool) -> Order:
    """Fetch and install a firmware, from now on. `signed`: 1.6 by the way of the whitepaper."""
    at = timestamp(now)
    if version == "1.6" and not signed:
        return Order("UpdateFirmware", {"location": image.url, "retries": 2, "retrieveDate": at, "retryInterval": 60})
    firmware = {"location": image.url, "retrieveDateTime": at}
    if image.signature:
        firmware |= {"signingCertificate": image.certificate, "signature": image.signature}
    payload: Tree = {"retries": 2, "retryInterval": 60, "requestId": number, "firmware": firmware}
    return Order("SignedUpdateFirmware" if version == "1.6" else "UpdateFirmware", payload)


def update_refused(payload: Tree) -> str:
    """Why a station will not; "" when it will. UpdateFirmware of 1.6 answers nothing at all."""
    status = payload.get("status", "Accepted")
    return "" if status in ("Accepted", "AcceptedCanceled") else f"answered {status}"


FINAL: Final = frozenset({"InvalidCertificate", "RevokedCertificate", "InvalidSignature", "InstallVerificationFailed"})
"""What will be so the next time too."""

FIRMWARE_WORDS: Final[Mapping[str, str]] = {
    "DownloadScheduled": "asked",
    "Downloading": "downloading",
    "DownloadPaused": "downloading",
    "Downloaded": "downloaded",
    "SignatureVerified": "downloaded",
    "InstallScheduled": "downloaded",
    "Installing": "installing",
    "InstallRebooting": "installing",
    "Installed": "installed",
    "DownloadFailed": "failed",
    "InstallationFailed": "failed",
    "InstallVerificationFailed": "failed",
    "InvalidSignature": "failed",
    "Idle": "",
}
"""FirmwareStatusNotification and SignedFirmwareStatusNotification of all versions. "" says nothing of an update."""


def availability_order(version: str, *, operative: bool) -> Order:
    """Take a whole station out of use, or back."""
    word = "Operative" if operative else "Inoperative"
    if version == "1.6":
        return Order("ChangeAvailability", {"connectorId": 0, "type": word})
    return Order("ChangeAvailability", {"operationalStatus": word})
