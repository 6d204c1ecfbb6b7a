"""Charges that another hub allowed in our place, for a card that we left with it: only their records tell of them.

The hub's SessionID is new to us then. Whose charge it is, the record says: by the number of one of our cards, or by one
of our contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party, PartyRole
from modules.tokens import store as tokens
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.ledger import ACTIVE, OicpSession
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import medium_of

_LIMIT: Final = 64 * 1024


async def charge_of_left_card(bridge: Bridge, connection: Connection, record: Mapping[str, Any]) -> OicpSession | None:
    """The session that such a record is of, which is not on disk yet; None, where it is of no card that we leave."""
    if connection.kind != "hub" or not connection.leaves_cards or await bridge.ledger.find(record["SessionID"]):
        return None
    token = await _our_token(bridge, connection, record["Identification"])
    if token is None:
        return None
    operator = ids.EvseID.parse(record["EvseID"]).operator.party(connection.countries)
    owner = Party.of(token["country_code"], token["party_id"])
    return OicpSession(
        id=record["SessionID"].lower(),
        state=ACTIVE,
        origin="told",
        cpo=connection.partner,
        cpo_party=str(operator),
        emp_party=str(owner),
        provider_id=voices.provider(connection, str(owner)),
        evse_id=record["EvseID"],
        identification=record["Identification"],
        token=token,
        product=record.get("PartnerProductID", ""),
        cpo_partner_session=record.get("CPOPartnerSessionID", ""),
        reference=record["SessionID"].lower(),
        opened=bridge.hub.clock.now(),
    )


async def remember(bridge: Bridge, connection: Connection, session: OicpSession) -> None:
    """From now on it is a session like any other, of a CPO that is known to be behind that hub."""
    await bridge.connections.learn(connection, PartyRole.CPO, Party.parse(session.cpo_party))
    with suppress(Conflict):  # the same record came twice at once
        await bridge.ledger.open(session)


async def _our_token(bridge: Bridge, connection: Connection, identification: Mapping[str, Any]) -> Tree | None:
    try:
        medium = medium_of(identification, terms_with(connection))
    except NotSayable:
        return None
    store = bridge.hub.store
    found = await tokens.by_uid(store, medium.uid)
    for contract in _spellings(medium.uid):
        found = found or await tokens.by_contract(store, contract)
    ours = [each for each in found if each.owner == bridge.hub.settings.party and not each.audience]
    return parse(ours[0].body, limit=_LIMIT) if ours else None


def _spellings(contract: str) -> tuple[str, ...]:
    """With and without the check digit, which OCPI does not ask for."""
    try:
        evco_id = ids.EvcoID.parse(contract)
    except ids.InvalidId:
        return (contract,)
    return contract, str(evco_id.complete), str(evco_id._replace(check=""))
