"""What a session of ours may draw, on its way to the party that set a profile for it. OCPI mod_charging_profiles."""

from __future__ import annotations

from hub.core.delivery import entitled
from hub.core.inbound import encode
from hub.core.operations import SENDER
from hub.core.ports import Hub
from hub.core.registry import Partner
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.onward import PROFILERS
from modules.chargingprofiles.wire import ACTIVE_CHARGING_PROFILE


class ChargingProfilePublication:
    """See `hub.core.delivery.Publication`."""

    module = "chargingprofiles"
    readers = PROFILERS

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the ActiveChargingProfile, if the partner has an interface for it."""
        document = await profiles.find(hub.store, key)
        if document is None or not entitled(
            partner, audience=document.audience, owner=hub.settings.party, roles=self.readers
        ):
            return
        tree, wire = profiles.active_in(document), ACTIVE_CHARGING_PROFILE.get(partner.version or "")
        if tree is None or wire is None or partner.endpoint(self.module, "SENDER") is None:
            return
        body = encode(wire.write(tree)[0])
        await hub.peers.send(
            *(partner, "PUT", self.module, SENDER, (key,)),
            body=body,
            sender=hub.settings.party,
            to=document.audience,
        )
