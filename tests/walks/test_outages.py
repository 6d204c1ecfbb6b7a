"""A partner goes away for a while and comes back: it gets each object that changed once, as it is by then."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from functools import partial

import pytest

from tests.walks.site import PROCESSED, VERSIONS, Emsp, Place, Site, Tree, cost, until
from tests.walks.test_taps import assert_nobody_complains, before_taxes, charge_by_card, the_cdr, the_completed_session

OBJECTS = 20
CHANGES = 3


def rename(site: Site, place: Place, name: str) -> None:
    """A change of a location that every partner must hear of."""
    path = f"/api/v1/locations/DE/BSB/{place.location}"
    kept = {field: value for field, value in site.hub.web.ask("GET", path).items() if field != "last_updated"}
    site.hub.web.ask("PUT", path, {**kept, "name": name})


def is_named(emsp: Emsp, place: Place, change: int) -> bool:
    """Has the partner heard of this change of a location?"""
    return any(tree["name"].endswith(f"#{change}") for tree in emsp.held("locations", id=place.location))


def writes_since(emsp: Emsp, since: int) -> list[Tree]:
    """The processed PUTs and PATCHes of locations, after the first `since` receipts."""
    return [
        receipt
        for receipt in emsp.receipts()[since:]
        if receipt["method"] in ("PUT", "PATCH")
        and "/locations/" in receipt["path"]
        and receipt["outcome"] in PROCESSED
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_partner_that_was_away_gets_each_object_once_as_it_is_now(site: Site, version: str) -> None:
    away, uid = site.emsps[version], site.uid()
    others = [emsp for emsp in site.emsps.values() if emsp is not away]
    token = away.push_token(uid, whitelist="ALLOWED")
    places = [site.place() for _ in range(OBJECTS)]
    await until(lambda: all(site.is_idle(emsp) for emsp in site.emsps.values()), why="everything is told")
    since = len(away.receipts())

    away.process.process.kill()
    try:
        for change in range(1, CHANGES + 1):
            for place in places:
                rename(site, place, f"{place.location} #{change}")
        began = time.monotonic()
        for emsp in others:
            await until(partial(is_named, emsp, places[-1], CHANGES), why="others are told")
        assert time.monotonic() - began < 20
        assert await charge_by_card(site, site.place(), uid) == "Accepted"
        assert site.partner(away)["lane"]["failures"] > 0
    finally:
        away.process.start()
        await asyncio.to_thread(away.process.wait)

    cdr, session = await the_cdr(away, token), await the_completed_session(away, token)
    assert (session["kwh"], before_taxes(cdr)) == (10, cost("10"))
    await until(lambda: site.is_idle(away), why="everything is told")
    ours = {place.location for place in places}
    written = [r for r in writes_since(away, since) if r["path"].rsplit("/", 1)[-1] in ours]
    assert Counter(r["path"].rsplit("/", 1)[-1] for r in written) == dict.fromkeys(ours, 1)
    assert {json.loads(r["body"])["name"].split("#")[1] for r in written} == {str(CHANGES)}
    assert len(away.cdr_posts(token)) == 1
    away.complained = 0  # it counts anew since its restart
    assert_nobody_complains(site)


@pytest.mark.parametrize("mode", ["random-500", "lost-reply", "rate-limit", "partial"])
async def test_a_troubled_partner_ends_with_one_cdr(site: Site, mode: str) -> None:
    emsp, uid = site.emsps["2.2.1"], site.uid()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    emsp.mode(mode, seed=3)
    try:
        assert await charge_by_card(site, site.place(), uid) == "Accepted"
        await asyncio.sleep(0.7)
    finally:
        emsp.mode("happy")

    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], session["kwh"]) == (10, 10)
    await until(lambda: site.is_idle(emsp), why="the lane is idle")
    assert len({receipt["body"] for receipt in emsp.cdr_posts(token)}) == 1
    assert site.refused(emsp) == []
    assert_nobody_complains(site)
