"""The hub as its environment says: what `busbar serve` runs, without the command line's options."""

from __future__ import annotations

import uvloop

from hub.core.settings import Settings
from hub.server import run

if __name__ == "__main__":
    uvloop.run(run(Settings()))
