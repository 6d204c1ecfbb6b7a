"""The management API under /api/v1, and what supervisors ask: one router a subject, over `hub.control`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI

from hub.api import (
    about,
    access,
    agreements,
    alerts,
    audit,
    bookings,
    campaigns,
    certificates,
    clients,
    commissioning,
    devices,
    errors,
    files,
    firmware,
    health,
    held_bills,
    matrix,
    metrics,
    objects,
    oicp,
    oicp_charges,
    oicp_evses,
    operators,
    partners,
    price,
    quirks,
    records,
    settlement,
    sites,
    stations,
    templates,
    uptime,
    webhooks,
)
from hub.api.front import Front
from hub.control.health import Readiness

if TYPE_CHECKING:
    from hub.app import Program

ROUTERS: Final = (
    about.router,
    partners.router,
    oicp.router,
    oicp_charges.router,
    oicp_evses.router,
    clients.router,
    agreements.router,
    matrix.router,
    objects.router,
    records.router,
    held_bills.router,
    settlement.router,
    bookings.router,
    stations.router,
    commissioning.router,
    quirks.router,
    templates.router,
    alerts.router,
    uptime.router,
    webhooks.router,
    devices.router,
    certificates.router,
    sites.router,
    firmware.router,
    campaigns.router,
    price.router,
    audit.router,
    operators.router,
    health.router,
    metrics.router,
)


def attach(app: FastAPI, program: Program) -> None:
    """Let `app` be the management face of `program`."""
    app.state.program = program
    app.state.failures = access.limiter(program.settings.failed_logins_per_min)
    app.state.readiness = Readiness(program.store, program.hub.clock)
    app.state.answered = Counter()
    errors.install(app)
    for router in (*ROUTERS, files.router):  # the files are the chargers' own, and no part of the documented API
        app.router.routes += router.routes  # `include_router` would make them all anew, at the first request
    app.add_middleware(Front, answered=app.state.answered)
