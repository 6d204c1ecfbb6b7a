"""What is left on the screen: the table of the drives, and what to try next."""

from __future__ import annotations

import shlex
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from hub.demo.record import DriveRecord, Record
from hub.demo.stage import Stage
from hub.demo.world import DRIVES, KNOWN, PROVIDERS, SPARE_STATION, Drive

_WORDS: Final = {"whitelist": "its list", "real_time": "its answer", "refused": "nobody", "command": "its app"}
_NONE: Final = "-"


def table(record: Record) -> Table:
    """One row a drive."""
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title="What came of it")
    shown.title_justify = shown.caption_justify = "left"
    for name in ("drive", "partner", "let in by"):
        shown.add_column(name)
    for name in ("ms", "updates", "kWh", "price (with VAT)"):
        shown.add_column(name, justify="right")
    shown.add_column("CDR there")
    for drive in DRIVES:
        shown.add_row(*_row(drive, record.of(drive)))
    complaints = len(record.complaints) or "no"
    shown.caption = (
        f"first CDR after {record.seconds_to_first_cdr} s; the hub takes {record.rss_mb} MB; "
        f"{complaints} complaints of the eMSPs"
    )
    return shown


def _row(drive: Drive, seen: DriveRecord) -> tuple[str, ...]:
    return (
        f"[{drive.number}] {drive.title}",
        next(each.label for each in PROVIDERS if each.name == drive.provider),
        _WORDS.get(seen.authorized_by or "", "?"),
        _NONE if seen.authorize_ms is None else f"{seen.authorize_ms:.0f}",
        str(seen.session_updates) if seen.session_updates else _NONE,
        _NONE if seen.kwh is None else f"{seen.kwh:.3f}",
        _price(seen),
        _delivery(drive, seen),
    )


def _price(seen: DriveRecord) -> str:
    if seen.total_cost is None:
        return _NONE
    incl = None if seen.total_cost_incl is None else Decimal(seen.total_cost_incl)
    with_vat = f" ({incl:.2f})" if incl is not None else ""
    return f"{Decimal(seen.total_cost):.2f} {seen.currency}{with_vat}"


def _delivery(drive: Drive, seen: DriveRecord) -> str:
    if seen.cdr_id is None:
        return "none, rightly" if drive.is_refused else "none"
    if not seen.delivered:
        return "not delivered"
    return "equals ours" if seen.same_cdr else "is another"


def commands(stage: Stage) -> Text:
    """To copy and paste, with the addresses of this run."""
    address = f"{stage.ocpp_url}/{SPARE_STATION}"
    text = Text("\nEverything stays up until Ctrl-C. In another terminal:\n", style="bold")
    for words, lines in _ideas(stage, address):
        text.append(f"\n  {words}\n", style="not bold green")
        for line in lines:
            text.append(f"    {line}\n", style="not bold")
    text.append("\n  your own charge point (OCPP 1.6, 2.0.1 or 2.1, no password) dials\n", style="not bold green")
    return text.append(f"    {address}\n", style="not bold")


def _ideas(stage: Stage, address: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    url, busbar = stage.operator.base_url, _busbar()
    emsp = next(iter(stage.emsps.values()))
    charger = f"{_python()} -m partners.sandbox charger --url {address} --tag {KNOWN.uid}"
    bearer = '-H "Authorization: Bearer $BUSBAR_OPERATOR_TOKEN"'
    return (
        (
            "first of all, where the hub is and who you are",
            (
                f"export BUSBAR_URL={url}",
                f"export BUSBAR_OPERATOR_TOKEN=$(cat {shlex.quote(str(stage.token_file))})",
            ),
        ),
        ("partners, chargers, CDRs", tuple(f"{busbar} {subject} list" for subject in ("partner", "station", "cdr"))),
        ("the same as JSON, from the management API", (f"curl -s {url}/api/v1/cdrs {bearer}",)),
        (f"what {emsp.provider.label} has received", (f"curl -s {emsp.desk.base_url}/sandbox/state",)),
        ("charge once more, at the free charger", (f"{charger} --kwh 8 --minutes 25 --speed 300",)),
        (
            "invite your own partner, then be it: token A opens the versions URL",
            (
                f"{busbar} partner invite acme --role EMSP --party 'NL*ACM'",
                "TOKEN_A=...",
                f'curl -s {url}/ocpi/versions -H "Authorization: Token $(printf %s "$TOKEN_A" | base64)"',
            ),
        ),
    )


def _busbar() -> str:
    command = Path(sys.executable).parent / "busbar"
    return _short(command) if command.exists() else f"{_python()} -m hub.cli"


def _python() -> str:
    return _short(Path(sys.executable))


def _short(path: Path) -> str:
    """As it is called from the present folder."""
    try:
        return shlex.quote(str(path.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(path))
