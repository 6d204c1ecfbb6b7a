"""The ids of EVSEs and pools, and what stands for them where OCPI has less room.

An EVSE is `DE*ABC*E840*6487`; its separators mean nothing, so `DEABCE8406487` is the same one. By DIN SPEC 91286 it is
`+49*810*000*438`, where the separators before and after the operator must stand.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from partners.oicp.ids.faults import InvalidId
from partners.oicp.ids.parties import OperatorID

_ISO: Final = re.compile(r"([A-Z]{2})[*-]?([A-Z0-9]{3})[*-]?E([A-Z0-9*]{1,30})", re.ASCII)
_DIN: Final = re.compile(r"\+?([0-9]{1,3})\*([0-9]{3})\*([0-9*]{1,32})", re.ASCII)
_STRICT: Final = re.compile(
    r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3}\*[0-9*]{1,32}", re.ASCII
)
_POOL: Final = re.compile(r"([A-Z]{2})\*?([A-Z0-9]{3})\*?P([A-Z0-9*]{1,30})", re.ASCII)
_POOL_REST: Final = re.compile(r"[A-Za-z0-9*]{1,30}", re.ASCII)
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9]", re.ASCII)
_ROOM: Final = 36
_DIGEST: Final = 20


@dataclass(frozen=True, slots=True)
class EvseID:
    """An EVSE of `operator`; `outlet` is its id there, with whatever separators it was written."""

    operator: OperatorID
    outlet: str

    @classmethod
    def parse(cls, text: str) -> EvseID:
        """In any case, with or without separators. Raises: InvalidId."""
        folded = text.strip().upper()
        match = _DIN.fullmatch(folded) or _ISO.fullmatch(folded)
        if match is None or not match[3].strip("*"):
            raise InvalidId("an EVSE is written as in DE*ABC*E1 or +49*810*1")
        return cls(OperatorID(match[1], match[2]), match[3])

    @property
    def canonical(self) -> str:
        """Equal for all spellings of one id, and read again as the same one."""
        plain = self.outlet.replace("*", "")
        return f"{self.operator}*{plain}" if self.operator.is_din else f"{self.operator.canonical}E{plain}"

    @property
    def uid(self) -> str:
        """EVSE.uid in OCPI: at most 36 characters, and never those of another EVSE."""
        return fitting(self.canonical.replace("*", "").replace("+", ""))

    def __str__(self) -> str:
        return f"{self.operator}*{'' if self.operator.is_din else 'E'}{self.outlet}"


def written(evse_id: str) -> str:
    """`evse_id` in capitals, with its separators where OICP can write it so, else in OICP's own. Raises: InvalidId."""
    capitals = evse_id.strip().upper()
    return capitals if _STRICT.fullmatch(capitals) else str(EvseID.parse(evse_id))


def canonical_pool(pool_id: str) -> str:
    """A ChargingPoolID without its separators, in one case; any other text in one case."""
    folded = pool_id.strip().upper()
    match = _POOL.fullmatch(folded)
    return f"{match[1]}{match[2]}P{match[3].replace('*', '')}" if match else folded


def pool_of(location_id: str, operator: OperatorID) -> str:
    """The ChargingPoolID for a location of `operator`: its own id where that is one, else one made of it."""
    match = _POOL.fullmatch(location_id.upper())
    if match is not None and match[1] + match[2] == operator.canonical:
        return location_id
    if not _POOL_REST.fullmatch(location_id):
        location_id = hashlib.sha256(location_id.encode()).hexdigest()[:_DIGEST].upper()
    return f"{operator.country}*{operator.code}*P{location_id}"


def fitting(text: str) -> str:
    """The id that stands for `text` in OCPI: itself where it fits 36 characters, never cut.

    A longer one keeps its first characters, so that people recognise it, and ends in a digest of the whole.
    """
    if len(text) <= _ROOM and text.isascii() and text.isprintable():
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST].upper()
    return f"{_NOT_PLAIN.sub('', text)[: _ROOM - _DIGEST - 1]}-{digest}"


def in_path(text: str) -> str:
    """An id as a part of a path: `DE%2AABC`, `%2B49%2A810`."""
    return quote(text, safe="")


def from_path(raw: str) -> str:
    """The id that a part of a path holds, written raw or percent-encoded. A plus is a plus, and no space."""
    return unquote(raw)
