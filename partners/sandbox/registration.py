"""What two platforms agreed on in the credentials exchange, kept over a restart."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from partners.sandbox.wire import Json, Party, encode

_RETIRED_FOR_S = 10.0


def mint_token() -> str:
    """A new credentials token. The dash keeps it from being mistaken for Base64."""
    return f"sb-{secrets.token_urlsafe(24)}"


@dataclass
class Registration:
    """A concluded exchange. `endpoints` maps `<identifier> <role>` (in 2.1.1 `<identifier> `) to the URL."""

    versions_url: str
    our_token: str
    their_token: str
    credentials: dict[str, Json]
    endpoints: dict[str, str]

    @property
    def hub(self) -> Party:
        """The party to address when the other platform itself is meant: its hub party, else its first."""
        combined = self.credentials.get("hub_party_id")
        if combined:
            return Party.parse(combined)
        roles: Sequence[Mapping[str, str]] = self.credentials.get("roles") or (self.credentials,)
        hubs = [role for role in roles if role.get("role") == "HUB"]
        chosen = (hubs or list(roles))[0]
        return Party(chosen["country_code"].upper(), chosen["party_id"].upper())


@dataclass
class Accounts:
    """The tokens this partner accepts, its registration, and what is its own: drivers' tokens, or places.

    A token given out in a running exchange (`pending`) is good from the moment it leaves: the other side
    must fetch our versions with it before it answers. A replaced one stays good for some seconds, for
    what is under way.
    """

    file: Path | None = None
    registration: Registration | None = None
    invitations: set[str] = field(default_factory=set)
    tokens: dict[str, dict[str, Json]] = field(default_factory=dict)
    grounds: dict[str, dict[str, dict[str, Json]]] = field(default_factory=dict)
    """A CPO's own objects, by module and id."""
    pending: set[str] = field(default_factory=set)
    _retired: dict[str, float] = field(default_factory=dict)

    def recognises(self, token: str) -> bool:
        """May the bearer use the functional modules?"""
        current = self.registration is not None and token == self.registration.our_token
        return current or token in self.pending or self._retired.get(token, 0.0) > time.monotonic()

    def agree(self, registration: Registration) -> None:
        """A registration begins, or replaces the one that was."""
        if self.registration is not None and self.registration.our_token != registration.our_token:
            self._retired[self.registration.our_token] = time.monotonic() + _RETIRED_FOR_S
        self.registration = registration
        self.pending.discard(registration.our_token)
        self.save()

    def part(self) -> None:
        """The registration ends; both tokens die at once. OCPI credentials DELETE."""
        self.registration = None
        self._retired.clear()
        self.save()

    def save(self) -> None:
        """Write everything that must outlive the process, atomically and for our eyes only."""
        if self.file is None:
            return
        draft = self.file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_bytes(
            encode(
                {
                    "registration": vars(self.registration) if self.registration else None,
                    "invitations": sorted(self.invitations),
                    "tokens": self.tokens,
                    "grounds": self.grounds,
                }
            )
        )
        draft.replace(self.file)

    def load(self) -> None:
        """Read what an earlier process wrote, if it did."""
        if self.file is None or not self.file.exists():
            return
        tree = msgspec.json.decode(self.file.read_bytes())
        self.registration = Registration(**tree["registration"]) if tree["registration"] else None
        self.invitations = set(tree["invitations"])
        self.tokens = tree["tokens"]
        self.grounds = tree.get("grounds", {})
