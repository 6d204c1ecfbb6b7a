"""Sessions and tariffs out of a seed: what the field sends, and the edges between which prices change.

The session comes first. Times of day, durations, kWh and kW of the tariffs are then taken from where it stands at
the starts of its periods, so that bounds are met exactly, and just missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.verifier.case import EXPIRES

Tree = dict[str, Any]

PLACES: Final = (
    ("Europe/Berlin", "2024-01-15T09:00:00"),
    ("Europe/Berlin", "2024-03-31T01:00:00"),
    ("Europe/Berlin", "2024-10-27T01:00:00"),
    ("America/New_York", "2024-11-03T06:00:00"),
    ("America/St_Johns", "2024-03-10T05:30:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30:00"),
    ("Australia/Lord_Howe", "2024-04-06T15:00:00"),
    ("Asia/Kathmandu", "2024-12-31T18:15:00"),
    ("Pacific/Chatham", "2024-02-29T11:00:00"),
)
"""A zone and an instant (UTC) near which something happens there: a clock jumps, or a day, month or year ends."""
STEPS: Final = (0, 0, 1, 1, 60, 100, 300, 500, 900, 1800)
RATES: Final = ("0", "7", "10", "19", "20", "20.0", "5.5", "21")
PRICES: Final = ("0", "0.25", "0.30", "1", "2.4", "0.3333", "5", "12", "-0.1")
POWERS: Final = ("3.7", "11", "16", "22")
DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
TYPES: Final = ("AD_HOC_PAYMENT", "REGULAR")
KINDS: Final = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")


@dataclass
class Hints:
    """Where the session stands at the starts of its periods."""

    clocks: list[str] = field(default_factory=lambda: ["00:00", "08:00"])
    dates: list[str] = field(default_factory=list)
    seconds: list[int] = field(default_factory=lambda: [0])
    kwh: list[Decimal] = field(default_factory=lambda: [Decimal(0)])


class Deal:
    """A generator of cases: what it deals depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.version = self.random.choice(["2.1.1", "2.2.1", "2.2.1", "2.3.0", "2.3.0"])
        self.zone, near = self.random.choice(PLACES)
        self.start = datetime.fromisoformat(near).replace(tzinfo=UTC) + self.seconds(-14400, 7200)

    def chance(self, percent: int) -> bool:
        return self.random.random() * 100 < percent

    def seconds(self, least: int, most: int) -> timedelta:
        """A length of time, mostly a round one."""
        grain = self.random.choice([1, 60, 300, 900, 1800])
        length = timedelta(seconds=self.random.randint(least // grain, most // grain) * grain)
        return length + timedelta(milliseconds=self.random.choice([250, 1, 999])) if self.chance(5) else length

    def number(self, value: Decimal) -> Decimal | int | str:
        """As JSON may carry it."""
        if self.chance(5):
            return str(value)
        return int(value) if value == int(value) and self.chance(50) else value


def case_of(seed: int) -> Tree:
    """The case of a seed."""
    deal = Deal(seed)
    hints = Hints()
    periods, end = _periods(deal, hints)
    names = ["T1", "t2", "T3"][: deal.random.choice([1, 1, 1, 2, 3])]
    tariffs = [_tariff(deal, hints, name) for name in names]
    if deal.version != "2.1.1" and deal.chance(35):
        for period in periods:
            _name_a_tariff(deal, period, names)
    if deal.chance(15):
        deal.random.shuffle(periods)
    return {
        "version": deal.version,
        "time_zone": None if deal.chance(4) else deal.zone,
        "tariffs": tariffs,
        "start": _text(deal.start + timedelta(seconds=deal.random.choice([0] * 12 + [1, 60, -60]))),
        "end": _text(end),
        "periods": periods,
        "reservation_expired": deal.version != "2.1.1" and deal.chance(15) if deal.chance(50) else None,
        "tariff_type": deal.random.choice(TYPES) if deal.version != "2.1.1" and deal.chance(15) else None,
    }


def policy_of(seed: int) -> Tree:
    """Every switch in every position, the usual ones mostly."""
    random = Random(-seed - 1)

    plain = random.random() < 0.3

    def either(usual: object, *others: object) -> Any:
        return usual if plain else random.choice([usual, usual, *others])

    return {
        "decimals": random.choice([4, 4, 2, 0, 3, 12, 1]),
        "rounding": either("half_up", "half_even"),
        "round_parts_first": either(False, True),
        "flat_once_per": either("phase", "session"),
        "time_step": either("parking", "last"),
        "step_over": either("session", "tariff"),
        "reservation_step": either("own", "time"),
        "step_counts_unpriced": either(False, True),
        "step_counts_zero": either(False, True),
        "timestamps_over_volumes": either(True, False),
        "unstated_time": either("nothing", "period"),
        "measured_range": either("touches", "fits"),
        "missing_measurement": either("not_fulfilled", "fulfilled"),
        "duration_from": either("session", "start"),
        "period_without_tariff": either("free", "in_force"),
        "negative_energy": either("credit", "free"),
        "limit_without_after_taxes": either("proportion", "unmoved", "unknown"),
        "minimum_without_session": either(False, True),
        "missing_vat": either("none", "unknown"),
        "tax_name": either("VAT", "USt."),
    }


def _periods(deal: Deal, hints: Hints) -> tuple[list[Tree], datetime]:
    at, kwh, periods, running = deal.start, Decimal(0), list[Tree](), None
    for _ in range(deal.random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 7])):
        length = timedelta(0) if deal.chance(4) else deal.seconds(60, 9000)
        dimensions = _dimensions(deal, length, not periods)
        kwh += sum((Decimal(each["volume"]) for each in dimensions if each["type"] == "ENERGY"), Decimal(0))
        if running is None and {each["type"] for each in dimensions} & {"ENERGY", "TIME", "PARKING_TIME"}:
            running = at
        periods.append({"start_date_time": _text(at, deal), "dimensions": dimensions})
        at += length
        _remember(hints, deal, at, at - (running or at), kwh)
    return periods, at + (deal.seconds(-1800, 1800) if deal.chance(8) else timedelta(0))


def _remember(hints: Hints, deal: Deal, at: datetime, elapsed: timedelta, kwh: Decimal) -> None:
    local = at.astimezone(ZoneInfo(deal.zone))
    hints.clocks += [local.strftime("%H:%M"), f"{local.hour:02}:00"]
    hints.dates += [(local + timedelta(days=days)).date().isoformat() for days in (-1, 0, 0, 1)]
    hints.seconds.append(elapsed // timedelta(seconds=1))
    hints.kwh += [kwh, kwh + Decimal("0.5")]


def _dimensions(deal: Deal, length: timedelta, first: bool) -> list[Tree]:
    kinds = deal.random.choice([["ENERGY", "TIME"]] * 6 + [["PARKING_TIME"], ["PARKING_TIME", "ENERGY"]] * 2)
    if deal.version != "2.1.1" and deal.chance(40 if first else 8):
        kinds = ["RESERVATION_TIME"]
    if deal.chance(12):
        pool = ["ENERGY", "TIME", "PARKING_TIME", *(["RESERVATION_TIME"] if deal.version != "2.1.1" else [])]
        kinds = deal.random.sample(pool, deal.random.randint(0, len(pool)))
    dimensions = [{"type": kind, "volume": deal.number(_volume(deal, kind, length))} for kind in kinds]
    for what in ("POWER", "CURRENT"):
        if deal.chance(45):
            dimensions += _measured(deal, what)
    if deal.chance(10):
        dimensions.append({"type": "STATE_OF_CHARGE", "volume": 80})
    if deal.version == "2.3.0" and deal.chance(15):
        for each in dimensions:
            each["type"] = EXPIRES if each["type"] == "RESERVATION_TIME" else each["type"]
    deal.random.shuffle(dimensions)
    return dimensions


def _volume(deal: Deal, kind: str, length: timedelta) -> Decimal:
    if deal.chance(7):
        return Decimal(0)
    if kind == "ENERGY":
        sign = -1 if deal.chance(4) else 1
        return sign * Decimal(deal.random.choice([1, 500, 2500, 10000, deal.random.randint(1, 30000)])) / 1000
    hours = Decimal(length // timedelta(milliseconds=1)) / 3_600_000
    if deal.chance(8):
        hours += Decimal(deal.random.choice(["0.0001", "0.00005", "0.0002", "0.25"]))
    return round(hours, deal.random.choice([4, 4, 4, 2, 9]))


def _measured(deal: Deal, what: str) -> list[Tree]:
    least, most = sorted(Decimal(deal.random.choice(POWERS)) for _ in range(2))
    least = most if deal.chance(70) else least
    both = [{"type": f"MIN_{what}", "volume": least}, {"type": f"MAX_{what}", "volume": most}]
    return deal.random.sample(both, 1) if deal.chance(15) else both


def _tariff(deal: Deal, hints: Hints, name: str) -> Tree:
    new, random = deal.version != "2.1.1", deal.random
    rates = not new or deal.chance(75)
    tree: Tree = {
        "id": name,
        "currency": "EUR",
        "tax_included": random.choice(["NO", "YES", "N/A"]) if deal.version == "2.3.0" else "NO",
        "elements": [
            _element(deal, hints, last=not left, rates=rates) for left in reversed(range(random.randint(1, 5)))
        ],
    }
    if deal.version == "2.3.0" and deal.chance(10):
        tree["tax_included"] = None
    for limit in ("min_price", "max_price"):
        if new and deal.chance(25):
            tree[limit] = _limit(deal)
    if new and deal.chance(10):
        tree["type"] = random.choice(TYPES)
    for edge in ("start_date_time", "end_date_time"):
        if new and deal.chance(8):
            tree[edge] = _text(deal.start + timedelta(seconds=random.choice([-86400, 0, 1, 86400])))
    return tree


def _limit(deal: Deal) -> Tree:
    before = Decimal(deal.random.choice(["0.5", "1", "3", "5", "10", "0"]))
    after = before * deal.random.choice([Decimal("1.2"), Decimal("1.1"), Decimal(1), Decimal("0.9")])
    return {"before_taxes": before, **({"after_taxes": after} if deal.chance(65) else {})}


def _element(deal: Deal, hints: Hints, *, last: bool, rates: bool) -> Tree:
    kinds = deal.random.sample(KINDS, deal.random.randint(1, 4))
    kinds += [kinds[0]] if deal.chance(3) else []
    element: Tree = {"price_components": [_component(deal, kind, rates=rates) for kind in kinds]}
    restrictions = {} if last and deal.chance(60) else _restrictions(deal, hints)
    if restrictions or deal.chance(20):
        element["restrictions"] = restrictions or None
    return element


def _component(deal: Deal, kind: str, *, rates: bool) -> Tree:
    price = Decimal(deal.random.choice(PRICES))
    tree: Tree = {"type": kind, "price": deal.number(price), "step_size": deal.random.choice(STEPS)}
    if rates and deal.chance(85 if deal.version != "2.1.1" else 5):
        tree["vat"] = deal.number(Decimal(deal.random.choice(RATES)))
    return tree


def _restrictions(deal: Deal, hints: Hints) -> Tree:
    tree: Tree = {}
    for names, chance, pool in (
        (("start_time", "end_time"), 30, hints.clocks),
        (("start_date", "end_date"), 10, hints.dates),
        (("min_kwh", "max_kwh"), 18, hints.kwh),
        (("min_duration", "max_duration"), 18, hints.seconds),
        (("min_power", "max_power"), 15, [Decimal(power) for power in POWERS]),
    ):
        if deal.chance(chance) and pool:
            tree |= _bounds(deal, names, pool)
    if deal.version != "2.1.1" and deal.chance(8):
        tree |= _bounds(deal, ("min_current", "max_current"), [Decimal(power) for power in POWERS])
    if deal.chance(15):
        tree["day_of_week"] = deal.random.sample(DAYS, deal.random.choice([0, 1, 3, 5]))
    if deal.version != "2.1.1" and deal.chance(30):
        tree["reservation"] = deal.random.choice(["RESERVATION", "RESERVATION", "RESERVATION_EXPIRES"])
    if deal.chance(2):
        tree |= {"booking": "BOOKED"} if deal.chance(50) else {"max_kwh": None}
    return tree


def _bounds(deal: Deal, names: tuple[str, str], pool: Sequence[Any]) -> Tree:
    """One bound or both, in order, except that a window may go over midnight or be the whole day."""
    values = [deal.random.choice(pool) for _ in names]
    if names[0] != "start_time" and deal.chance(95):
        values.sort()
    both = dict(zip(names, values, strict=True))
    kept = names if deal.chance(50) else (deal.random.choice(names),)
    return {name: both[name] for name in kept}


def _name_a_tariff(deal: Deal, period: Tree, names: Sequence[str]) -> None:
    if deal.chance(90):
        name = deal.random.choice(names)
        period["tariff_id"] = name.swapcase() if deal.chance(10) else name
    elif deal.chance(10):
        period["tariff_id"] = "T9"


def _text(at: datetime, deal: Deal | None = None) -> str:
    text = at.isoformat().replace("+00:00", "Z")
    return text.removesuffix("Z") if deal is not None and deal.chance(5) else text
