"""Objects of partners with moments of the years 1 and 9999, beyond which no clock goes: taken or refused, no more."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from structlog.testing import capture_logs

from modules.cdrs import vetting
from tests.contract.test_bookings import booking, theirs
from tests.contract.test_invoicereconciliation import record
from tests.modules.bookings.booked import asked, calendar
from tests.modules.cdrs.check.records import wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.commands.world import reserve
from tests.modules.sessions.records import a_session
from tests.world import World, their_location, their_tariff, token

MOMENTS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "0001-01-01T00:00:59.999Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-01:00",
)


def objects(version: str) -> Iterator[tuple[str, str, str, Any]]:
    """Method, path and sender of a request, with a body that is taken as it stands."""
    yield "PUT", "receiver/locations/BE/AAA/X1", "c1", their_location(version)
    yield "PUT", "receiver/tariffs/BE/AAA/T9", "c1", their_tariff(version)
    yield "PUT", "receiver/tokens/NL/EEE/CARD1", "e1", token(version)
    yield "PUT", "receiver/sessions/BE/AAA/S1", "c1", a_session(version)
    yield "POST", "receiver/cdrs", "c1", wired(EVENING, version)
    yield "POST", "receiver/commands/RESERVE_NOW", "e1", reserve(version)
    if version == "2.3.0":
        yield "PUT", "receiver/bookings/BE/AAA/booking_locations/BX1", "c1", theirs()
        yield "PUT", "receiver/bookings/BE/AAA/booking_locations/BX1/CAL", "c1", calendar((8, 20))
        yield "PUT", "receiver/bookings/BE/AAA/BK1", "c1", booking()
        yield "POST", "sender/bookings", "e1", asked()
        yield "POST", "receiver/invoicereconciliation", "c1", record()


def with_moment(tree: Any, moment: str) -> Iterator[Any]:
    """Copies of `tree`, each with one of its moments replaced, and one with all."""
    paths = list(moments_in(tree, ()))
    for some in (*((path,) for path in paths), paths):
        copy = deepcopy(tree)
        for *way, name in some:
            at = copy
            for step in way:
                at = at[step]
            at[name] = moment
        yield copy


def moments_in(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in items:
        if isinstance(value, str) and value[10:11] == "T" and value[:2] == "20":
            yield (*path, name)
        yield from moments_in(value, (*path, name))


@pytest.mark.parametrize("moment", MOMENTS)
async def test_no_moment_of_an_object_breaks_anything(world: World, moment: str) -> None:
    await world.furnish()
    tried = 0
    with capture_logs() as logs:
        for method, path, by, whole in objects(world.version):
            for number, body in enumerate(with_moment(whole, moment)):
                if path == "receiver/cdrs":
                    body["id"] = f"CDR{number}"
                said = await world.ask(method, world.at(path), by=by, body=body)
                assert said.code != 3000, (method, path, body, said.message)
                tried += 1
        await vetting.vet_waiting(world.hub)
    assert tried > 20
    assert [log for log in logs if log["log_level"] in ("error", "critical")] == []
