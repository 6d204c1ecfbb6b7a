"""Reading a list from end to end, where what is not on it counts as gone. OCPI mod_hub_client_info_pull_model."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import structlog

from hub.core.errors import InvalidRequest, PeerNonsense
from hub.core.registry import Partner
from partners.ocpi.pages import Crawl, Pages
from partners.ocpi.sources import WholeList

log = structlog.get_logger()

READINGS: Final = 3
"""How often a list is read that gets shorter meanwhile."""


class Whole(NamedTuple):
    """All objects of a list that can be used, and how many cannot."""

    objects: list[Any]
    refused: int


async def read_whole(pages: Pages, partner: Partner, source: WholeList) -> Whole:
    """The list at one moment. Raises: PeerFault's children, also where it never stands still."""
    for _ in range(READINGS):
        crawl = Crawl(pages, partner, source.module, None)
        trees = [tree async for page in crawl.pages() for tree in page.read()]
        if not crawl.shrank:
            return _usable(partner, source, trees)
    raise PeerNonsense("the list gets shorter whenever it is read")


def _usable(partner: Partner, source: WholeList, trees: list[Any]) -> Whole:
    wire, objects = source.wires[partner.version or ""], []
    for tree in trees:
        try:
            objects.append(wire.read(tree))
        except InvalidRequest as fault:
            log.warning("pulled object is not valid", partner=partner.name, module=source.module, error=fault.message)
    return Whole(objects, len(trees) - len(objects))
