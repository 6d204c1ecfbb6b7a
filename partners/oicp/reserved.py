"""A reservation of one of our own EVSEs, and the charge that comes of it: one Session of OCPI, and one record."""

from __future__ import annotations

from msgspec.structs import replace

from hub.core.errors import Conflict
from partners.oicp.agreed import terms_with
from partners.oicp.asked_again import issued_by
from partners.oicp.authorize import medium_of
from partners.oicp.bridge import Bridge
from partners.oicp.face import Call
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.tokens import without_pin
from partners.oicp.ordered import told_anew
from partners.oicp.places import EvsePlace


class Reserved:
    """See the module."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def found(self, call: Call, place: EvsePlace) -> OicpSession | None:
        """What keeps one of our own EVSEs for this driver.

        Not what has run out, unless its hub goes on to call the charge by that.
        """
        if place.owner not in self._bridge.hub.settings.own_parties:
            return None
        driver = medium_of(without_pin(call.message["Identification"]), terms_with(call.connection)).uid
        now, issued = self._bridge.hub.clock.now(), issued_by(call).lower()
        for known in reversed(await self._bridge.ledger.open_at(place.evse_id)):
            fits = known.emp == call.partner.name and known.token.get("uid") == driver
            stands = known.expires is None or known.expires > now or known.id == issued
            if fits and stands and known.is_open and known.origin == "reservation":
                return known
        return None

    async def taken_over(self, call: Call, kept: OicpSession) -> OicpSession:
        """The charge that comes of a reservation, of which nothing is known yet.

        It keeps the id of the reservation, unless a hub orders it under another: then that is its id from now on.
        Raises: Conflict, where another order was faster.
        """
        issued = issued_by(call).lower()

        def charge(known: OicpSession) -> OicpSession:
            if known.origin != kept.origin:
                raise Conflict
            anew = replace(told_anew(known, call.message), result="", code="")
            return replace(anew, id=issued, origin="remote") if issued else anew

        if issued in ("", kept.id):
            return await self._bridge.ledger.change(kept.id, charge)
        session = charge(kept)
        await self._bridge.ledger.exchange(kept, session, must_stand=True)
        return session

    async def given_back(self, session: OicpSession, kept: OicpSession) -> None:
        """It does not begin: the reservation stands as it was, under its own id."""
        ledger, known = self._bridge.ledger, await self._bridge.ledger.get(session.id)
        stands = replace(known, id=kept.id, origin=kept.origin, state=kept.state, result=kept.result, code=kept.code)
        if session.id == kept.id:
            await ledger.change(kept.id, lambda _: stands)
        else:
            await ledger.exchange(known, stands)
