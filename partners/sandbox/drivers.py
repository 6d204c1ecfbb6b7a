"""The eMSP's own customers: their tokens, and whether they may charge."""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections import defaultdict
from collections.abc import Mapping

from partners.sandbox.call import Refused
from partners.sandbox.registration import Accounts
from partners.sandbox.wire import Json, Party, Rules, now_text


class Drivers:
    """Tokens, and the answers to "may this one charge?"."""

    def __init__(self, rules: Rules, party: Party, accounts: Accounts) -> None:
        self._rules = rules
        self._party = party
        self._accounts = accounts
        self._numbers = itertools.count(1)
        self.verdicts: dict[str, str] = {}
        """What to answer for a uid whatever its token says: an AllowedType, UNKNOWN or NEEDS_LOCATION."""
        self.delay_s = 0.0
        self.references: dict[str, list[str]] = defaultdict(list)
        """By uid, the authorization references given out so far."""

    @property
    def tokens(self) -> dict[str, dict[str, Json]]:
        """By uid."""
        return self._accounts.tokens

    def token(self, given: Mapping[str, Json]) -> dict[str, Json]:
        """A whole Token in this version's form from the fields given; only `uid` must be."""
        owner = {"country_code": self._party.country_code, "party_id": self._party.party_id}
        number = zlib.crc32(given["uid"].encode()) % 10**8
        contract = f"{self._party.country_code}{self._party.party_id}C{number:08d}"
        return {
            **(owner if self._rules.owner_in_body else {}),
            "type": "RFID",
            self._rules.contract_field: contract,
            "issuer": str(self._party),
            "valid": True,
            "whitelist": "NEVER",
            "last_updated": now_text(),
            **given,
        }

    def keep(self, token: dict[str, Json]) -> None:
        """Add or change a token."""
        self.tokens[token["uid"]] = token
        self._accounts.save()

    def owns(self, cdr_token: Mapping[str, Json] | str) -> bool:
        """Is this one of ours? In 2.1.1 it is the contract's id alone."""
        if isinstance(cdr_token, str):
            return any(token[self._rules.contract_field] == cdr_token for token in self.tokens.values())
        return self._party.is_same(cdr_token["country_code"], cdr_token["party_id"])

    def new_reference(self, uid: str) -> str:
        """An authorization_reference, to be found again in the Session and the CDR."""
        reference = f"{self._party.country_code}{self._party.party_id}-{next(self._numbers):06d}"
        self.references[uid].append(reference)
        return reference

    async def authorize(self, uid: str, place: Json, *, reject: bool) -> dict[str, Json]:
        """The AuthorizationInfo. Raises Refused. OCPI mod_tokens_real-time_authorization."""
        await asyncio.sleep(self.delay_s)
        token = self.tokens.get(uid)
        verdict = self.verdicts.get(uid)
        if verdict == "UNKNOWN" or token is None:
            raise Refused(404, self._rules.unknown_token_code, "this token is not known here")
        if verdict == "NEEDS_LOCATION" and place is None:
            raise Refused(200, 2002, "where?")
        allowed = "ALLOWED" if token["valid"] else "BLOCKED"
        if verdict not in (None, "NEEDS_LOCATION"):
            allowed = str(verdict)
        info: dict[str, Json] = {"allowed": "NOT_ALLOWED" if reject else allowed}
        if place is not None:
            info["location"] = place
        if self._rules.owner_in_body:
            info["token"] = token
        if self._rules.owner_in_body and info["allowed"] == "ALLOWED":
            info["authorization_reference"] = self.new_reference(uid)
        return info
