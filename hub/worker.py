"""The clocks: what is done again and again without being asked. The lanes have their own (`hub/core/delivery.py`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.core import callbacks, catching_up, change_log, kept_back
from hub.core.catching_up import Shared
from hub.core.clock import timestamp
from hub.core.errors import BusbarError
from hub.core.forgetting import forget_all
from hub.core.losses import WRITTEN_EVERY_S
from hub.core.ports import Hub
from modules.bookings import service as bookings
from modules.bookings.store import BOOKING_LOCATIONS, PLACES
from modules.bookings.store import BOOKINGS as BOOKING_KIND
from modules.bookings.store import MODULE as BOOKINGS
from modules.cdrs import owed, vetting, waiting
from modules.commands import passed_on, references, reservations
from modules.invoicereconciliation import waiting as invoices
from modules.invoicereconciliation.store import MODULE as INVOICES
from modules.invoicereconciliation.store import RECORDS
from modules.locations import renaming
from modules.locations.store import LOCATIONS
from modules.payments import waiting as payments
from modules.payments import whose as terminals
from modules.payments.store import KINDS
from modules.payments.store import MODULE as PAYMENTS
from modules.sessions import service as sessions
from modules.tariffs import former, turning
from modules.tariffs.store import TARIFFS
from modules.tokens import ordered
from modules.tokens.store import AUTHORIZATIONS, TOKENS
from partners.ocpp import forgetting as reports
from partners.ocpp.care import links
from partners.ocpp.watch import pruning
from partners.oicp import former_prices, pin_tries
from partners.oicp import ledger as oicp_sessions
from partners.webhooks.model import WEBHOOKS, webhook_in

log = structlog.get_logger()

Job = Callable[[Hub], Awaitable[object]]

_SHARED: Final = {
    "tariffs": [Shared(TARIFFS)],
    "locations": [Shared(LOCATIONS)],
    BOOKINGS: [Shared(BOOKING_LOCATIONS, f"{PLACES}/"), Shared(BOOKING_KIND, "bookings/")],
    "tokens": [Shared(TOKENS)],
    INVOICES: [Shared(RECORDS, by_name=True)],
    PAYMENTS: [Shared(kind, f"{path}/", by_name=True) for path, kind in KINDS.items()],
}
"""What a partner has as far as agreements let it, in the order in which it can use it: a location names its tariffs."""


async def forget_authorizations(hub: Hub) -> None:
    """Decisions are remembered for 15 minutes; what is older goes."""
    await forget_all(hub.store, AUTHORIZATIONS, timestamp(hub.clock.now()))


async def tell_who_was_let_in(hub: Hub) -> None:
    """Whom an agreement allows it from now on, is told of what is there."""
    await catching_up.tell(hub, _SHARED)


async def cut_change_log(hub: Hub) -> None:
    """What is old and was told goes. A webhook that was switched off hears of nothing, and begins anew."""
    webhooks = [webhook_in(document) for document in await hub.store.select(WEBHOOKS)]
    await change_log.cut(hub, [webhook.lane for webhook in webhooks if webhook.enabled])


JOBS: Final[tuple[tuple[Job, float], ...]] = (
    (vetting.vet_waiting, 1.0),
    (vetting.wake_credits, 300.0),
    (turning.turn, 1.0),
    (renaming.name_anew, 1.0),
    (tell_who_was_let_in, 1.0),
    (owed.send_owed, 5.0),
    (waiting.look_if_changed, 5.0),
    (waiting.look_again, 300.0),
    (invoices.look_again, 60.0),
    (payments.look_again, 60.0),
    (terminals.address_anew, 60.0),
    (reservations.expired, 5.0),
    (callbacks.forget, 3600.0),
    (passed_on.forget, 3600.0),
    (references.forget, 3600.0),
    (ordered.forget, 3600.0),
    (forget_authorizations, 60.0),
    (sessions.bill_all_held, 300.0),
    (bookings.follow, 5.0),
    (links.forget, 300.0),
    (pruning.forget, 3600.0),
    (reports.forget, 3600.0),
    (oicp_sessions.forget, 3600.0),
    (pin_tries.forget, 3600.0),
    (former_prices.forget, 3600.0),
    (former.forget, 3600.0),
    (kept_back.forget, 3600.0),
    (cut_change_log, 3600.0),
)
"""What is done, and how many seconds apart."""


async def repeat(hub: Hub, job: Job, every_s: float) -> None:
    """Do `job` for ever. What a job could not do now, it does the next time."""
    while True:
        await hub.clock.sleep(every_s)
        try:
            await job(hub)
        except BusbarError as fault:
            log.warning("a clock's work failed", job=job.__name__, why=fault.message)
        except Exception as error:  # one odd object must not stop a clock for all others
            log.exception("a clock's work broke", job=job.__name__, error=type(error).__name__)


async def write_losses(hub: Hub) -> None:
    """What objects lost on their way to and from partners; each process writes what it has counted, for ever."""

    async def written(hub: Hub) -> None:
        await hub.losses.write()

    await repeat(hub, written, WRITTEN_EVERY_S)


def start(hub: Hub) -> None:
    """Start all clocks in the background."""
    for job, every_s in JOBS:
        hub.background.start(repeat(hub, job, every_s), name=f"clock {job.__name__}")
