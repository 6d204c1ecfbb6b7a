"""What a failed delivery says: of the partner, of its server, or of the object. One place for all lanes.

no connection, no answer in time, nonsense, 3xx, 401,       DOWN: the partner is; the lane backs off and tries again
408, 425, 429, 502, 503, 504
a hub's OCPI 4001 to 4003 for a party behind it             that party is away; see `lane_away.py`
other 5xx, OCPI 3xxx and 4xxx                               TROUBLE: the same, but the object goes to the end of the
                                                            queue; one that keeps failing while others get through,
                                                            or alone, is set aside after `ATTEMPTS_PER_OBJECT`
other 4xx, OCPI 2xxx                                        REFUSED for its content: kept, shown, can be sent again;
                                                            the lane goes on
cannot be said in the partner's version                     HELD: kept and shown likewise
the partner offers no such endpoint                         UNWANTED: nothing is to be sent
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.core.answers import PASSING_4XX, is_passing
from hub.core.dialect import NotExpressible
from hub.core.errors import EndpointsMissing, PeerFault, PeerRefused
from hub.core.settings import Settings

_DOWN: Final = PASSING_4XX | {502, 503, 504}


class Fate(StrEnum):
    """What becomes of the object; see the table above."""

    UNWANTED = "unwanted"
    HELD = "held"
    DOWN = "down"
    REFUSED = "refused"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is kept with an object that is set aside, `message` with the lane."""

    fate: Fate
    reason: str
    message: str
    retry_after_s: float | None = None


def judge(fault: PeerFault | NotExpressible) -> Verdict:
    """What `fault` says."""
    if isinstance(fault, NotExpressible):
        return Verdict(Fate.HELD, f"held: {fault}", str(fault))
    if isinstance(fault, EndpointsMissing):
        return Verdict(Fate.UNWANTED, fault.message, fault.message)
    if not isinstance(fault, PeerRefused):
        return Verdict(Fate.DOWN, fault.message, fault.message)
    reason = f"{fault.http}/{fault.status_code}: {fault.message}"
    return Verdict(_fate_of(fault), reason, fault.message, fault.retry_after_s)


def wait_s(settings: Settings, rng: random.Random, failures: int) -> float:
    """Seconds until the next try after so many failures in a row: first 5 s, doubling to 15 min, with a jitter."""
    step_s = min(settings.lane_first_s * 2.0 ** min(failures - 1, 20), settings.lane_cap_s)
    return step_s * rng.uniform(settings.lane_jitter_low, settings.lane_jitter_high)


def _fate_of(refused: PeerRefused) -> Fate:
    """A 3xx is of the server too: its addresses are agreed on in credentials, and it may not send us elsewhere."""
    if refused.http in _DOWN or 300 <= refused.http < 400:
        return Fate.DOWN
    return Fate.TROUBLE if is_passing(refused.http, refused.status_code) else Fate.REFUSED
