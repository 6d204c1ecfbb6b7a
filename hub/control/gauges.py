"""The hub in numbers, for whoever watches it. Labels are bounded: partners by name (at most 200), modules, classes.

Read when it is asked for: nothing is counted twice, and nothing but the answers costs anything in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hub.control import partner_view
from hub.control.stations import register
from hub.core.jsontypes import Tree
from hub.core.logins import FailedLogins
from modules.sessions.charge import CHARGES, how_many_held
from partners.ocpp import unplaced
from partners.ocpp.watch.alerts import BY_NAME, Alert
from partners.ocpp.watch.rows import all_open

if TYPE_CHECKING:
    from hub.app import Program

MOST_PARTNERS: Final = 200

Answered = Mapping[tuple[str, str, int], int]


class _Snapshot:
    """What `prometheus_client` writes out."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


async def exposition(program: Program, answered: Answered) -> bytes:
    """All metrics in the text format of Prometheus. `answered`: answers of the management API."""
    partners = (await partner_view.overview(program))[:MOST_PARTNERS]
    lanes = {p["name"]: await partner_view.lane_of(program, p["name"]) for p in partners}
    owed = {name: {"objects": sum(each["objects"] for each in lane["owed"])} for name, lane in lanes.items()}
    registry = CollectorRegistry(auto_describe=False)
    metrics: list[Metric] = [
        _requests({**program.asgi.answered, **answered}),
        _failed_logins(program.hub.logins),
        _of_oicp(program.oicp_door.face.answered),
        _certificates(program),
        _gauge("lane_waiting", "Objects that wait for a partner.", lanes, "waiting"),
        _gauge("lane_owed", "Of these, objects for parties behind a hub that are away.", owed, "objects"),
        _gauge("lane_failures", "Tries in a row at which a partner failed.", lanes, "failures"),
        _counter("deliveries", "Objects that a partner took.", lanes, "delivered"),
        _gauge("refused_objects", "Objects that a partner refused.", {p["name"]: p for p in partners}, "refused"),
        _by_state(partners),
        *await _of_chargers(program),
    ]
    registry.register(_Snapshot(metrics))
    return generate_latest(registry)


def _requests(answered: Answered) -> Metric:
    family = CounterMetricFamily("busbar_requests", "Answers.", labels=("module", "method", "status"))
    classes: Counter[tuple[str, str, str]] = Counter()
    for (module, method, status), times in answered.items():
        classes[module, method, f"{status // 100}xx"] += times
    for labels, times in sorted(classes.items()):
        family.add_metric(labels, times)
    return family


def _failed_logins(logins: FailedLogins) -> Metric:
    logins.tell_overdue()
    family = CounterMetricFamily("busbar_failed_logins", "Logins that failed.", labels=("face",))
    for face, times in logins.counts().items():
        family.add_metric((face,), times)
    return family


def _of_oicp(answered: Mapping[tuple[str, int, str], int]) -> Metric:
    labels = ("operation", "status", "code")
    family = CounterMetricFamily("busbar_oicp_requests", "Answers to partners that speak OICP.", labels=labels)
    for (operation, http, code), times in sorted(answered.items()):
        family.add_metric((operation, str(http), code), times)
    return family


def _certificates(program: Program) -> Metric:
    family = GaugeMetricFamily("busbar_certificate_days", "Days until certificates of OICP end.", labels=("whose",))
    now = program.hub.clock.now()
    soonest: dict[str, int] = {}
    for end in program.oicp_door.expiry.ends():
        soonest[end.whose] = min(end.days(now), soonest.get(end.whose, end.days(now)))
    for whose, days in sorted(soonest.items())[:MOST_PARTNERS]:
        family.add_metric((whose,), days)
    return family


def _gauge(name: str, words: str, rows: Mapping[str, Tree], field: str) -> Metric:
    family = GaugeMetricFamily(f"busbar_{name}", words, labels=("partner",))
    for partner, row in rows.items():
        family.add_metric((partner,), row[field])
    return family


def _counter(name: str, words: str, rows: Mapping[str, Tree], field: str) -> Metric:
    family = CounterMetricFamily(f"busbar_{name}", words, labels=("partner",))
    for partner, row in rows.items():
        family.add_metric((partner,), row[field])
    return family


def _by_state(partners: Iterable[Tree]) -> Metric:
    family = GaugeMetricFamily("busbar_partners", "Partners by state.", labels=("state",))
    for state, number in sorted(Counter(partner["state"] for partner in partners).items()):
        family.add_metric((state,), number)
    return family


def _alerts(alerts: Iterable[Alert]) -> Metric:
    family = GaugeMetricFamily("busbar_open_alerts", "What is wrong now.", labels=("rule",))
    times = Counter(alert.rule for alert in alerts)
    for rule in BY_NAME:
        family.add_metric((rule,), times[rule])
    return family


async def _of_chargers(program: Program) -> list[Metric]:
    page = await program.store.page(
        CHARGES, date_from=None, date_to=None, offset=0, limit=0, among={"state": ("open",)}
    )
    held = await how_many_held(program.store) + await unplaced.how_many(program.store)
    views = await (await register(program)).views()
    return [
        _alerts(await all_open(program.store)),
        GaugeMetricFamily("busbar_open_charges", "Charges that go on.", value=page.total),
        GaugeMetricFamily("busbar_held_charges", "Charges that are held, and not billed.", value=held),
        GaugeMetricFamily("busbar_stations", "Chargers registered.", value=len(views)),
        GaugeMetricFamily(
            "busbar_stations_connected", "Chargers connected.", value=sum(1 for view in views if view["connected"])
        ),
    ]
