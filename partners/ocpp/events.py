"""What a charger reported (`Event`), what is odd about it (`Flag`), and what became of it (`Transaction`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from partners.ocpp.readings import Reading, SignedValue, parse_time

Kind = Literal["start", "stop", "meter", "boot", "status", "part"]
"""A TransactionEvent of 2.x is a `part` of a transaction, whatever its type."""
TransactionId = int | str
"""A number of ours in 1.6, a text of the charger's in 2.x; always together with the station."""


class Flag(StrEnum):
    """An oddity. The value is what the CDR's remark and the operator's page say."""

    CLOCK_BEFORE_2010 = "the charger's clock was not set; times are reckoned from those of arrival"
    CLOCK_AHEAD = "the charger's clock ran ahead"
    TIME_UNREADABLE = "a time could not be read; the time of arrival was used"
    STOP_BEFORE_START = "the stop was dated before the start"
    STOP_ID_UNKNOWN = "the stop named an unknown transaction and was matched by token, meter and time"
    STOP_MISNAMED = "a stop came meanwhile that named a transaction of nobody's; it was not taken for this one's"
    MATCH_AMBIGUOUS = "the stop could have belonged to another transaction too"
    STOPS_DISAGREE = "several stops with different meter values came; the earliest counts, of one time the lowest"
    START_MISSING = "a stop came without its start"
    BEGIN_MISSING = "its beginning was not reported; it is reckoned from the first that was"
    END_ALONE = "its end came alone; nothing before it was reported"
    PARTS_MISSING = "the charger's count says that not all was reported"
    METER_FELL = "the meter ran backwards; the energy is the sum of its rising parts"
    SAMPLE_ABOVE_STOP = "a sample shows more than the register of the stop; start and stop count"
    METER_ABSURD = "a meter stood below zero, or higher than any can"
    METER_START_MISSING = "the start had no meter value; the first sample was used"
    METER_STOP_MISSING = "the stop had no meter value; the last sample was used"
    NOT_MEASURED = "nothing says how much energy it took"
    METER_UNMARKED = "the meter's values of start and stop were not marked; its first and last one were used"
    ESTIMATED_END = "no stop was reported; the end is estimated"
    KWH_LABELLED_WH = "the meter seems to count kWh under the label Wh"
    UNITS_DIFFER = "start and stop count in another unit than the samples, by a factor of 1000"
    UNITS_UNDECIDED = "it cannot be said which of them has the right unit"
    VALUE_UNREADABLE = "a meter value could not be read"
    UNIT_UNKNOWN = "a meter value had an unknown unit"
    SAMPLES_CUT = "a message had too many samples; the rest was left out"
    SCHEMA_BROKEN = "a message broke its schema"
    ID_USED_AGAIN = (
        "its charger gave its transaction's id to another charge too; they were told apart by how each began"
    )


HARD: Final = frozenset(
    {
        Flag.STOP_MISNAMED,
        Flag.MATCH_AMBIGUOUS,
        Flag.STOPS_DISAGREE,
        Flag.START_MISSING,
        Flag.BEGIN_MISSING,
        Flag.END_ALONE,
        Flag.METER_FELL,
        Flag.SAMPLE_ABOVE_STOP,
        Flag.METER_ABSURD,
        Flag.METER_START_MISSING,
        Flag.METER_STOP_MISSING,
        Flag.NOT_MEASURED,
        Flag.ESTIMATED_END,
        Flag.KWH_LABELLED_WH,
        Flag.UNITS_DIFFER,
        Flag.UNITS_UNDECIDED,
    }
)
"""Flags that put the amount in doubt: an operator should look. All others are soft."""

SEVERITY: Final[Mapping[Flag, Literal["hard", "soft"]]] = {flag: "hard" if flag in HARD else "soft" for flag in Flag}


@dataclass(frozen=True, slots=True)
class Part:
    """What a TransactionEvent of 2.x says beside the rest of an `Event`.

    `pays`: its token is one that begins to pay, not one that stops; `refused`: it was, when we were told. `first_wh`
    and `last_wh` are the registers at the begin and the end, `marked` those of them that the charger called so.
    """

    type: Literal["Started", "Updated", "Ended"]
    seq: int | None = None
    state: str | None = None
    pays: bool = True
    refused: bool = False
    first_wh: Decimal | None = None
    last_wh: Decimal | None = None
    marked: frozenset[Literal["first", "last"]] = frozenset()
    socketed: bool = False
    """It names a connector of its EVSE."""
    remote: int | None = None
    reservation: int | None = None
    is_contract: bool = False
    """The token is the eMAID of a contract."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of a charger, as facts. `timestamp` is its own text, `arrival` our clock (aware, UTC).

    `transaction` is the id it sent, `assigned` the id we gave or had given (a start has one once it was
    answered); of a part it is the name of its charge, where the charger used the id for several (`beginnings.py`).
    `raw` is the frame. `boot` and `status` carry no meter; `status` is the OCPP word. `part` is what only a
    TransactionEvent says.
    """

    station: str
    kind: Kind
    arrival: datetime
    connector: int | None = None
    id_tag: str | None = None
    timestamp: str | None = None
    meter_wh: Decimal | None = None
    transaction: TransactionId | None = None
    assigned: TransactionId | None = None
    status: str | None = None
    reason: str | None = None
    readings: tuple[Reading, ...] = ()
    signed: tuple[SignedValue, ...] = ()
    flags: frozenset[Flag] = frozenset()
    raw: str = ""
    part: Part | None = None

    @property
    def said(self) -> datetime | None:
        """The charger's time, None when it gave none that can be read."""
        return parse_time(self.timestamp)

    @property
    def is_started(self) -> bool:
        """Is it the part of 2.x that begins a charge?"""
        return self.part is not None and self.part.type == "Started"

    @property
    def is_ended(self) -> bool:
        """Is it the part of 2.x that ends one?"""
        return self.part is not None and self.part.type == "Ended"

    @property
    def named(self) -> str:
        """Of a part: what its charge is called here."""
        return str(self.transaction if self.assigned is None else self.assigned)


class Begun(NamedTuple):
    """What a Started of 2.x says of which charge it is: its time as `time_key`, its token, its EVSE.

    "" and 0 are not named.
    """

    time: str
    id_tag: str
    evse: int


class StartKey(NamedTuple):
    """What makes a start itself, however often and under whatever message id it is sent.

    `time` is ISO 8601. Of 2.x it is what the transaction is called (`named`), mostly its id: all else may become known
    later.
    """

    station: str
    connector: int
    id_tag: str
    time: str
    meter_wh: str
    named: str = ""

    @property
    def text(self) -> str:
        """One line, for a unique column."""
        if self.named:
            return f"{self.station}|named|{self.named}"
        return "|".join((self.station, str(self.connector), self.id_tag, self.time, self.meter_wh))


def same_tag(tag: str | None) -> str:
    """The form in which two spellings of one idTag are equal."""
    return "" if tag is None else tag.strip().casefold()


def time_key(event: Event) -> str:
    """The charger's time such that `...00Z` and `...00.000+00:00` are one; unreadable text stays as it is."""
    said = event.said
    return said.isoformat() if said is not None else (event.timestamp or "").strip()[:48]


def start_key(event: Event) -> StartKey:
    """The identity of a start.

    Keep it in a unique column: a start that was forgotten is known by it again.
    """
    if event.part is not None:
        return StartKey(event.station, 0, "", "", "", event.named)
    meter = "" if event.meter_wh is None else str(event.meter_wh.normalize() + 0)
    return StartKey(event.station, event.connector or 0, same_tag(event.id_tag), time_key(event), meter)


class Bill(NamedTuple):
    """The part of a transaction that costs money. Ids of ours are no part of it: they are names."""

    key: StartKey
    energy_kwh: Decimal
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the events of one charge add up to.

    `id` is the answer that the charger got, `ids` all that it ever got.
    `ending`: `open`, `stop` (the charger said so) or `estimated` (it never did; a late stop still corrects
    it). `readings` lie between start and end, in order, each `at` set; `energy_kwh` is the amount billed.
    `otherwise` is the same charge by the smaller of two figures that are a factor of 1000 apart (`scales.py`); of the
    larger one, which this is then, `by_samples` says that it is the one of the samples. `states` are those that the
    charger reported with the charge (2.x), each from when on, in order. `longest`: how long it can have gone on at
    the most; None, where nobody can say (`as_it_happened.py`). `begun`: how its charger told that it begins (2.x).
    """

    key: StartKey
    id: TransactionId | None
    ids: frozenset[TransactionId]
    id_tag: str
    start: datetime
    end: datetime | None
    ending: Literal["open", "stop", "estimated"]
    energy_kwh: Decimal
    meter_start_wh: Decimal | None
    meter_stop_wh: Decimal | None
    stopped_by: str | None
    reason: str | None
    readings: tuple[Reading, ...]
    signed: tuple[SignedValue, ...]
    flags: frozenset[Flag]
    otherwise: Transaction | None = None
    by_samples: bool = False
    place: int = 0
    states: tuple[tuple[datetime, str], ...] = ()
    longest: timedelta | None = None
    begun: tuple[Begun, ...] = ()

    @property
    def station(self) -> str:
        return self.key.station

    @property
    def connector(self) -> int:
        """0, as long as the charger has not said at which."""
        return self.key.connector or self.place

    @property
    def bill(self) -> Bill:
        return Bill(self.key, self.energy_kwh, self.start, self.end)

    @property
    def may_be_told_more(self) -> bool:
        """Is it over by a guess of ours, or by an end that came before all else, as the charger's count says?"""
        return self.ending == "estimated" or {Flag.END_ALONE, Flag.PARTS_MISSING} <= self.flags

    @property
    def remark(self) -> str:
        """For the CDR: what is odd, in words, hard things first. Empty when nothing is."""
        return "; ".join(sorted(self.flags, key=lambda flag: (flag not in HARD, flag)))


@dataclass(frozen=True, slots=True)
class Orphan:
    """A stop whose start never came (yet).

    Kept beside the ledger: it was answered, and its start may still come.
    """

    event: Event
    flags: frozenset[Flag] = frozenset({Flag.START_MISSING})
