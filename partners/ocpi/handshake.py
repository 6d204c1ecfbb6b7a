"""The registration handshake from our side: reading a partner's versions, and registering with it.

`discover` is what both directions need: versions, then the details of one version. Which form of the token the partner
takes is found by trying (the specification admits that both are met) and remembered with the registration.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final, NamedTuple

from hub.core import auth, trace
from hub.core.delivery import lane_from_now_on
from hub.core.dialect import VERSIONS
from hub.core.errors import (
    BusbarError,
    ClientApiUnusable,
    Conflict,
    InvalidRequest,
    PeerRefused,
    VersionNotOffered,
)
from hub.core.inbound import encode
from hub.core.jsontypes import Json
from hub.core.losses import pointers
from hub.core.outbound import Outbound
from hub.core.ports import Found, Hub, PeerAnswer
from hub.core.registry import Claim, Endpoint, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import Seal, mint_token
from hub.core.units import Audit, Unit
from modules.credentials import service as credentials
from modules.credentials.claims import check_claims, claims_of
from modules.credentials.model import Credentials
from modules.credentials.told import heard, roles_in
from modules.credentials.wire import CREDENTIALS
from partners.ocpi import turn
from partners.ocpi.peer import understood

_FORMS: Final[dict[bool, tuple[auth.Form, auth.Form]]] = {True: ("raw", "base64"), False: ("base64", "raw")}


class Handshake:
    """The port `Discovery`, over HTTP."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        """See `hub.core.ports.Discovery.discover`."""
        offered: Json = None
        for form in _FORMS[version == VERSIONS[0]]:
            try:
                offered = await self._get(versions_url, token, form)
            except PeerRefused as refused:
                if refused.http == 401 and form == _FORMS[version == VERSIONS[0]][0]:
                    continue
                raise ClientApiUnusable(f"versions: {refused.message}") from None
            except BusbarError as fault:
                raise ClientApiUnusable(f"versions: {fault.message}") from None
            break
        chosen, url = _choose(offered, version)
        try:
            details = await self._get(url, token, form)
            return Found(chosen, _endpoints(details), form)
        except BusbarError as fault:
            raise ClientApiUnusable(f"version details: {fault.message}") from None

    async def _get(self, url: str, token: str, form: auth.Form) -> Json:
        return (await self.exchange("GET", url, token, form)).data

    async def exchange(
        self, method: str, url: str, token: str, form: auth.Form, body: bytes | None = None
    ) -> PeerAnswer:
        """One request of the configuration modules: no routing headers. Raises: PeerFault's children."""
        headers = {
            "Authorization": auth.present(token, form),
            "X-Request-ID": trace.new_request_id(),
            "X-Correlation-ID": trace.correlation(),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        return understood(await self._outbound.request(method, url, headers=headers, body=body))


def _choose(offered: Json, version: str | None) -> tuple[str, str]:
    """(version, URL of its details): the one asked for, or the newest that both have."""
    entries = offered.get("versions") if isinstance(offered, dict) else offered
    if not isinstance(entries, list):
        raise ClientApiUnusable("versions: there is no list of versions")
    urls = {
        str(entry.get("version")): str(entry.get("url"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("url")
    }
    for candidate in (version,) if version else reversed(VERSIONS):
        if candidate in urls:
            return str(candidate), urls[str(candidate)]
    raise VersionNotOffered


def _endpoints(details: Json) -> tuple[Endpoint, ...]:
    """Raises: InvalidRequest, when there is no list of endpoints."""
    listed = details.get("endpoints") if isinstance(details, dict) else None
    if not isinstance(listed, list):
        raise InvalidRequest("version details have no endpoints")
    return tuple(
        Endpoint(identifier=str(e["identifier"]), role=str(e.get("role") or "").upper(), url=str(e["url"]))
        for e in listed
        if isinstance(e, dict) and e.get("identifier") and e.get("url")
    )


async def connect(
    hub: Hub,
    handshake: Handshake,
    seal: Seal,
    name: str,
    claims: tuple[Claim, ...],
    *,
    versions_url: str,
    token: str,
    actor: str = "busbar",
    represents: str = "",
) -> Partner:
    """Register with a partner that invited us: versions, details, POST credentials with its token A.

    The token that we hand out is on disk before the POST, since the partner calls back with it before it answers.
    When it fails, nothing that we hand out or were told is good; an invitation of ours to them still is.
    Raises: Conflict, when it is connected, or somebody else is about to; ClientApiUnusable, VersionNotOffered,
    EndpointsMissing, PeerFault's children; InvalidRequest, when what they answer is not what was agreed.
    """
    known = hub.registry.find(name)
    if known is not None:
        _must_be_free(known)
    found = await handshake.discover(versions_url, token, version=None)
    credentials.check_endpoints(found, claims)
    ours = mint_token()
    fingerprint = hub.registry.fingerprint(ours)
    partner = await _begin(hub, name, claims, fingerprint, represents)
    try:
        given = await give(hub, handshake, "POST", partner, found, token, ours)
        partner = await _settle(hub, seal, name, claims, fingerprint, given, found, actor)
    except BusbarError:
        await hub.registry.change(name, partial(turn.given_back, fingerprint, None))
        raise
    await credentials.hubs_give_way(hub)
    return partner


def _must_be_free(partner: Partner) -> None:
    if partner.state in (State.CONNECTED, State.BLOCKED):
        raise Conflict(f"{partner.name} is {partner.state}; unregister it first")


async def _begin(hub: Hub, name: str, claims: tuple[Claim, ...], fingerprint: str, represents: str) -> Partner:
    """Raises: Conflict."""

    def begun(partner: Partner) -> Partner:
        _must_be_free(partner)
        taken = turn.taken(hub, fingerprint, partner)
        return taken.model_copy(update={"represents": represents}) if represents else taken

    await hub.registry.refresh()
    if hub.registry.find(name) is not None:
        return await hub.registry.change(name, begun)
    partner = begun(Partner(name=name, invited=claims))
    try:
        return await hub.registry.commit(partner, hub.registry.unit(partner, new=True))
    except Conflict:
        raise turn.under_way(name) from None


class Given(NamedTuple):
    """An exchange that went through: their credentials, and the roles that ours told them."""

    theirs: Credentials
    told: tuple[str, ...]


async def give(
    hub: Hub, handshake: Handshake, method: str, partner: Partner, found: Found, token: str, ours: str
) -> Given:
    """POST or PUT our credentials. Raises: ClientApiUnusable, InvalidRequest, PeerFault's children."""
    url = credentials_url(found.endpoints)
    partner = partner.model_copy(update={"endpoints": found.endpoints})  # what it offers decides what it is told
    shown = credentials.ours(hub, partner, ours, found.version)
    tree, losses = CREDENTIALS[found.version].write(shown)
    answer = await handshake.exchange(method, url, token, found.token_form, encode(tree))
    hub.losses.note(partner.name, "out", "credentials", pointers(losses))
    return Given(CREDENTIALS[found.version].read(answer.data), roles_in(shown))


def credentials_url(endpoints: Iterable[Endpoint]) -> str:
    """Where a partner takes credentials. Raises: ClientApiUnusable."""
    for endpoint in endpoints:
        if endpoint.identifier == "credentials":
            return endpoint.url
    raise ClientApiUnusable("version details list no credentials")


async def _settle(
    hub: Hub,
    seal: Seal,
    name: str,
    agreed: tuple[Claim, ...],
    fingerprint: str,
    given: Given,
    found: Found,
    actor: str,
) -> Partner:
    theirs = given.theirs
    lane = await lane_from_now_on(hub.store, name)

    def as_invited(partner: Partner) -> Partner:
        return partner.model_copy(update={"invited": agreed or partner.invited})

    def settled(partner: Partner) -> Partner:
        _must_be_free(partner)
        if not turn.is_held(fingerprint, partner):
            raise Conflict(f"{name} was changed while we registered with it")
        invited = as_invited(partner)
        claims = claims_of(hub, theirs, invited, found.version)
        if not invited.invited:
            invited = partner.model_copy(update={"invited": claims})
        check_claims(hub, invited, claims)
        connected = invited.model_copy(
            update={
                "state": State.CONNECTED,
                "claims": claims,
                "version": found.version,
                "versions_url": str(theirs.url),
                "endpoints": found.endpoints,
                "our_tokens": (IssuedToken(fingerprint=fingerprint, use=TokenUse.LIVE),),
                "their_token": seal.seal(theirs.token),
                "token_form": found.token_form,
                "pulled": {},
                "since": hub.clock.now().isoformat(),
                "busy_until": None,
                "unsettled": False,
            }
        )
        return heard(connected, given.told)

    def recorded(unit: Unit) -> Unit:
        partner = as_invited(hub.registry.get(name))
        for opened in hub.agreements.opened_by(partner, claims_of(hub, theirs, partner, found.version)):
            unit.put(opened.put())
        return unit.put(lane).audited(Audit(actor, "credentials.connected", name))

    return await hub.registry.change(name, settled, recorded)
