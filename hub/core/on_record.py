"""Whose is it? An id alone, as most requests of 2.1.1 and all open routing bring one, looked up among the owners that
its sender may see: what it may not see, it cannot find out by asking.
"""

from __future__ import annotations

from collections.abc import Collection

from hub.core.addressed import each_once, key_of
from hub.core.dialect import VERSIONS
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document, Kind


def how_one_is_named(partner: Partner) -> str:
    """What a partner is told that means one of several owners' objects: 2.1.1 has no OCPI-to headers."""
    if partner.version == VERSIONS[0]:
        return f"OCPI {VERSIONS[0]} has no way to say which is meant"
    return "OCPI-to headers say which is meant"


async def on_record(
    hub: Hub, partner: Partner, kind: Kind, module: str, object_id: str, *, owners: Collection[str] = ()
) -> list[Document]:
    """The objects with this id, of all owners that `partner` may see, or of `owners`; ours first, each once."""
    own = hub.settings.party
    parties = sorted(owners or hub.agreements.owners(partner, module), key=lambda party: (party != own, party))
    audiences = await hub.addressed.audiences(partner, module)
    keys = [key_of(party, object_id, audience) for party in parties for audience in audiences]
    found = await hub.store.get_many(kind, keys)
    return each_once(found[key] for key in keys if key in found)
