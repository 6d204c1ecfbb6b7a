"""Where a partner would show a CDR of which we do not know whether it arrived. OCPI mod_cdrs_get_method_receiver.

A partner says in `Location` where a new CDR is to be found, and is free to choose: `{endpoint}/{id}`, or with our party
in between, or somewhere else of its own. What it said of the last CDR that it took is, with the other id, where it
would show this one. A Location without the id (a number of its own) tells nothing of others.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from hub.core.operations import RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.cdrs.store import locations_given

_LOOKED_AT: Final = 20
"""Deliveries. Those that a look-up found have no Location."""


async def place_of(hub: Hub, partner: Partner, cdr: Document) -> str | None:
    """The URL at which `partner` would show `cdr`, by where it showed earlier ones; None, when it told no place."""
    base = partner.endpoint("cdrs", RECEIVER.upper())
    if base is None:
        return None
    for location, cdr_id in await locations_given(hub.store, partner.name, newest=_LOOKED_AT):
        url = moved(location, cdr_id, cdr.columns["id"])
        if url is not None:
            return _at_home(urljoin(f"{base}/", url), base)
    return None


def moved(location: str, was: str, now: str) -> str | None:
    """`location` with the last `was` in it replaced by `now`, both as URLs write them; None, when it is not in it."""
    found = list(re.finditer(re.escape(quote(was, safe="")), location, re.IGNORECASE))
    if not found:
        return None
    return location[: found[-1].start()] + quote(now, safe="") + location[found[-1].end() :]


def _at_home(url: str, base: str) -> str | None:
    """If it is the partner's own host (our token goes with it), by the scheme that was agreed on."""
    there, agreed = urlsplit(url), urlsplit(base)
    return there._replace(scheme=agreed.scheme).geturl() if there.netloc == agreed.netloc else None
