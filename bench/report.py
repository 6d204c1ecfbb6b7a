"""What was found, for people (`table`, `markdown`) and for programs (`as_json`)."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.harness import Figure, Findings, Sample

PACKAGES = (
    *("aiohttp", "asyncpg", "fastapi", "httptools", "msgspec", "ocpp", "pydantic", "sqlalchemy", "sqlmodel"),
    *("starlette", "uvicorn", "uvloop", "websockets"),
)

_HOW_TO_READ = """\
`x` is a ratio of CPU time per request: 1.0 is as fast as the thing it is compared with, measured in the same minute on
the same core. Ratios travel between machines; times and rates do not. A goal missed by less than two identical
programs differ is *unsure*. See `bench/harness.py` for the method, and run `make bench` for figures of your own.
"""


def machine() -> dict[str, str]:
    """Hardware and versions."""
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "load": " ".join(f"{each:.1f}" for each in os.getloadavg()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    return facts | {name: version(name) for name in PACKAGES}


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def table(findings: Sequence[Findings]) -> str:
    """The figures, a line each."""
    lines = [f"{'':<62}{'found':>12}  {'goal':<10}"]
    for found in findings:
        lines += [f"{_title(figure):<62}{_value(figure):>12}  {_goal(figure):<10} {figure.verdict}"
                  for figure in found.figures]  # fmt: skip
    return "\n".join(lines)


def details(findings: Sequence[Findings]) -> str:
    """What was measured, a line for each target."""
    lines = [f"{'':<40}{'a second':>12}{'CPU us':>10}{'p50 ms':>9}{'p99 ms':>9}"]
    for found in findings:
        lines += [f"{f'{found.part}: {name}':<40}{_row(samples)}" for name, samples in found.samples.items()]
        lines += [f"{found.part}: {note}" for note in found.notes]
    return "\n".join(lines)


def markdown(findings: Sequence[Findings], facts: dict[str, str], command: str) -> str:
    """The page that is kept in the repository."""
    rows = [
        f"| {_title(figure)} | {_value(figure)} | {_goal(figure)} | {figure.verdict} |"
        for found in findings
        for figure in found.figures
    ]
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "sqlite", *PACKAGES))
    return "\n".join(
        (
            "# Measured",
            "",
            f"By `{command}`, {facts['at']}, on {facts['processor']}, {facts['cores']} cores, {facts['system']};",
            f"load of the machine at the end: {facts['load']}.",
            "",
            "| what | found | goal | |",
            "|---|---|---|---|",
            *rows,
            "",
            _HOW_TO_READ,
            "```",
            details(findings),
            "```",
            "",
            f"Versions: {versions}.",
            "",
        )
    )


def as_json(findings: Sequence[Findings], facts: dict[str, str]) -> str:
    """Everything, each round."""
    tree: dict[str, Any] = {"machine": facts, "figures": [], "samples": {}, "notes": {}}
    for found in findings:
        tree["figures"] += [_figure(figure) for figure in found.figures]
        tree["samples"][found.part] = {
            name: [sample._asdict() | {"rate": sample.rate} for sample in samples]
            for name, samples in found.samples.items()
        }
        tree["notes"][found.part] = found.notes
    return json.dumps(tree, indent=1)


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "part": figure.part,
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "goal": figure.bound,
        "at_least": figure.at_least,
        "noise": figure.noise,
        "verdict": figure.verdict,
        "rounds": figure.values,
    }


def _title(figure: Figure) -> str:
    return f"{figure.part}: {figure.name}"


def _value(figure: Figure) -> str:
    value = f"{figure.value:,.2f}" if figure.value < 10 else f"{figure.value:,.1f}"
    return f"{value} {figure.unit}" if figure.value < 1_000 else f"{figure.value:,.0f} {figure.unit}"


def _goal(figure: Figure) -> str:
    if figure.bound is None:
        return ""
    return f"{'>=' if figure.at_least else '<='} {figure.bound:g}"


def _row(samples: Sequence[Sample]) -> str:
    def mid(values: list[float]) -> float:
        return statistics.median(values)

    rate, cpu = mid([sample.rate for sample in samples]), mid([sample.cpu_us for sample in samples])
    p50, p99 = mid([sample.p50_ms for sample in samples]), mid([sample.p99_ms for sample in samples])
    return f"{rate:>12,.0f}{cpu:>10,.1f}" + (f"{p50:>9.2f}{p99:>9.2f}" if p99 else "")
