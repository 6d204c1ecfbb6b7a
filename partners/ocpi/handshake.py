"""The registration handshake from our side: reading a partner's versions, and registering with it.

`discover` is what both directions need: versions, then the details of one version. Which form of the token the partner
takes is found by trying (the specification admits that both are met) and remembered with the registration.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.core import auth, trace
from hub.core.delivery import lane_from_now_on
from hub.core.dialect import VERSIONS
from hub.core.errors import (
    BusbarError,
    ClientApiUnusable,
    InvalidRequest,
    PeerRefused,
    VersionNotOffered,
)
from hub.core.inbound import encode
from hub.core.jsontypes import Json
from hub.core.outbound import Outbound
from hub.core.ports import Found, Hub, PeerAnswer
from hub.core.registry import Claim, Endpoint, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import Seal, mint_token
from hub.core.units import Audit
from modules.credentials import service as credentials
from modules.credentials.model import Credentials
from modules.credentials.wire import CREDENTIALS
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
    hub: Hub, handshake: Handshake, seal: Seal, name: str, claims: tuple[Claim, ...], *, versions_url: str, token: str
) -> Partner:
    """Register with a partner that invited us: versions, details, POST credentials with its token A.

    The token that we hand out is on disk before the POST, since the partner calls back with it before it answers.
    When it fails, nothing that we hand out or were told is good; an invitation of ours to them still is.
    Raises: ClientApiUnusable, VersionNotOffered, EndpointsMissing, PeerFault's children; InvalidRequest, when what they
    answer is not what was agreed.
    """
    known = hub.registry.find(name)
    if known is not None and known.state is State.CONNECTED:
        raise InvalidRequest(f"{name} is connected already")
    found = await handshake.discover(versions_url, token, version=None)
    credentials.check_endpoints(found, claims)
    ours = mint_token()
    known = hub.registry.find(name)
    partner = await _prepare(hub, name, claims, found, ours, versions_url)
    try:
        theirs = await give(hub, handshake, "POST", found, token, ours)
        return await _settle(hub, seal, partner, theirs, found)
    except BusbarError:
        before = known or partner.model_copy(update={"our_tokens": ()})
        await hub.registry.change(name, lambda _: before)
        raise


async def _prepare(
    hub: Hub, name: str, claims: tuple[Claim, ...], found: Found, ours: str, versions_url: str
) -> Partner:
    known = hub.registry.find(name)
    if known is not None and known.state is State.CONNECTED:
        raise InvalidRequest(f"{name} is connected already")
    probe = IssuedToken(fingerprint=hub.registry.fingerprint(ours), use=TokenUse.PROBE)
    partner = Partner(
        name=name,
        invited=claims or (known.invited if known else ()),
        version=found.version,
        versions_url=versions_url,
        endpoints=found.endpoints,
        our_tokens=(probe,),
        token_form=found.token_form,
        switches=known.switches if known else {},
    )
    return await hub.registry.commit(partner, hub.registry.unit(partner, new=known is None))


async def give(hub: Hub, handshake: Handshake, method: str, found: Found, token: str, ours: str) -> Credentials:
    """POST or PUT our credentials. Returns: theirs. Raises: ClientApiUnusable, InvalidRequest, PeerFault's children."""
    url = credentials_url(found.endpoints)
    tree, _ = CREDENTIALS[found.version].write(credentials.ours(hub, ours, found.version))
    answer = await handshake.exchange(method, url, token, found.token_form, encode(tree))
    return CREDENTIALS[found.version].read(answer.data)


def credentials_url(endpoints: Iterable[Endpoint]) -> str:
    """Where a partner takes credentials. Raises: ClientApiUnusable."""
    for endpoint in endpoints:
        if endpoint.identifier == "credentials":
            return endpoint.url
    raise ClientApiUnusable("version details list no credentials")


async def _settle(hub: Hub, seal: Seal, partner: Partner, theirs: Credentials, found: Found) -> Partner:
    claims = credentials.claims_of(theirs, partner, found.version)
    if not partner.invited:
        partner = partner.model_copy(update={"invited": claims})
    credentials.check_claims(hub, partner, claims)
    live = tuple(token.model_copy(update={"use": TokenUse.LIVE}) for token in partner.our_tokens)
    connected = partner.model_copy(
        update={
            "state": State.CONNECTED,
            "claims": claims,
            "versions_url": str(theirs.url),
            "our_tokens": live,
            "their_token": seal.seal(theirs.token),
            "since": hub.clock.now().isoformat(),
        }
    )
    unit = hub.registry.unit(connected).audited(Audit("busbar", "credentials.connected", partner.name))
    unit.put(await lane_from_now_on(hub.store, partner.name))
    return await hub.registry.commit(connected, unit)
