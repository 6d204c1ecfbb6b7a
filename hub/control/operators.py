"""Who may operate the hub: one operator's token, and the bearer tokens issued under it.

The operator's token is the setting `operator_token`, or is minted at the first start: shown once, kept as a
fingerprint, and, beside a SQLite database, in a file of mode 0600 so that the command line on the same machine finds
it. Everybody else gets a bearer token of `hub.core.jwt` with a role and an end. OCPI's credentials tokens open nothing
here.
"""

from __future__ import annotations

import hmac
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from hub.control.token_file import token_file
from hub.core import jwt, secrets
from hub.core.clock import Clock, timestamp
from hub.core.errors import Conflict, Unauthorized
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.jwt import Bearer, OperatorRole
from hub.core.secrets import Keys
from hub.core.settings import Settings
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Kind, Put, Unit

OPERATORS: Final = Kind("operators")

LEAST_CHARACTERS: Final = 16
"""Of an operator's token that was chosen, outside of development: fewer could be guessed over the network."""

_FIRST: Final = "operator"
_HEADER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]{1,8192})")


class Operators:
    """Recognises and issues the tokens of the management API."""

    def __init__(self, store: Store, keys: Keys, clock: Clock, fingerprint: str, minted: str | None) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._fingerprint = fingerprint
        self._minted = minted

    @classmethod
    async def open(cls, store: Store, settings: Settings, keys: Keys, clock: Clock) -> Self:
        """The operator's token as it is set, or was minted once, or is minted now. Raises: ValueError, if too short."""
        if settings.operator_token is not None:
            chosen = settings.operator_token.get_secret_value()
            if len(chosen) < LEAST_CHARACTERS and not settings.dev:
                raise ValueError(f"BUSBAR_OPERATOR_TOKEN needs {LEAST_CHARACTERS} or more characters")
            return cls(store, keys, clock, secrets.fingerprint(chosen, keys.pepper), None)
        token = secrets.mint_token()
        try:
            fingerprint = secrets.fingerprint(token, keys.pepper)
            await _keep(store, fingerprint)
        except Conflict:
            return cls(store, keys, clock, await _kept(store), None)
        path = token_file(settings.database_url)
        if path is not None:
            _write(path, token)
        return cls(store, keys, clock, fingerprint, token)

    def take_minted(self) -> str | None:
        """The token that this start minted, once; None if it is known already."""
        minted, self._minted = self._minted, None
        return minted

    def bearer(self, header: bytes) -> Bearer:
        """Who presents this Authorization header. Raises: Unauthorized."""
        match = _HEADER.fullmatch(header)
        if match is None:
            raise Unauthorized("a bearer token of the management API is needed")
        token = match[1].decode("ascii")
        if hmac.compare_digest(secrets.fingerprint(token, self._keys.pepper), self._fingerprint):
            return Bearer("operator", OperatorRole.ADMIN)
        return jwt.check(token, key=self._keys.jwt, now=self._clock.now())

    async def issue(self, subject: str, role: OperatorRole, *, lifetime: timedelta, actor: str) -> Tree:
        """A bearer token, shown this once. It cannot be taken back before its end, other than by a new secret key."""
        now = self._clock.now()
        expires = timestamp(now + lifetime)
        audit = Audit(actor, "operator.token", subject, f"role {role}, until {expires}")
        await self._store.commit(Unit().audited(audit))
        token = jwt.issue(subject, role, key=self._keys.jwt, now=now, lifetime=lifetime)
        return {"token": token, "subject": subject, "role": role.value, "expires": expires}


async def _keep(store: Store, fingerprint: str) -> None:
    """Raises: Conflict, when there is one already."""
    put = Put(OPERATORS, _FIRST, encode({"fingerprint": fingerprint}), expect=ABSENT)
    await store.commit(Unit().put(put).audited(Audit("busbar", "operator.minted", _FIRST)))


async def _kept(store: Store) -> str:
    document = await store.get(OPERATORS, _FIRST)
    return str(parse(document.body, limit=1024)["fingerprint"]) if document is not None else ""


def _write(path: Path, token: str) -> None:
    """Mode 0600 from its first byte on; one that an older database left is replaced."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
