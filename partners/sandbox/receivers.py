"""The functional modules of an eMSP: receiver of locations, tariffs, sessions and CDRs, sender of tokens.

Everything that arrives is checked against the specification before it is kept. A bad object is answered
2001 and complained about; good ones go into the mirror.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from partners.sandbox.call import Call, Handlers, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.drivers import Drivers
from partners.sandbox.house import House
from partners.sandbox.list_pages import ListPages
from partners.sandbox.mirror import Mirror, RewrittenCdrError, UnknownObjectError
from partners.sandbox.spec import edition
from partners.sandbox.wire import OBJECT_OF, Json

_LOCATION_PARTS = ("Location", "EVSE", "Connector")
_LIMIT_RESULTS = {"GET": "ActiveChargingProfileResult", "PUT": "ChargingProfileResult", "DELETE": "ClearProfileResult"}


class Receivers:
    """One eMSP's modules."""

    def __init__(self, house: House, mirror: Mirror, drivers: Drivers) -> None:
        self._rules = house.rules
        self._house = house
        self._mirror = mirror
        self._drivers = drivers
        self._temper = house.temper
        self._complaints = house.complaints
        self._pages = ListPages(house)
        self.commands: dict[str, asyncio.Future[dict[str, Json]]] = {}
        """Commands and charging profiles sent, by the last segment of their response_url."""
        self.limits: dict[str, dict[str, Json]] = {}
        """The ActiveChargingProfiles that CPOs told, by session."""

    def handlers(self) -> Handlers:
        """The table for the desk: what is not in it is `n/a` in the specification."""
        table = {
            (module, method): handler
            for module in ("locations", "tariffs", "sessions")
            for method, handler in (("GET", self.get), ("PUT", self.put), ("PATCH", self.patch))
        }
        table |= {
            ("tariffs", "DELETE"): self.delete,
            ("cdrs", "POST"): self.post_cdr,
            ("cdrs", "GET"): self.get_cdr,
            ("tokens", "GET"): self.list_tokens,
            ("tokens", "POST"): self.authorize,
            ("commands", "POST"): self.command_result,
            ("chargingprofiles", "POST"): self.profile_result,
            ("chargingprofiles", "PUT"): self.active_profile,
        }
        if self._rules.version != "2.1.1":
            del table["tariffs", "PATCH"]
        return table

    async def get(self, call: Call) -> Reply:
        """A client-owned object, as we have it."""
        owner, path = self._place(call)
        try:
            return Reply(self._mirror.get(call.module, owner, path))
        except UnknownObjectError as error:
            raise self._unknown(call) from error

    async def put(self, call: Call) -> Reply:
        """Keep a new or replaced object. OCPI transport_and_format_put."""
        owner, path = self._place(call)
        kind = self._kind(call.module, path)
        self._require(call, check(self._rules.version, kind, call.tree))
        self._same_names(call, kind, owner, path[-1])
        if call.module == "sessions":
            self._ours(call, call.tree)
        self._willing()
        try:
            created = self._mirror.put(call.module, owner, path, call.tree, where=call.where)
        except UnknownObjectError as error:
            raise self._unknown(call) from error
        return Reply(http=201 if created else 200)

    async def patch(self, call: Call) -> Reply:
        """Change part of an object. OCPI transport_and_format_patch."""
        owner, path = self._place(call)
        kind = self._kind(call.module, path)
        self._require(call, check(self._rules.version, kind, call.tree, partial=True))
        if self._rules.patch_needs_last_updated and "last_updated" not in call.tree:
            self._require(call, ["/last_updated: is required in every PATCH"])
        for name in ("evses", "connectors"):
            if name in call.tree:
                self._complaints.add(call.where, f"/{name}: a PATCH of parts belongs at the URL of the part")
        self._willing()
        try:
            self._mirror.patch(call.module, owner, path, call.tree, where=call.where)
        except UnknownObjectError as error:
            raise self._unknown(call) from error
        self._require(call, check(self._rules.version, kind, self._mirror.get(call.module, owner, path)))
        return Reply()

    async def delete(self, call: Call) -> Reply:
        """A tariff is gone. OCPI mod_tariffs_delete_method."""
        owner, path = self._place(call)
        try:
            self._mirror.delete(call.module, owner, path)
        except UnknownObjectError as error:
            raise self._unknown(call) from error
        return Reply()

    async def post_cdr(self, call: Call) -> Reply:
        """Take in a CDR. The same again is no fault, other content is. OCPI mod_cdrs_post_method."""
        self._require(call, check(self._rules.version, "CDR", call.tree))
        if call.path:
            self._complaints.add(call.where, "a CDR is POSTed to the endpoint itself")
        self._ours(call, call.tree)
        self._willing()
        owner = (call.tree.get("country_code", ""), call.tree.get("party_id", ""))
        try:
            created = self._mirror.keep_cdr(owner, call.tree)
        except RewrittenCdrError as error:
            self._complaints.add(call.where, f"CDR {error} was sent before with other content")
            raise Refused(200, 2001, "this CDR is known with other content") from error
        name = [quote(part, safe="") for part in (*owner, call.tree["id"]) if part]
        url = self._house.ocpi_url("cdrs", *name)
        return Reply(http=201 if created else 200, headers={"Location": url})

    async def get_cdr(self, call: Call) -> Reply:
        """The CDR behind the Location we gave, or below the endpoint by its id alone, as the specification shows it."""
        *owner, identity = ("", "", *call.path)[-3:]
        try:
            if len(call.path) == 1:
                return Reply(self._mirror.cdr_of_any_owner(identity))
            return Reply(self._mirror.get("cdrs", (owner[0], owner[1]), (identity,)))
        except UnknownObjectError as error:
            raise self._unknown(call) from error

    async def list_tokens(self, call: Call) -> Reply:
        """Our tokens by pages. OCPI mod_tokens_msp_get_method, transport_and_format_pagination."""
        return self._pages.answer(call, list(self._drivers.tokens.values()))

    async def authorize(self, call: Call) -> Reply:
        """Real-time authorization. OCPI mod_tokens_post_method."""
        if len(call.path) != 2 or call.path[1] != "authorize":
            self._complaints.add(call.where, "POST on tokens is for /{token_uid}/authorize")
            raise Refused(404, 2000, "nothing is here")
        if call.tree is not None:
            self._require(call, check(self._rules.version, "LocationReferences", call.tree))
        kind = call.query.get("type", "RFID")
        book = edition(self._rules.version)
        if kind not in book.enums["TokenType"] and "TokenType" not in book.open_enums:
            self._require(call, [f"?type={kind}: is not a TokenType of {book.version}"])
        return Reply(await self._drivers.authorize(call.path[0], call.tree, reject=self._temper.mode.rejects))

    async def command_result(self, call: Call) -> Reply:
        """The result of a command we sent. OCPI mod_commands (Sender interface, POST)."""
        return self._result(call, self._rules.result_object)

    async def profile_result(self, call: Call) -> Reply:
        """The result of an order about limits. OCPI mod_charging_profiles (Sender interface, POST)."""
        kind = _LIMIT_RESULTS.get(call.path[0]) if call.path else None
        return self._result(call, kind or "ChargingProfileResult")

    async def active_profile(self, call: Call) -> Reply:
        """What a session may draw now. OCPI mod_charging_profiles (Sender interface, PUT)."""
        if len(call.path) != 1:
            self._complaints.add(call.where, "the URL is not {session_id}")
            raise Refused(404, 2000, "nothing is here")
        self._require(call, check(self._rules.version, "ActiveChargingProfile", call.tree))
        self.limits[call.path[0]] = call.tree
        return Reply()

    def _result(self, call: Call, kind: str) -> Reply:
        if isinstance(call.tree, dict) and "status_code" in call.tree:
            self._complaints.add(call.where, "the result is wrapped in an envelope")
        self._require(call, check(self._rules.version, kind, call.tree))
        waiting = self.commands.get(call.path[-1]) if len(call.path) == 2 else None
        if waiting is None:
            self._complaints.add(call.where, "a result for a command that was never sent")
            raise Refused(404, 2000, "no such command")
        if not waiting.done():
            waiting.set_result(call.tree)
        elif call.tree["result"] != "CANCELED_RESERVATION":
            self._complaints.add(call.where, "a second result for the same command")
        return Reply()

    def _place(self, call: Call) -> tuple[tuple[str, str], tuple[str, ...]]:
        deepest = 5 if call.module == "locations" else 3
        if not 3 <= len(call.path) <= deepest:
            self._complaints.add(call.where, "the URL is not {country_code}/{party_id}/{object_id}")
            raise Refused(404, 2000, "nothing is here")
        return (call.path[0], call.path[1]), call.path[2:]

    def _kind(self, module: str, path: tuple[str, ...]) -> str:
        return _LOCATION_PARTS[len(path) - 1] if module == "locations" else OBJECT_OF[module]

    def _same_names(self, call: Call, kind: str, owner: tuple[str, str], identity: str) -> None:
        """URL and object name the same thing. OCPI transport_and_format_client_owned_object_push."""
        inside = str(call.tree["uid" if kind == "EVSE" else "id"])
        if inside.casefold() != identity.casefold():
            self._require(call, [f"/id: the URL says {identity}"])
        if "country_code" in call.tree:
            named = (call.tree["country_code"].upper(), call.tree["party_id"].upper())
            if named != (owner[0].upper(), owner[1].upper()):
                self._require(call, [f"/party_id: the URL says {owner[0]}*{owner[1]}"])

    def _ours(self, call: Call, tree: Mapping[str, Json]) -> None:
        """A Session or CDR is for the eMSP whose token it was, and repeats the reference it was given."""
        cdr_token = tree.get("auth_id") or tree["cdr_token"]
        if not self._drivers.owns(cdr_token):
            self._complaints.add(call.where, "about a token that is not ours")
            return
        if isinstance(cdr_token, str):
            return
        given = self._drivers.references.get(cdr_token["uid"], [])
        asked = tree["auth_method"] in ("AUTH_REQUEST", "COMMAND")
        if asked and given and tree.get("authorization_reference") not in given:
            self._complaints.add(call.where, "/authorization_reference: is not one that we gave for this token")

    def _require(self, call: Call, breaches: list[str]) -> None:
        for breach in breaches:
            self._complaints.add(call.where, breach)
        if breaches:
            raise Refused(200, 2001, breaches[0])

    def _willing(self) -> None:
        if self._temper.mode.rejects:
            raise Refused(200, 2000, "refused, as this mode does")

    def _unknown(self, call: Call) -> Refused:
        return Refused(404, 2003 if call.module == "locations" else 2000, "no such object here")
