"""What a party's version of OCPI has no word for: each such request has its answer, and nobody is sent anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import pytest

from hub.core.operations import Operation
from hub.core.parties import PartyRole
from modules import all_operations
from tests.contract.test_bookings import theirs
from tests.contract.test_invoicereconciliation import record
from tests.contract.test_payments import advice, terminal
from tests.modules.bookings.booked import asked
from tests.modules.chargingprofiles.test_onward import ACTIVE, set_at_the_cpo
from tests.modules.chargingprofiles.world import URL, furnish, profile
from tests.world import World, a_world


class Row(NamedTuple):
    """A request of `by` that is meant for `to`."""

    method: str
    path: str
    body: Any
    by: str
    to: str
    answer: tuple[int, int, Any]

    @property
    def named(self) -> list[tuple[str, str]]:
        return [("OCPI-to-country-code", self.to[:2]), ("OCPI-to-party-id", self.to[3:])]


NOTHING: Final = (404, 2001, None)
"""As with preferences for an EVSE that takes none (mod_sessions_set_charging_preferences)."""
NOT_SUPPORTED: Final = (200, 1000, "NOT_SUPPORTED")
"""Where the module has a word for it, it is the result."""
CANCEL: Final = {"response_url": URL, "reservation_id": "R1"}
QUERY: Final = f"?response_url={URL}&duration=600"
PLACE: Final = "bookings/BE/AAA/booking_locations/BX2"
TERMINAL: Final = "sender/payments/terminals/T1"

IN_221: Final = {
    "sessions sender PUT {session_id}/charging_preferences": Row(
        "PUT", "sender/sessions/S9/charging_preferences", {"profile_type": "FAST"}, "e1", "BE*AAA", NOTHING
    ),
    "commands receiver POST CANCEL_RESERVATION": Row(
        "POST", "receiver/commands/CANCEL_RESERVATION", CANCEL, "e1", "BE*AAA", NOT_SUPPORTED
    ),
    "chargingprofiles receiver GET {session_id}": Row(
        "GET", f"receiver/chargingprofiles/S9{QUERY}", None, "e1", "BE*AAA", NOT_SUPPORTED
    ),
    "chargingprofiles receiver PUT {session_id}": Row(
        "PUT", "receiver/chargingprofiles/S9", profile(), "e1", "BE*AAA", NOT_SUPPORTED
    ),
    "chargingprofiles receiver DELETE {session_id}": Row(
        "DELETE", f"receiver/chargingprofiles/S9{QUERY}", None, "e1", "BE*AAA", NOT_SUPPORTED
    ),
    "chargingprofiles sender PUT {session_id}": Row(
        "PUT", "sender/chargingprofiles/S9", ACTIVE, "c1", "NL*EEE", NOTHING
    ),
}
"""What OCPI 2.2.1 has, and 2.1.1 has not."""
IN_230: Final = {
    "invoicereconciliation receiver POST ": Row(
        "POST", "receiver/invoicereconciliation", record(), "c1", "NL*EEE", NOTHING
    ),
    "invoicereconciliation receiver PUT {country_code}/{party_id}/{record_id}": Row(
        "PUT", "receiver/invoicereconciliation/BE/AAA/REC1", record(), "c1", "NL*EEE", NOTHING
    ),
    "payments sender POST terminals/activate": Row(
        "POST", "sender/payments/terminals/activate", {"reference": "SN-1"}, "c1", "NL*PTA", NOTHING
    ),
    "payments sender POST terminals/{terminal_id}/deactivate": Row(
        "POST", f"{TERMINAL}/deactivate", None, "c1", "NL*PTA", NOTHING
    ),
    "payments sender PUT terminals/{terminal_id}": Row("PUT", TERMINAL, terminal(), "c1", "NL*PTA", NOTHING),
    "payments sender PATCH terminals/{terminal_id}": Row(
        "PATCH", TERMINAL, {"location_ids": ["L1"]}, "c1", "NL*PTA", NOTHING
    ),
    "payments receiver POST terminals": Row(
        "POST", "receiver/payments/terminals", terminal("T2"), "t1", "BE*AAA", NOTHING
    ),
    "payments receiver POST financial-advice-confirmations": Row(
        "POST", "receiver/payments/financial-advice-confirmations", advice(), "t1", "BE*AAA", NOTHING
    ),
    "bookings sender POST ": Row("POST", "sender/bookings", asked(booking_location_id="BX1"), "e1", "BE*AAA", NOTHING),
    "bookings receiver PUT {country_code}/{party_id}/booking_locations/{booking_location_id}": Row(
        "PUT", f"receiver/{PLACE}", theirs("BX2"), "c1", "NL*EEE", NOTHING
    ),
}
"""What OCPI 2.3.0 has, and the older ones have not."""
KEPT: Final = frozenset(
    {
        "chargingprofiles sender POST active/{result_id}",
        "chargingprofiles sender POST set/{result_id}",
        "chargingprofiles sender POST clear/{result_id}",
        "invoicereconciliation receiver DELETE {country_code}/{party_id}/{record_id}",
        "tariffs receiver PATCH {country_code}/{party_id}/{tariff_id}",
        "bookings receiver PUT {country_code}/{party_id}/{booking_id}",
        "bookings receiver PATCH {country_code}/{party_id}/{booking_id}",
        "bookings receiver PATCH {country_code}/{party_id}/booking_locations/{booking_location_id}",
        "bookings receiver PATCH bookinglocations/{country_code}/{party_id}/{booking_location_id}",
        *(
            f"bookings receiver {shape}/{{booking_location_id}}/{{calendar_id}}"
            for shape in (
                "PUT {country_code}/{party_id}/booking_locations",
                "PATCH {country_code}/{party_id}/booking_locations",
                "PATCH bookinglocations/{country_code}/{party_id}",
            )
        ),
    }
)
"""What is about an object that this hub has, and is told on in the words of each version, or to nobody."""

ROWS: Final = [("2.1.1", row) for row in IN_221.values()] + [
    (version, row) for version in ("2.1.1", "2.2.1") for row in IN_230.values()
]


def key(operation: Operation) -> str:
    return f"{operation.module} {operation.side} {operation.method} {'/'.join(operation.shape)}"


def is_read_here(operation: Operation) -> bool:
    """Lists and single objects are read from what the hub keeps; how a session is limited only its CPO knows."""
    return operation.method == "GET" and operation.module != "chargingprofiles"


@pytest.mark.parametrize(("version", "rows"), [("2.1.1", {**IN_221, **IN_230}), ("2.2.1", IN_230)])
def test_the_rows_are_all_that_a_version_has_not(version: str, rows: dict[str, Row]) -> None:
    missing = {key(each) for each in all_operations() if each.routed and version not in each.versions}
    read = {key(each) for each in all_operations() if is_read_here(each)}
    assert missing - read - KEPT == set(rows)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """All of 2.3.0: c1 has a session that e1 has limited and a booking location, the provider t1 a terminal of c1's."""
    async with a_world(sqlite_url, "2.3.0") as made:
        await furnish(made, "2.3.0")
        await set_at_the_cpo(made)
        await made.join("t1", "NL*PTA", PartyRole.PTP)
        to_c1 = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
        await made.ask("POST", made.at("receiver/payments/terminals"), by="t1", body=terminal(), headers=to_c1)
        await made.ask("PUT", made.at(f"receiver/{PLACE.replace('BX2', 'BX1')}"), by="c1", body=theirs())
        yield made


@pytest.mark.parametrize(("version", "row"), ROWS)
async def test_it_is_answered_here_and_nobody_is_sent_anything(world: World, version: str, row: Row) -> None:
    far = next(name for name in ("c1", "e1", "t1") if row.to in world.partner(name).parties)
    await world.registry.save(world.partner(far).model_copy(update={"version": version}))
    async with world.unchanged():
        said = await world.ask(row.method, world.at(row.path), by=row.by, body=row.body, headers=row.named)
        assert (said.http, said.code, said.tree.get("data", {}).get("result")) == row.answer
        if row.answer is NOTHING:
            assert version in said.message
