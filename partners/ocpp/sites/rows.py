"""What is kept of sites.

The operator's words are `sites`, `site_limits` and `site_loads`; the gateway's own are `site_evses` and `site_power`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Change, Delete, Document, Kind, Put
from partners.ocpp.sites.form import Figure, SiteForm

SITES: Final = Kind("sites")
SITE_LIMITS: Final = Kind("site_limits", columns=("site",))
SITE_LOADS: Final = Kind("site_loads", columns=("site",))
SITE_EVSES: Final = Kind("site_evses", columns=("site",))
SITE_POWER: Final = Kind("site_power")

KINDS: Final = (SITES, SITE_LIMITS, SITE_LOADS, SITE_EVSES, SITE_POWER)
WORDS: Final = (SITES, SITE_LIMITS, SITE_LOADS)
"""What operators say."""
MODULE: Final = "sites"
"""The changes that wake other processes. No partner is told of them."""

MOST_ROWS: Final = 100_000
_LARGEST: Final = 16 * 1024 * 1024


class LimitRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit of a node for a time, beside its own: the lower counts."""

    site: str
    node: str
    begin: datetime
    until: datetime
    limit_a: Figure | None = None
    limit_w: Decimal | None = None


class LoadRow(msgspec.Struct, frozen=True):
    """What a meter of the building read at a node: all that hangs there and is no EVSE of the site."""

    site: str
    node: str
    at: datetime
    load_a: Figure


def site_put(name: str, form: SiteForm) -> Put:
    return Put(SITES, name, msgspec.json.encode(form))


def site_in(document: Document) -> SiteForm:
    return msgspec.json.decode(document.body, type=SiteForm)


def limit_put(row: LimitRow) -> Put:
    return Put(SITE_LIMITS, f"{row.site}/{row.node}", msgspec.json.encode(row), columns=(row.site,))


def load_put(row: LoadRow) -> Put:
    return Put(SITE_LOADS, f"{row.site}/{row.node}", msgspec.json.encode(row), columns=(row.site,))


def limit_delete(site: str, node: str) -> Delete:
    return Delete(SITE_LIMITS, f"{site}/{node}")


def wakes(site: str) -> Change:
    """Tells the process that steers the site that something was said of it."""
    return Change(MODULE, site)


def power_put(site: str, at: datetime, view: Tree) -> Put:
    return Put(SITE_POWER, site, encode({"site": site, "at": timestamp(at), **view}))


async def power_of(store: Store, site: str) -> Tree | None:
    """What was last seen of a site's power."""
    document = await store.get(SITE_POWER, site)
    found: Tree | None = parse(document.body, limit=_LARGEST) if document is not None else None
    return found


async def everything_of(store: Store, site: str) -> list[Delete]:
    """The deletes of all that is kept beside the site itself."""
    found: list[Delete] = [Delete(SITE_POWER, site)]
    for kind in (SITE_LIMITS, SITE_LOADS, SITE_EVSES):
        rows = await store.select(kind, equal={"site": site}, limit=MOST_ROWS)
        found += [Delete(kind, row.key) for row in rows]
    return found
