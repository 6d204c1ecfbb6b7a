"""Our own objects, as the operator keeps them: locations, tariffs, and our own drivers' tokens. In our own form.

What partners own is theirs to change; it is shown, never written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.control.missing_tariffs import missing_at, missing_everywhere
from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound, UnknownToken
from hub.core.jsontypes import Json, Tree
from hub.core.parties import Party
from hub.core.units import Audit, Document
from modules.locations import service as locations
from modules.locations.store import key_of as location_key
from modules.tariffs import service as tariffs
from modules.tariffs import store as tariff_store
from modules.tokens import service as tokens
from modules.tokens.model import Token
from modules.tokens.wire import TOKEN

if TYPE_CHECKING:
    from hub.app import Program

TOKEN_TYPES: Final = ("RFID", "APP_USER", "AD_HOC_USER", "EMAID", "OTHER")


def our_party(program: Program, country_code: str, party_id: str) -> Party:
    """The party of a URL, which must be ours. Raises: InvalidRequest."""
    party = Party.of(country_code, party_id)
    if party != program.settings.own_party:
        raise InvalidRequest(f"{party} is not our own party, {program.settings.own_party} is")
    return party


async def put_location(program: Program, owner: Party, location_id: str, tree: Tree, *, actor: str) -> bool:
    """Keep a location. The `warnings` of an earlier answer are no part of it.

    Returns: True if it is new. Raises: InvalidRequest.
    """
    _check_lists(tree)
    now = program.hub.clock.now()
    named, chargers = {"id": location_id, **tree}, program.hub.chargers
    named.pop("warnings", None)
    return await locations.put(
        program.store,
        owner,
        location_id,
        named,
        now=now,
        has_charger=lambda uid: chargers.place(uid) is not None,
        audit=Audit(actor, "location.put", location_key(owner, location_id)),
    )


def _check_lists(tree: Tree) -> None:
    """Lists of objects are that, before defaults are put into them. Raises: InvalidRequest."""
    for at, evse in enumerate(_objects(tree, "evses", "/evses")):
        _objects(evse, "connectors", f"/evses/{at}/connectors")


def _objects(tree: Tree, name: str, pointer: str) -> list[Tree]:
    listed: Json = tree.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InvalidRequest(f"{pointer}: must be a list of objects")
    return listed


async def get_location(program: Program, owner: Party, location_id: str) -> Document:
    """Raises: UnknownLocation."""
    return await locations.get(program.store, location_key(owner, location_id))


async def location_warnings(program: Program, location: Document) -> list[str]:
    """Which tariffs its connectors name that are not here, in sentences."""
    return [missing.words() for missing in await missing_at(program.store, location.owner, location)]


async def remove_evse(program: Program, owner: Party, location_id: str, evse_uid: str, *, actor: str) -> None:
    """Take an EVSE out of service for good: REMOVED, and still readable. Raises: UnknownLocation."""
    key = location_key(owner, location_id)
    audit = Audit(actor, "evse.removed", f"{key}/{evse_uid}")
    await locations.remove_evse(program.store, key, evse_uid, now=program.hub.clock.now(), audit=audit)


async def put_tariff(program: Program, owner: Party, tariff_id: str, tree: Tree, *, actor: str) -> bool:
    """Keep a tariff. Returns: True if it is new. Raises: InvalidRequest."""
    now = program.hub.clock.now()
    audit = Audit(actor, "tariff.put", tariff_store.key_of(owner, tariff_id))
    return await tariffs.put(program.store, owner, tariff_id, {"id": tariff_id, **tree}, now=now, audit=audit)


async def get_tariff(program: Program, owner: Party, tariff_id: str) -> Document:
    """Raises: NotFound."""
    document = await tariff_store.find(program.store, tariff_store.key_of(owner, tariff_id))
    if document is None:
        raise NotFound("there is no such tariff")
    return document


async def delete_tariff(program: Program, owner: Party, tariff_id: str, *, actor: str) -> None:
    """Withdraw a tariff; sessions that began under it keep it. Raises: NotFound."""
    audit = Audit(actor, "tariff.deleted", tariff_store.key_of(owner, tariff_id))
    await tariffs.delete(program.store, owner, tariff_id, audit=audit)


async def tariff_warnings(program: Program, owner: Party, tariff_id: str) -> list[str]:
    """Which connectors name a tariff that is not here, in a sentence."""
    return [missing.words() for missing in await missing_everywhere(program.store, str(owner), only=tariff_id)]


async def put_token(program: Program, owner: Party, uid: str, tree: Tree, *, actor: str) -> bool:
    """Keep a token of a driver of ours. Missing: the owner, uid and time, `RFID`, valid, whitelist ALLOWED.

    Returns: True if it is new. Raises: InvalidRequest.
    """
    now = program.hub.clock.now()
    given = {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "uid": uid,
        "type": TOKEN_TYPES[0],
        "valid": True,
        "whitelist": "ALLOWED",
        "issuer": program.settings.business_name,
        "last_updated": timestamp(now),
    }
    token: Token = TOKEN["2.3.0"].read({**given, **tree})
    audit = Audit(actor, "token.put", f"{owner}/{token.type}")
    return await tokens.put(program.store, owner, uid, token, now=now, audit=audit)


async def get_token(program: Program, owner: Party, uid: str, token_type: str) -> Document:
    """Raises: UnknownToken."""
    if token_type not in TOKEN_TYPES:
        raise UnknownToken
    return await tokens.get(program.store, owner, uid, token_type)
