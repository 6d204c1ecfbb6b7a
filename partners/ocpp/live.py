"""A station at this moment: its socket if it has one, the states of its connectors, its last frames.

`Live` stays as long as the station is registered; a `Link` is one socket. Both are small: there may be ten thousand.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from partners.ocpp.frame_log import FrameLog
from partners.ocpp.needs import Needs
from partners.ocpp.register import Learned, Station
from partners.ocpp.rpc import Connection
from partners.ocpp.sockets import ChargerSocket
from partners.ocpp.status import Heard

JOURNEY_S = 900.0
NO_NEEDS: Final[Mapping[int, Needs]] = MappingProxyType({})
NO_STREAMS: Final[Mapping[int, int]] = MappingProxyType({})
_MOST_JOURNEYS = 16
_MOST_STARTS = 20
_MOST_CONNECTIONS = 100
_MOST_REJECTED = 100
REJECTED_WITHIN_S = 3600.0
"""Connections that were not let in as a station are counted for so long."""
FLAPS_WITHIN_S = 60.0
"""Sockets of one station are counted for so long: what opens several in a minute flaps (rule R3)."""
MOST_CONNECTORS = 64
"""Of one station, beside those that are on a location: what it reports of more is answered, and not kept."""


class Course(NamedTuple):
    """How far the transaction at a connector of 2.x has come: its last chargingState, and from when that is.

    `is_late`: it has given energy, or was stopped.
    """

    at: datetime
    transaction: str
    state: str = ""
    is_late: bool = False


DELAYS_KEPT = 5
DELAYS_NEEDED = 3
SAME_DELAY = timedelta(seconds=30)


class Link:
    """One socket of a station. `generation` tells it from those before and after. Times are monotonic seconds."""

    __slots__ = (
        "asked",
        "booted",
        "clock_is_counted",
        "generation",
        "heard_at",
        "live",
        "money_at",
        "newest",
        "opened",
        "pinged_at",
        "ponged",
        "rpc",
        "settle_at",
        "socket",
        "version",
        "waits",
    )

    def __init__(self, live: Live, socket: ChargerSocket, version: str, generation: int, now: float) -> None:
        self.live = live
        self.socket = socket
        self.version = version
        self.generation = generation
        self.rpc: Connection
        self.opened: datetime
        self.heard_at = self.pinged_at = now
        self.ponged = False
        self.newest: dict[int, Heard] = {}
        """The newest status of each connector that came over this socket."""
        self.money_at = 0.0
        """When the last transaction message came: a queue may be in replay."""
        self.settle_at: float | None = None
        """When we may begin to ask; None, when all was asked."""
        self.asked: set[str] = set()
        """Transactions of 2.x of which parts are missing and which we asked about."""
        self.clock_is_counted = False
        """That its clock is off was counted as a quirk."""
        self.booted = False
        """It booted over this socket, and its reservations were not looked at since."""
        self.waits = False
        """It was told to wait (Pending)."""

    def measured(self, at: datetime | None, now: float) -> None:
        """A meter value came, of this moment by the charger's clock, or of one that cannot be read.

        If that was before this socket, it came out of a queue. One of now is said as often as a charger likes, and what
        waits for the end of a queue does not wait for that.
        """
        offset = self.live.clock_offset or timedelta(0)
        if at is None or at + offset < self.opened:
            self.money_at = now


class Live:
    """One registered station."""

    __slots__ = (
        "clock_offset",
        "connections",
        "connectors",
        "courses",
        "delays",
        "frames",
        "journeys",
        "learned",
        "link",
        "needs",
        "offline_since",
        "rejected",
        "starts",
        "station",
        "streams",
        "told_gone",
    )

    def __init__(self, station: Station, learned: Learned, *, frames_kept: int, offline_since: float) -> None:
        self.station = station
        self.learned = learned
        self.link: Link | None = None
        self.connectors: dict[int, Heard] = {}
        self.courses: dict[int, Course] = {}
        """Of 2.x, which calls a connector Occupied whatever goes on at it."""
        self.frames = FrameLog(frames_kept)
        self.offline_since = offline_since
        self.told_gone = False
        """Partners were told that nothing is known of it."""
        self.clock_offset: timedelta | None = None
        self.delays: tuple[timedelta, ...] = ()
        """Arrival minus the charger's time, of the last messages that had one."""
        """Time of arrival minus the charger's time, as last measured."""
        self.journeys: OrderedDict[str, tuple[str, float]] | None = None
        self.needs: Mapping[int, Needs] = NO_NEEDS
        """What the car at each EVSE said it needs (2.x); the newest."""
        self.streams: Mapping[int, int] = NO_STREAMS
        """Streams of values that it opened (2.1), and the monitor of each."""
        self.connections: tuple[float, ...] = ()
        """When its last sockets were opened, whether each came instead of one before or after it; those of a minute."""
        self.rejected: tuple[float, ...] = ()
        """When somebody was not let in as this station, for a wrong password or certificate."""
        self.starts: tuple[tuple[float, bool], ...] = ()
        """The last starts that we ordered, from when each is, and whether it was refused."""

    @property
    def identity(self) -> str:
        return self.station.identity

    @property
    def drift(self) -> timedelta | None:
        """How far its clock is behind ours, or ahead (below nothing), by its last messages; None: they do not say.

        A message may have waited at the charger, and then is late without fault of the clock. Several that are late by
        the same time have not waited: the clock is behind.
        """
        if not self.delays or self.delays[-1] <= SAME_DELAY:
            return self.delays[-1] if self.delays else None
        least, most = min(self.delays), max(self.delays)
        is_steady = len(self.delays) >= DELAYS_NEEDED and most - least <= SAME_DELAY
        return least if is_steady else None

    def has_room_for(self, connector: int) -> bool:
        """May the state of this connector be kept? A charger that makes up numbers fills no memory."""
        if connector in self.connectors or len(self.connectors) < MOST_CONNECTORS:
            return True
        return connector == 0 or connector in self.station.places()

    def may_have_course(self, connector: int) -> bool:
        """May what goes on at this connector be kept? It must be known, and not one of too many."""
        is_few = len(self.courses) < MOST_CONNECTORS or connector in self.courses
        return connector > 0 and (is_few or connector in self.station.places())

    def rejects(self, now: float) -> None:
        """Somebody who could not show its password or certificate was not let in."""
        recent = [at for at in self.rejected if now - at < REJECTED_WITHIN_S]
        self.rejected = (*recent[-_MOST_REJECTED + 1 :], now)

    def connected(self, now: float) -> None:
        """It has opened a socket."""
        recent = [at for at in self.connections if now - at < FLAPS_WITHIN_S]
        self.connections = (*recent[-_MOST_CONNECTIONS + 1 :], now)

    def answered_start(self, now: float, *, refused: bool) -> None:
        """It was told to start, and has answered."""
        self.starts = (*self.starts[-_MOST_STARTS + 1 :], (now, refused))

    def begin_journey(self, id_tag: str, correlation_id: str, now: float) -> None:
        """A token was shown, or a command came for it: the start that follows belongs to the same journey."""
        if self.journeys is None:
            self.journeys = OrderedDict()
        self.journeys[id_tag.casefold()] = (correlation_id, now)
        while len(self.journeys) > _MOST_JOURNEYS:
            self.journeys.popitem(last=False)

    def journey_of(self, id_tag: str, now: float) -> str:
        """The correlation id under which this token was last seen here; "" when that is long ago."""
        if self.journeys is None:
            return ""
        correlation_id, since = self.journeys.get(id_tag.casefold(), ("", now))
        return correlation_id if now - since < JOURNEY_S else ""

    def end_journey(self, id_tag: str) -> None:
        """A charge has begun with this token: the next one is another journey."""
        if self.journeys is not None:
            self.journeys.pop(id_tag.casefold(), None)

    def lost(self, link: Link, now: float) -> bool:
        """The socket of `link` is gone. False, when a newer one took its place: then nothing changes (rule R3)."""
        if self.link is None or self.link.generation != link.generation:
            return False
        self.link = None
        self.offline_since = now
        return True


def remote_start(number: int) -> str:
    """Under which name the journey of a start that we ordered is remembered; `number` is its remoteStartId (2.x)."""
    return f"remoteStartId {number}"


def version_of(live: Live) -> str:
    """The version that is spoken with a station: on its connection, else as it is registered."""
    return live.link.version if live.link is not None else live.station.protocol.removeprefix("ocpp")
