"""Write migrations.

python -m hub.core.migrations freeze hub.app:kinds          the first migration's kinds (before a release)
python -m hub.core.migrations draft hub.app:kinds MESSAGE   a next migration, from what has changed since
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hub.core.store.drafts import declared_kinds, draft, freeze


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    match arguments:
        case ["freeze", place]:
            path = freeze(declared_kinds(place))
        case ["draft", place, message]:
            path = draft(declared_kinds(place), message)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
