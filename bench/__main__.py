"""python -m bench [--quick | --full] [--only PART,PART] [--json FILE] [--results FILE]

Prints the figures with their goals, and writes them to bench/RESULTS.md when all parts were measured. Ends with 0
unless something broke: speed is judged by people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench import bystanders, crawl, energy, fanout, fleet, flood, http, ocpp, pricing, relay, report, roaming, store
from bench.child import LOAD_CORE
from bench.harness import Effort, Findings, pin

_PAGE = Path(__file__).with_name("RESULTS.md")
_MEASURED = (http, roaming, store, fanout, relay, bystanders, ocpp, fleet, flood, pricing, energy, crawl)
PARTS = {part.PART: part.measure for part in _MEASURED}


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition("\n\n")[2])
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="about 90 seconds (the default)")
    effort.add_argument("--full", action="store_true", help="about eight minutes")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, from {','.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="write everything there")
    parser.add_argument("--results", type=Path, help="write the page there (default: bench/RESULTS.md, for all parts)")
    parsed = parser.parse_args(arguments)
    parsed.parts = [part for part in parsed.only.split(",") if part]
    if unknown := set(parsed.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if parsed.results is None and parsed.parts == list(PARTS):
        parsed.results = _PAGE
    return parsed


async def measured(parts: Sequence[str], effort: Effort) -> list[Findings]:
    """One part after the other."""
    findings = []
    for part in parts:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        findings.append(await PARTS[part](effort))
    return findings


def main(arguments: Sequence[str]) -> None:
    """Measure and tell."""
    asked = options(arguments)
    effort = Effort.full() if asked.full else Effort.quick()
    pin(LOAD_CORE)
    findings = uvloop.run(measured(asked.parts, effort))
    facts = report.machine()
    print(report.table(findings), report.details(findings), sep="\n\n")
    if asked.json is not None:
        asked.json.write_text(report.as_json(findings, facts))
    if asked.results is not None:
        command = f"python -m bench {'--full' if asked.full else '--quick'}"
        asked.results.write_text(report.markdown(findings, facts, command))


if __name__ == "__main__":
    main(sys.argv[1:])
