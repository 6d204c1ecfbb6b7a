"""Which versions we offer, and where (version_information_endpoint).

`/ocpi/versions` lists every version; 2.1.1, which has no roles in its details, is also served by position:
`/ocpi/cpo/versions` and `/ocpi/emsp/versions` list the 2.1.1 endpoints of that side alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.answers import Answer, ok
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import NotFound
from hub.core.jsontypes import Tree
from hub.core.operations import ANYBODY, CONFIG, CPO, RECEIVER, SENDER, Operation, Operations, Side
from modules.versions.wire import VERSION, VERSION_DETAILS

versions = Operations("versions", routed=False)
details = Operations("version_details", routed=False)

_CALLED = {"bookings": "Booking"}
"""What the specification calls a module, where that is not what stands in its URLs (mod_bookings)."""
_CPO_SIDE = {
    "locations": SENDER,
    "sessions": SENDER,
    "cdrs": SENDER,
    "tariffs": SENDER,
    "tokens": RECEIVER,
    "commands": RECEIVER,
}
"""Which interface of a module stands on the CPO's position; the other one stands on the eMSP's."""


@versions("GET", CONFIG, answer=VERSION, listed=True, pending=True)
async def list_versions(call: Call) -> Answer:
    """The versions on offer. OCPI version_information_endpoint."""
    base = call.hub.settings.base_url
    return ok([{"version": version, "url": f"{base}/ocpi/{version}"} for version in VERSIONS])


@versions("GET", CONFIG, "{position}", answer=VERSION, listed=True, pending=True, versions=("2.1.1",))
async def list_versions_by_position(call: Call, position: str) -> Answer:
    """2.1.1 alone, for one position (`cpo` or `emsp`)."""
    return ok([{"version": "2.1.1", "url": f"{call.hub.settings.base_url}/ocpi/{position}/2.1.1"}])


@details("GET", CONFIG, answer=VERSION_DETAILS, pending=True)
async def show_details(call: Call) -> Answer:
    """The endpoints of one version that the caller's roles may use. OCPI version_information_endpoint."""
    return ok(_details(call, None))


@details("GET", CONFIG, "{position}", answer=VERSION_DETAILS, pending=True, versions=("2.1.1",))
async def show_details_by_position(call: Call, position: str) -> Answer:
    """The 2.1.1 endpoints of one position."""
    if position not in ("cpo", "emsp"):
        raise NotFound("there is no such position")
    return ok(_details(call, position))


def _details(call: Call, position: str | None) -> Tree:
    base = f"{call.hub.settings.base_url}/ocpi/{call.version}"
    endpoints: list[Tree] = [_endpoint(call.version, "credentials", SENDER, f"{base}/credentials")]
    position = position or (_opposite(call) if call.version == VERSIONS[0] else None)
    for module, side in _interfaces(call, call.hub.operations):
        if position is None or (_CPO_SIDE.get(module) is side) == (position == "cpo"):
            endpoints.append(_endpoint(call.version, module, side, f"{base}/{side.value}/{module}"))
    return {"version": call.version, "endpoints": endpoints}


def _opposite(call: Call) -> str | None:
    """2.1.1 tells the sides of a module apart by position only: a CPO needs that of an eMSP, anybody else a CPO's."""
    roles = call.partner.roles
    if not roles or (CPO & roles and roles - CPO):
        return None
    return "emsp" if CPO & roles else "cpo"


def _interfaces(call: Call, operations: Iterable[Operation]) -> list[tuple[str, Side]]:
    """Each functional interface once, in the order of the modules.

    All of them, where the caller may have any role tomorrow: behind a hub parties come and go, and it asks only now.
    Who we register with may not have said yet what it is.
    """
    roles = ANYBODY if call.partner.is_hub or not call.partner.roles else call.partner.roles
    seen: dict[tuple[str, Side], None] = {}
    for operation in operations:
        useful = operation.callers & roles and call.version in operation.versions
        if operation.side is not CONFIG and useful:
            seen[(operation.module, operation.side)] = None
    return list(seen)


def _endpoint(version: str, identifier: str, side: Side, url: str) -> Tree:
    if version == "2.1.1":
        return {"identifier": identifier, "url": url}
    role = "SENDER" if side is SENDER else "RECEIVER"
    return {"identifier": _CALLED.get(identifier, identifier), "role": role, "url": url}
