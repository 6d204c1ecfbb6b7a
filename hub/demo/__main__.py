"""`python -m hub.demo [--once] [--json]`, the same as `busbar demo`."""

from __future__ import annotations

import argparse
import sys

from hub import demo

parser = argparse.ArgumentParser(prog="python -m hub.demo")
parser.add_argument("--once", action="store_true", help="end when all has been shown")
parser.add_argument("--json", action="store_true", help="print nothing but the record, as JSON")
given = parser.parse_args()
sys.exit(demo.run(once=given.once, as_json=given.json))
