"""The steps of a commissioning, each worked out anew from what is known of a charger: so it can be broken off anywhere.

A step is `ok`, `failed` (something is wrong, and `advice` says what to do), `open` (it has not happened yet) or
`skipped` (its operator does without). Nothing is kept of a step but that it is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from hub.core.jsontypes import Tree
from partners.ocpp.desired.states import GOOD
from partners.ocpp.status import OVERRULING

State = Literal["ok", "open", "failed", "skipped"]

CLOCK_S: Final = 60.0
"""How far a charger's clock may be off."""
SKIPPABLE: Final = ("charge", "clock", "template")


@dataclass(frozen=True, slots=True)
class Trial:
    """The newest charge since the commissioning began. `samples`: None, where nobody knows any more.

    `price`: what its driver is billed, as in `3.45 EUR`; "" while that is not known. `doubt`: why it is not billed.
    """

    session_id: str
    connector: int
    is_open: bool
    kwh: Decimal | None
    samples: int | None
    price: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Configured:
    """The templates that are for it, and what came of them. `rows`: None, where they were not applied as they are now.

    A row is a value that differed, with its `state`.
    """

    templates: Sequence[str] = ()
    rows: Sequence[Tree] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the steps are worked out from. `view` is the station's; `shelf`: firmware for its model, with versions."""

    view: Tree
    tested: Trial | None = None
    shelf: Sequence[tuple[str, str]] = ()
    configured: Configured = Configured()

    @property
    def planned(self) -> dict[int, str]:
        """By OCPP connector, where the operator says it is."""
        places: dict[str, str] = self.view["places"]
        return {int(number): place for number, place in places.items()}

    def is_skipped(self, step: str) -> bool:
        return step in (self.view["commissioning"] or {}).get("skipped", ())


class Step(NamedTuple):
    """`found` is what was seen, `advice` what to do."""

    step: str
    state: State
    found: str
    advice: str = ""


def steps_of(facts: Facts) -> list[Step]:
    """All of them, in order."""
    found = []
    for name, look in _STEPS.items():
        state, seen, advice = look(facts)
        if state != "ok" and facts.is_skipped(name):
            state = "skipped"
        found.append(Step(name, state, seen, advice if state in ("open", "failed") else ""))
    return found


def is_over(step: Step) -> bool:
    return step.state in ("ok", "skipped")


Seen = tuple[State, str, str]


def _registered(facts: Facts) -> Seen:
    view = facts.view
    if not facts.planned:
        advice = f"busbar station add {view['identity']} --location LOC1 --evse 1=E1/1"
        return "failed", "it is on no EVSE of a location, so it is told to wait", advice
    return (
        "ok",
        f"{len(facts.planned)} connector(s) at {view['location']}, security profile {view['security_profile']}",
        "",
    )


def _connection(facts: Facts) -> Seen:
    view = facts.view
    if view["connected"]:
        return "ok", f"connected over OCPP {view['version']}", ""
    advice = f"Enter {view['url']} in the charger" + (", and its password" if view["has_password"] else "")
    return "open", "not connected", f"{advice}. busbar station show says what it was refused for, if it tried."


def _boot(facts: Facts) -> Seen:
    view = facts.view
    if view["booted_at"] is None:
        advice = f"It is asked to by: busbar station call {view['identity']} TriggerMessage"
        return "open", "it has not booted", f'{advice} \'{{"requestedMessage": "BootNotification"}}\''
    return "ok", f"booted at {view['booted_at']}", ""


def _identity(facts: Facts) -> Seen:
    view = facts.view
    if not view["vendor"] or not view["connected"]:
        return "open", "it has not said yet", "It says so when it boots."
    serial = f", serial {view['serial']}" if view["serial"] else ""
    told = f"{view['vendor']} {view['model']}, firmware {view['firmware'] or 'unnamed'}{serial}"
    if view["protocol"] != f"ocpp{view['version']}":
        advice = f"Register what it speaks: busbar station add {view['identity']} --ocpp {view['version']}"
        return "failed", f"{told}; speaks OCPP {view['version']}, and is registered as {view['protocol']}", advice
    return "ok", f"{told}, OCPP {view['version']}", ""


def _connectors(facts: Facts) -> Seen:
    told = {int(number) for number in facts.view["connectors"]} - {0}
    missing, more = sorted(facts.planned.keys() - told), sorted(told - facts.planned.keys())
    if more:
        advice = f"Say where they are (busbar station add {facts.view['identity']} --evse ...), or have them taken away"
        return "failed", f"it has connectors that are on no EVSE: {_numbers(facts, more)}", advice
    if missing:
        return "open", f"it has told nothing of: {_numbers(facts, missing)}", "It is asked; else check the plan."
    return "ok", f"as planned: {_numbers(facts, sorted(told))}", ""


def _clock(facts: Facts) -> Seen:
    offset = facts.view["clock_offset_s"]
    if offset is None:
        return "open", "it has not told its time", "It does with a status or a charge."
    if abs(offset) > CLOCK_S:
        way = "behind" if offset > 0 else "ahead"
        advice = "It gets ours with each boot and Heartbeat: see its time zone and NTP."
        return "failed", f"its clock is {abs(offset):.0f} s {way}", advice
    return "ok", f"within {abs(offset):.0f} s of ours", ""


def _template(facts: Facts) -> Seen:
    names, rows = ", ".join(facts.configured.templates), facts.configured.rows
    if not facts.view["vendor"]:
        return "open", "it has not said yet what it is", "It says so when it boots."
    if not names:
        return "ok", "no template is for it", ""
    if rows is None:
        return "open", f"not applied yet: {names}", "It is applied, and each value read back."
    wrong = [f"{row['name'] or 'all'} is {row['actual']}: {row['state']}" for row in rows if row["state"] not in GOOD]
    if wrong:
        advice = "Mend the template (busbar template put), or the charger; --skip-template does without."
        return "failed", f"not as {names} wants it: {'; '.join(wrong)}", advice
    later = [str(row["name"]) for row in rows if row["state"] != "set"]
    restart = f"; takes effect when it restarts: {', '.join(later)}" if later else ""
    return "ok", f"as {names} wants it, {len(rows)} value(s) set{restart}", ""


def _firmware(facts: Facts) -> Seen:
    view = facts.view
    others = [f"{name} ({version})" for name, version in facts.shelf if version != view["firmware"]]
    if not view["vendor"]:
        return "open", "it has not said yet", "It says so when it boots."
    if not others:
        return "ok", f"{view['firmware'] or 'unnamed'}; none is on the shelf for it", ""
    give = f"to give it another one: busbar campaign start NAME --station {view['identity']}"
    return "ok", f"{view['firmware'] or 'unnamed'}; on the shelf: {', '.join(others)}; {give}", ""


def _status(facts: Facts) -> Seen:
    states = {int(number): str(told["status"]) for number, told in facts.view["connectors"].items()}
    broken = {number: word for number, word in states.items() if word in OVERRULING}
    if broken:
        words = ", ".join(f"{_number(facts, number)} is {word}" for number, word in sorted(broken.items()))
        advice = "See the charger's own display or log; ChangeAvailability Operative brings back what was closed."
        return "failed", words, advice
    if facts.planned.keys() - states.keys():
        return "open", "not each connector has told its state", ""
    words = ", ".join(f"{_number(facts, number)} {states[number]}" for number in sorted(facts.planned))
    return "ok", words, ""


def _charge(facts: Facts) -> Seen:
    tested = facts.tested
    if tested is None:
        return (
            "open",
            "no charge since the commissioning began",
            "Plug in, then tap a card, or start it with one of ours: --card UID",
        )
    kwh = f"{tested.kwh or 0:.3f} kWh at {_number(facts, tested.connector)}"
    if tested.is_open:
        return "open", f"charging: {kwh}", "It ends at the charger, or with the card that began it."
    if tested.doubt:
        return "failed", f"{kwh}, not billed: {tested.doubt}", "busbar transaction list --held"
    if not tested.kwh:
        return "failed", "a charge without energy", "Charge once more, for some minutes: the meter must count."
    if tested.samples == 0:
        return (
            "failed",
            f"{kwh}, and no meter values meanwhile",
            "See its MeterValueSampleInterval (2.x: SampledDataCtrlr).",
        )
    samples = f", {tested.samples} meter value(s)" if tested.samples is not None else ""
    if not tested.price:
        return "failed", f"{kwh}{samples}, without a price", "Give its connector a tariff: tariff_ids of the location."
    return "ok", f"{kwh}{samples}, {tested.price}", ""


def _published(facts: Facts) -> Seen:
    now = facts.view["commissioning"] or {}
    if now.get("done"):
        return "ok", f"in service since {now['done']}", ""
    hidden = ", ".join(now.get("withheld", ()))
    return "open", f"partners do not see {hidden}" if hidden else "partners see its EVSEs already", ""


_STEPS: Final[dict[str, Callable[[Facts], Seen]]] = {
    "registered": _registered,
    "connection": _connection,
    "boot": _boot,
    "identity": _identity,
    "connectors": _connectors,
    "clock": _clock,
    "firmware": _firmware,
    "template": _template,
    "status": _status,
    "charge": _charge,
    "publish": _published,
}
NAMES: Final = tuple(_STEPS)


def _numbers(facts: Facts, numbers: Sequence[int]) -> str:
    return ", ".join(_number(facts, number) for number in numbers)


def _number(facts: Facts, number: int) -> str:
    """A connector as the charger knows it, and where it is."""
    told = facts.view["connectors"].get(str(number), {})
    name = "the charger" if number == 0 else f"connector {number}"
    if "evse" in told:
        name = f"EVSE {told['evse']} connector {told['connector']}"
    place = facts.planned.get(number)
    return f"{name} ({place})" if place else name
