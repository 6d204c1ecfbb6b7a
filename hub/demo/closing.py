"""What is left on the screen: the table of the drives, and what to try next."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from hub.demo.record import DriveRecord, Record
from hub.demo.stage import Stage
from hub.demo.world import DRIVES, KNOWN, PROVIDERS, SPARE_STATION, Drive

_WORDS: Final = {
    "whitelist": "the whitelist",
    "real_time": "its eMSP, asked",
    "refused": "nobody: refused",
    "command": "START_SESSION",
}


def table(record: Record) -> Table:
    """One row a drive."""
    shown = Table(title="What came of it", title_justify="left", title_style="bold")
    for name in ("drive", "partner", "authorized by", "CDR"):
        shown.add_column(name)
    for name in ("ms", "updates", "kWh", "price", "with VAT"):
        shown.add_column(name, justify="right")
    for drive in DRIVES:
        seen = record.of(drive)
        shown.add_row(*_row(drive, seen)[:4], *_row(drive, seen)[4:], style="red" if drive.is_refused else "")
    facts = [f"first CDR after {record.seconds_to_first_cdr} s", f"the hub takes {record.rss_mb} MB"]
    facts.append(f"{len(record.complaints)} complaints of the eMSPs")
    shown.caption = "; ".join(facts)
    shown.caption_justify = "left"
    return shown


def _row(drive: Drive, seen: DriveRecord) -> tuple[str, ...]:
    label = next(each.label for each in PROVIDERS if each.name == drive.provider)
    return (
        f"[{drive.number}] {drive.title}",
        label,
        _WORDS.get(seen.authorized_by or "", "?"),
        _delivery(seen) if not drive.is_refused else "none, as it should be",
        "-" if seen.authorize_ms is None else f"{seen.authorize_ms:.0f}",
        str(seen.session_updates) if seen.session_updates else "-",
        "-" if seen.kwh is None else f"{seen.kwh:.3f}",
        f"{seen.total_cost} {seen.currency}" if seen.total_cost else "-",
        seen.total_cost_incl or "-",
    )


def _delivery(seen: DriveRecord) -> str:
    if not seen.delivered:
        return "not delivered"
    return "delivered, says the same" if seen.same_cdr else "delivered, says something else"


def commands(stage: Stage) -> Text:
    """To copy and paste, with the addresses of this run."""
    hub, token = stage.operator.base_url, shlex.quote(str(stage.token_file))
    bearer = f'-H "Authorization: Bearer $(cat {token})"'
    python = shlex.quote(_shortest(sys.executable))
    emsp = next(iter(stage.emsps.values()))
    ask = f"{hub}/api/v1/partners {bearer} -H 'Content-Type: application/json'"
    role = '{"name": "acme", "roles": [{"role": "EMSP", "country_code": "NL", "party_id": "ACM"}]}'
    rows = (
        ("the partners, and how their lanes stand", f"curl -s {hub}/api/v1/partners {bearer}"),
        ("the CDRs, and whether they were delivered", f"curl -s {hub}/api/v1/cdrs {bearer}"),
        (f"what {emsp.provider.label} has received", f"curl -s {emsp.desk.base_url}/sandbox/state"),
        ("the last frames of a charger", f"curl -s {hub}/api/v1/stations/CP01/messages {bearer}"),
        ("invite your own partner: token A, and where it begins", f"curl -s -X POST {ask} -d '{role}'"),
        (
            f"charge once more, at the free charger {SPARE_STATION}",
            f"{python} -m partners.sandbox charger --url {stage.ocpp_url}/{SPARE_STATION} --tag {KNOWN.uid}"
            " --kwh 8 --minutes 25 --speed 300",
        ),
    )
    text = Text("\nEverything stays up until Ctrl-C. What to try now, in another terminal:\n", style="bold")
    for words, command in rows:
        text.append(f"\n  {words}\n", style="not bold dim").append(f"    {command}\n", style="not bold")
    text.append(
        f"\n  your own charge point, OCPP 1.6, no password: {stage.ocpp_url}/{SPARE_STATION}\n", style="not bold"
    )
    return text


def _shortest(path: str) -> str:
    """Relative to the present folder, if it is below it."""
    try:
        return f"./{Path(path).relative_to(Path.cwd())}"
    except ValueError:
        return path
