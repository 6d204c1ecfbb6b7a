"""Our drivers' cards and contracts, for a hub that is to say in our place who may charge (an offline EMP)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from hub.core.inbound import parse
from hub.core.ports import Hub
from modules.tokens.store import TOKENS
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.cards import shown_as
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import Items, Record
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import data_record_of
from partners.oicp.set_push import OurSet

_READ: Final = 1000
_LIMIT: Final = 64 * 1024


def cards_set(hub: Hub, connection: Connection) -> OurSet:
    """How they are pushed."""
    provider = connection.provider_ids[0]

    def message(action: str, items: Items) -> Record:
        data = {"ProviderID": provider, "AuthenticationDataRecord": [record for _, record in items]}
        return {"ActionType": action, "ProviderAuthenticationData": data}

    return OurSet("cards", "PushAuthenticationData", provider, hub.settings.party, message)


async def our_cards(hub: Hub, connection: Connection) -> tuple[dict[str, Record], frozenset[str]]:
    """Those of our own tokens that are valid and that OICP can say, and the keys of those that are blocked.

    Keys are no card numbers.
    """
    terms = terms_with(connection)
    found: dict[str, Record] = {}
    blocked: set[str] = set()
    equal = {"owner": hub.settings.party, "audience": ""}
    after = 0
    while documents := await hub.store.select(TOKENS, equal=equal, limit=_READ, after_seq=after):
        for document in documents:
            token = parse(document.body, limit=_LIMIT)
            try:
                record = data_record_of({**token, "valid": True}, terms).value
                shown = shown_as(record["Identification"])
            except (NotSayable, ids.InvalidId):
                continue
            key = blake2b(shown.encode(), digest_size=12).hexdigest()
            if token["valid"]:
                found[key] = record
            else:
                blocked.add(key)
        after = documents[-1].seq
    return found, frozenset(blocked - found.keys())
