"""The hub as its environment says, or the parts of it that are named: what `busbar serve` runs, without its options."""

from __future__ import annotations

import sys

import uvloop

from hub.core.settings import Settings
from hub.server import PARTS, run

if __name__ == "__main__":
    uvloop.run(run(Settings(), sys.argv[1:] or PARTS))
