"""Logs: events with fields, one JSON object a line, times in UTC; coloured lines in development.

    log = structlog.get_logger(__name__)
    log.info("delivered", peer="DE*ABC", lane_age_s=1.2)

What identifies a driver or opens a door never appears: the value of a field that is named so is replaced by
a digest salted for the day (`tok:3f9a1c02`: the same card is seen to be the same, today), and whatever
looks like a credential inside other text is struck out. Records of libraries come through the same
processors, from WARNING up where they would log frames, URLs and headers.
"""

from __future__ import annotations

import hmac
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, TextIO

import msgspec
import structlog

from hub.core import trace
from hub.core.errors import NotReady
from hub.core.parties import Party

EventDict = MutableMapping[str, Any]

SENSITIVE: Final = frozenset(
    {
        "authorization", "password", "passphrase", "secret", "secret_key", "private_key", "cookie",
        "signature", "token", "our_token", "their_token", "token_a", "token_uid", "operator_token",
        "bearer", "api_key", "uid", "id_tag", "idtag", "parent_id_tag", "group_id", "contract_id",
        "auth_id", "visual_number", "id_token", "idtoken", "evco_id", "rfid", "license_plate", "vin",
        "mac_address", "pin", "hashed_pin",
    }
)  # fmt: skip
"""Names of fields, in lower case, whose values are never shown."""

QUIET: Final = ("httpx", "httpcore", "ocpp", "aiohttp", "websockets", "uvicorn.access", "asyncio")

_DRIVER: Final = "asyncpg"
"""The logger of what speaks to PostgreSQL; it has traces for connections that it could not open."""

_CREDENTIAL = re.compile(r"\bbb_[A-Za-z0-9_-]{20,}|\b(?:token|bearer|basic)\s+[!-~]{8,}", re.IGNORECASE)
_STRUCK_OUT: Final = "[secret]"
_MAX_DEPTH: Final = 6
_SAYS_WHAT_IT_IS: Final = Party | Enum | Decimal | date | timedelta | PurePath | BaseException


class Redaction:
    """The processor that takes secrets and drivers out of an event."""

    def __init__(self, salt: bytes, today: Callable[[], str] = lambda: f"{datetime.now(UTC):%Y-%m-%d}") -> None:
        self._salt = salt
        self._today = today

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        for name, value in event.items():
            event[name] = self._shown(name, value, 0)
        return event

    def digest(self, value: object) -> str:
        """`tok:` and eight hexadecimal digits, the same for the same value on the same day."""
        salt = self._salt + self._today().encode()
        return "tok:" + hmac.digest(salt, str(value).encode("utf-8", "replace"), "sha256").hex()[:8]

    def _shown(self, name: str, value: object, depth: int) -> object:
        if name.lower().replace("-", "_") in SENSITIVE:
            return value if value in (None, "") else self.digest(value)
        if isinstance(value, int | float | None):
            return value
        if isinstance(value, str | _SAYS_WHAT_IT_IS):
            return _CREDENTIAL.sub(_STRUCK_OUT, str(value))
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            return {str(key): self._shown(str(key), each, depth + 1) for key, each in value.items()}
        if depth < _MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [self._shown("", each, depth + 1) for each in value]
        return f"<{type(value).__name__}>"  # an object, bytes: who knows what is in it


def set_up(*, level: str, dev: bool, salt: bytes, stream: TextIO | None = None) -> None:
    """Once, at start: events and library records go to `stream` (standard error by default)."""
    out = sys.stderr if stream is None else stream
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        _add_ids,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _a_line_for_what_is_away,
        structlog.processors.format_exc_info,
        Redaction(salt),
    ]
    last = structlog.dev.ConsoleRenderer(colors=out.isatty()) if dev else _as_json
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _add_ids(_logger: object, _method: str, event: EventDict) -> EventDict:
    request_id, correlation_id = trace.current_ids()
    if request_id:
        event.setdefault("request_id", request_id)
    if correlation_id:
        event.setdefault("correlation_id", correlation_id)
    return event


def _a_line_for_what_is_away(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A database that is away is no mistake of the program: where in it that was noticed tells nobody anything."""
    error = _error_in(event)
    record = event.get("_record")
    is_driver_s = isinstance(record, logging.LogRecord) and record.name.startswith(_DRIVER)
    if isinstance(error, NotReady) or (error is not None and is_driver_s):
        del event["exc_info"]
        event.setdefault("why", str(error) or type(error).__name__)
    return event


def _error_in(event: EventDict) -> BaseException | None:
    given = event.get("exc_info")
    if isinstance(given, BaseException):
        return given
    found = given if isinstance(given, tuple) else sys.exc_info() if given else (None, None)
    return found[1] if isinstance(found[1], BaseException) else None


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    return _ENCODER.encode(dict(event)).decode()


_ENCODER = msgspec.json.Encoder(enc_hook=str)
