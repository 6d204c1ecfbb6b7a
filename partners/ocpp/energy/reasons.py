"""Why a charge draws what it draws: data, from which `prose.py` makes sentences.

A share is a pile of slices: so many mA for this reason, so many for that; together they are its current. One hold says
why the next ampere is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from partners.ocpp.energy.units import PerPhase


class Why(StrEnum):
    """Why a slice is given, or reckoned with."""

    TURN = "TURN"
    """Its least current: it was its turn."""
    STAY = "STAY"
    """Its least current: its turn is not over."""
    PATIENCE = "PATIENCE"
    """Its least current: it had waited for long enough."""
    PLAN = "PLAN"
    """The plan over the day gives it that now."""
    SHARE = "SHARE"
    """An equal level with others."""
    ORDER = "ORDER"
    """Those who come before it in the policy's order had all they take, or all that their limits allow."""
    REST = "REST"
    """What rounding to the chargers' steps left over."""
    KEPT = "KEPT"
    """It was told so before, the change would be small, and nobody needs it."""
    OFFLINE = "OFFLINE"
    """Reserved: its charger is away, and may allow that."""
    IDLE = "IDLE"
    """Reserved: nobody charges there, and whoever begins may draw that before being told."""
    OVERDRAWN = "OVERDRAWN"
    """It draws that, although it was told less."""
    DEAF = "DEAF"
    """Its charger is known not to do what it is told."""


class Held(StrEnum):
    """Why a charge gets no more."""

    LIMIT = "LIMIT"
    """A limit of the tree (`node`, and `phase` or its power) has no room for one step more."""
    WAITS = "WAITS"
    """Its least current does not fit into that limit beside those whose turn it is."""
    TOO_LITTLE = "TOO_LITTLE"
    """That limit leaves less than its least current, even were nobody else to charge."""
    PAUSE = "PAUSE"
    """It lost its turn a moment ago: it is not switched on again before `until`."""
    OTHERS_FIRST = "OTHERS_FIRST"
    """Others have been told to draw less, and have not confirmed it yet."""
    QUIET = "QUIET"
    """The change would be small: it is not sent before `until`."""
    EVSE = "EVSE"
    """The EVSE gives no more."""
    VEHICLE = "VEHICLE"
    """The cable or the vehicle takes no more."""
    TAKES_LESS = "TAKES_LESS"
    """It draws less than it may: the rest is others', but for some headroom."""
    WISH = "WISH"
    """A partner's charging profile allows no more."""
    ENERGY = "ENERGY"
    """It has the energy that it wanted."""
    OFFLINE = "OFFLINE"
    """Its charger cannot be told."""
    DISOBEYS = "DISOBEYS"
    """It draws more than it was told."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a current, and the reason for it."""

    ma: int
    why: Why


@dataclass(frozen=True, slots=True)
class Hold:
    """What stands in the way of more. `node` and `phase` (None: its power) for LIMIT, WAITS, TOO_LITTLE."""

    why: Held
    node: str | None = None
    phase: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """What an EVSE is reckoned with, on each grid phase, whatever it is told."""

    evse: str
    ma: PerPhase
    why: Why
    charge: str | None = None


@dataclass(frozen=True, slots=True)
class Overdrawn:
    """A charge draws more than it was told, and had time to follow. For the operator to hear."""

    charge: str
    evse: str
    told_ma: int
    drawn_ma: PerPhase
    """On each grid phase."""


@dataclass(frozen=True, slots=True)
class OverLimit:
    """A limit that is exceeded by what cannot be steered alone: the building, charges at chargers away or deaf.

    `by` is in mA, for a phase, or in mW.
    """

    node: str
    phase: int | None
    by: int


@dataclass(frozen=True, slots=True)
class Crowded:
    """A limit that has no room for all that is kept, as chargers may allow it unasked: nobody draws too much yet.

    `by`: what is missing, `kept`: all that is kept and not drawn; in mA, for a phase, or in mW.
    """

    node: str
    phase: int | None
    by: int
    kept: int


Notice = Overdrawn | OverLimit | Crowded
