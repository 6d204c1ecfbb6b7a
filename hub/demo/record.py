"""What happened, as data: printed by `--json`, shown as a table, and held against what was to be expected."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.demo.mailbox import Amount, amount
from hub.demo.world import DRIVES, OICP_DRIVE, PROVIDERS, Drive

MOST_RSS_MB: Final = 200
MOST_SECONDS: Final = 20
_BY_METHOD: Final = {"WHITELIST": "whitelist", "AUTH_REQUEST": "real_time", "COMMAND": "command"}


@dataclass(slots=True)
class PartnerRecord:
    """A partner. `locations` and `tariffs`: that it has of us; `tokens`: that we have of it."""

    version: str
    registered: bool = False
    locations: int = 0
    tariffs: int = 0
    tokens: int = 0


@dataclass(slots=True)
class DriveRecord:
    """A drive. Amounts are decimal text; `same_cdr`: the CDR that the eMSP has says what ours says."""

    name: str
    partner: str
    authorized_by: str | None = None
    authorize_ms: float | None = None
    session_id: str | None = None
    session_updates: int = 0
    cdr_id: str | None = None
    kwh: Decimal | None = None
    total_cost: str | None = None
    total_cost_incl: str | None = None
    currency: str | None = None
    delivered: bool = False
    same_cdr: bool | None = None

    def take_cdr(self, ours: Tree, theirs: Tree | None, deliveries: list[Tree]) -> None:
        """Fill in from our CDR, the one that the eMSP has, and the state of its delivery."""
        cost = amount(ours["total_cost"])
        self.authorized_by = _BY_METHOD.get(ours["auth_method"], ours["auth_method"])
        self.session_id = ours.get("session_id")
        self.cdr_id = ours["id"]
        self.kwh = ours["total_energy"]
        self.total_cost = str(cost.excl)
        self.total_cost_incl = None if cost.incl is None else str(cost.incl)
        self.currency = ours["currency"]
        states = [each["state"] for each in deliveries if each["partner"] == self.partner]
        self.delivered = theirs is not None and states == ["delivered"]
        self.same_cdr = None if theirs is None else _same(ours, theirs)


@dataclass(slots=True)
class OicpRecord:
    """The partner that speaks OICP, and its driver. `evses`: that it has of us."""

    partner: str = OICP_DRIVE.provider
    evses: int = 0
    authorized_by: str | None = None
    authorize_ms: float | None = None
    session_id: str = ""
    notifications: list[str] = field(default_factory=list)
    kwh: Decimal | None = None
    delivered: bool = False


@dataclass(slots=True)
class Record:
    """The whole run. `complaints`: what the eMSPs found wrong in what they were sent; `troubles`: what did not work."""

    partners: dict[str, PartnerRecord] = field(
        default_factory=lambda: {p.name: PartnerRecord(p.version) for p in PROVIDERS}
    )
    oicp: OicpRecord = field(default_factory=OicpRecord)
    drives: list[DriveRecord] = field(default_factory=lambda: [DriveRecord(d.name, d.provider) for d in DRIVES])
    seconds_to_first_cdr: float | None = None
    rss_mb: float | None = None
    complaints: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def of(self, drive: Drive) -> DriveRecord:
        """The record of a drive."""
        return self.drives[drive.number - 1]

    def json_line(self, failed: list[str]) -> bytes:
        """One line of JSON; `failed`: why the run counts as failed, empty when it does not."""
        return encode({**asdict(self), "failed": failed}) + b"\n"


def shortcomings(record: Record) -> list[str]:
    """What did not happen although it should have, in sentences. Empty when all is well."""
    found = list(record.troubles)
    for name, partner in record.partners.items():
        if not partner.registered:
            found.append(f"{name} is not registered")
        elif not (partner.locations and partner.tariffs and partner.tokens):
            lists = f"{partner.locations} locations, {partner.tariffs} tariffs, {partner.tokens} tokens"
            found.append(f"{name}: a list was not exchanged ({lists})")
    for drive in DRIVES:
        found += [f"drive {drive.name}: {what}" for what in _lacking(drive, record.of(drive))]
    found += _lacking_in_oicp(record.oicp)
    if record.seconds_to_first_cdr is None:
        found.append("no CDR was delivered")
    elif record.seconds_to_first_cdr > MOST_SECONDS:
        found.append(f"the first CDR was delivered after {record.seconds_to_first_cdr} s, not within {MOST_SECONDS} s")
    if record.rss_mb is not None and record.rss_mb > MOST_RSS_MB:
        found.append(f"the hub takes {record.rss_mb} MB")
    return found + [f"an eMSP complains: {text}" for text in record.complaints]


def _lacking_in_oicp(seen: OicpRecord) -> list[str]:
    found = [] if seen.evses else [f"{seen.partner} has no EVSEs of ours"]
    if not {"Start", "End"} <= set(seen.notifications):
        found.append(f"{seen.partner} was not notified of the charge")
    return found if seen.delivered else [*found, f"{seen.partner} has no charge detail record"]


def _lacking(drive: Drive, seen: DriveRecord) -> list[str]:
    found = []
    if seen.authorized_by != drive.authorized_by:
        found.append(f"authorized by {seen.authorized_by}, not by {drive.authorized_by}")
    if drive.is_refused:
        return found + (["there is a session of a refused card"] if seen.session_id else [])
    if not seen.session_updates:
        found.append("the eMSP heard of no session")
    if seen.cdr_id is None:
        found.append("there is no CDR")
    elif not seen.delivered:
        found.append("its CDR is not delivered")
    elif not seen.same_cdr:
        found.append("the eMSP's CDR says something else than ours")
    return found


def _same(ours: Tree, theirs: Tree) -> bool:
    """The same charge for the same money; an eMSP whose version knows no VAT has the amount before it."""
    mine, has = amount(ours["total_cost"]), amount(theirs["total_cost"])
    same_money = mine.excl == has.excl and (has.incl is None or has.incl == mine.incl)
    names = ("id", "total_energy", "currency", "total_time")
    return same_money and all(ours[name] == theirs[name] for name in names)


def cost_of(tree: Tree) -> Amount:
    """The total so far of a Session, or of a CDR."""
    return amount(tree.get("total_cost"))
