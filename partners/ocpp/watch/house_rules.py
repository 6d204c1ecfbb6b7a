"""What is wrong elsewhere than at a charger: money that waits, partners that take nothing, sites beyond their limits,
certificates that end.

As with chargers, a rule looks at what is seen at one moment and names the subjects for which it holds. A subject here
is a partner, a webhook, a site or a node of it, a certificate, or a kind of money that waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from partners.ocpp.watch.rules import About, Held, Rule, Severity, Thresholds

CHARGES: Final = "charges"
CDRS: Final = "cdrs"
OICP_RECORDS: Final = "oicp records"
_MOST_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class HeldMoney:
    """What is not billed, or not passed on: `charges`, `cdrs` or `oicp records`; and since when each is."""

    what: str
    since: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class LaneSeen:
    """What waits for a receiver. `oldest`: since when the oldest of it does; None, when nothing does."""

    about: About
    name: str
    waiting: int = 0
    oldest: datetime | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """A site, or a node of it that has a meter.

    `exceeded`: what draws more than it may, in sentences; `heard`: its meter, last, which counts for `fresh_s`.
    """

    name: str
    exceeded: Sequence[str] = ()
    heard: datetime | None = None
    fresh_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CertificateSeen:
    """Whose it is, and when the last one of it ends."""

    whose: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class HouseSight:
    """All that is seen at one moment."""

    money: Sequence[HeldMoney] = ()
    lanes: Sequence[LaneSeen] = ()
    sites: Sequence[SiteSeen] = ()
    certificates: Sequence[CertificateSeen] = ()


def _held_money(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for money in sight.money:
        long = [since for since in money.since if (now - since).total_seconds() >= thresholds.held_s]
        if long:
            yield Held(money.what, f"{len(long)} {_WORDS[money.what]}, the oldest for {_span(now - min(long))}")


def _lane_stopped(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    yield from _stopped(sight, About.PARTNER, thresholds, now)


def _webhook_stopped(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    yield from _stopped(sight, About.WEBHOOK, thresholds, now)


def _stopped(sight: HouseSight, about: About, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for lane in (each for each in sight.lanes if each.about is about):
        if lane.stopped:
            yield Held(lane.name, f"nothing is sent any more; {lane.waiting} wait")
        elif lane.oldest is not None and (now - lane.oldest).total_seconds() >= thresholds.lane_s:
            yield Held(lane.name, f"{lane.waiting} wait, the oldest for {_span(now - lane.oldest)}")


def _site_limit(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for site in sight.sites:
        if site.exceeded:
            yield Held(site.name, "; ".join(site.exceeded[:_MOST_SENTENCES]))


def _site_meter(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for site in sight.sites:
        if site.heard is not None and (now - site.heard).total_seconds() >= site.fresh_s:
            yield Held(site.name, f"its meter has said nothing for {_span(now - site.heard)}")


def _certificate_ends(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    yield from _ending(sight, thresholds.certificate_s, now)


def _certificate_last_days(sight: HouseSight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    yield from _ending(sight, thresholds.certificate_last_s, now)


def _ending(sight: HouseSight, within_s: float, now: datetime) -> Iterator[Held]:
    for certificate in sight.certificates:
        left = certificate.expires - now
        if left.total_seconds() <= within_s:
            when = f"ended {_span(-left)} ago" if left <= timedelta() else f"ends in {_span(left)}"
            yield Held(certificate.whose, f"its certificate {when}, on {certificate.expires:%Y-%m-%d}")


_WORDS: Final = {
    CHARGES: "charges are not billed",
    CDRS: "CDRs of others are not passed on",
    OICP_RECORDS: "charge detail records of OICP are held or refused (busbar oicp findings)",
}

HOUSE_RULES: Final[tuple[Rule[HouseSight], ...]] = (
    Rule("held_money", Severity.MEDIUM, _held_money, about=About.MONEY),
    Rule("lane_stopped", Severity.HIGH, _lane_stopped, about=About.PARTNER),
    Rule("webhook_stopped", Severity.MEDIUM, _webhook_stopped, about=About.WEBHOOK),
    Rule("site_limit", Severity.HIGH, _site_limit, lambda thresholds: thresholds.site_s, about=About.SITE),
    Rule("site_meter", Severity.MEDIUM, _site_meter, lambda thresholds: thresholds.site_s, about=About.SITE),
    Rule("certificate_ends", Severity.MEDIUM, _certificate_ends, about=About.CERTIFICATE),
    Rule("certificate_last_days", Severity.HIGH, _certificate_last_days, about=About.CERTIFICATE),
)


def house_holding(sight: HouseSight, thresholds: Thresholds, now: datetime) -> dict[tuple[str, str], Held]:
    """All that holds at this moment, by rule and subject."""
    return {(rule.name, held.subject): held for rule in HOUSE_RULES for held in rule.look(sight, thresholds, now)}


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:,.0f} days" if hours >= 48 else f"{hours:,.0f} h" if hours >= 2 else f"{hours * 60:,.0f} min"
