"""Versions and credentials of a partner: the side that is asked, and the exchange both sides share."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from partners.sandbox.call import Call, Handlers, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.house import House
from partners.sandbox.hubline import HubRefusedError
from partners.sandbox.registration import Registration, mint_token
from partners.sandbox.wire import Json


class VersionMissingError(LookupError):
    """The other side does not offer our version."""


class Handshake:
    """Who we are, and how a registration comes about. OCPI credentials_registration."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._rules = house.rules
        self._accounts = house.accounts
        self._line = house.line
        self._complaints = house.complaints

    @property
    def versions_url(self) -> str:
        """Where a partner begins with us."""
        return f"{self._house.base_url}/ocpi/versions"

    def handlers(self) -> Handlers:
        """The table for the desk."""
        return {
            ("versions", "GET"): self.versions,
            ("credentials", "GET"): self.get,
            ("credentials", "POST"): self.post,
            ("credentials", "PUT"): self.put,
            ("credentials", "DELETE"): self.delete,
        }

    def credentials(self, token: str) -> dict[str, Json]:
        """Our Credentials object with the token that the other side is to present."""
        party = self._house.party
        about = {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "business_details": {"name": f"Sandbox {self._house.role.replace('EMSP', 'eMSP')} {party}"},
        }
        shared: dict[str, Json] = {"token": token, "url": self.versions_url}
        if self._rules.owner_in_body:
            return {**shared, "roles": [{"role": self._house.role, **about}]}
        return {**shared, **about}

    async def look_up(self, versions_url: str, token: str) -> dict[str, str]:
        """The other side's endpoints. Raises VersionMissingError, HubRefusedError, httpx.HTTPError."""
        answer = await self._line.ask("GET", versions_url, token, functional=False)
        versions = answer.require("GET versions")
        self._complain("versions", "Version", versions)
        ours = [row["url"] for row in versions if row["version"] == self._rules.version]
        if not ours:
            raise VersionMissingError(self._rules.version)
        answer = await self._line.ask("GET", ours[0], token, functional=False)
        details = answer.require("GET version details")
        self._complain("version details", "VersionDetails", [details])
        return {f"{row['identifier']} {row.get('role', '')}": row["url"] for row in details["endpoints"]}

    async def versions(self, call: Call) -> Reply:
        """Version list and version details. OCPI version_information_endpoint."""
        url = self._house.ocpi_url()
        if call.path == ("versions",):
            return Reply([{"version": self._rules.version, "url": url}])
        endpoints = [
            {
                "identifier": module,
                **({"role": role} if self._rules.endpoint_roles else {}),
                "url": f"{url}/{module}",
            }
            for module, role in self._house.modules()
        ]
        return Reply({"version": self._rules.version, "endpoints": endpoints})

    async def get(self, call: Call) -> Reply:
        """Our credentials as they stand, with the token the caller uses. OCPI credentials_get_method."""
        return Reply(self.credentials(call.token))

    async def post(self, call: Call) -> Reply:
        """Register with an invitation. OCPI credentials_post_method."""
        if self._accounts.registration is not None or call.token not in self._accounts.invitations:
            raise Refused(405, 2000, "registered already")
        reply = await self._exchange(call)
        self._accounts.invitations.discard(call.token)
        self._accounts.save()
        return reply

    async def put(self, call: Call) -> Reply:
        """Renew a registration. OCPI credentials_put_method."""
        self._must_be_registered(call)
        return await self._exchange(call)

    async def delete(self, call: Call) -> Reply:
        """End a registration. OCPI credentials_delete_method."""
        self._must_be_registered(call)
        self._accounts.part()
        return Reply()

    def concluded(self, credentials: dict[str, Json], our_token: str, endpoints: dict[str, str]) -> None:
        """Both sides have said yes."""
        self._complain("credentials", "Credentials", [credentials])
        self._accounts.agree(Registration(credentials["url"], our_token, credentials["token"], credentials, endpoints))

    async def _exchange(self, call: Call) -> Reply:
        breaches = check(self._rules.version, "Credentials", call.tree)
        for breach in breaches:
            self._complaints.add(call.where, breach)
        if breaches:
            raise Refused(200, 2001, breaches[0])
        credentials: Mapping[str, Json] = call.tree
        try:
            endpoints = await self.look_up(credentials["url"], credentials["token"])
        except VersionMissingError as error:
            raise Refused(200, 3002, "our version is not in your list") from error
        except (HubRefusedError, httpx.HTTPError) as error:
            raise Refused(200, 3001, "your versions cannot be read") from error
        our_token = mint_token()
        self.concluded(call.tree, our_token, endpoints)
        return Reply(self.credentials(our_token))

    def _must_be_registered(self, call: Call) -> None:
        if self._accounts.registration is None or call.token in self._accounts.invitations:
            raise Refused(405, 2000, "not registered")

    def _complain(self, where: str, kind: str, trees: Json) -> None:
        if not isinstance(trees, list):
            self._complaints.add(where, "is not a list")
            return
        for tree in trees:
            for breach in check(self._rules.version, kind, tree):
                self._complaints.add(where, breach)
