"""What is to be checked, and the case that pricing makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from modules.cdrs.check.result import Deviation
from modules.tariffs.pricing import BY_THE_TEXT, Case, Policy, PricingFault, has_expired, instant

TOLERANCE: Final = Decimal("0.01")
"""A cent an amount: OCPI leaves rounding to the parties."""
RESERVING: Final = ("RESERVATION_TIME", "RESERVATION_EXPIRES")
TIMED: Final = ("TIME", "PARKING_TIME", *RESERVING)
"""The dimensions that are a time."""
CONSUMED: Final = ("ENERGY", *TIMED)
"""Those of what was taken: energy and times."""
_EXPIRES: Final = "RESERVATION_EXPIRES"
_FINE: Final = 10
"""Places of what is compared: fewer would round twice."""

_PRICING: Final = ("currency", "tax_included", "elements", "min_price", "max_price", "start_date_time", "end_date_time")
"""What of a tariff makes its prices."""

Tree = Mapping[str, Any]


class Age(Enum):
    """Of a tariff in a CDR, by its `last_updated`, beside what was told of it and in force at the start."""

    OLDER = "older"
    SAME = "same"
    """One version in two texts, or one that does not say of when it is."""
    NEWER = "newer"
    LATE = "late"
    """It was told, and only after the start."""


BELIEVED: Final = (Age.NEWER, Age.LATE)
"""Nothing that was told by the start is against it: a line may have been down."""


class Otherwise(NamedTuple):
    """A tariff that a CDR holds, and how it was told, which is another text."""

    held: Tree
    told: Tree
    age: Age

    @property
    def is_exchanged(self) -> bool:
        """Is it told in another currency?"""
        return str(self.held.get("currency")).upper() != str(self.told.get("currency")).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A CDR in our form, and what is known beside it.

    version: the OCPI version in which it was written. time_zone: the IANA name of the location's, if it is known.
    tariffs: those that are known beside the CDR, each in the version of the start, or where that is not known, in the
    first after it (`last_updated` says which). late: versions of that start which were told after it, where `tariffs`
    has what had been told by then. newer: later versions of these. policy: the reading that holds by
    contract. tolerance: what an amount may differ by. original: the CDR that a credit CDR takes back, if at hand.
    credited_by: the credit CDR that took the same back before this one. billed_by: an older CDR of the same charge.
    unreadable: claims that could not be read. reservation_expired: did the driver never come; None where nobody says.
    """

    cdr: Tree
    version: str = "2.3.0"
    time_zone: str | None = None
    tariffs: Sequence[Tree] = ()
    late: Sequence[Tree] = ()
    newer: Sequence[Tree] = ()
    policy: Policy = BY_THE_TEXT
    tolerance: Decimal = TOLERANCE
    original: Tree | None = None
    credited_by: str = ""
    billed_by: str = ""
    unreadable: tuple[Deviation, ...] = ()
    reservation_expired: bool | None = None

    @property
    def currency(self) -> str:
        """As it is stated, else that of the tariffs that price it."""
        stated = self.cdr.get("currency") or next((tariff.get("currency") for tariff in self.pricing), None)
        return str(stated or "")

    @property
    def periods(self) -> Sequence[Tree]:
        periods: Sequence[Tree] = self.cdr.get("charging_periods") or ()
        return periods

    @property
    def embedded(self) -> Sequence[Tree]:
        """The tariffs in the CDR."""
        embedded: Sequence[Tree] = self.cdr.get("tariffs") or ()
        return embedded

    @property
    def fine_policy(self) -> Policy:
        """The policy, but with amounts so fine that nothing is rounded before it is compared."""
        return self.policy if self.policy.round_parts_first else replace(self.policy, decimals=_FINE)

    @property
    def has_odd_zone(self) -> bool:
        """Is a time zone named that there is not? It is then taken as not known."""
        return bool(self.time_zone) and _known_zone(self.time_zone) is None

    def missing_tariffs(self) -> list[str]:
        """The tariffs that periods name and the CDR does not hold."""
        held = set(map(_id_of, self.embedded))
        named = {str(period["tariff_id"]) for period in self.periods if period.get("tariff_id")}
        return sorted(name for name in named if name.lower() not in held)

    @property
    def at_hand(self) -> list[Tree]:
        """The tariffs to choose from: its own, and others only where it has none of that id.

        One of its own gives way to what was told of it and in force at the start, where it is from after the start, or
        no newer than that. Where it is newer it is believed: it may be told late, or never.
        """
        return self.believing(*BELIEVED)

    def as_told_late(self) -> Claim | None:
        """The claim as if it held what was told after the start of those that it only names; None: there is none."""
        held = set(map(_id_of, self.embedded))
        late = [tariff for tariff in self.late if _id_of(tariff) not in held]
        return replace(self, cdr={**self.cdr, "tariffs": [*self.embedded, *late]}) if late else None

    def believing(self, *ages: Age) -> list[Tree]:
        """The tariffs to choose from, with its own where these are told otherwise and of one of these ages."""
        missing = {name.lower() for name in self.missing_tariffs()}
        wanted = (t for t in self.tariffs if not self.embedded or _id_of(t) in missing)
        told = self._told()
        return [*(self._of_the_start(tariff, told.get(_id_of(tariff)), ages) for tariff in self.embedded), *wanted]

    def _of_the_start(self, tariff: Tree, told: Tree | None, believed: Collection[Age]) -> Tree:
        """A tariff of the CDR, or what is known to have been in force instead of it."""
        if told is None or self._is_later(tariff):
            return told or tariff
        otherwise = self._otherwise(tariff, told)
        return otherwise.told if otherwise is not None and otherwise.age not in believed else tariff

    def _told(self) -> dict[str, Tree]:
        """What was told of tariffs before the start, by id."""
        return {_id_of(tariff): tariff for tariff in self.tariffs if not self._is_later(tariff)}

    @property
    def told_otherwise(self) -> list[Otherwise]:
        """Its tariffs of before the start that were told otherwise."""
        known = self._told()
        pairs = ((tariff, known.get(_id_of(tariff))) for tariff in self.embedded if known)
        found = (
            self._otherwise(tariff, told) for tariff, told in pairs if told is not None and not self._is_later(tariff)
        )
        return [otherwise for otherwise in found if otherwise is not None]

    def _otherwise(self, tariff: Tree, told: Tree) -> Otherwise | None:
        """How `told` differs from it; None also where that was not in force at the start, and so replaces nothing.

        How old it is, is seen beside the last that was told of it, before the start or after it.
        """
        if _say_the_same(tariff, told):
            return None
        last = next((late for late in self.late if _id_of(late) == _id_of(tariff)), told)
        try:
            if not _is_in_force(told, instant(self.cdr["start_date_time"], "the start")):
                return None
            if last is not told and _say_the_same(tariff, last):
                return Otherwise(tariff, told, Age.LATE)
            if self._is_another_text(tariff):
                return Otherwise(tariff, told, Age.SAME)
            ours, theirs = (instant(each.get("last_updated"), "a time") for each in (tariff, last))
        except PricingFault:
            return Otherwise(tariff, told, Age.SAME)
        age = Age.OLDER if ours < theirs else Age.NEWER if ours > theirs else Age.SAME
        return Otherwise(tariff, told, age)

    def _is_another_text(self, tariff: Tree) -> bool:
        """Was the very version told too, late or as one that begins later, and says something else there?

        Raises: PricingFault, where a time cannot be read.
        """
        told = (each for each in (*self.late, *self.newer) if _id_of(each) == _id_of(tariff))
        at = instant(tariff.get("last_updated"), "a time")
        return any(instant(t.get("last_updated"), "a time") == at and not _say_the_same(t, tariff) for t in told)

    def _is_later(self, tariff: Tree) -> bool:
        """Is this version of it from after the start?"""
        try:
            return instant(tariff.get("last_updated"), "a time") > instant(self.cdr["start_date_time"], "the start")
        except PricingFault:
            return False

    @property
    def is_guessed(self) -> bool:
        """Is it priced with a tariff that it does not hold, and that is known as it was after the start alone?"""
        if not any(map(self._is_later, self.tariffs)):
            return False
        own = set(map(id, self.embedded))
        return any(id(tariff) not in own and self._is_later(tariff) for tariff in self.pricing)

    @property
    def has_later_tariff(self) -> bool:
        """Does it hold, or is it priced with, a tariff from after the start that may say else than what held then?"""
        if not any(map(self._is_later, (*self.embedded, *self.tariffs))):
            return False
        told = self._told()
        later = filter(self._is_later, self.embedded)
        replaced = any(not _say_the_same(own, told.get(_id_of(own), own)) for own in later)
        return replaced or any(map(self._is_later, self.pricing))

    @property
    def pricing(self) -> list[Tree]:
        """The tariffs that price its periods: those they name, else the one in force at its start. Others say nothing.

        Where none was in force, the first stands for it, as it does where such a CDR is priced.
        """
        first: dict[str, Tree] = {}
        for tariff in self.at_hand:
            first.setdefault(_id_of(tariff), tariff)
        named = {str(period["tariff_id"]).lower() for period in self.periods if period.get("tariff_id")}
        found = [tariff for name, tariff in first.items() if name in named]
        unnamed = any(not period.get("tariff_id") for period in self.periods)
        if not named or (unnamed and self.policy.period_without_tariff == "in_force"):
            start = instant(self.cdr["start_date_time"], "the start")
            found += [tariff for tariff in self.at_hand if _is_in_force(tariff, start)][:1] or self.at_hand[:1]
        return found

    def case(self) -> Case:
        """The CDR as it is to be priced."""
        return Case(
            version=self.version,
            time_zone=_known_zone(self.time_zone),
            tariffs=self.at_hand,
            start=self.cdr["start_date_time"],
            end=self.cdr["end_date_time"],
            periods=self.periods,
            reservation_expired=self._expired,
        )

    @property
    def _expired(self) -> bool:
        """As it is said; else as the periods tell."""
        return has_expired(self.periods) if self.reservation_expired is None else self.reservation_expired

    @property
    def expiry_is_a_guess(self) -> bool:
        """Might the reservation as well have been cancelled? No field of a CDR says which; a dimension may."""
        stated = any(_EXPIRES in kinds_of(period) for period in self.periods)
        return self.reservation_expired is None and self._expired and not stated


def _say_the_same(one: Tree, other: Tree) -> bool:
    """The same prices, whenever it was last touched?"""
    return one is other or all(one.get(name) == other.get(name) for name in _PRICING)


def _id_of(tariff: Tree) -> str:
    """Ids compare without case."""
    return str(tariff.get("id", "")).lower()


@lru_cache(maxsize=64)
def _known_zone(name: str | None) -> str | None:
    """The IANA name of a zone; None for what is none, be it ever so odd: partners write it."""
    try:
        return name if name and ZoneInfo(name) else None
    except (KeyError, ValueError, OSError):
        return None


def _is_in_force(tariff: Tree, at: int) -> bool:
    """Does it hold at an instant? One that does not say when in words that can be read does not."""
    start, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    try:
        return (start is None or instant(start, "a start") <= at) and (end is None or at < instant(end, "an end"))
    except PricingFault:
        return False


def without_validity(tariff: Tree) -> dict[str, Any]:
    """A tariff that is in force whenever it is asked for."""
    return {name: value for name, value in tariff.items() if name not in ("start_date_time", "end_date_time")}


def is_only_reserved(period: Tree) -> bool:
    """Does it state reserved time and nothing else?"""
    kinds = kinds_of(period)
    return bool(kinds) and kinds.issubset(RESERVING)


def kinds_of(period: Tree) -> set[str]:
    return {dimension["type"] for dimension in period.get("dimensions") or ()}


def volume_of(period: Tree, kind: str) -> Decimal:
    """What a period states of a dimension; 0 where it states none."""
    volumes = (Decimal(d["volume"]) for d in period.get("dimensions") or () if d["type"] == kind)
    return sum(volumes, Decimal(0))


def hours_in(period: Tree) -> Decimal:
    """All the time that a period states."""
    return sum((volume_of(period, kind) for kind in TIMED), Decimal(0))
