"""Compiled tariffs at hand: whoever prices from trees compiles each tariff once.

They are found by content, so a tariff that has changed is another one. What was not asked for longest is
forgotten first.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from hub.core.inbound import encode
from modules.tariffs.pricing.compile import Compiled, compile_tariff

AT_MOST: Final = 512
_known: Final[dict[tuple[str, bytes], Compiled]] = {}
_lock: Final = Lock()


def at_hand(tariff: Mapping[str, Any], version: str) -> Compiled:
    """As `compile_tariff`, for a tariff that may have been asked for before. Raises: UnfitTariff."""
    try:
        key = (version, encode(tariff))
    except (ValueError, TypeError):  # no JSON, so no tariff either: it is told why
        return compile_tariff(tariff, version)
    with _lock:
        found = _known.pop(key, None)
    if found is None:
        found = compile_tariff(tariff, version)
    with _lock:
        _known[key] = found
        if len(_known) > AT_MOST:
            del _known[next(iter(_known))]
    return found
